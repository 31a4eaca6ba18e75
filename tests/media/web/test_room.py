"""What one does in a room beside speaking, and what the page says when something cannot be."""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.media.server.process import Process
from tests.media.web.chromium import Visitor
from tests.media.web.conftest import Come

pytestmark = pytest.mark.needs("chromium")


def live(server: Process, host: str = "ana", **body: Any) -> str:
    """Make a live Space by the API; return its path in the page."""
    token = server.token(host)
    space = server.call(token, "POST", "/spaces", json={"title": "A room", **body})["id"]
    server.call(token, "POST", f"/spaces/{space}/start")
    return f"/s/{space}"


def come_in(visitor: Visitor, path: str) -> None:
    visitor.visit(path)
    visitor.button("Start listening").click()
    expect(visitor.button("Leave")).to_be_visible()
    expect(visitor.page.locator(".notice")).to_have_count(0)


def test_reactions_hands_messages_and_pins_reach_the_others(come: Come, server: Process) -> None:
    path = live(server)
    host, guest = come("ana"), come("lea")
    come_in(host, path)
    come_in(guest, path)
    guest.button("React").click()
    guest.button("Clap").click()
    expect(host.page.locator(".floating span").first).to_have_text("👏")

    guest.page.get_by_label("Message", exact=True).fill("<b>Hello</b>")
    guest.page.keyboard.press("Enter")
    expect(host.page.get_by_role("log")).to_contain_text("<b>Hello</b>")

    host.button("Pin a post").click()
    host.page.get_by_label("Or take one that is there").fill("1396580169512140802")
    host.button("Pin it").click()
    expect(guest.page.get_by_role("region", name="Pinned")).to_contain_text("1396580169512140802")
    expect(guest.button("Unpin")).to_have_count(0)

    host.page.locator("main").click(position={"x": 5, "y": 5})
    host.page.keyboard.press("r")
    expect(guest.page.locator("[data-person=ana] .mark.hand")).to_be_visible()
    expect(host.button("Lower hand")).to_be_visible()
    host.page.keyboard.press("r")
    expect(guest.page.locator("[data-person=ana] .mark.hand")).to_be_hidden()


def test_whoever_wants_less_motion_sees_sums(come: Come, server: Process) -> None:
    path = live(server)
    guest = come("lea", reduced_motion="reduce")
    come_in(guest, path)
    guest.button("React").click()
    guest.button("Fire").click()
    expect(guest.page.locator(".sums")).to_have_text("🔥 1")
    assert guest.page.locator(".floating span").count() == 0


def test_an_invitation_is_asked_and_a_co_host_named(come: Come, server: Process) -> None:
    path = live(server)
    host, guest = come("ana"), come("ben", which=1)
    come_in(host, path)
    come_in(guest, path)
    host.button("Invite").click()
    host.page.get_by_role("combobox", name="Who?").fill("ben")
    host.page.get_by_role("dialog").get_by_role("button", name="Invite", exact=True).click()
    expect(guest.page.get_by_role("heading", name="You are invited to speak")).to_be_visible()
    guest.button("Accept").click()
    expect(guest.button("Unmute")).to_be_visible()
    host.page.locator("[data-person=ben] button").click()
    host.button("Make co-host").click()
    expect(guest.page.get_by_role("heading", name="Requests to speak")).to_be_visible()
    guest.page.locator("[data-person=ben] button").click()
    guest.button("Step down and listen").click()
    expect(guest.button("Ask to speak")).to_be_visible()


def test_an_invitation_link_gives_a_seat(come: Come, server: Process) -> None:
    path = live(server)
    host, guest = come("ana"), come("ben", which=1)
    come_in(host, path)
    host.button("Invite").click()
    host.button("Link for speakers").click()
    link = host.page.locator("output.link")
    expect(link).to_contain_text("#invitation=")
    address = (link.text_content() or "").strip()
    guest.page.goto(f"{address}&token={guest.token}")
    guest.button("Start listening").click()
    expect(guest.button("Unmute")).to_be_visible()
    assert "token" not in guest.page.url and "invitation" not in guest.page.url


