"""Captions on the page: a speaker consents, listeners read, the speaker corrects; with a recogniser of tones."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, expect

from media.captions.tones import LOWEST_HZ, STEP_HZ, WORDS
from tests.media.server.process import Process
from tests.media.web.chromium import Visitor
from tests.media.web.conftest import TONE_A
from tests.media.web.test_conversation import listen, start

pytestmark = pytest.mark.needs("chromium")
WORD = WORDS[round((TONE_A - LOWEST_HZ) / STEP_HZ)]
"""What the tone of the first microphone says."""


@pytest.fixture(scope="module")
def captioning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    process = Process(tmp_path_factory.mktemp("captions"), "--captions", "tones")
    yield process
    process.put_away()


def test_who_consents_is_captioned_and_corrects_it(captioning: Process, browsers: list[Browser]) -> None:
    with ExitStack() as here:
        host, guest = (
            Visitor(browsers[which], captioning.base, captioning.token(name))
            for which, name in enumerate(("ana", "ben"))
        )
        here.callback(host.go)
        here.callback(guest.go)
        path = start(host, "In so many words")
        listen(guest, path)
        host.button("Unmute").click()
        guest.hears_tone(TONE_A)
        expect(guest.page.get_by_role("heading", name="Captions")).to_be_hidden()

        host.page.get_by_label("Caption what I say").click()
        panel = guest.page.get_by_role("region", name="Captions")
        expect(panel).to_be_visible()
        expect(panel.get_by_role("list")).to_be_hidden()
        panel.get_by_label("Show captions").check()
        host.page.get_by_label("Show captions").check()
        line = panel.locator("li:not(.passing)").first
        expect(line).to_contain_text(WORD, timeout=40_000)
        expect(line).to_contain_text("automatic")
        expect(panel.get_by_role("button", name="Correct")).to_have_count(0)

        host.page.get_by_label("Caption what I say").click()
        mine = host.page.get_by_role("region", name="Captions").locator("li:not(.passing)").first
        mine.get_by_role("button", name="Correct").click()
        host.page.get_by_label("What was said").fill("We <i>all</i> do")
        host.page.keyboard.press("Enter")
        expect(line).to_contain_text("We <i>all</i> do")
        expect(line).to_contain_text("corrected")

        guest.page.reload()
        panel.get_by_label("Show captions").check()
        expect(panel.locator("li").first).to_contain_text("We <i>all</i> do")
