"""Two people meet in a Space, each with a browser: what one says the other hears, until a right is taken away."""

from playwright.sync_api import expect

from tests.media.server.process import Process
from tests.media.web.chromium import Visitor
from tests.media.web.conftest import TONE_A, TONE_B, Come


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


def test_the_host_ends_it_and_everyone_is_told(come: Come, server: Process) -> None:
    host, guest = come("ana"), come("ben", which=1)
    path = start(host, "Short")
    listen(guest, path)
    host.button("Leave or end").click()
    host.button("End it for everyone").click()
    host.button("End it").click()
    for visitor in (host, guest):
        expect(visitor.page.get_by_role("heading", name="This Space has ended")).to_be_visible()
    assert server.http.get("/metrics").text.count('spaces_media_sessions{kind="whep"} 0.0')
