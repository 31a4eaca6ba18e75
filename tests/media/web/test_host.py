"""What a host does beside speaking: change the Space, call it off, invite, and see how it went."""

import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.media.server.process import Process
from tests.media.web.chromium import FLAGS, Visitor, executable, write_tone
from tests.media.web.conftest import TONE_A, TONE_B, Come
from tests.media.web.test_access import check_access
from tests.media.web.test_room import come_in, live

pytestmark = pytest.mark.needs("chromium")


def scheduled(server: Process, host: str = "ana", **body: Any) -> str:
    """Schedule a Space by the API; return its path in the page."""
    start = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
    return (
        f"/s/{server.call(server.token(host), 'POST', '/spaces', json={'scheduled_start': start, **body})['id']}"
    )


def invite(server: Process, path: str, name: str) -> None:
    """Have a host's Space make somebody a speaker."""
    api = path.replace("/s/", "/spaces/")
    server.call(server.token("ana"), "POST", f"{api}/invitations", json={"user_id": name})
    server.call(server.token(name), "POST", f"{api}/invitations/me/accept")


def loads(visitor: Visitor, selector: str) -> bool:
    """Whether a picture is there, and not only its frame."""
    return visitor.page.locator(selector).evaluate(
        "async (img) => { await img.decode(); return img.naturalWidth > 100; }"
    )


def test_a_live_space_is_changed_for_everyone_who_is_there(come: Come, server: Process) -> None:
    path = live(server, title="First thoughts", topic_ids=["Bread"])
    host, guest = come("ana"), come("lea")
    come_in(host, path)
    come_in(guest, path)
    expect(guest.button("Change the Space")).to_have_count(0)
    host.button("Change the Space").click()
    page = host.page
    topics = page.get_by_role("combobox", name="Topics")
    expect(topics).to_have_value("Bread")
    page.get_by_label("What is it about?").fill("Second thoughts")
    topics.fill("a, b, c, d")
    host.button("Save").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("topics")
    topics.fill("Butter")
    page.get_by_role("dialog").get_by_label("Who can speak without asking").select_option("everyone")
    host.button("Save").click()
    expect(guest.page.get_by_role("heading", level=1)).to_have_text("Second thoughts")
    expect(guest.page.get_by_role("list", name="Topics")).to_have_text("Butter")
    guest.button("Ask to speak").click()
    expect(guest.button("Unmute")).to_be_visible()


def test_a_scheduled_space_is_moved_and_called_off(come: Come, server: Process) -> None:
    path = scheduled(server, title="Soon")
    host, guest = come("ana"), come("lea")
    guest.visit(path)
    before = guest.page.locator(".notice h2").text_content() or ""
    page = host.visit(path)
    host.button("Change").click()
    later = datetime.now() + timedelta(days=2)
    page.get_by_label("Start", exact=True).fill(later.strftime("%Y-%m-%dT18:30"))
    host.button("Save").click()
    expect(guest.page.locator(".notice h2")).to_have_text(re.compile(rf"Starts .*{later.day} .* at 18:30"))
    assert before and "18:30" not in before
    host.button("Call it off").first.click()
    host.page.get_by_role("dialog").get_by_role("button", name="Call it off").click()
    expect(guest.page.get_by_role("heading", name="This Space was canceled")).to_be_visible()


def test_a_listener_invites_somebody_to_listen(come: Come, server: Process) -> None:
    path = live(server, "oli", title="Come and hear")
    guest, friend = come("noa"), come("mia")
    friend.visit()
    expect(friend.page.get_by_role("heading", name="Live now")).to_be_visible()
    come_in(guest, path)
    guest.button("Invite somebody").click()
    expect(guest.button("Link for speakers")).to_have_count(0)
    guest.context.grant_permissions(["clipboard-read", "clipboard-write"])
    guest.button("Link to listen").click()
    assert guest.page.evaluate("navigator.clipboard.readText()") == server.base + path
    guest.page.get_by_role("combobox", name="Who?").fill("@mia")
    guest.page.get_by_role("dialog").get_by_role("button", name="Invite", exact=True).click()
    expect(friend.page.locator(".toast")).to_contain_text("noa invites you to listen: Come and hear")


