"""What the errors of the two drivers mean: which say that the database is away, and which that a query is wrong.

SQLite's are told apart by its result codes (sqlite.org/rescode.html), PostgreSQL's by the classes of SQLSTATE
(appendix A of its manual). Everything that is not listed is a fault of the server, and none of the database.
"""

import asyncio
import sqlite3
from dataclasses import dataclass
from typing import Final

from asyncpg.exceptions import InterfaceError as AsyncpgInterfaceError
from asyncpg.exceptions import InternalClientError, PostgresError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

RETRY: Final = 2
"""Seconds after which a client should ask again."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why the database cannot be used."""

    kind: str
    """The same for faults that an operator mends in the same way; they are logged once."""
    cause: str
    """One sentence for the log."""
    readable: bool = False
    """Whether it can still be read."""
    lasting: bool = True
    """Whether others would fail, too; else this one may simply be tried again."""


class StoreUnavailableError(RuntimeError):
    """The store cannot be used now; the message says why, for the operator."""

    def __init__(self, cause: str, fault: Fault | None = None) -> None:
        super().__init__(cause)
        self.fault = fault


class UnwrittenError(StoreUnavailableError):
    """Something was carried out at once, and the store has not heard of it yet; it will when it is back."""


_SQLITE: Final = {
    sqlite3.SQLITE_BUSY: ("locked", "another process holds the lock on the database, as a backup does"),
    sqlite3.SQLITE_LOCKED: ("locked", "another connection holds the lock on the database"),
    sqlite3.SQLITE_FULL: ("full", "the disk is full"),
    sqlite3.SQLITE_READONLY: ("read-only", "the database or its folder is read-only"),
    sqlite3.SQLITE_IOERR: ("disk", "the disk does not take or give what it is asked for"),
    sqlite3.SQLITE_CANTOPEN: ("open", "the database file or its folder cannot be opened"),
    sqlite3.SQLITE_PERM: ("open", "the database file may not be used"),
    sqlite3.SQLITE_CORRUPT: ("corrupt", "the database file is damaged"),
    sqlite3.SQLITE_NOTADB: ("corrupt", "the database file is none"),
    sqlite3.SQLITE_PROTOCOL: ("locked", "the locks of the database cannot be had"),
    sqlite3.SQLITE_NOMEM: ("memory", "there is no memory left for it"),
}
_ONLY_WRITES: Final = frozenset({"full", "read-only", "locked"})
"""Kinds that leave reading as it was, when it was a write that failed."""

_POSTGRESQL: Final = {
    "08": ("connection", "the connection to PostgreSQL broke"),
    "28": ("rights", "PostgreSQL does not let this server in"),
    "3D": ("rights", "PostgreSQL has no such database"),
    "53": ("full", "PostgreSQL has no room left, on the disk, in memory or for connections"),
    "57": ("connection", "PostgreSQL is stopping, starting or was told to end this"),
    "58": ("disk", "PostgreSQL cannot use its files"),
    "25006": ("read-only", "PostgreSQL takes no writes, as a standby does"),
    "55P03": ("locked", "somebody else holds a lock in PostgreSQL"),
}
_AGAIN: Final = ("40001", "40P01")
"""Of transactions that got in each other's way: the next attempt succeeds."""


def fault_of(error: BaseException, *, writing: bool) -> Fault | None:
    """Judge what a use of the database raised; None if the database is not to blame."""
    original = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(error, PoolTimeoutError):
        return Fault("busy", "All connections to the database are in use.", lasting=False)
    if isinstance(original, asyncio.TimeoutError):
        return Fault("timeout", "The database does not answer in time.")
    if isinstance(original, sqlite3.Error):
        return _of_sqlite(original, writing)
    state = getattr(original, "sqlstate", None) or getattr(original, "pgcode", None)
    if isinstance(state, str):
        return _of_postgresql(state, str(original), writing)
    if isinstance(original, OSError | AsyncpgInterfaceError | InternalClientError | PostgresError):
        return Fault("connection", f"PostgreSQL cannot be reached ({_first_line(original)}).")
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return Fault("connection", f"The connection to the database broke ({_first_line(original)}).")
    return None


def _of_sqlite(error: sqlite3.Error, writing: bool) -> Fault | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # the driver's own: it has no connection any more
        return Fault("open", f"{_first_line(error)}.") if type(error) is sqlite3.OperationalError else None
    known = _SQLITE.get(code & 0xFF)
    return None if known is None else _fault(*known, _first_line(error), writing)


def _of_postgresql(state: str, said: str, writing: bool) -> Fault | None:
    if state in _AGAIN:
        return Fault("again", "Transactions got in each other's way.", lasting=False)
    known = _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2])
    return None if known is None else _fault(*known, said.partition("\n")[0], writing)


def _fault(kind: str, cause: str, said: str, writing: bool) -> Fault:
    return Fault(kind, f"{cause[0].upper()}{cause[1:]} ({said}).", readable=writing and kind in _ONLY_WRITES)


def _first_line(error: BaseException | None) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".")
