"""What was said in a Space, recorded by the real recorder, looked at and heard by a reviewer with a keyboard."""

import json
import time
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from media.server.auth import issue_from
from tests.media.server.process import Process
from tests.media.web.chromium import Visitor
from tests.media.web.conftest import TONE_A, Come
from tests.media.web.test_room import live

pytestmark = pytest.mark.needs("chromium")

SPOKEN = 4.0
"""Seconds for which somebody speaks before they are reported."""
SOUND = """async () => {
  const audio = document.querySelector("audio");
  const context = (window.clipContext ??= new AudioContext());
  await context.resume();
  if (!window.clipNode) {
    window.clipNode = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
    new MediaStreamAudioSourceNode(context, { mediaStream: audio.captureStream() }).connect(window.clipNode);
  }
  await new Promise((resolve) => setTimeout(resolve, 220));
  const levels = new Float32Array(window.clipNode.frequencyBinCount);
  window.clipNode.getFloatFrequencyData(levels);
  const best = levels.indexOf(Math.max(...levels));
  return [(best * context.sampleRate) / 8192, levels[best], audio.currentTime];
}"""
"""Listens by Web Audio to the clip: the loudest frequency in Hz, its level in dBFS, and where the clip is (s)."""
WORDS = """async (lines) => {
  const { wordsView } = await import("/web/review/words.js");
  const gone = [];
  const view = wordsView(lines, (ms) => gone.push(ms));
  document.getElementById("main").replaceChildren(view.element);
  view.draw(2500);
  view.element.querySelectorAll(".line-time")[1].click();
  return { gone, current: view.element.querySelector("[aria-current]").textContent };
}"""


def reviewer(server: Process, browser: Browser, name: str = "rita") -> Visitor:
    token = issue_from(server.data, name, is_admin=False, ttl=600, roles=["reviewer"])
    return Visitor(browser, server.base, token)


def spoken(come: Come, server: Process) -> None:
    """Have ana say something in a Space and be reported for it."""
    path = live(server)
    host = come("ana")
    host.visit(path)
    host.button("Start listening").click()
    host.button("Unmute").click()
    come("lea").visit(path)
    time.sleep(SPOKEN)
    space = path.rpartition("/")[2]
    body = {"space_id": space, "user_id": "ana", "category": "harassment", "text": "Listen to that tone."}
    server.call(server.token("lea"), "POST", "/2/reports", json=body)


def state(page: Page) -> dict[str, Any]:
    return page.evaluate("""() => {
      const { paused, volume, playbackRate, currentTime, src } = document.querySelector("audio");
      return { paused, volume, playbackRate, currentTime, src };
    }""")


def test_a_clip_is_looked_at_and_heard_by_keyboard(come: Come, server: Process, browsers: list[Browser]) -> None:
    spoken(come, server)
    rita = reviewer(server, browsers[1])
    page = rita.visit("/review")
    expect(page.locator(".case-row").first).to_be_visible()
    page.keyboard.press("n")
    expect(page.locator(".pill.lease")).to_be_visible()

    page.keyboard.press("Space")
    dialog = page.get_by_role("dialog", name="Why do you look at this recording?")
    expect(dialog).to_be_visible()
    assert page.locator(".wave").count() == 0, "nothing is shown before there is a reason"
    page.keyboard.type("A report of harassment")
    page.keyboard.press("Enter")
    expect(page.locator(".wave-level")).to_be_visible()
    expect(page.get_by_role("list", name="Who spoke")).to_contain_text("ana")
    expect(page.locator(".wave-moment")).to_have_count(1)
    expect(page.locator(".evidence")).to_contain_text("There are no words")
    quiet = state(page)
    assert quiet["paused"] and quiet["src"] == "", "no sound by itself"
    assert quiet["volume"] == pytest.approx(0.1), "20 dB down"

    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play")).to_have_text("SpacePause")
    heard = (0.0, -200.0, 0.0)
    places: list[float] = []
    for _ in range(40):
        heard = page.evaluate(SOUND)
        places.append(heard[2])
        if abs(heard[0] - TONE_A) < 12 and heard[1] is not None and heard[1] > -60:
            break
        if state(page)["paused"]:
            page.keyboard.press("Space")
    assert abs(heard[0] - TONE_A) < 12 and heard[1] > -60, heard
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play")).to_have_text("SpacePlay")
    assert max(places) > 0

    before = state(page)["currentTime"]
    page.keyboard.press(",")
    expect(page.locator(".evidence")).to_contain_text("-20 dB · 1×")
    page.wait_for_function("(was) => document.querySelector('audio').currentTime < was || was === 0", arg=before)
    for key in (">", ">", "<", "+"):
        page.keyboard.press(key)
    expect(page.locator(".player-state")).to_have_text("-15 dB · 1.25×")
    headers = {"Authorization": f"Bearer {server.admin_token()}"}
    log = map(json.loads, server.http.get("/2/moderation/audit", headers=headers).text.splitlines())
    looked = [
        (entry["act"], entry["details"]["reason"])
        for entry in log
        if entry["actor"] == "rita" and entry["act"].startswith("look")
    ]
    assert sorted(looked) == [
        (f"look at the {part}", "A report of harassment") for part in ("clip", "waveform", "words")
    ]
    page.keyboard.press("1")
    page.keyboard.press("n")
    expect(page.locator(".undo-strip")).to_be_visible()
    assert page.locator("audio").count() == 0, "the sound ends with the case"
    rita.go()


def test_lines_are_marked_as_they_are_played_and_pressed_to_go_there(come: Come) -> None:
    page = come(None).visit()
    lines = [
        {"user_id": "ana", "start_ms": start, "end_ms": start + 1000, "text": text, "corrected": False}
        for start, text in ((1000, "Good evening."), (2000, "You are all welcome."))
    ]
    found = page.evaluate(WORDS, lines)
    assert found["gone"] == [2000] and found["current"].endswith("You are all welcome.")
