"""Links that people pass on lead to this server, whatever a caller says its address is."""

import argparse
from pathlib import Path

import httpx
import pytest

from media.server.config import Config, add_options, from_options
from media.server.values import ConfigError
from tests.media.server.service import Service, running


async def links(service: Service, server: tuple[str, int], host: str) -> set[str]:
    """Return the addresses in all that names this one, for a call with that Host header to that socket."""
    path = await service.live(title="Launch")
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(service.app), base_url=f"http://{server[0]}:{server[1]}"
    )
    headers = {"Authorization": f"Bearer {service.token('ana')}", "Host": host}
    async with client:
        found = (await client.get("/spaces/search", headers=headers)).json()["data"][0]["share_url"]
        link = (await client.post(f"{path}/invitation-links", json={}, headers=headers)).json()["url"]
        card = (await client.get("/oembed", params={"url": found}, headers=headers)).json()
    shared = [found, link, card["url"], card["provider_url"], card["author_url"]]
    return {"/".join(url.split("/")[:3]) for url in shared}


@pytest.mark.parametrize(
    ("server", "host", "told"),
    [
        (("127.0.0.1", 8080), "127.0.0.1:8080", "http://127.0.0.1:8080"),
        (("127.0.0.1", 8080), "localhost:9999", "http://localhost:9999"),  # a tunnel to this machine
        (("127.0.0.1", 8080), "evil.example", "http://127.0.0.1:8080"),
        (("192.0.2.7", 80), "evil.example:8080", "http://192.0.2.7"),
        (("192.0.2.7", 8080), "localhost", "http://192.0.2.7:8080"),
        (("192.0.2.7", 8080), "a.example/x?y#z", "http://192.0.2.7:8080"),
        (("[2001:db8::7]", 8080), "evil.example", "http://[2001:db8::7]:8080"),
    ],
)
async def test_the_host_header_is_not_believed(
    tmp_path: Path, server: tuple[str, int], host: str, told: str
) -> None:
    async with running(tmp_path) as service:
        assert await links(service, server, host) == {told}


async def test_the_operator_says_what_the_address_is(tmp_path: Path) -> None:
    async with running(tmp_path, public_url="https://spaces.example/") as service:
        assert await links(service, ("127.0.0.1", 8080), "localhost:8080") == {"https://spaces.example"}


async def test_the_address_may_have_a_path(tmp_path: Path) -> None:
    async with running(tmp_path, public_url="https://example.org/lab/") as service:
        path = await service.live(title="Launch")
        found = (await service.ok("ana", "GET", "/spaces/search"))["data"][0]["share_url"]
        link = (await service.ok("ana", "POST", f"{path}/invitation-links", json={}))["url"]
        card = await service.ok("ana", "GET", f"/oembed?url={found}")
        shared = [found, link, card["url"], card["author_url"]]
        assert all(url.startswith("https://example.org/lab/") for url in shared)
        assert card["provider_url"] == "https://example.org/lab/"
        assert found == f"https://example.org/lab{path.replace('/spaces/', '/s/')}"


def options(url: str) -> Config:
    parser = argparse.ArgumentParser()
    add_options(parser, {"SPACES_PUBLIC_URL": url})
    return from_options(parser.parse_args([]), {})


def test_public_urls() -> None:
    assert options("").public_url == ""
    assert options("https://spaces.example:8443").public_url == "https://spaces.example:8443/"
    for url in ("https://example.org/lab", "https://example.org/lab/"):
        assert options(url).public_url == "https://example.org/lab/"
    for url in (
        "spaces.example",
        "ftp://x",
        "https://",
        "https://a@x",
        "http://[::1",
        "http://x:y",
        "http://x?y",
    ):
        with pytest.raises(ConfigError, match="--public-url"):
            options(url)
