"""Two people meet in a Space, each with a browser: what one says the other hears, until a right is taken away."""

import os
import signal

import pytest
from playwright.sync_api import Browser, expect

from tests.media.server.process import Process
from tests.media.web.chromium import FLAGS, Visitor, executable
from tests.media.web.conftest import TONE_A, TONE_B, Come

pytestmark = pytest.mark.needs("chromium")

KNOCK = """async ([path, token]) => {
  const connection = new RTCPeerConnection();
  connection.addTransceiver("audio", { direction: "recvonly" });
  await connection.setLocalDescription();
  const headers = { "Content-Type": "application/sdp", Authorization: `Bearer ${token}` };
  return (await fetch(`${path}/whep`, { method: "POST", headers, body: connection.localDescription.sdp })).status;
}"""
"""Asks for sound past the page; the status of the answer."""


TELL_NOTICES = """new MutationObserver(() => {
  const notice = document.querySelector(".notice");
  if (notice) console.log(notice.textContent);
}).observe(document, { childList: true, subtree: true });"""


def start(host: Visitor, title: str) -> str:
    """Start a Space by the page; return its path there."""
    page = host.visit()
    host.button("Start a Space").click()
    page.get_by_label("What is it about?").fill(title)
    host.button("Start now").click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(host.button("Unmute")).to_be_visible()
    return page.url.removeprefix(host.base)


def listen(guest: Visitor, path: str) -> None:
    guest.visit(path)
    guest.button("Start listening").click()
    expect(guest.button("Ask to speak")).to_be_visible()


def test_a_conversation_from_the_first_word_to_a_removal(come: Come) -> None:
    host, guest = come("ana"), come("ben", which=1)
    path = start(host, "First words")
    host.button("Unmute").click()
    expect(host.button("Mute")).to_be_visible()

    listen(guest, path)
    guest.hears_tone(TONE_A)
    expect(guest.page.locator("[data-person=ana] .ring.speaking")).to_be_visible()
    expect(guest.page.locator("[data-person=ana] .state")).to_have_text("speaking")

    guest.button("Ask to speak").click()
    expect(guest.button("Take back (place 1)")).to_be_visible()
    host.button("Approve ben").click()
    expect(guest.button("Unmute")).to_be_visible()
    guest.button("Unmute").click()
    host.hears_tone(TONE_B)
    guest.hears_tone(TONE_A)  # without their own voice

    host.page.get_by_role("listitem").filter(has_text="ben").get_by_role("button").click()
    host.button("Mute ben").click()
    host.hears_nothing()
    expect(guest.page.get_by_role("heading", name="An admin has muted you")).to_be_visible()
    guest.page.keyboard.press("m")
    expect(guest.page.get_by_text("An admin has muted you; only they can lift it.")).to_be_attached()

    host.page.get_by_role("listitem").filter(has_text="ben").get_by_role("button").click()
    host.button("Remove from this Space").click()
    host.button("Remove").click()
    expect(guest.page.get_by_role("heading", name="You were removed from this Space")).to_be_visible()
    guest.hears_nothing()
    guest.page.reload()
    expect(guest.page.get_by_role("heading", name="You were removed from this Space")).to_be_visible()
    expect(guest.button("Start listening")).not_to_be_visible()
    assert guest.page.evaluate(KNOCK, [path.replace("/s/", "/spaces/"), guest.token]) == 403
    expect(host.page.get_by_role("listitem").filter(has_text="ben")).not_to_be_visible()


def test_a_reload_brings_a_speaker_back_as_a_speaker(come: Come) -> None:
    host, guest = come("ana"), come("ben", which=1)
    path = start(host, "Here again")
    listen(guest, path)
    guest.button("Ask to speak").click()
    host.button("Approve ben").click()
    guest.button("Unmute").click()
    host.hears_tone(TONE_B)
    guest.page.reload()
    expect(guest.button("Mute")).to_be_visible()
    host.hears_tone(TONE_B)


def test_a_server_that_is_killed_gives_everyone_back_what_they_were(come: Come, server: Process) -> None:
    host, guest = come("ana"), come("ben", which=1)
    path = start(host, "After the crash")
    listen(guest, path)
    guest.button("Ask to speak").click()
    host.button("Approve ben").click()
    guest.button("Unmute").click()
    host.hears_tone(TONE_B)
    server.kill_and_start_again()
    host.hears_tone(TONE_B, tries=90)
    expect(guest.button("Mute")).to_be_visible()
    expect(guest.page.locator("#polite")).to_have_text("The sound is back.")


def test_a_relay_that_is_killed_is_lost_for_seconds_only(come: Come, server: Process) -> None:
    host, guest = come("ana"), come("ben", which=1)
    path = start(host, "After the relay")
    host.button("Unmute").click()
    listen(guest, path)
    guest.hears_tone(TONE_A)
    os.kill(server.relays()[0], signal.SIGKILL)
    expect(guest.page.locator("#assertive")).to_have_text("The sound was lost. Connecting again.", timeout=15_000)
    guest.hears_tone(TONE_A, tries=60)
    expect(host.button("Mute")).to_be_visible()


def test_a_browser_that_wants_a_gesture_gets_one(come: Come, server: Process, browsers: list[Browser]) -> None:
    host = come("ana")
    path = start(host, "After a tap")
    host.button("Unmute").click()
    flags = [flag for flag in FLAGS if "autoplay" not in flag]
    one = browsers[0].browser_type.launch(executable_path=executable(), args=flags)
    try:
        guest = Visitor(one, server.base, server.token("lea"))
        guest.context.add_init_script(TELL_NOTICES)
        listen(guest, path)
        # whatever asks the page something counts as a gesture: until the notice is there it has to tell by itself
        with guest.page.expect_console_message(lambda message: "waits for a tap" in message.text):
            guest.page.reload()
        assert guest.page.evaluate("document.getElementById('ear').paused")
        guest.button("Start listening").click()
        guest.hears_tone(TONE_A)
        assert not guest.page.evaluate("document.getElementById('ear').paused")
        guest.go()
    finally:
        one.close()


def test_the_host_ends_it_and_everyone_is_told(come: Come) -> None:
    host, guest = come("ana"), come("ben", which=1)
    path = start(host, "Short")
    listen(guest, path)
    host.button("Leave").click()
    host.button("End it for everyone").click()
    host.button("End it").click()
    for visitor in (host, guest):
        expect(visitor.page.get_by_role("heading", name="This Space has ended")).to_be_visible()
    guest.hears_nothing()
