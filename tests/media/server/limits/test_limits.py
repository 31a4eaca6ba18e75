"""The limits in front of the routes: whom they hold, what they say, and whom they let be."""

import argparse
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from media.server import config
from media.server.limits.middleware import Limits
from tests.media.server.service import SDP, Service, running


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """No bucket fills while a slow machine empties it."""
    monkeypatch.setattr(Limits.__init__, "__defaults__", (lambda: 1000.0,))


@asynccontextmanager
async def limited(data: Path, address: str = "203.0.113.7", **more: Any) -> AsyncIterator[Service]:
    """A server that allows 10 reads a second, 40 at once, and is called from an address of the internet."""
    async with running(data, rate_limit=10.0, **more) as service:
        service.http = client(service, address)
        async with service.http:
            yield service


def client(service: Service, address: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(service.app, client=(address, 1)), base_url="http://s")


async def spend(service: Service, name: str | None, path: str = "/topics", **more: Any) -> httpx.Response:
    """Ask until refused; return the refusal."""
    for _ in range(2000):
        response = await service.call(name, "GET", path, **more)
        if response.status_code == 429:
            return response
    raise AssertionError("never refused")


async def test_a_person_who_asks_for_too_much_is_told_when_to_come_back(tmp_path: Path) -> None:
    async with limited(tmp_path) as service:
        first = await service.call("ana", "GET", "/topics")
        assert first.headers["RateLimit-Policy"] == '"reads";q=40;w=4'
        assert first.headers["RateLimit"] == '"reads";r=39;t=1'
        refused = await spend(service, "ana")
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert refused.json()["type"] == "urn:spaces-lab:problem:too-many-requests"
        assert refused.headers["Retry-After"] == "1" and '"reads";r=0' in refused.headers["RateLimit"]
        assert (await service.call("ana", "POST", "/spaces", json={})).status_code == 201, (
            "writes are another matter"
        )
        assert (await service.call("ben", "GET", "/topics")).status_code == 200, "and so is somebody else"
        assert (await service.call("root", "GET", "/topics")).headers.get("RateLimit") is None, "admins are free"
        assert (await service.call(None, "GET", "/healthz")).status_code == 200


async def test_clients_of_x_are_told_as_x_does(tmp_path: Path) -> None:
    async with limited(tmp_path) as service:
        refused = await spend(service, "ana", "/2/users/me")
        assert refused.json()["title"] == "Too Many Requests" and refused.headers["x-rate-limit-remaining"] == "0"
        assert 0 < int(refused.headers["x-rate-limit-reset"]) - service.clock() < 60
        assert refused.headers["x-rate-limit-limit"] == "40"


async def test_an_address_is_limited_whoever_calls_from_it(tmp_path: Path) -> None:
    async with limited(tmp_path) as service:
        refused = await spend(service, None)
        assert '"reads-of-address"' in refused.headers["RateLimit-Policy"]
        assert (await service.call("ana", "GET", "/topics")).status_code == 429
        async with client(service, "203.0.113.8") as service.http:
            assert (await service.call("ana", "GET", "/topics")).status_code == 200


async def test_an_ipv6_customer_has_64_bits(tmp_path: Path) -> None:
    async with limited(tmp_path, "2001:db8:1:2::1") as service:
        await spend(service, None)
        async with client(service, "2001:db8:1:2:ffff::9") as service.http:
            assert (await service.call(None, "GET", "/topics")).status_code == 429
        async with client(service, "2001:db8:1:3::1") as service.http:
            assert (await service.call(None, "GET", "/topics")).status_code == 401


