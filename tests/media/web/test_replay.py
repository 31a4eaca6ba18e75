"""A Space that its host wants to be heard again: who speaks sees it, and whoever comes later hears it."""

import time

import pytest
from playwright.sync_api import expect

from tests.media.server.process import START, Process
from tests.media.web.conftest import Come
from tests.media.web.test_room import come_in

pytestmark = pytest.mark.needs("chromium")


def test_a_space_is_marked_while_it_is_recorded_and_heard_again_afterwards(come: Come, server: Process) -> None:
    host = come("ana")
    page = host.visit()
    host.button("Start a Space").click()
    page.get_by_label("What is it about?").fill("Tides")
    page.get_by_label("Record it, to be heard again by those who could listen").check()
    host.button("Start now").click()
    expect(host.button("Unmute")).to_be_visible()
    host.button("Unmute").click()
    path = page.url.removeprefix(server.base)
    guest = come("lea")
    come_in(guest, path)
    expect(guest.page.get_by_text("Recorded: whoever speaks can be heard again")).to_be_visible()
    guest.page.wait_for_timeout(3_000)
    space_id = path.rpartition("/")[2]
    server.call(server.token("ana"), "POST", f"/spaces/{space_id}/end")
    again = guest.button("Listen to it again")
    expect(again).to_be_visible()
    headers = {"Authorization": f"Bearer {server.token('lea')}"}
    deadline = time.monotonic() + START
    while server.http.get(f"/2/spaces/{space_id}/replay.ogg", headers=headers).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    again.click()
    player = guest.page.locator("section.replay audio")
    expect(player).to_be_visible()
    guest.page.wait_for_function("() => document.querySelector('section.replay audio').currentTime > 0.5")
    assert player.evaluate("audio => audio.duration") > 1.5
