"""A client that costs little: requests as bytes over kept connections, for benchmarks of the server's own time."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any


class CallError(RuntimeError):
    """An answer that was not expected; the message is one sentence."""


@dataclass
class Calls:
    """What was called, and how long each took (seconds), by kind."""

    seconds: dict[str, list[float]] = field(default_factory=dict)

    def note(self, kind: str, seconds: float) -> None:
        """Add one."""
        self.seconds.setdefault(kind, []).append(seconds)

    def clear(self) -> None:
        """Forget all so far."""
        self.seconds.clear()


class Connection(asyncio.Protocol):
    """One kept HTTP/1.1 connection, on which one request at a time is under way."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    @classmethod
    async def open(cls, host: str, port: int) -> "Connection":
        """Connect."""
        _, protocol = await asyncio.get_running_loop().create_connection(cls, host, port)
        return protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Collect an answer; they all have a length or no body."""
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or self._answer is None:
            return
        lower = head.lower()
        at = lower.find(b"content-length:")
        length = int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(body) < length:
            return
        answer, self._answer, self._buffer = self._answer, None, body[length:]
        answer.set_result((int(head[9:12]), body[:length]))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(CallError(f"The server closed a connection ({exc})."))

    async def call(self, request: bytes) -> tuple[int, bytes]:
        """Send a request; return status and body."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


def request(method: str, path: str, token: str, body: Any = None) -> bytes:
    """Return a request as bytes."""
    content = b"" if body is None else json.dumps(body).encode()
    kind = "Content-Type: application/json\r\n" if content else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n{kind}"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


async def expect(connection: Connection, calls: Calls, kind: str, status: int, sent: bytes) -> bytes:
    """Make a call and note how long it took.

    :raises CallError: the answer has another status
    """
    begun = time.perf_counter()
    got, body = await connection.call(sent)
    calls.note(kind, time.perf_counter() - begun)
    if got != status:
        line = sent.partition(b"\r\n")[0].decode()
        raise CallError(f"{line} was answered {got} and not {status}: {body[:300].decode(errors='replace')}")
    return body
