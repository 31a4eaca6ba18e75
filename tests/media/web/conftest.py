from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.media.server.process import Process
from tests.media.web.chromium import Visitor, browser, executable, write_tone

expect.set_options(timeout=20_000)  # milliseconds; a machine that is busy with other tests is slow, not wrong

TONE_A, TONE_B = 437.0, 997.0
"""Hz; what the two microphones hear."""


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    process = Process(tmp_path_factory.mktemp("data"))
    yield process
    process.put_away()


@pytest.fixture(scope="module")
def browsers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Browser]]:
    """Two, because what a microphone hears is chosen when a browser starts."""
    executable()
    folder: Path = tmp_path_factory.mktemp("tones")
    with ExitStack() as stack:
        playwright = stack.enter_context(sync_playwright())
        yield [
            stack.enter_context(browser(playwright, write_tone(folder / f"{tone:.0f}.wav", tone)))
            for tone in (TONE_A, TONE_B)
        ]


Come = Callable[..., Visitor]


@pytest.fixture
def come(server: Process, browsers: list[Browser]) -> Iterator[Come]:
    """Lets somebody come to the page: ``come("ana")``, with the second microphone by ``which=1``."""
    here: list[Visitor] = []

    def visit(name: str | None, *, which: int = 0, **options: Any) -> Visitor:
        visitor = Visitor(browsers[which], server.base, server.token(name) if name else None, **options)
        here.append(visitor)
        return visitor

    yield visit
    with ExitStack() as stack:
        for visitor in here:
            stack.callback(visitor.go)
