"""Two kinds of client that cost little: one reads a stream of events, one sends the same request again."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlsplit


class Reader(asyncio.Protocol):
    """Follows a stream and counts its events; ``seen`` says when the last byte of each of one kind was here."""

    def __init__(self, request: bytes, kind: bytes, seen: Callable[[float], None]) -> None:
        self.counts: Counter[bytes] = Counter()
        self.ended = False
        self._request, self._kind, self._seen = request, kind, seen
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Take events apart as far as counting them needs; sizes of chunks stand between them, not in them."""
        now = time.monotonic()
        *events, self._rest = (self._rest + data).split(b"\n\n")
        for event in events:
            _, found, after = event.partition(b"event: ")
            if found:
                kind = after.partition(b"\n")[0]
                self.counts[kind] += 1
                if kind == self._kind:
                    self._seen(now)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that nothing comes any more."""
        self.ended = True


class Repeater(asyncio.Protocol):
    """Sends one request again as soon as the one before is answered, at most as often as it is let."""

    def __init__(self, request: bytes, expected: bytes) -> None:
        """Take the request, and how the answer begins, as ``HTTP/1.1 204``."""
        self.answered = self.refused = 0
        self.latest: list[float] = []
        """Seconds that each answer took."""
        self._request, self._expected = request, expected
        self._pace, self._due, self._sent = 0.0, 0.0, 0.0
        self._running = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def start(self, per_second: float, delay: float) -> None:
        """Begin, after so many seconds."""
        loop = asyncio.get_running_loop()
        self._running, self._pace, self._due = True, 1.0 / per_second, loop.time() + delay
        loop.call_at(self._due, self._send)

    def stop(self) -> None:
        """Send no more."""
        self._running = False

    def data_received(self, data: bytes) -> None:
        """Count an answer: those asked for have no body."""
        loop = asyncio.get_running_loop()
        self.latest.append(loop.time() - self._sent)
        if data.startswith(self._expected):
            self.answered += 1
        else:
            self.refused += 1
        self._due = max(
            self._due + self._pace, loop.time() - 1.0
        )  # who was held up makes good for a second's worth
        if self._due <= loop.time():
            self._send()
        else:
            loop.call_at(self._due, self._send)

    def _send(self) -> None:
        if self._running and not self._transport.is_closing():
            self._sent = asyncio.get_running_loop().time()
            self._transport.write(self._request)


async def connect(base: str, protocol: asyncio.Protocol) -> None:
    """Open a connection to a server."""
    where = urlsplit(base)
    assert where.hostname and where.port
    await asyncio.get_running_loop().create_connection(lambda: protocol, where.hostname, where.port)


def request(method: str, path: str, token: str, body: bytes = b"") -> bytes:
    """Write a request with a token, kept alive."""
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body
