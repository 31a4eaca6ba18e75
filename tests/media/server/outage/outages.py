"""Ways in which a database goes away and comes back, each of them real."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.media.server.outage.postgresql import HERE, Postgresql, postgresql
from tests.media.server.service import Service

KINDS = ["locked", "moved", *(["postgresql"] if HERE else [])]
"""SQLite locked by another connection, as by a backup; its file moved away; PostgreSQL stopped."""


class Outage:
    """A database that a test takes away and brings back."""

    def __init__(self, kind: str, folder: Path, server: Postgresql | None) -> None:
        self.kind = kind
        self._server = server
        self._path = folder / "spaces.db"
        self._disk: sqlite3.Connection | None = None
        self.url = server.url if server is not None else f"sqlite+aiosqlite:///{self._path}"

    def begin(self) -> None:
        if self._server is not None:
            self._server.stop()
        elif self.kind == "locked":
            self._disk = sqlite3.connect(self._path, isolation_level=None)
            self._disk.execute("BEGIN EXCLUSIVE")
        else:
            self._path.rename(self._path.with_suffix(".away"))

    def end(self) -> None:
        if self._server is not None:
            self._server.start()
        elif self._disk is not None:
            self._disk.rollback()
            self._disk.close()
            self._disk = None
        else:
            self._path.with_suffix(".away").rename(self._path)


@contextmanager
def outage_of(kind: str, folder: Path) -> Iterator[Outage]:
    if kind != "postgresql":
        outage = Outage(kind, folder, None)
        yield outage
        if outage._disk is not None:
            outage._disk.close()
        return
    with postgresql() as server:
        yield Outage(kind, folder, server)


async def back(service: Service) -> None:
    """Wait until the server has noticed by itself that its store is back, and has caught up."""
    async with asyncio.timeout(30):
        while (await service.http.get("/healthz")).status_code != 200:
            await asyncio.sleep(0.02)
        while service.app.state.spaces.store.database.catching_up:
            await asyncio.sleep(0.02)
    await service.settle()