def test_a_denied_person_is_told_when_to_ask_again(come: Come, server: Process) -> None:
    path = live(server)
    host, guest = come("ana"), come("lea")
    come_in(host, path)
    come_in(guest, path)
    guest.button("Ask to speak").click()
    host.button("Deny lea").click()
    expect(guest.page.get_by_role("heading", name="Not now")).to_be_visible()
    expect(guest.page.locator(".notice .countdown")).to_contain_text("in 0:5")


def test_it_says_why_and_when(come: Come, server: Process) -> None:
    visitor = come("lea")
    page = visitor.visit("/s/nothing")
    expect(page.get_by_role("heading", name="There is no such Space")).to_be_visible()

    token, start = server.token("ana"), datetime.now(UTC) + timedelta(hours=1)
    later = server.call(token, "POST", "/spaces", json={"scheduled_start": start.isoformat()})["id"]
    page = visitor.visit(f"/s/{later}")
    expect(page.get_by_role("heading", name="Starts ")).to_be_visible()
    expect(page.get_by_role("timer")).to_contain_text("in 5")
    server.call(token, "POST", f"/spaces/{later}/cancel")
    expect(page.get_by_role("heading", name="This Space was canceled")).to_be_visible()

    server.call(token, "POST", "/users", json={})
    server.call(token, "POST", "/users/me/blocking", json={"target_user_id": "lea"})
    page = visitor.visit(live(server))
    expect(page.get_by_role("heading", name="The host has blocked you")).to_be_visible()
    server.call(token, "DELETE", "/users/me/blocking/lea")

    stranger = come(None)
    page = stranger.visit(live(server))
    expect(page.get_by_role("heading", name="Sign in to come in")).to_be_visible()


def test_a_full_server_is_tried_again_when_it_said(come: Come, server: Process) -> None:
    path, asked = live(server), []
    guest = come("lea")

    def full(route: Route) -> None:
        asked.append(time.monotonic())
        if len(asked) > 1:
            route.continue_()
            return
        body = '{"type":"urn:spaces-lab:problem:relay-full","detail":"The relay has no place for one more."}'
        headers = {"Content-Type": "application/problem+json", "Retry-After": "2"}
        route.fulfill(status=503, headers=headers, body=body)

    guest.page.route("**/whep?*", full)
    guest.visit(path)
    guest.button("Start listening").click()
    expect(guest.page.get_by_role("heading", name="This Space is full right now")).to_be_visible()
    expect(guest.page.locator(".notice .countdown")).to_contain_text("in 0:0")
    expect(guest.page.locator(".notice")).to_have_count(0)
    assert len(asked) == 2 and asked[1] - asked[0] >= 2


def test_without_a_name_one_listens_where_the_host_allows_it(come: Come, server: Process) -> None:
    path = live(server, anonymous_listening=True)
    stranger = come(None)
    come_in(stranger, path)
    expect(stranger.button("Ask to speak")).to_have_count(0)
    expect(stranger.page.get_by_role("region", name="Listeners")).to_contain_text("1 listener")


