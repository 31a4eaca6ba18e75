"""What is remembered of requests with a key: that they began, and what was answered.

A row is written before the request is done and filled in with the answer after. So a key whose server was killed
in between is known to have begun, and is not done a second time. Answers can hold tokens, and are encrypted with a
key that the installation's secret gives: who reads the store reads none.
"""

import base64
import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Final

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from media.server.database import Database
from media.server.database_faults import StoreUnavailableError
from media.server.idempotency.tables import IDEMPOTENCY_KEYS

KEPT: Final = 24 * 3600
"""Seconds that an answer is kept."""
MOST: Final = 2_000
"""Keys of one caller that are kept; beyond that the oldest are forgotten."""
TIDY: Final = 60
"""Seconds between two looks at what is to be forgotten."""

_COLUMNS: Final = IDEMPOTENCY_KEYS.c


@dataclass(frozen=True, slots=True)
class Stored:
    """An answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str
    """In base 64."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a key that came before."""

    request: str
    """Digest of what came with it."""
    answer: Stored | None
    """None if none was written: the request is at work, or its server ended while it was."""


class Keys:
    """The store's side of idempotency.  Times in Unix seconds."""

    def __init__(self, engine: Database, secret: bytes) -> None:
        self._engine = engine
        self._cipher = Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"idempotency:" + secret).digest()))
        self._tidied = 0.0
        self._owed: dict[tuple[str, str], Stored | None] = {}
        """Answers to be written, or keys to be forgotten (None), when the store is back."""
        engine.on_recovered(self._pay)

    async def begin(self, caller: str, key: str, request: str, now: float) -> Known | None:
        """Note that a request begins; return what is known if the key came before, and note nothing then."""
        if abs(now - self._tidied) > TIDY:
            self._tidied = now
            await self._tidy(now)
        if (caller, key) in self._owed:
            await self._pay()
        mine = (_COLUMNS.caller == caller) & (_COLUMNS.key == key)
        row = {"caller": caller, "key": key, "request": request, "expires_at": now + KEPT}
        try:
            async with self._engine.begin() as connection:
                await connection.execute(sa.delete(IDEMPOTENCY_KEYS).where(mine, _COLUMNS.expires_at <= now))
                await connection.execute(sa.insert(IDEMPOTENCY_KEYS).values(row))
        except IntegrityError:
            async with self._engine.connect() as connection:
                found = (await connection.execute(sa.select(IDEMPOTENCY_KEYS).where(mine))).first()
            return Known(request, None) if found is None else Known(found.request, self._open(found.answer))
        return None

    async def finish(self, caller: str, key: str, answer: Stored) -> None:
        """Write down what was answered; later, if the store is away."""
        await self._settle(caller, key, answer)

    async def forget(self, caller: str, key: str) -> None:
        """Forget a key: nothing was done, and the same may be tried again; later, if the store is away."""
        await self._settle(caller, key, None)

    async def _settle(self, caller: str, key: str, answer: Stored | None) -> None:
        try:
            await (self._discard(caller, key) if answer is None else self._update(caller, key, answer))
        except StoreUnavailableError:
            self._owed[caller, key] = answer

    async def _pay(self) -> None:
        """Write what could not be written while the store was away."""
        for slot, answer in list(self._owed.items()):
            await (self._discard(*slot) if answer is None else self._update(*slot, answer))
            self._owed.pop(slot, None)

    async def _discard(self, caller: str, key: str) -> None:
        gone = sa.delete(IDEMPOTENCY_KEYS).where(_COLUMNS.caller == caller, _COLUMNS.key == key)
        async with self._engine.begin() as connection:
            await connection.execute(gone)

    async def _update(self, caller: str, key: str, answer: Stored) -> None:
        sealed = self._cipher.encrypt(json.dumps(asdict(answer)).encode())
        mine = (_COLUMNS.caller == caller) & (_COLUMNS.key == key)
        async with self._engine.begin() as connection:
            await connection.execute(sa.update(IDEMPOTENCY_KEYS).where(mine).values(answer=sealed))

    def _open(self, sealed: bytes | None) -> Stored | None:
        if sealed is None:
            return None
        try:
            found = json.loads(self._cipher.decrypt(sealed))
        except InvalidToken:  # the secret is another now, and so are all tokens
            return None
        return Stored(found["status"], tuple((n, v) for n, v in found["headers"]), found["body"])

    async def _tidy(self, now: float) -> None:
        """Forget what has expired, and of callers with too many keys the oldest."""
        many = sa.select(_COLUMNS.caller).group_by(_COLUMNS.caller).having(sa.func.count() > MOST)
        async with self._engine.begin() as connection:
            await connection.execute(sa.delete(IDEMPOTENCY_KEYS).where(_COLUMNS.expires_at <= now))
            for caller in list((await connection.execute(many)).scalars()):
                await _shorten(connection, caller)


async def _shorten(connection: AsyncConnection, caller: str) -> None:
    mine = _COLUMNS.caller == caller
    newest = sa.select(_COLUMNS.expires_at).where(mine).order_by(_COLUMNS.expires_at.desc())
    limit = (await connection.execute(newest.offset(MOST - 1).limit(1))).scalar_one()
    await connection.execute(sa.delete(IDEMPOTENCY_KEYS).where(mine, _COLUMNS.expires_at < limit))
