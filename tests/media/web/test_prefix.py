"""The page behind a proxy that shows it under a path: nothing leads out of that path."""

from collections.abc import Iterator
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, expect

from tests.media.server.process import Process
from tests.media.web.chromium import Visitor
from tests.media.web.conftest import TONE_A
from tests.media.web.proxy import under


@pytest.fixture
def base(server: Process) -> Iterator[str]:
    """Where the proxy shows the server."""
    with under("/lab", server.base) as address:
        yield address


def test_a_space_is_hosted_heard_and_left_under_a_path(
    server: Process, browsers: list[Browser], base: str
) -> None:
    """Every request of the page starts with the path: :meth:`Visitor.check` holds it against any other."""
    host = Visitor(browsers[0], base, server.token("ana"))
    guest = Visitor(browsers[1], base, server.token("ben"))
    host.visit()
    host.button("Start a Space").click()
    host.page.get_by_label("What is it about?").fill("Under a path")
    host.button("Start now").click()
    expect(host.page.get_by_role("heading", name="Under a path")).to_be_visible()
    expect(host.button("Unmute")).to_be_visible()
    assert host.page.url.startswith(f"{base}/s/")
    host.button("Unmute").click()

    guest.visit()
    with guest.page.expect_response(lambda response: "/whep" in response.url) as made:
        guest.page.get_by_role("link").filter(has_text="Under a path").click()
    assert guest.page.url == host.page.url
    guest.hears_tone(TONE_A)
    with guest.page.expect_response(lambda response: "/whep/" in response.url) as ended:
        guest.button("Leave").click()
    assert ended.value.url == urljoin(made.value.url, made.value.headers["location"])
    expect(guest.page).to_have_url(f"{base}/")
    host.go()
    guest.go()