def test_the_list_rings_for_people_one_follows(come: Come, server: Process) -> None:
    for name in ("dora", "lea"):
        server.call(server.token(name), "POST", "/users", json={"name": name.title()})
    server.call(server.token("lea"), "POST", "/users/me/following", json={"target_user_id": "dora"})
    path = live(server, "dora", title="Close to you")
    page = come("lea").visit()
    bubbles = page.get_by_role("region", name="People you follow, live now")
    expect(bubbles).to_contain_text("Dora")
    assert "token" not in page.url
    bubbles.get_by_role("link").click()
    expect(page).to_have_url(f"{server.base}{path}")
    expect(page.get_by_role("heading", name="Close to you")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Live now")).to_be_visible()


def test_the_list_is_searched(come: Come, server: Process) -> None:
    live(server, title="Sourdough for beginners", topic_ids=["Baking"])
    live(server, "ben", title="Tides and currents")
    visitor = come("lea")
    page = visitor.visit()
    page.get_by_label("Search Spaces").fill("sourd")
    cards = page.get_by_role("region", name="Live now").get_by_role("listitem")
    expect(cards).to_have_count(1)
    expect(cards).to_contain_text("Sourdough for beginners")
    page.get_by_label("Search Spaces").fill("no such thing")
    expect(page.get_by_text("No live Space has “no such thing” in it.")).to_be_visible()

    page.get_by_label("Search Spaces").fill("")
    expect(cards.filter(has_text="Tides and currents")).to_have_count(1)
    baking = page.get_by_role("navigation", name="Talked about now").get_by_role("button", name="Baking")
    baking.click()
    expect(baking).to_have_attribute("aria-pressed", "true")
    expect(cards).to_have_count(1)
    expect(cards).to_contain_text("Sourdough for beginners")
    baking.click()
    expect(cards.filter(has_text="Tides and currents")).to_have_count(1)


def test_a_scheduled_space_can_be_remembered_and_started(come: Come, server: Process) -> None:
    host, guest = come("ana"), come("lea")
    page = host.visit()
    host.button("Start a Space").click()
    page.get_by_label("What is it about?").fill("Tomorrow")
    page.get_by_label("Topics").fill("technology, Bread")
    page.get_by_label("Schedule it for later").check()
    expect(page.get_by_role("dialog")).to_contain_text(re.compile(r"at most \d+ days ahead"))
    assert page.get_by_label("Start", exact=True).get_attribute("max")
    host.button("Schedule").click()
    expect(host.button("Start now")).to_be_visible()
    expect(page.get_by_role("list", name="Topics")).to_have_text("TechnologyBread")

    guest.visit(page.url.removeprefix(server.base))
    guest.button("Remind me").click()
    expect(guest.button("You will be reminded")).to_have_attribute("aria-pressed", "true")
    guest.page.reload()
    expect(guest.button("You will be reminded")).to_be_visible()
    with guest.page.expect_download() as download:
        guest.button("Add to calendar").click()
    assert "SUMMARY:Tomorrow" in download.value.path().read_text()

    host.button("Start now").click()
    expect(host.button("Unmute")).to_be_visible()
    expect(guest.button("Start listening")).to_be_visible()


def test_news_comes_to_the_list(come: Come, server: Process) -> None:
    path = live(server, title="You should hear this")
    guest = come("lea")
    guest.visit()
    expect(guest.page.get_by_role("heading", name="Live now")).to_be_visible()
    server.call(
        server.token("ana"), "POST", f"{path.replace('/s/', '/spaces/')}/invitations", json={"user_id": "lea"}
    )
    expect(guest.page.locator(".toast")).to_contain_text("ana invites you to speak: You should hear this")
    guest.button("Go there").click()
    expect(guest.page).to_have_url(f"{server.base}{path}")


def test_quality_is_shown_on_request(come: Come, server: Process) -> None:
    path = live(server)
    host, guest = come("ana"), come("lea")
    come_in(host, path)
    host.button("Unmute").click()
    come_in(guest, path)
    guest.button("Delay and quality").click()
    panel = guest.page.get_by_role("region", name="Delay and quality")
    for name in ("Round trip", "Jitter", "Lost packets", "Jitter buffer", "Mouth to ear", "Codec", "Received"):
        figure = panel.locator("div", has=guest.page.get_by_text(name, exact=True)).locator("dd")
        expect(figure).to_have_text(re.compile(r"opus, 48 kHz" if name == "Codec" else r"\d+ (ms|%|kbit/s)$"))
    milliseconds = panel.locator("div", has=guest.page.get_by_text("Mouth to ear", exact=True)).locator("dd")
    assert 20 < float((milliseconds.text_content() or "").split()[0]) < 1000
