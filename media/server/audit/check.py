"""Checks a whole log, in the process of whoever asks and not of the server."""

from collections.abc import Iterator
from datetime import UTC, datetime

import sqlalchemy as sa

from media.moderation.audit import Entry, first_fault
from media.server.audit.audit import SLICE, entry_of
from media.server.audit.tables import AUDIT_LOG
from media.server.store import Store


class BrokenLogError(ValueError):
    """The log is not what was written; the message says from where on."""


async def check_log(url: str) -> str:
    """Read the log in the database of a URL; return its head as a line for people.

    :raises BrokenLogError: an entry was changed, left out or put in
    :raises StoreError: the database cannot be opened
    """
    store = Store(url, patience=None)
    await store.open()
    try:
        async with store.database.connect() as connection:
            return await connection.run_sync(_check)
    finally:
        await store.close()


def _check(connection: sa.Connection) -> str:
    last: Entry | None = None

    def read() -> Iterator[Entry]:
        nonlocal last
        query = sa.select(AUDIT_LOG).order_by(AUDIT_LOG.c.number).execution_options(yield_per=SLICE)
        for row in connection.execute(query):
            last = entry_of(row)
            yield last

    fault = first_fault(read())
    if fault is not None:
        raise BrokenLogError(
            f"The audit log is not what was written, from entry {fault} on; compare it with a backup."
        )
    if last is None:
        return "The audit log is empty."
    at = datetime.fromtimestamp(last.at, UTC).isoformat(timespec="seconds")
    return f"{last.number} entries, the last of {at}, head {last.digest.hex()}"