async def test_who_calls_from_this_machine_is_not_limited_and_who_comes_by_a_proxy_is(tmp_path: Path) -> None:
    async with limited(tmp_path, "127.0.0.1") as service:
        for _ in range(100):
            assert "RateLimit" not in (await service.call("ana", "GET", "/topics")).headers
        by_proxy = {"headers": {"X-Forwarded-For": "203.0.113.9"}}
        refused = await spend(service, "ana", **by_proxy)
        assert '"reads";' in refused.headers["RateLimit-Policy"], "its word on the address is not believed"
        others = await service.call("ben", "GET", "/spaces", **by_proxy)
        assert others.status_code == 200, "and others have limits of their own"


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Proto"])
async def test_what_an_unnamed_proxy_passes_on_has_the_limit_of_one_address(
    tmp_path: Path, header: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with limited(tmp_path, "127.0.0.1") as service:
        refused = await spend(service, None, "/spaces", headers={header: "198.51.100.1"})
        assert "-of-address" in refused.headers["RateLimit-Policy"]
        other = await service.call(None, "GET", "/spaces", headers={header: "198.51.100.2"})
        assert other.status_code == 429, "whatever it says"
        forged = {"headers": {header: "198.51.100.2", "Authorization": "Bearer forged"}}
        assert (await service.call(None, "GET", "/spaces", **forged)).status_code == 429
        assert (await service.call("ana", "GET", "/spaces", headers={header: "x"})).status_code == 200
        assert (await service.call(None, "GET", "/spaces")).status_code == 401, "who is really here is free"
        assert len([line for line in caplog.messages if "--trusted-proxy 127.0.0.1" in line]) == 1


async def test_a_trusted_proxy_is_believed_and_a_stranger_is_not(tmp_path: Path) -> None:
    async with limited(tmp_path, "10.0.0.5", trusted_proxies=("10.0.0.0/8",)) as service:
        forged = {"headers": {"X-Forwarded-For": "198.51.100.1, 203.0.113.9, 10.0.0.6"}}
        refused = await spend(service, None, **forged)
        assert '"reads-of-address"' in refused.headers["RateLimit-Policy"]
        other = {"headers": {"X-Forwarded-For": "198.51.100.2, 203.0.113.9"}}
        assert (await service.call(None, "GET", "/topics", **other)).status_code == 429, "what it saw counts"
        other = {"headers": {"X-Forwarded-For": "203.0.113.10"}}
        assert (await service.call(None, "GET", "/topics", **other)).status_code == 401
        async with client(service, "203.0.113.77") as service.http:
            await spend(service, None, headers={"X-Forwarded-For": "203.0.113.10"})
            assert (await service.call(None, "GET", "/topics")).status_code == 429, "it stands for itself"


async def test_joins_are_limited_before_their_offers_are_read(tmp_path: Path) -> None:
    async with limited(tmp_path) as service:
        path = await service.live(anonymous_listening=True)
        answers = [await service.call("lea", "POST", f"{path}/whep", content="", headers=SDP) for _ in range(12)]
        assert [answer.status_code for answer in answers] == [400] * 10 + [429] * 2
        assert math.isclose(int(answers[-1].headers["Retry-After"]), 2)


async def test_looking_people_up_is_a_kind_of_its_own(tmp_path: Path) -> None:
    async with limited(tmp_path) as service:
        refused = await spend(service, "ana", "/users/search?query=a")
        assert refused.headers["RateLimit-Policy"] == '"lookups";q=10;w=5'
        assert (await service.call("ana", "GET", "/topics")).status_code == 200


def test_the_operator_chooses() -> None:
    def chosen(*arguments: str, **environ: str) -> tuple[float, tuple[str, ...]]:
        parser = argparse.ArgumentParser()
        config.add_options(parser, environ)
        settings = config.from_options(parser.parse_args(arguments), environ)
        return settings.rate_limit, tuple(settings.trusted_proxies)

    assert chosen() == (50.0, ())
    assert chosen("--rate-limit", "off", "--trusted-proxy", "10.0.0.1") == (0.0, ("10.0.0.1/32",))
    assert chosen(SPACES_RATE_LIMIT="7", SPACES_TRUSTED_PROXY="10.0.0.0/8, ::1") == (
        7.0,
        ("10.0.0.0/8", "::1/128"),
    )
    parser = argparse.ArgumentParser()
    config.add_options(parser, {})
    for arguments, connections in (((), None), (("--connections-per-address", "9"), 9)):
        assert config.from_options(parser.parse_args(arguments), {}).connections_per_address == connections
    for wrong in (
        ("--connections-per-address", "many"),
        ("--rate-limit", "0"),
        ("--rate-limit", "fast"),
        ("--trusted-proxy", "nginx"),
    ):
        with pytest.raises(config.ConfigError, match=wrong[1]):
            chosen(*wrong)