def test_people_are_found_by_name_and_invited_by_keyboard(come: Come, server: Process) -> None:
    for name, full in (("pia_1", "Pia Sørensen"), ("pia_2", "Piet Pia"), ("pit", "Pit Stop")):
        server.call(server.token(name), "POST", "/users", json={"name": full})
    path = live(server, "una", title="By name")
    host, friend = come("una"), come("pia_2")
    friend.visit()
    expect(friend.page.get_by_role("heading", name="Live now")).to_be_visible()
    come_in(host, path)
    page = host.page
    host.button("Invite").click()
    who = page.get_by_role("combobox", name="Who?")
    expect(who).to_be_focused()
    page.keyboard.type("pia")
    people = page.get_by_role("listbox", name="People")
    expect(people.get_by_role("option")).to_have_text(["PSPia Sørensen@pia_1", "PPPiet Pia@pia_2"])
    expect(who).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".told")).to_have_text("2 people found.")
    check_access(page)
    page.keyboard.press("Enter")  # says whom to choose, and invites nobody
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("Choose one from the list.")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    second = people.get_by_role("option", selected=True)
    expect(second).to_contain_text("Piet Pia")
    expect(who).to_have_attribute("aria-activedescendant", second.get_attribute("id") or "")
    page.keyboard.press("Escape")  # closes the list, and not the dialog
    expect(people).to_be_hidden()
    page.keyboard.press("ArrowUp")
    expect(second).to_contain_text("Piet Pia")
    page.keyboard.press("Enter")
    expect(who).to_have_value("@pia_2")
    expect(page.locator(".told")).to_have_text("Piet Pia is chosen.")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Piet Pia is invited.")
    expect(friend.page.locator(".toast")).to_contain_text("una invites you to speak: By name")

    host.button("Invite").click()
    who.fill("sören")
    expect(page.locator(".told")).to_have_text("Nobody is found by that name.")
    who.fill("sørens")
    people.get_by_role("option").click()
    expect(who).to_have_value("@pia_1")
    who.fill("Pit Stop")  # a whole name needs no choosing
    page.get_by_role("dialog").get_by_role("button", name="Invite", exact=True).click()
    expect(page.locator(".toast").last).to_contain_text("Pit Stop is invited.")


def test_a_host_sees_how_it_went_and_takes_it_along(come: Come, server: Process) -> None:
    path = live(server, title="A full report")
    host, guest = come("ana"), come("lea")
    come_in(host, path)
    come_in(guest, path)
    guest.button("React").click()
    guest.button("Clap").click()
    expect(host.page.locator(".floating span").first).to_have_text("👏")
    expect(guest.button("How it goes")).to_have_count(0)
    host.button("How it goes").click()
    dialog = host.page.get_by_role("dialog", name=re.compile("How it (goes|went)"))
    most = dialog.locator("dl div", has=host.page.get_by_text("Most at a time", exact=True)).locator("dd")
    expect(most).to_have_text("2")
    expect(dialog).to_contain_text("links 100 %")
    assert loads(host, ".chart")
    host.button("Close").last.click()

    server.call(server.token("ana"), "POST", f"{path.replace('/s/', '/spaces/')}/end")
    expect(guest.page.get_by_role("heading", name="This Space has ended")).to_be_visible()
    expect(guest.button("How it went")).to_have_count(0)
    host.button("How it went").click()
    expect(dialog.get_by_role("heading", level=2)).to_have_text("How it went")
    expect(dialog).to_contain_text("1 👏")
    with host.page.expect_download() as table:
        host.button("Audience (CSV)").click()
    assert table.value.path().read_text().startswith("at,")
    assert table.value.suggested_filename == f"space-{path[3:]}-audience.csv"
    with host.page.expect_download() as everything:
        host.button("All (JSON)").click()
    assert '"A full report"' in everything.value.path().read_text()


def test_a_microphone_is_chosen_and_kept(come: Come, server: Process) -> None:
    host = come("ana")
    come_in(host, live(server))
    host.button("Unmute").click()
    host.button("Delay and quality").click()
    choice = host.page.get_by_label("Microphone", exact=True)
    expect(choice.locator("option").nth(1)).to_have_text(re.compile("Fake"))
    choice.select_option(index=1)
    chosen = host.page.evaluate("localStorage.getItem('spaces.microphone.id')")
    assert chosen == choice.input_value() != ""
    expect(host.button("Mute")).to_be_visible()
    host.page.get_by_label("Volume").fill("0.3")
    host.page.reload()
    expect(host.button("Leave")).to_be_visible()
    host.button("Delay and quality").click()
    expect(choice).to_have_value(chosen)
    assert host.page.evaluate("document.getElementById('ear').volume") == pytest.approx(0.3)


