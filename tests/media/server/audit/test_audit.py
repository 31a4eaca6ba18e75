"""The audit log: chained in the order in which it was written, whoever writes, and read back as it was written."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Callable

import pytest
import sqlalchemy as sa

from media.moderation.audit import Entry, first_fault
from media.server.audit.audit import Act, Audit
from media.server.audit.check import BrokenLogError, check_log
from media.server.audit.tables import AUDIT_LOG
from media.server.store import Store
from tests.media.server.service import Service


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    one = Store(database)
    await one.open()
    yield one
    await one.close()


async def read(audit: Audit) -> list[Entry]:
    return [entry async for entry in audit.entries()]


async def test_many_who_write_at_a_time_make_one_chain(store: Store, database: str) -> None:
    audit = Audit(store.database, lambda: 1e9 + 1 / 3)
    await asyncio.gather(*(audit.note(f"r{n}", "listen", f"case {n}", "due «now»") for n in range(40)))
    entries = await read(audit)
    assert [entry.number for entry in entries] == [*range(1, 41)] and first_fault(entries) is None
    assert {entry.actor for entry in entries} == {f"r{n}" for n in range(40)}
    head = await audit.head()
    assert head == entries[-1]
    line = await check_log(database)
    assert "40 entries" in line and entries[-1].digest.hex() in line


async def test_what_is_not_committed_leaves_no_entry(store: Store) -> None:
    audit = Audit(store.database, lambda: 1.0)
    with pytest.raises(ZeroDivisionError):
        async with store.database.begin() as connection:
            await audit.write(connection, [Act("ana", "decide", "1")])
            raise ZeroDivisionError
    await audit.note("ben", "decide", "2")
    (only,) = await read(audit)
    assert (only.number, only.actor) == (1, "ben")


_CHANGES: list[Callable[[], sa.Executable]] = [
    lambda: sa.update(AUDIT_LOG).where(AUDIT_LOG.c.number == 3).values(actor="nobody"),
    lambda: sa.update(AUDIT_LOG).where(AUDIT_LOG.c.number == 3).values(details={"subject": "other"}),
    lambda: sa.update(AUDIT_LOG).where(AUDIT_LOG.c.number == 3).values(at=7.5),
    lambda: sa.delete(AUDIT_LOG).where(AUDIT_LOG.c.number == 3),
]


@pytest.mark.parametrize("change", _CHANGES)
async def test_whatever_is_changed_is_found(
    store: Store, database: str, change: Callable[[], sa.Executable]
) -> None:
    audit = Audit(store.database, lambda: 2.5)
    for number in range(5):
        await audit.note("ana", "claim", str(number))
    async with store.database.begin() as connection:
        await connection.execute(change())
    with pytest.raises(BrokenLogError, match="from entry 3 on"):
        await check_log(database)


async def test_an_empty_log_says_so(store: Store, database: str) -> None:
    assert store.database.fault is None
    assert await check_log(database) == "The audit log is empty."


async def test_admins_read_it_and_nobody_else(service: Service) -> None:
    audit: Audit = service.app.state.audit
    empty = await service.ok("root", "GET", "/2/moderation/audit/head")
    assert (empty["number"], empty["at"]) == (0, None)
    for number in range(3):
        await audit.note("ana", "listen", f"case {number}", '=1+1, "so"')
    head = await service.ok("root", "GET", "/2/moderation/audit/head")
    lines = (await service.ok("root", "GET", "/2/moderation/audit?after=1")).text.splitlines()
    assert [json.loads(line)["number"] for line in lines] == [2, 3]
    assert json.loads(lines[-1])["digest"] == head["digest"] and head["number"] == 3
    table = (await service.ok("root", "GET", "/2/moderation/audit?format=csv")).text
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["number"] for row in rows] == ["1", "2", "3"]
    assert json.loads(rows[0]["details"]) == {"subject": "case 0", "reason": '=1+1, "so"'}
    for path in ("/2/moderation/audit", "/2/moderation/audit/head"):
        refused = await service.call("ana", "GET", path)
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:spaces-lab:problem:not-admin")
