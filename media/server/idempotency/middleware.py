"""One place in front of every POST: a request with a key is done once, and a repetition gets the same answer.

A client that did not hear the answer sends the same again, with the same ``Idempotency-Key``. Only answers of
success are kept: what was refused has changed nothing, and may be tried again with the same key.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Final

from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from media.server.auth import bearer_of
from media.server.database_faults import StoreUnavailableError
from media.server.errors import Problem, problem_of, respond
from media.server.idempotency.keys import Keys, Known, Stored
from media.server.schemas import RefreshToken

LIMIT: Final = 1024 * 1024
"""Bytes of an answer that is kept; the key of a longer one is good for nothing but to be refused."""
_KEY: Final = re.compile(r'"([\x20\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x5b\x5d-\x7e]{1,255})')
"""As the draft has it, and without the quotation marks, as it is sent more often."""
_KEPT_HEADERS: Final = frozenset({b"content-type", b"location", b"etag", b"link"})
_SDP: Final = ("/whip", "/whep")
AT_ONCE: Final = ("/mute", "/mute-all", "/step-down", "/end")
"""Ends of addresses that take sound away, which waits for no store; done twice it is the same as once."""


class Idempotency:
    """ASGI middleware in front of the router."""

    def __init__(self, app: ASGIApp, state: State, keys: Keys, clock: Callable[[], float]) -> None:
        """Take a clock in Unix seconds."""
        self._app = app
        self._state = state
        self._keys = keys
        self._clock = clock
        self._working: set[tuple[str, str]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it as it was answered before."""
        header = _header(scope) if scope["type"] == "http" and scope["method"] == "POST" else None
        if header is None or scope["path"].endswith(_SDP):
            await self._app(scope, receive, send)
            return
        token = bearer_of(scope)
        caller = None if token is None else self._caller(token)
        if token is not None and caller is None:  # the router says why not
            await self._app(scope, receive, send)
            return
        try:
            key = _read_key(header)
            body = await _read_body(receive)
        except (Problem, HTTPException) as error:
            await respond(problem_of(error, self._clock()))(scope, receive, send)
            return
        caller = caller or await self._owner(body)
        if caller is None:
            await self._app(scope, _replayed(body, receive), send)
            return
        slot = caller, key
        if slot in self._working:
            await respond(_at_work())(scope, receive, send)
            return
        self._working.add(slot)
        try:
            await self._once(slot, body, scope, receive, send)
        finally:
            self._working.discard(slot)

    async def _once(self, slot: tuple[str, str], body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        digest = _digest(scope, body)
        try:
            known = await self._keys.begin(*slot, digest, self._clock())
        except StoreUnavailableError as error:
            if scope["path"].endswith(AT_ONCE):
                await self._app(scope, _replayed(body, receive), send)
            else:
                await respond(problem_of(error, self._clock()))(scope, receive, send)
            return
        if known is not None:
            await _again(known, digest)(scope, receive, send)
            return
        answer = _Answer()
        try:
            await self._app(scope, _replayed(body, receive), answer.take)
        except BaseException:
            await self._keys.forget(*slot)
            raise
        stored = answer.stored()
        if stored is None:
            await self._keys.forget(*slot)
        else:
            await self._keys.finish(*slot, stored)
        for message in answer.messages:
            await send(message)

    def _caller(self, token: str) -> str | None:
        """Return the user that a token names, None if no gate lets them pass."""
        who = self._state.tokens.look(token)
        return None if who is None or self._state.guard.reason(who.name) is not None else who.name

    async def _owner(self, body: bytes) -> str | None:
        """Return the user whose refresh token a body is; nothing is kept for a caller who has shown none."""
        try:
            shown = RefreshToken.model_validate_json(body)
        except ValueError:
            return None
        return await self._state.grants.owner(shown.refresh_token)


class _Answer:
    """An answer held back until it is written down."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def take(self, message: Message) -> None:
        self.messages.append(message)

    def stored(self) -> Stored | None:
        """Return what is to be kept; None if it was no success, or has no end."""
        status = self.messages[0]["status"]
        body = b"".join(message.get("body", b"") for message in self.messages[1:])
        if not 200 <= status < 300 or len(body) > LIMIT:
            return None
        headers = tuple(
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in self.messages[0]["headers"]
            if name.lower() in _KEPT_HEADERS
        )
        return Stored(status, headers, base64.b64encode(body).decode())


def _again(known: Known, digest: str) -> Response:
    if known.request != digest:
        sentence = "This Idempotency-Key came with another request before; every request needs a key of its own."
        return respond(Problem(422, "key-reused", sentence))
    if known.answer is None:
        sentence = "The server ended while it was at this request; look whether it was done, and use another key."
        return respond(Problem(409, "outcome-unknown", sentence))
    headers = dict(known.answer.headers) | {"Idempotent-Replayed": "true"}
    return Response(base64.b64decode(known.answer.body), known.answer.status, headers=headers)


def _at_work() -> Problem:
    sentence = "The first request with this Idempotency-Key is still at work; ask again in a second."
    return Problem(409, "still-at-work", sentence, headers={"Retry-After": "1"})


def _header(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"idempotency-key":
            return value.decode("latin-1").strip()
    return None


def _read_key(header: str) -> str:
    match = _KEY.fullmatch(header)
    if match is None:
        sentence = "The Idempotency-Key must be 1 to 255 printable ASCII characters, as a UUID in quotation marks."
        raise Problem(400, "bad-key", sentence)
    return match[1] or match[2]


def _digest(scope: Scope, body: bytes) -> str:
    parts = (scope["method"].encode(), scope["path"].encode(), scope["query_string"], body)
    return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).hexdigest()


async def _read_body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return left.pop() if left else await receive()

    return again