def test_a_refused_microphone_is_explained_and_one_listens_on(
    come: Come, server: Process, browsers: list[Browser], tmp_path: Path
) -> None:
    path = live(server)
    host = come("ana")
    come_in(host, path)
    host.button("Unmute").click()
    invite(server, path, "ben")
    tone = f"--use-file-for-fake-audio-capture={write_tone(tmp_path / 'voice.wav', TONE_B)}"
    flags = [tone, *(flag for flag in FLAGS if "fake-ui" not in flag)]  # which says yes to everything
    with closing(browsers[0].browser_type.launch(executable_path=executable(), args=flags)) as one:
        guest = Visitor(one, server.base, server.token("ben"))
        guest.visit(path)
        guest.button("Start listening").click()
        expect(guest.page.get_by_role("heading", name="No microphone")).to_be_visible()
        expect(guest.page.locator(".notice")).to_contain_text("The browser was not allowed to use the microphone.")
        guest.hears_tone(TONE_A)
        guest.context.grant_permissions(["microphone"])
        guest.button("Try again").click()
        expect(guest.page.locator(".notice")).to_have_count(0)
        guest.button("Unmute").click()
        host.hears_tone(TONE_B)
        guest.context.clear_permissions()  # as when it is unplugged, in the middle of a word
        expect(guest.page.locator(".notice")).to_contain_text("The microphone was taken away.")
        host.hears_nothing()
        guest.context.grant_permissions(["microphone"])
        guest.button("Try again").click()
        host.hears_tone(TONE_B)
        guest.go()


def test_the_loudest_is_named_and_everyone_but_them_muted(come: Come, server: Process) -> None:
    path = live(server)
    for name in ("ben", "cleo"):
        invite(server, path, name)
    host, guest = come("ana"), come("ben", which=1)
    for visitor in (host, guest):
        come_in(visitor, path)
        visitor.button("Unmute").click()
    named = host.page.get_by_role("group", name="Who is loud")
    expect(named).to_contain_text("ben is loud")
    expect(guest.page.locator(".mark.loud:visible")).to_have_count(1)
    expect(guest.page.get_by_role("group", name="Who is loud")).to_have_count(0)
    named.get_by_role("button", name="Mute everyone but ben").click()
    forbidden = host.page.locator(".mark.by-admin")
    expect(host.page.locator("[data-person=cleo] .mark.by-admin")).to_be_visible()
    expect(forbidden).to_have_count(1)
    named.get_by_role("button", name="Mute only ben").click()
    expect(guest.page.get_by_role("heading", name="An admin has muted you")).to_be_visible()
    expect(named).to_have_count(0)
    host.button("Let everyone unmute").click()
    expect(guest.page.locator("#assertive")).to_have_text("You may unmute again.")
    expect(forbidden).to_have_count(0)
    expect(host.button("Let everyone unmute")).to_have_count(0)


def test_whom_a_host_blocks_is_told_so_and_shown_nothing(come: Come, server: Process) -> None:
    path = live(server, "vic", title="For friends")
    guest, stranger = come("wes"), come("xia")
    come_in(guest, path)
    for name in ("wes", "xia"):
        server.call(server.token("vic"), "POST", "/users/me/blocking", json={"target_user_id": name})
    expect(guest.page.get_by_role("heading", name="The host has blocked you")).to_be_visible()
    expect(guest.button("Leave")).to_have_count(0)
    expect(guest.button("Invite somebody")).to_have_count(0)
    stranger.visit(path)
    expect(stranger.page.get_by_role("heading", name="The host has blocked you")).to_be_visible()
    expect(stranger.page.get_by_text("For friends")).to_have_count(0)
    stranger.button("Find another Space").click()
    expect(stranger.page.get_by_role("heading", name="Live now")).to_be_visible()
    expect(stranger.page.get_by_text("For friends")).to_have_count(0)
