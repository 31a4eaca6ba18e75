"""Refresh tokens: what a short-lived token is renewed with, once each.

Each renewal takes a refresh token and gives the next of its *family*. One that comes a second time was stolen, by
whoever sent it now or before: its family ends, and both must sign in again (RFC 9700 section 4.14). The store
holds hashes alone, so that nobody who reads it can renew anything.
"""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from media.server.auth import Caller, Role
from media.server.database import Database
from media.server.errors import Problem
from media.server.tables import REFRESH_TOKENS

REFRESH_TTL: Final = 30 * 86_400
"""Seconds that a refresh token can be used for."""

_COLUMNS: Final = REFRESH_TOKENS.c


class Grants:
    """Makes, takes and ends refresh tokens.  Times in Unix seconds."""

    def __init__(self, engine: Database) -> None:
        self._engine = engine

    async def begin(self, callers: Sequence[Caller], now: float) -> list[str]:
        """Begin a family for each, and return their first tokens; what has expired is forgotten."""
        async with self._engine.begin() as connection:
            await connection.execute(sa.delete(REFRESH_TOKENS).where(_COLUMNS.expires_at <= now))
            return await _make(connection, [(who, secrets.token_hex(16)) for who in callers], now)

    async def renew(self, token: str, now: float) -> tuple[Caller, str]:
        """Take a token; return whose it is and the next one.

        :raises Problem: 401, it is none, or expired, or was used before
        """
        mine = _COLUMNS.hash == _hash(token)
        use = sa.update(REFRESH_TOKENS).where(mine, ~_COLUMNS.used, _COLUMNS.expires_at > now).values(used=True)
        async with self._engine.begin() as connection:
            taken = (await connection.execute(use)).rowcount == 1  # of two at a time, the other one waits here
            row = (await connection.execute(sa.select(REFRESH_TOKENS).where(mine))).first()
            if taken and row is not None:
                who = Caller(row.user_id, row.admin, roles=frozenset(map(Role, row.roles.split())))
                return who, (await _make(connection, [(who, row.family)], now))[0]
            if row is not None and row.used:
                await connection.execute(sa.delete(REFRESH_TOKENS).where(_COLUMNS.family == row.family))
        if row is not None and row.used:
            raise _refused("The refresh token was used before, so all that came of it are void; sign in again.")
        raise _refused("The refresh token is unknown or has expired; sign in again.")

    async def owner(self, token: str) -> str | None:
        """Whose a token is or was; None if it is none."""
        query = sa.select(_COLUMNS.user_id).where(_COLUMNS.hash == _hash(token))
        async with self._engine.connect() as connection:
            return (await connection.execute(query)).scalar()

    async def end(self, token: str) -> None:
        """End the family of a token, if it has one: signing out."""
        family = sa.select(_COLUMNS.family).where(_COLUMNS.hash == _hash(token)).scalar_subquery()
        async with self._engine.begin() as connection:
            await connection.execute(sa.delete(REFRESH_TOKENS).where(_COLUMNS.family == family))


async def _make(connection: AsyncConnection, whose: Sequence[tuple[Caller, str]], now: float) -> list[str]:
    tokens = [secrets.token_urlsafe(32) for _ in whose]
    rows = [
        {
            "hash": _hash(token),
            "family": family,
            "user_id": who.name,
            "admin": who.admin,
            "roles": " ".join(sorted(who.roles)),
            "expires_at": now + REFRESH_TTL,
            "used": False,
        }
        for token, (who, family) in zip(tokens, whose, strict=True)
    ]
    await connection.execute(sa.insert(REFRESH_TOKENS), rows)
    return tokens


def _hash(token: str) -> str:
    """No salt: the tokens are 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def _refused(sentence: str) -> Problem:
    headers = {"WWW-Authenticate": f'Bearer realm="spaces", error="invalid_token", error_description="{sentence}"'}
    return Problem(401, "bad-refresh-token", sentence, headers=headers)
