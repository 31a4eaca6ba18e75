"""Writers of one server take turns on SQLite, and those who wait are told as soon as it has gone."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from media.server.database import Database
from media.server.database_faults import Fault, StoreUnavailableError
from media.server.store import Store


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    one = Store(database)
    await one.open()
    yield one
    await one.close()


async def inside(database: Database, there: list[int], most: list[int]) -> None:
    """Write, and note how many do so at once."""
    async with database.begin() as connection:
        there[0] += 1
        most[0] = max(most[0], there[0])
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = version_num"))
        await asyncio.sleep(0.002)
        there[0] -= 1


async def test_sqlite_has_one_writer_at_a_time_and_readers_beside_it(store: Store) -> None:
    there, most, database = [0], [0], store.database
    async with asyncio.timeout(60):
        await asyncio.gather(*(inside(database, there, most) for _ in range(60)))
    is_sqlite = database.engine.dialect.name == "sqlite"
    assert most[0] == 1 if is_sqlite else most[0] > 1
    async with database.begin(), database.connect() as reading:
        assert (await reading.execute(sa.text("SELECT 1"))).scalar_one() == 1


async def test_who_waits_is_refused_as_soon_as_the_store_has_gone(store: Store) -> None:
    database = store.database
    waiting: list[asyncio.Task[None]] = []
    with pytest.raises(StoreUnavailableError):
        async with database.begin():
            waiting += [asyncio.ensure_future(inside(database, [0], [0])) for _ in range(3)]
            await asyncio.sleep(0)
            raise StoreUnavailableError("It is gone.", Fault("file", "It is gone."))
    done = await asyncio.gather(*waiting, return_exceptions=True)
    if database.engine.dialect.name == "sqlite":
        assert all(isinstance(each, StoreUnavailableError) for each in done)
    async with asyncio.timeout(60):
        while database.fault is not None:  # a probe finds that it is back
            await asyncio.sleep(0.01)
    await inside(database, [0], [0])
