"""A TCP connection of the server, none of which can hold more than its share of memory, descriptors or time.

Uvicorn's HTTP/1.1 takes heads without an end, reads on while nobody reads its answers, and waits for ever. Here a
request is read no further than to the end of its head while others are in flight, what is read is bounded, and so
is the time for each part (:mod:`media.server.connection_limits`).

An ASGI app can say only that it has no more to send, and what it has sent before waits for the client for ever.
Our server therefore offers an extension in the scope, ``spaces.abort``: a function that closes the connection and
throws away what it still holds.
"""

import asyncio
import math
from collections.abc import MutableMapping
from http import HTTPStatus
from typing import Any, Final, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from media.server.connection_limits import Connections
from media.server.deadline import Deadline
from media.server.errors import Problem, respond

ABORT: Final = "spaces.abort"
WASTED: Final = 1024 * 1024
"""Bytes that are thrown away after an answer or a refusal, so that it can be read; who sends more is cut off."""
_HEAD_END: Final = b"\n\r\n"
_CHUNKS_END: Final = b"0\r\n\r\n"


class _Flow(FlowControl):
    """Flow control that does not read on while a connection holds requests enough."""

    held = False

    def resume_reading(self) -> None:
        if not self.held:
            super().resume_reading()


class Connection(HttpToolsProtocol):
    """Uvicorn's HTTP/1.1 within bounds."""

    parser: Any  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        connections: Connections | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._all = Connections() if connections is None else connections
        self._limits = self._all.limits
        self._reading = "idle"
        """What is being read: idle, head or body."""
        self._deadline = Deadline(self.loop, self._late)
        """Of what is being read."""
        self._stuck = Deadline(self.loop, self._unread)
        """Of a client that takes nothing."""
        self._flow: _Flow
        self._in_flight = 0
        self._used = False
        """Whether there was a request."""
        self._held = b""
        """What was read and waits until fewer requests are in flight."""
        self._fault: Problem | None = None
        """Why nothing more is read."""
        self._wasted = 0
        """Bytes thrown away."""
        self._head = self._fields = 0
        """Bytes and fields of the head so far."""
        self._events = self._silent = 0
        """Events of the parser, and bytes without any."""
        self._body_left = 0
        """Bytes of the body to come; -1 if its head does not say."""
        self._body_read = 0
        self._body_began = 0.0
        self._declined = False
        """Whether the body is read past the parser, which has none where a head asks for an upgrade."""

    @property
    def state(self) -> str:
        """What the connection is at."""
        return "answer" if self._in_flight and self._reading == "idle" else self._reading

    # connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Begin, or refuse to."""
        super().connection_made(transport)
        self.flow = self._flow = _Flow(transport)
        refusal = self._all.enter(self, self.client[0] if self.client else "", self.loop.time())
        if refusal is not None:
            self._fault = refusal
            transport.write(_raw(refusal))
            transport.close()
            return
        self._deadline.set(self._limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give everything back."""
        self._all.leave(self)
        self._deadline.cancel()
        self._stuck.cancel()
        self._held = b""
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Give the client time to take what waits for it."""
        super().pause_writing()
        self._stuck.set(self._limits.unread_seconds)

    def resume_writing(self) -> None:
        """Go on: the client takes something."""
        super().resume_writing()
        self._stuck.cancel()

    # reading

    def data_received(self, data: bytes) -> None:
        """Read as many requests as may be in flight."""
        if self._fault is not None:
            self._waste(len(data))
            return
        before = self._reading
        if self._held:
            self._held += data  # the transport had read it before it was told to pause
        else:
            self._feed(data)
        if self._reading == "head" and before != "head":
            self._deadline.set(min(self._limits.head_seconds, self._deadline.left))

    def _feed(self, data: bytes) -> None:
        at = 0
        while at < len(data) and self._fault is None and not self.transport.is_closing():
            if self._in_flight >= self._limits.in_flight and self._reading == "idle":
                self._held = data[at:]
                self._flow.held = True
                self.flow.pause_reading()
                return
            end = self._cut(data, at)
            part = data[at:end] if end - at < len(data) else data
            if self._declined:
                self.on_body(part)
                if self._body_left == 0:
                    self.on_message_complete()
                at = end
            else:
                at += self._parse(part)

    def _cut(self, data: bytes, at: int) -> int:
        """Return how far to parse: no further than to the end of a head, or of a body."""
        if self._reading == "body" and self._body_left > 0:
            return min(len(data), at + self._body_left)
        if self._reading == "head" and data.startswith((b"\r\n", b"\n"), at):
            return data.index(b"\n", at) + 1  # it may end the head, whose last line came before
        end = _CHUNKS_END if self._reading == "body" else _HEAD_END
        found = data.find(end, at)
        return len(data) if found < 0 else found + len(end)

    def _parse(self, data: bytes) -> int:
        """Return how many bytes were parsed."""
        events, parsed = self._events, len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:  # the request is answered as if it had not asked
            parsed = upgrade.args[0]
        except httptools.HttpParserError:
            sentence = "The server can read no HTTP/1.1 in this."
            self._refuse(self._fault or Problem(400, "bad-request", sentence))
            return parsed
        self._silent = self._silent + len(data) if self._events == events else 0
        if self._silent > self._limits.head:
            self._refuse(self._too_large())
        return parsed

    def _continue(self) -> None:
        """Read on from what was held."""
        if self._fault is not None or self.transport.is_closing() or not self._held:
            return
        data, self._held = self._held, b""
        self._feed(data)
        if not self._held:
            self._flow.held = False
            if not self.pipeline:
                self.flow.resume_reading()

    # parser callbacks

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        scope = cast(MutableMapping[str, Any], self.scope)
        scope["extensions"] = {ABORT: self.transport.abort}
        self._reading = "head"
        self._head = self._fields = self._body_left = self._body_read = self._wasted = 0

    def on_url(self, url: bytes) -> None:
        """Take a part of the URL."""
        self.url += url
        self._head += len(url)
        if len(self.url) > self._limits.url:
            sentence = f"The URL is longer than the {self._limits.url // 1024} KiB that the server takes."
            self._raise(Problem(414, "url-too-long", sentence))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header field, or a trailer."""
        self._events += 1
        self._fields += 1
        self._head += len(name) + len(value) + 4
        if self._head > self._limits.head or self._fields > self._limits.fields:
            self._raise(self._too_large())
        if self._reading == "body":
            return  # a trailer, which nobody asked for
        name = name.lower()
        if name == b"content-length":
            self._body_left = int(value)
        elif name == b"transfer-encoding":
            self._body_left = -1
        elif name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Have the request answered."""
        self._events += 1
        if self.parser.get_http_version() not in ("1.1", "1.0"):
            self._raise(Problem(505, "http-version", "The server speaks HTTP/1.1 and HTTP/1.0."))
        if self._in_flight >= self._limits.in_flight:
            self._raise(Problem(400, "too-many-in-flight", "Too many requests came at once on one connection."))
        if self._body_left < 0 and self.parser.should_upgrade():
            self._raise(Problem(400, "bad-request", "A request for an upgrade must state the length of its body."))
        super().on_headers_complete()
        self._in_flight += 1
        self._used, self._reading = True, "body"
        self._body_began = self.loop.time()
        self._deadline.set(self._limits.body_seconds)

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._events += 1
        self._body_left -= len(body) if self._body_left > 0 else 0
        self._body_read += len(body)
        limits, elapsed = self._limits, self.loop.time() - self._body_began
        earned = limits.body_seconds + self._body_read / limits.body_rate
        self._deadline.set(min(limits.body_seconds, earned - elapsed))
        if self.cycle.response_complete:
            self._waste(len(body))
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        self._events += 1
        if self._body_left > 0 and self.parser.should_upgrade():
            self._declined = True
            return
        self._reading, self._declined = "idle", False
        self._deadline.set(self._limits.idle_seconds if self._in_flight == 0 else math.inf)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Begin the next request, or wait for one."""
        self.server_state.total_requests += 1
        self._in_flight -= 1
        if self.transport.is_closing():
            return
        if self._in_flight == 0 and self._fault is not None:
            self._say(self._fault)
            return
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        else:
            self.flow.resume_reading()
            if self._reading == "idle":
                self._deadline.set(self._limits.idle_seconds)
        if self._held:
            self.loop.call_soon(self._continue)

    # ends

    def _late(self) -> None:
        """End a connection whose client did not send what is due."""
        if self.transport.is_closing():
            return
        if self._fault is not None:  # and had time to read why
            self.transport.abort()
        elif self.flow.read_paused:  # it is not the client who is late
            self._deadline.set(self._limits.body_seconds)
        elif self._reading == "idle" and self._used:
            self._all.note("idle", self.loop.time())
            self.transport.close()
        else:
            part = "body" if self._reading == "body" else "head"
            sentence = f"The {part} of the request did not come in time; send it again."
            self._refuse(Problem(408, f"{part}-timeout", sentence))

    def _raise(self, problem: Problem) -> None:
        """Have the parser stop."""
        self._fault = problem
        raise ValueError(problem)

    def _refuse(self, problem: Problem) -> None:
        """Read nothing more; say why when what came before is answered."""
        self._fault, self._held = problem, b""
        self._all.note(problem.slug, self.loop.time())
        cycle = self.cycle
        if self._reading == "body":  # which will never be whole
            if cycle.response_started:
                self.transport.abort()
                return
            if self.pipeline and self.pipeline[0][0] is cycle:
                self.pipeline.popleft()
            cycle.disconnected = True
            cycle.message_event.set()
            self._in_flight -= 1
        if self._in_flight:
            self._flow.held = True
            self.flow.pause_reading()
        else:
            self._say(problem)

    def _say(self, problem: Problem) -> None:
        """Answer with a problem, and leave the client time to read it: to close at once would take it away."""
        self.transport.write(_raw(problem))
        self.transport.write_eof()
        self._flow.held = False
        self.flow.resume_reading()
        self._deadline.set(self._limits.linger_seconds)

    def _unread(self) -> None:
        """Throw away what the client does not take."""
        self._all.note("unread", self.loop.time())
        self.transport.abort()

    def _waste(self, count: int) -> None:
        self._wasted += count
        if self._wasted > WASTED:
            self.transport.abort()

    def _too_large(self) -> Problem:
        sentence = (
            f"The head of the request is larger than the {self._limits.head // 1024} KiB "
            f"and {self._limits.fields} fields that the server takes."
        )
        return Problem(431, "head-too-large", sentence)


def _raw(problem: Problem) -> bytes:
    """Return a problem as the last answer of a connection."""
    answer = respond(problem)
    fields = [*answer.raw_headers, (b"connection", b"close")]
    lines = [f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}".encode()]
    lines += [name + b": " + value for name, value in fields]
    return b"\r\n".join([*lines, b"", bytes(answer.body)])
