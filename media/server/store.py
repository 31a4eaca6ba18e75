"""What outlives the process: the database, and in it every Space as a row.

SQLite beside the secret unless a URL names PostgreSQL. The rows hold the record of the domain
(:mod:`media.space.record`) as one document, and beside it the columns that are searched; the schema is made and
renewed by the migrations in this package, at start.
"""

import os
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from pydantic_core import to_json
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from media.server.database import PATIENCE, Database, is_file
from media.server.database_faults import StoreUnavailableError
from media.server.migrate import MigrationError, migrate
from media.server.store_lock import LockedError, StoreLock, lock_of
from media.server.tables import SPACES
from media.space.record import Record
from media.space.states import State

_DRIVERS: Final = {"postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
"""What a URL means that names no driver.  SQLite's default would block the event loop, and is refused."""
CONNECT: Final = 3.0
"""Seconds that connecting to PostgreSQL may take."""
POOL: Final = 5.0
"""Seconds that a request waits for one of the connections."""
TRUSTED: Final = 0.1
"""Seconds after its last use for which a connection to PostgreSQL is believed to be there."""
BUSY: Final = 2_000
"""Milliseconds that SQLite waits for the lock of somebody else."""


Place = tuple[float, str]
"""Of a Space in lists: when it was made (Unix seconds), and its id."""


class StoreError(RuntimeError):
    """The store cannot be used; the message is one sentence for the operator."""


class Store:
    """Rows in, rows out.  :meth:`open` before use, :meth:`close` after."""

    def __init__(self, url: str, *, patience: float | None = PATIENCE) -> None:
        """Take a SQLAlchemy URL; one that names a driver must name one for asyncio.

        :param patience: seconds that a transaction may take; None for as long as it takes, as an import does
        """
        try:
            address = make_url(url)
            driver = _DRIVERS.get(address.drivername, address.drivername)
            self._engine = _engine(address.set(drivername=driver), patience)
        except (SQLAlchemyError, ImportError, ValueError) as error:
            raise StoreError(f"The database URL cannot be used: {error}.") from None
        self._upsert = _upsert(self._engine.dialect.name)
        self._shown_url = address.render_as_string(hide_password=True)
        self._database = Database(self._engine, patience)
        self._lock: StoreLock | None = None
        self._opened = False

    @property
    def database(self) -> Database:
        """The database, for those who keep other tables in it."""
        return self._database

    async def claim(self, give_up: Callable[[str], None]) -> None:
        """Take the store for this server alone, until :meth:`close`.

        :param give_up: is told why, if another server has taken it while it was away
        :raises StoreError: another server has it, or it cannot be reached
        """
        try:
            self._lock = await lock_of(self._engine, self._shown_url, self._database, give_up)
        except LockedError as error:
            await self.close()
            raise StoreError(str(error)) from None
        except (SQLAlchemyError, OSError) as error:
            await self.close()
            raise StoreError(self._cannot_open(error)) from error

    async def open(self) -> None:
        """Bring the schema up to date.

        :raises StoreError: the database cannot be reached or is of a newer version
        """
        if self._opened:
            return
        try:
            if self._engine.dialect.name == "sqlite":
                _keep_to_owner(self._engine.url.database)
            async with self._engine.begin() as connection:
                await connection.run_sync(migrate)
        except (SQLAlchemyError, OSError, StoreUnavailableError, MigrationError) as error:
            await self.close()  # else a connection that was made would outlive the loop it belongs to
            raise StoreError(self._cannot_open(error)) from error
        self._opened = True

    async def close(self) -> None:
        """Let every connection go, and the store with them."""
        self._opened = False
        await self._database.close()
        if self._lock is not None:
            await self._lock.release()
            self._lock = None

    def _cannot_open(self, error: Exception) -> str:
        first = str(error).strip() or type(error).__name__
        return f"The store {self._shown_url} cannot be opened: {first.splitlines()[0]}."

    async def save(
        self, *records: Record, beside: Iterable[Callable[[AsyncConnection], Awaitable[None]]] = ()
    ) -> None:
        """Write Spaces, new or known, and what belongs to them in other tables, all of it or nothing."""
        rows = [
            {
                "id": record["id"],
                "state": record["state"],
                "creator_id": record["host"],
                "created_at": record["created_at"],
                "record": record,
            }
            for record in records
        ]
        async with self._database.begin() as connection:
            await connection.execute(self._upsert, rows)
            for write in beside:
                await write(connection)

    async def erase(self, space_id: str) -> None:
        """Forget a Space, if there is one of that id."""
        async with self._database.begin() as connection:
            await connection.execute(sa.delete(SPACES).where(SPACES.c.id == space_id))

    async def load(self, space_id: str) -> Record | None:
        """Read a Space; None if there is none of that id."""
        if "\0" in space_id:
            return None  # PostgreSQL has no text with it, not even to compare
        query = sa.select(SPACES.c.record).where(SPACES.c.id == space_id)
        async with self._database.connect() as connection:
            return (await connection.execute(query)).scalar_one_or_none()

    async def find(
        self,
        states: Sequence[State],
        limit: int | None = None,
        *,
        after: Place | None = None,
        drafts_of: str | None = None,
    ) -> list[str]:
        """Read Spaces of these states, youngest first, each as JSON: a record may be long, and is read one by one.

        :param after: the last that was read
        :param drafts_of: whose drafts alone count; None for everybody's
        """
        c = SPACES.c
        query = (
            sa.select(sa.cast(c.record, sa.Text))
            .where(c.state.in_([state.value for state in states]))
            .order_by(c.created_at.desc(), c.id)
            .limit(limit)
        )
        if after is not None:
            at, number = after
            query = query.where(sa.or_(c.created_at < at, sa.and_(c.created_at == at, c.id > number)))
        if drafts_of is not None:
            query = query.where(sa.or_(c.state != State.DRAFT.value, c.creator_id == drafts_of))
        async with self._database.connect() as connection:
            return list((await connection.execute(query)).scalars())


def _engine(url: sa.URL, patience: float | None) -> AsyncEngine:
    """Make an engine that waits for nothing longer than a request may take."""
    sqlite_file = url.get_backend_name() == "sqlite"
    more: dict[str, Any] = {}
    if not sqlite_file:
        more["connect_args"] = {"timeout": CONNECT, "command_timeout": patience and patience - 1}
    if sqlite_file and not is_file(url.database):
        pool: dict[str, Any] = {}  # one connection, which is the database
    else:
        pool = {"pool_timeout": POOL}
    engine = create_async_engine(url, json_serializer=_to_json, **more, **pool)
    if sqlite_file:
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    else:
        _check_postgresql(engine.sync_engine)
    return engine


def _check_postgresql(engine: sa.Engine) -> None:
    """Have connections replaced that PostgreSQL has closed, as it does with all when it is restarted.

    Those that were in use a moment ago are not asked again: it would cost each request three round trips.
    """

    def check(connection: Any, record: ConnectionPoolEntry, _: object) -> None:
        if connection.driver_connection.is_closed():
            raise DisconnectionError
        if time.monotonic() - record.info.get("used", 0.0) > TRUSTED:
            try:
                engine.dialect.do_ping(connection)
            except Exception as error:
                raise DisconnectionError from error

    def note(_: object, record: ConnectionPoolEntry) -> None:
        record.info["used"] = time.monotonic()

    event.listen(engine, "checkout", check)
    event.listen(engine, "checkin", note)


def _upsert(dialect: str) -> sa.Executable:
    """Return what writes a Space, new or known."""
    columns = ("state", "creator_id", "created_at", "record")
    fresh = sqlite.insert(SPACES) if dialect == "sqlite" else postgresql.insert(SPACES)
    return fresh.on_conflict_do_update(
        index_elements=["id"], set_={name: fresh.excluded[name] for name in columns}
    )


def _to_json(value: object) -> str:
    return to_json(value).decode()


def _keep_to_owner(path: str | None) -> None:
    """Make a database that is not there yet, for its owner's eyes: invitations and keys of browsers are in it."""
    if path and is_file(path) and not Path(path).exists():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def _prepare_sqlite(connection: sa.engine.interfaces.DBAPIConnection, _: object) -> None:
    """Let readers and the writer work side by side, and survive the death of the process."""
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={BUSY}", "journal_mode=WAL", "synchronous=NORMAL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
