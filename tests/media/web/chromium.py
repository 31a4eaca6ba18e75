"""Debian's Chromium with a microphone that plays a file, driven by Playwright."""

import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Request

from tests.requirements import chromium

RATE = 48_000
QUIET = -70.0
"""dBFS below which a page plays silence."""

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"),
    "--autoplay-policy=no-user-gesture-required",
)

WATCH = """
addEventListener("securitypolicyviolation", (event) => {
  (window.violations ??= []).push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`);
});
localStorage.setItem("spaces.microphone", "raw");
"""
"""Notes what the policy refused, and leaves the microphone's sound alone: to noise suppression a tone is noise."""

HEAR = """async () => {
  const stream = document.getElementById("ear").srcObject;
  if (!stream) return new Promise((resolve) => setTimeout(resolve, 220, null));
  if (window.heardStream !== stream) {
    window.heardStream = stream;
    const context = (window.heardContext ??= new AudioContext());
    await context.resume();
    window.heardNode = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
    new MediaStreamAudioSourceNode(context, { mediaStream: stream }).connect(window.heardNode);
  }
  await new Promise((resolve) => setTimeout(resolve, 220));
  const levels = new Float32Array(window.heardNode.frequencyBinCount);
  window.heardNode.getFloatFrequencyData(levels);
  const best = levels.indexOf(Math.max(...levels));
  return [(best * window.heardContext.sampleRate) / 8192, levels[best]];
}"""
"""Listens by Web Audio to what the page plays: the loudest frequency in Hz, and its level in dBFS."""


def executable() -> str:
    """Path of Chromium; a test without it fails, and says what to do."""
    path = chromium()
    assert path, "There is no chromium to try the page in; install it with: apt-get install chromium"
    return path


def write_tone(path: Path, frequency: float, seconds: float = 2.0) -> Path:
    """Write a tone that a fake microphone plays over and over."""
    pcm = (12_000 * np.sin(2 * np.pi * frequency * np.arange(int(RATE * seconds)) / RATE)).astype(np.int16)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm.tobytes())
    return path


@contextmanager
def browser(playwright: Playwright, tone: Path | None = None) -> Iterator[Browser]:
    """A browser whose microphone plays a file, or beeps."""
    flags = [*FLAGS, f"--use-file-for-fake-audio-capture={tone}"] if tone else [*FLAGS]
    one = playwright.chromium.launch(executable_path=executable(), args=flags)
    try:
        yield one
    finally:
        one.close()


class Visitor:
    """Somebody with the page before them.  What the page must never do is noted, and told by :meth:`check`."""

    def __init__(self, browser: Browser, base: str, token: str | None = None, **options: Any) -> None:
        self.base, self.token = base, token
        self.context: BrowserContext = browser.new_context(**options)
        self.context.add_init_script(WATCH)
        self.context.set_default_timeout(20_000)
        self.faults: list[str] = []
        self.context.on("request", self._check_host)
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.faults.append(f"uncaught: {error}"))

    def _check_host(self, request: Request) -> None:
        if not request.url.startswith((f"{self.base}/", "blob:", "data:")):
            self.faults.append(f"asked another host: {request.url}")

    def visit(self, path: str = "/") -> Page:
        """Open a place of the page, signed in by the fragment of the address if there is a token."""
        self.page.goto(f"{self.base}{path}" + (f"#token={self.token}" if self.token else ""))
        return self.page

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name, exact=True)

    def hears(self) -> tuple[float, float]:
        """Frequency (Hz) and level (dBFS) of the loudest that the page plays now; level -inf if nothing is."""
        heard = self.page.evaluate(HEAR)
        if heard is None or heard[1] is None:
            return 0.0, -np.inf
        return heard[0], heard[1]

    def hears_tone(self, frequency: float, tries: int = 30) -> None:
        """Pass when the page plays a tone, and nothing is louder."""
        heard = (0.0, -np.inf)
        for _ in range(tries):
            heard = self.hears()
            if abs(heard[0] - frequency) < 12 and heard[1] > -50:
                return
        raise AssertionError(f"{frequency} Hz expected, {heard[0]:.0f} Hz at {heard[1]:.0f} dBFS heard")

    def hears_nothing(self, tries: int = 30) -> None:
        """Pass when the page plays silence."""
        heard = (0.0, 0.0)
        for _ in range(tries):
            heard = self.hears()
            if heard[1] < QUIET:
                return
        raise AssertionError(f"silence expected, {heard[0]:.0f} Hz at {heard[1]:.0f} dBFS heard")

    def check(self) -> None:
        """Fail if anything was asked of another host, thrown, or refused by the policy."""
        violations = self.page.evaluate("window.violations ?? []")
        assert not violations and not self.faults, (violations, self.faults)

    def go(self) -> None:
        """Be done; nothing bad may have happened."""
        try:
            self.check()
        finally:
            self.context.close()
