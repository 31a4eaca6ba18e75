"""Replays in the store: which wait, which can be heard, and what is known of each."""

from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from media.recording.chapters import Turn
from media.server.database import Database
from media.server.replays.tables import REPLAYS

_R: Final = REPLAYS.c


class ReplayState(Enum):
    """How far it is."""

    WAITING = "waiting"
    """The Space is live, or its sound is being written."""
    READY = "ready"
    FAILED = "failed"
    """There is no sound to make it of."""
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Replay:
    """A row.  Milliseconds since the Space started; times in Unix seconds."""

    space_id: str
    host_id: str
    state: ReplayState
    published_at: float | None = None
    changed_at: float | None = None
    whole_ms: int = 0
    """How long the Space was."""
    start_ms: int = 0
    end_ms: int = 0
    """What of it is heard."""
    file: str = ""
    """Name of the file in the folder of the replay."""
    size: int = 0
    digest: str = ""
    levels: bytes = b""
    """-dBov of each 100 ms of the whole."""
    turns: tuple[Turn, ...] = ()


class ReplayStore:
    """Queries, each a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, space_id: str, host_id: str) -> None:
        """Note that a replay is wished; nothing changes where one is known, even as deleted."""
        async with self._database.begin() as connection:
            insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
            row = _row(Replay(space_id, host_id, ReplayState.WAITING))
            await connection.execute(insert(REPLAYS).values(row).on_conflict_do_nothing())

    async def find(self, space_id: str) -> Replay | None:
        """Read one; None if there never was one, or it was deleted."""
        query = sa.select(REPLAYS).where(_R.space_id == space_id, _R.state != ReplayState.DELETED.value)
        async with self._database.connect() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else _read(row)

    async def in_state(self, state: ReplayState) -> list[str]:
        """Read the Spaces whose replays are in a state."""
        async with self._database.connect() as connection:
            query = sa.select(_R.space_id).where(_R.state == state.value)
            return list((await connection.execute(query)).scalars())

    async def of_host(self, host_id: str, limit: int) -> list[Replay]:
        """Read what can be heard of a host's, the newest first."""
        query = (
            sa.select(REPLAYS)
            .where(_R.host_id == host_id, _R.state == ReplayState.READY.value)
            .order_by(_R.published_at.desc(), _R.space_id)
            .limit(limit)
        )
        async with self._database.connect() as connection:
            return [_read(row) for row in await connection.execute(query)]

    async def changed_at(self, host_id: str) -> float | None:
        """Return when a host's replays changed last (Unix seconds), also by deleting one; None if never."""
        query = sa.select(sa.func.max(_R.changed_at)).where(_R.host_id == host_id)
        async with self._database.connect() as connection:
            return (await connection.execute(query)).scalar()

    async def publish(self, replay: Replay) -> bool:
        """Keep what was made of a replay that waits; False if it does not wait any more."""
        return await self._change(replay.space_id, ReplayState.WAITING, _row(replay))

    async def trim(self, before: Replay, after: Replay) -> bool:
        """Let another range be heard; False if it was changed or deleted meanwhile."""
        return await self._change(before.space_id, ReplayState.READY, _row(after), file=before.file)

    async def fail(self, space_id: str) -> None:
        """Note that there is nothing to make a replay of."""
        await self._change(space_id, ReplayState.WAITING, {"state": ReplayState.FAILED.value})

    async def forget(self, space_id: str) -> None:
        """Forget a wish that was taken back before the end."""
        async with self._database.begin() as connection:
            of_space = sa.and_(_R.space_id == space_id, _R.state == ReplayState.WAITING.value)
            await connection.execute(sa.delete(REPLAYS).where(of_space))

    async def delete(self, space_id: str, now: float) -> bool:
        """Delete one for good, with all that is known of it; False if there is none."""
        nothing = _row(Replay(space_id, "", ReplayState.DELETED, changed_at=now))
        del nothing["host_id"]
        there = sa.and_(_R.space_id == space_id, _R.state != ReplayState.DELETED.value)
        async with self._database.begin() as connection:
            done = await connection.execute(sa.update(REPLAYS).where(there).values(nothing))
            return done.rowcount > 0

    async def _change(self, space_id: str, state: ReplayState, values: dict[str, Any], **more: str) -> bool:
        same = [_R[name] == value for name, value in more.items()]
        known = sa.and_(_R.space_id == space_id, _R.state == state.value, *same)
        async with self._database.begin() as connection:
            return (await connection.execute(sa.update(REPLAYS).where(known).values(values))).rowcount > 0


def _row(replay: Replay) -> dict[str, Any]:
    return asdict(replay) | {"state": replay.state.value, "turns": [list(turn) for turn in replay.turns]}


def _read(row: sa.Row[Any]) -> Replay:
    values: dict[str, Any] = {**row._mapping}  # pyright: ignore[reportPrivateUsage] - SQLAlchemy documents it
    values["state"] = ReplayState(row.state)
    values["levels"] = bytes(row.levels)
    values["turns"] = tuple(Turn(*turn) for turn in row.turns)
    return Replay(**values)
