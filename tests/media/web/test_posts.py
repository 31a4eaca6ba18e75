"""Posts that are pinned and shared: their words, written and read in the page."""

import pytest
from playwright.sync_api import expect

from tests.media.server.process import Process
from tests.media.web.conftest import Come
from tests.media.web.test_room import come_in, live

pytestmark = pytest.mark.needs("chromium")


def test_a_post_is_written_pinned_and_read_by_everyone(come: Come, server: Process) -> None:
    server.call(server.token("pia"), "POST", "/users", json={"name": "Pia Moreau"})
    path = live(server, "pia", anonymous_listening=True)
    host, guest = come("pia"), come("lea")
    come_in(host, path)
    come_in(guest, path)
    host.button("Pin a post").click()
    expect(host.button("Pin it")).to_be_disabled()
    host.page.get_by_label("Write a post").fill("<i>The numbers</i> are out.")
    host.button("Pin it").click()
    pinned = guest.page.get_by_role("region", name="Pinned")
    expect(pinned).to_contain_text("Pia Moreau")
    expect(pinned).to_contain_text("<i>The numbers</i> are out.")
    expect(guest.button("Unpin")).to_have_count(0)
    host.button("Unpin").click()
    expect(pinned).to_be_hidden()

    [post] = server.call(server.token("pia"), "GET", "/posts")["data"]
    host.button("Pin a post").click()
    host.page.get_by_label("Or take one that is there").fill(f"https://example.org/pia/status/{post['id']}?s=20")
    host.button("Only show it once").click()
    expect(guest.page.get_by_role("log")).to_contain_text("<i>The numbers</i> are out.")

    host.button("Pin a post").click()
    host.page.get_by_label("Or take one that is there").fill("1396580169512140802")
    host.button("Pin it").click()
    expect(pinned).to_contain_text("Post 1396580169512140802 is not kept here, or is not for everyone.")

    stranger = come(None)
    stranger.visit(path)
    stranger.button("Start listening").click()
    expect(stranger.page.get_by_role("region", name="Pinned")).to_contain_text("Sign in to read this post.")
