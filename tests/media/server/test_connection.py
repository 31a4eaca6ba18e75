"""Connections of unknown clients over real sockets: what they can hold is bounded, and others notice nothing."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httptools
import pytest
import uvicorn
from prometheus_client import generate_latest
from uvicorn.protocols.http import httptools_impl

from media.server.connection import Connection
from media.server.connection_limits import Connections, Limits
from media.server.listener import backlog, capacity
from tests.media.server.served import served
from tests.media.server.service import Service

PATIENCE = 20
QUICK = replace(Limits(), head_seconds=0.2, body_seconds=0.2, idle_seconds=0.2, unread_seconds=0.3)
GET = b"GET /healthz HTTP/1.1\r\nHost: spaces\r\n\r\n"


class Peer:
    """A client that says what it likes."""

    def __init__(self, base: str, buffers: int = 0) -> None:
        host, _, port = base.removeprefix("http://").partition(":")
        self.socket = socket.socket()
        if buffers:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffers)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffers)
        self.socket.connect((host, int(port)))
        self.socket.setblocking(False)

    async def send(self, data: bytes) -> None:
        async with asyncio.timeout(PATIENCE):
            await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def flood(self, data: bytes, most: int) -> int:
        """Send the same until refused; return the bytes that were taken."""
        sent = 0
        try:
            async with asyncio.timeout(1):
                while sent < most:
                    await asyncio.get_running_loop().sock_sendall(self.socket, data)
                    sent += len(data)
        except (OSError, TimeoutError):
            pass
        return sent

    async def rest(self) -> bytes:
        """All that comes until the server ends the connection."""
        received = b""
        async with asyncio.timeout(PATIENCE):
            while data := await self.some():
                received += data
        return received

    async def some(self) -> bytes:
        try:
            return await asyncio.get_running_loop().sock_recv(self.socket, 65_536)
        except ConnectionResetError:
            return b""

    async def until(self, text: bytes, times: int = 1) -> bytes:
        received = b""
        async with asyncio.timeout(PATIENCE):
            while received.count(text) < times:
                data = await self.some()
                assert data, received
                received += data
        return received


@asynccontextmanager
async def facing(
    service: Service, limits: Limits | None = None, **more: Any
) -> AsyncIterator[tuple[str, Connections]]:
    connections = Connections(limits=limits or Limits(), **more)
    async with served(service, connections) as base:
        yield base, connections
    assert len(connections) == 0, "all were given back"


async def ended(connections: Connections, reason: str, times: int = 1) -> None:
    """Wait until the metric says so."""
    async with asyncio.timeout(PATIENCE):
        while value(connections, "spaces_http_connections_ended_total", reason) < times:
            await asyncio.sleep(0.01)


def value(connections: Connections, name: str, label: str) -> float:
    return sum(
        sample.value
        for family in connections.families()
        for sample in family.samples
        if sample.name == name and label in sample.labels.values()
    )


def test_what_is_relied_on_of_uvicorn_and_httptools_is_there() -> None:
    """Connection overrides and reads these; another version without one of them fails here, not in production."""
    for name in (
        "on_message_begin",
        "on_url",
        "on_header",
        "on_headers_complete",
        "on_body",
        "on_message_complete",
    ):
        assert callable(getattr(httptools_impl.HttpToolsProtocol, name)), name
        assert name in vars(Connection), name
    for name in ("on_response_complete", "data_received", "_start_asgi_task", "pause_writing", "connection_lost"):
        assert callable(getattr(httptools_impl.HttpToolsProtocol, name)), name
    names = httptools_impl.RequestResponseCycle.__init__.__code__.co_varnames
    assert {"on_response", "flow", "message_event", "keep_alive"} <= set(names)
    assert uvicorn.Config("x", ws="none", http=Connection).ws == "none"
    seen: list[str] = []

    class Sink:
        def on_header(self, name: bytes, value: bytes) -> None:
            seen.append(name.decode())
            raise ValueError

    parser = httptools.HttpRequestParser(Sink())
    with pytest.raises(httptools.HttpParserError):
        parser.feed_data(b"GET / HTTP/1.1\r\na: b\r\nc: d\r\n\r\n")
    assert seen == ["a"] and not parser.should_upgrade()


ENDLESS = {
    "a header that never ends": (b"GET / HTTP/1.1\r\na: ", b"x" * 4096, b"431"),
    "headers that never end": (b"GET / HTTP/1.1\r\n", b"a: " + b"x" * 2000 + b"\r\n", b"431"),
    "many small headers": (b"GET / HTTP/1.1\r\n", b"a:\r\n" * 10, b"431"),
    "a name that never ends": (b"GET / HTTP/1.1\r\n", b"x" * 4096, b"431"),
    "a URL that never ends": (b"GET /", b"x" * 1024, b"414"),
    "nothing but line ends": (b"", b"\r\n" * 1024, b"431"),
    "a chunk extension that never ends": (
        b"POST /tokens/refresh HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        b"x" * 4096,
        b"431",
    ),
    "trailers that never end": (
        b"POST /tokens/refresh HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n",
        b"a: " + b"x" * 2000 + b"\r\n",
        b"431",
    ),
}


@pytest.mark.parametrize(("start", "more", "status"), ENDLESS.values(), ids=ENDLESS)
async def test_a_head_without_an_end_is_refused_with_a_sentence(
    service: Service, start: bytes, more: bytes, status: bytes
) -> None:
    async with facing(service) as (base, connections):
        peer = Peer(base)
        await peer.send(start)
        flood = asyncio.create_task(peer.flood(more, 64 << 20))
        answer = await peer.rest()
        assert answer.startswith(b"HTTP/1.1 " + status) and b"application/problem+json" in answer
        assert b"connection: close" in answer and answer.count(b"HTTP/1.1") == 1
        assert await flood < 8 << 20
        reason = "url-too-long" if status == b"414" else "head-too-large"
        assert value(connections, "spaces_http_connections_ended_total", reason) == 1
        peer.socket.close()


async def test_what_is_not_http_is_told_so_after_what_was_asked_before(service: Service) -> None:
    async with facing(service) as (base, _):
        for junk in (b"\x16\x03\x01\x02\x00\x01", b"GET /\r\n\r\n", b"GET http://[ HTTP/1.1\r\n\r\n"):
            peer = Peer(base)
            await peer.send(GET + junk)
            answer = await peer.rest()
            first, second = re.findall(rb"HTTP/1.1 (\d+)", answer)
            assert first == b"200" and second in (b"400", b"505")


async def test_pipelined_requests_are_answered_in_order_and_eight_at_a_time(service: Service) -> None:
    async with facing(service) as (base, connections):
        most = 0
        begin = service.app.state.connections  # the app's own table is not this one
        assert begin is not connections
        peer = Peer(base)
        sending = asyncio.create_task(
            peer.send(b"".join(b"GET /spaces/%d HTTP/1.1\r\nHost: s\r\n\r\n" % n for n in range(5000)))
        )
        received = b""
        async with asyncio.timeout(PATIENCE):
            while received.count(b"HTTP/1.1 401") < 5000:
                received += await peer.some()
                most = max([most, *(one._in_flight for one in connections._open)])
        await sending
        assert 1 <= most <= 8
        await peer.send(GET)
        assert b"200 OK" in await peer.until(b"ready")
        peer.socket.close()


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
async def test_requests_in_pieces_of_any_size_are_the_same(service: Service, size: int) -> None:
    """Heads and bodies that end anywhere in what is read, more of them than may be in flight."""
    token = service.token("ana").encode()
    body = b'{"title":"a\\n\\r\\n b"}'
    one = (
        b"POST /spaces HTTP/1.1\r\nHost: s\r\nAuthorization: Bearer %b\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (token, len(body), body)
    )
    chunked = one.replace(b"Content-Length: %d" % len(body), b"Transfer-Encoding: chunked").replace(
        body, b"3\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (body[:3], len(body) - 3, body[3:])
    )
    upgrade = one.replace(b"Host: s", b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c")
    whole = (one + chunked + upgrade + GET) * 5
    async with facing(service) as (base, _):
        peer = Peer(base)
        if size > 1:
            pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
        else:
            pieces = [whole[at : at + 1] for at in range(len(one + chunked))] + [whole[len(one + chunked) :]]
        for piece in pieces:
            await peer.send(piece)
            await asyncio.sleep(0)
        answers = await peer.until(b"HTTP/1.1 ", 20)
        while answers.count(b'"ready"') < 5:
            answers += await peer.some()
        assert answers.count(b"HTTP/1.1 201") == 15 and answers.count(b"HTTP/1.1 200") == 5
        peer.socket.close()


async def test_a_client_that_reads_nothing_is_cut_off_and_costs_little(service: Service) -> None:
    async with facing(service, QUICK) as (base, connections):
        peers = [Peer(base, buffers=4096) for _ in range(10)]
        request = b"GET /web/page.js HTTP/1.1\r\nHost: s\r\n\r\n" * 1000
        sent = await asyncio.gather(*(peer.flood(request, 4 << 20) for peer in peers))
        assert max(sent) < 1 << 20, "no more is taken than the kernel holds"
        await ended(connections, "unread", len(peers))
        other = Peer(base)
        await other.send(GET)
        await other.until(b"ready")
        for peer in (*peers, other):
            peer.socket.close()


SLOW = {
    "nothing": (b"", b"", "head-timeout"),
    "half a head": (b"GET / HTTP/1.1\r\na", b"x", "head-timeout"),
    "half a body": (
        b"POST /tokens/refresh HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{",
        b" ",
        "body-timeout",
    ),
    "half a chunk": (
        b"POST /tokens/refresh HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n900\r\n",
        b" ",
        "body-timeout",
    ),
    "line ends": (b"", b"\r\n", "head-timeout"),
}


@pytest.mark.parametrize(("start", "drip", "reason"), SLOW.values(), ids=SLOW)
async def test_who_sends_too_slowly_is_told_and_cut_off(
    service: Service, start: bytes, drip: bytes, reason: str
) -> None:
    async with facing(service, QUICK) as (base, connections):
        peer = Peer(base)
        await peer.send(start)

        async def dripping() -> None:
            while drip:
                await asyncio.sleep(0.05)
                await peer.send(drip)

        slow = asyncio.create_task(dripping())
        answer = await peer.rest()
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)
        assert answer.startswith(b"HTTP/1.1 408") and b"did not come in time; send it again." in answer
        assert value(connections, "spaces_http_connections_ended_total", reason) == 1
        peer.socket.close()


async def test_a_kept_connection_is_closed_when_it_is_idle(service: Service) -> None:
    async with facing(service, QUICK) as (base, connections):
        peer = Peer(base)
        await peer.send(GET)
        answer = await peer.rest()
        assert answer.startswith(b"HTTP/1.1 200") and answer.count(b"HTTP/1.1") == 1
        assert value(connections, "spaces_http_connections_ended_total", "idle") == 1
        peer.socket.close()


async def test_a_stream_outlives_all_of_these_times(service: Service) -> None:
    path = await service.live()
    async with facing(service, QUICK) as (base, connections):
        peer = Peer(base)
        request = f"GET {path}/events HTTP/1.1\r\nHost: s\r\nAuthorization: Bearer {service.token('ben')}\r\n\r\n"
        await peer.send(request.encode())
        await peer.until(b"event: space")
        await asyncio.sleep(1)
        assert value(connections, "spaces_http_connections", "answer") == 1
        await service.ok("ana", "PATCH", path, json={"title": "still there"})
        await peer.until(b"still there")
        peer.socket.close()


async def test_a_body_that_is_refused_leaves_the_connection_usable(service: Service) -> None:
    async with facing(service) as (base, _):
        peer = Peer(base)
        large = b"x" * 200_000
        head = b"POST /tokens/refresh HTTP/1.1\r\nHost: s\r\nContent-Length: %d\r\n\r\n" % len(large)
        await peer.send(head + large)
        assert b"HTTP/1.1 413" in await peer.until(b"KiB")
        await peer.send(GET)
        await peer.until(b"ready")
        taken = await peer.flood(b"POST /tokens HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n" + large, 64 << 20)
        assert taken < 8 << 20
        peer.socket.close()


async def test_an_address_and_the_server_have_so_many_and_say_so_once_in_a_while(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    async with facing(service, most=3) as (base, connections):
        peers = [Peer(base) for _ in range(3)]
        for peer in peers:
            await peer.send(GET)
            await peer.until(b"ready")
        for _ in range(20):
            answer = await (refused := Peer(base)).rest()
            assert answer.startswith(b"HTTP/1.1 503") and b"try again in a few seconds." in answer
            assert b"retry-after: 5" in answer
            refused.socket.close()
        assert value(connections, "spaces_http_connections_ended_total", "descriptors") == 20
        assert value(connections, "spaces_http_connections", "idle") == 3
        lines = [line for line in caplog.messages if "3 connections are open" in line]
        assert len(lines) == 1
        peers.pop().socket.close()
        while len(connections) > 2:
            await asyncio.sleep(0.01)
        another = Peer(base)
        await another.send(GET)
        await another.until(b"ready")
        for peer in (*peers, another):
            peer.socket.close()


class One:
    state = "idle"


def test_an_address_is_limited_and_this_machine_and_trusted_proxies_are_not() -> None:
    connections = Connections(per_address=2, trusted=("10.0.0.0/8",))

    def enter(address: str) -> tuple[One, str | None]:
        one = One()
        refused = connections.enter(one, address, 0.0)
        return one, None if refused is None else f"{refused.status} {refused}"

    first = enter("203.0.113.7")[0]
    assert enter("203.0.113.7")[1] is None
    assert "429 There are 2 connections from your address" in str(enter("203.0.113.7")[1])
    assert enter("203.0.113.8")[1] is None
    connections.leave(first)
    assert enter("203.0.113.7")[1] is None
    for address in ("127.0.0.1", "::1", "10.1.2.3", ""):
        assert [enter(address)[1] for _ in range(5)] == [None] * 5, address
    assert [enter(f"2001:db8::{n}")[1] is None for n in range(3)] == [True, True, False], "a /64 is one customer"


def test_there_are_fewer_connections_than_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    for soft in (256, 1024, 20_000, 65_536):
        monkeypatch.setattr("media.server.listener._descriptors", lambda soft=soft: soft)
        assert soft // 2 < capacity() <= soft - backlog() - min(64, soft // 4), soft
        assert 16 <= backlog() <= 2048


async def test_the_metrics_of_a_server_say_what_its_connections_are_at(service: Service) -> None:
    async with served(service) as base:
        peer = Peer(base)
        await peer.send(GET[:10])
        async with asyncio.timeout(PATIENCE):
            while b'spaces_http_connections{state="head"} 1.0' not in generate_latest(service.app.state.registry):
                await asyncio.sleep(0.01)
        peer.socket.close()
