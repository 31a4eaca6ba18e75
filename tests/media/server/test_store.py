"""What lasts, on every database that it can be kept in."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from media.server.store import Store
from media.server.tables import METADATA
from media.space.record import to_record
from media.space.space import Space
from media.space.states import State
from tests.media.server.recording import RecordingPlane
from tests.media.server.service import running


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    one = Store(database)
    await one.open()
    yield one
    await one.close()


async def test_the_store_keeps_the_newest(store: Store, database: str) -> None:
    space = Space("s", "ana", 1.0, title="first, with \u0000 and \U0001f399")
    await store.save(to_record(space))
    space.start("ana", 2.0)
    await store.save(to_record(space))
    assert await store.load("s") == to_record(space)
    assert await store.find([State.DRAFT]) == []
    assert [json.loads(r)["id"] for r in await store.find([State.LIVE, State.ENDED])] == ["s"]
    await store.close()
    again = Store(database)
    await again.open()  # the schema is there already
    assert await again.load("s") == to_record(space)
    await again.close()


@pytest.mark.parametrize("space_id", ["t", "", "s\0", "é" * 1000, "' OR 1=1 --"])
async def test_a_space_that_is_not_there(store: Store, space_id: str) -> None:
    await store.save(to_record(Space("s", "ana", 1.0)))
    assert await store.load(space_id) is None


async def test_spaces_are_found_youngest_first(store: Store) -> None:
    for number in (2, 3, 1, 4):
        await store.save(to_record(Space(f"s{number}", "ana", float(number))))
    assert [json.loads(r)["id"] for r in await store.find([State.DRAFT], 3)] == ["s4", "s3", "s2"]


async def test_many_write_at_a_time(store: Store) -> None:
    spaces = [Space(f"s{number}", "ana", 1.0) for number in range(60)]
    await asyncio.gather(*(store.save(to_record(space)) for space in spaces))
    assert len(await store.find([State.DRAFT])) == 60


async def test_servers_that_start_together_migrate_in_turn(database: str) -> None:
    stores = [Store(database) for _ in range(4)]
    if database.startswith("sqlite"):
        stores = stores[:1]  # one server has a file to itself
    await asyncio.gather(*(store.open() for store in stores))
    for store in stores:
        await store.close()


async def test_the_migrations_make_the_tables_that_the_queries_name(store: Store) -> None:
    def differences(connection: sa.Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection), METADATA)

    async with store.database.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_server_keeps_its_spaces_there(database: str, tmp_path: Path) -> None:
    async with running(tmp_path, database=database) as first:
        path = await first.live(title="kept")
        await first.ok("ana", "DELETE", f"{path}/participants/cem")
    plane = RecordingPlane()
    async with running(tmp_path, plane, database=database) as second:
        assert (await second.ok("ana", "GET", path))["title"] == "kept"
        assert plane.rooms == {path.rpartition("/")[2]}
        assert (await second.call("cem", "POST", f"{path}/requests")).status_code == 403
        assert (await second.call("ana", "GET", "/spaces/%00%FF")).status_code == 404


async def test_a_new_database_is_for_its_owner_s_eyes(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.live()
        modes = {file.name: file.stat().st_mode & 0o077 for file in tmp_path.glob("spaces.db*")}
        assert modes["spaces.db"] == 0 and set(modes.values()) == {0}
