"""Signing in: a link decides for nobody as whom they act, and touches nothing that is remembered.

No sound is in it, so the server is a control plane without a relay, on a thread of its own.
"""

import asyncio
import base64
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from media.server.auth import Tokens, issue_from
from tests.media.server.served import served
from tests.media.server.service import running
from tests.media.web.chromium import Visitor, browser

pytestmark = pytest.mark.needs("chromium")


class Desk:
    """A server, and tokens of it."""

    def __init__(self, base: str, data: Path) -> None:
        self.base, self._data = base, data

    def token(self, name: str) -> str:
        return issue_from(self._data, name, is_admin=False, ttl=600)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    data, started, ended = tmp_path_factory.mktemp("data"), threading.Event(), threading.Event()
    found: list[str] = []

    async def serve() -> None:
        async with running(data) as service, served(service) as base:
            found.append(base)
            started.set()
            await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(60)
    yield Desk(found[0], data)
    ended.set()
    thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright, browser(playwright) as one:
        yield one


Come = Callable[[str | None], Visitor]


@pytest.fixture
def come(server: Desk, chromium: Browser) -> Iterator[Come]:
    here: list[Visitor] = []

    def visit(name: str | None) -> Visitor:
        here.append(Visitor(chromium, server.base, server.token(name) if name else None))
        return here[-1]

    yield visit
    for visitor in here:
        visitor.go()


STORED = "[localStorage.getItem('spaces.token'), sessionStorage.getItem('spaces.token')]"


def stored(page: Page) -> list[str | None]:
    """Whom the browser holds a token of: remembered, and in this tab."""
    found: list[Any] = page.evaluate(STORED)
    return [subject(json.loads(text)["token"]) if text else None for text in found]


def subject(token: str) -> str:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["sub"]


def forged(name: str) -> str:
    """A token that this server never made."""
    return Tokens(b"not the secret of this server...").issue(name, ttl=9_999, now=2e9)


def unsigned(name: str) -> str:
    return forged(name).rpartition(".")[0] + "."


def remember(come: Come, server: Desk, name: str) -> tuple[Any, Page]:
    visitor = come(None)
    page = visitor.visit()
    page.get_by_role("banner").get_by_role("button", name="Sign in").click()
    page.get_by_label("Token").fill(server.token(name))
    page.get_by_label("Remember me on this device").check()
    page.get_by_role("dialog").get_by_role("button", name="Sign in").click()
    expect(visitor.button(f"Signed in as {name}")).to_be_visible()
    assert stored(page) == [name, name]
    return visitor, page


@pytest.mark.parametrize("make", [forged, unsigned])
def test_a_token_that_the_server_has_not_made_changes_nothing(come: Come, server: Desk, make: Any) -> None:
    visitor, page = remember(come, server, "ana")
    for name in ("eve", "ana"):
        page.goto(f"{server.base}/?{name}#token={make(name)}")
        expect(page.get_by_text("The sign-in of this link was not used.").first).to_be_visible()
        expect(visitor.button("Signed in as ana")).to_be_visible()
        assert stored(page)[0] == "ana" and "token" not in page.url


def test_who_is_signed_in_is_asked_with_both_names(come: Come, server: Desk) -> None:
    headers = {"Authorization": f"Bearer {server.token('eve')}"}
    assert httpx.post(f"{server.base}/users", json={"name": "Eve Arden"}, headers=headers).is_success
    visitor, page = remember(come, server, "ana")
    page.goto(f"{server.base}/?1#token={server.token('eve')}")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("You are signed in as ana. This link signs you in as Eve Arden (eve).")
    assert stored(page)[0] == "ana"
    dialog.get_by_role("button", name="Stay ana").click()
    expect(visitor.button("Signed in as ana")).to_be_visible()
    assert stored(page)[0] == "ana"
    page.goto(f"{server.base}/?2#token={server.token('eve')}")
    dialog.get_by_role("button", name="Go on as Eve Arden").click()
    expect(visitor.button("Signed in as eve")).to_be_visible()
    assert stored(page) == ["ana", "eve"], "in this tab alone"
    visitor.button("Signed in as eve").click()
    dialog.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("banner").get_by_role("button", name="Sign in")).to_be_visible()
    page.reload()
    expect(page.get_by_role("banner").get_by_role("button", name="Sign in")).to_be_visible()
    assert stored(page)[0] == "ana", "for other tabs"


def test_a_link_signs_in_who_is_nobody_yet_and_is_not_remembered(come: Come, server: Desk) -> None:
    visitor = come("ben")
    page = visitor.visit()
    expect(visitor.button("Signed in as ben")).to_be_visible()
    assert stored(page) == [None, "ben"] and "token" not in page.url
    page.evaluate("(token) => { location.hash = `#token=${token}`; }", server.token("cleo"))
    expect(page.get_by_role("dialog")).to_contain_text("This link signs you in as cleo.")
    assert "token" not in page.url and stored(page) == [None, "ben"]


def test_a_pasted_token_that_is_wrong_signs_nobody_out(come: Come, server: Desk) -> None:
    visitor, page = remember(come, server, "ana")
    visitor.button("Signed in as ana").click()
    expect(page.get_by_role("dialog")).to_contain_text("Sound that is on goes on when a token ends")
    page.keyboard.press("Escape")
    page.evaluate("import('/web/signin.js').then(({ openSignIn }) => openSignIn())")
    page.get_by_label("Token").fill(forged("eve"))
    page.get_by_role("dialog").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert").filter(has_text="not one of this server's")).to_be_visible()
    assert stored(page) == ["ana", "ana"]
