"""Who comes in, by the controls of host and co-hosts, and what is told to who has to stay outside or to wait."""

import pytest
from playwright.sync_api import expect

from tests.media.server.process import Process
from tests.media.web.conftest import Come
from tests.media.web.test_access import check_access
from tests.media.web.test_room import come_in, live

pytestmark = pytest.mark.needs("chromium")


def test_a_host_locks_and_opens_again(come: Come, server: Process) -> None:
    path = live(server)
    host, guest, stranger = come("ana"), come("lea"), come("sam")
    come_in(host, path)
    come_in(guest, path)
    expect(guest.page.get_by_role("group", name="Who comes in")).to_be_hidden()
    lock = host.page.get_by_label("Nobody new comes in")
    with host.page.expect_response(lambda response: response.request.method == "PATCH"):
        lock.check()
    expect(lock).to_be_checked()
    check_access(host.page)
    stranger.visit(path)
    expect(stranger.page.get_by_role("heading", name="The host lets nobody in right now")).to_be_visible()
    expect(guest.button("Leave")).to_be_visible()
    guest.page.reload()
    expect(guest.button("Leave")).to_be_visible()
    lock.uncheck()
    stranger.button("Try now").click()
    stranger.button("Start listening").click()
    expect(stranger.button("Leave")).to_be_visible()


def test_a_co_host_slows_entry_and_whoever_waits_comes_in_by_themselves(come: Come, server: Process) -> None:
    path = live(server)
    api = path.replace("/s/", "/spaces/")
    server.call(server.token("ana"), "POST", f"{api}/invitations", json={"user_id": "ben", "role": "cohost"})
    server.call(server.token("ben"), "POST", f"{api}/invitations/me/accept")
    cohost, first, second = come("ben"), come("lea"), come("sam")
    come_in(cohost, path)
    expect(cohost.page.get_by_label("Who is removed stays out of my next Spaces")).to_be_hidden()
    with cohost.page.expect_response(lambda response: response.request.method == "PATCH"):
        cohost.page.get_by_label("Listeners come in").select_option("6 a minute")
    come_in(first, path)
    second.visit(path)
    second.button("Start listening").click()
    expect(second.page.get_by_role("heading", name="People come in one after another")).to_be_visible()
    expect(second.page.locator(".notice")).to_have_count(0, timeout=30_000)
    assert server.call(server.token("ana"), "GET", api)["participant_count"] == 3


def test_what_a_host_chose_is_there_the_next_time(come: Come, server: Process) -> None:
    path = live(server, host="fay")
    host = come("fay")
    come_in(host, path)
    carry = host.page.get_by_label("Who is removed stays out of my next Spaces")
    for name in ("Who is removed stays out of my next Spaces", "New speakers are muted until you let them"):
        with host.page.expect_response(lambda response: response.request.method == "PATCH"):
            host.page.get_by_label(name).check()
    with host.page.expect_response(lambda response: response.request.method == "PATCH"):
        host.page.get_by_label("Who can come in and ask to speak").select_option("People the host follows")
    host.page.reload()
    expect(carry).to_be_checked()
    expect(host.page.get_by_label("New speakers are muted until you let them")).to_be_checked()
    expect(host.page.get_by_label("Who can come in and ask to speak")).to_have_value("following")
    shown = server.call(server.token("fay"), "GET", path.replace("/s/", "/spaces/"))
    assert (shown["entry_policy"], shown["mute_on_entry"]) == ("following", True)
