"""What hosts set for all of their Spaces, and whom removals put on their block lists, in the store."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

import sqlalchemy as sa

from media.server.database import Database
from media.server.host_tools.tables import CARRIED_REMOVALS, HOST_SETTINGS
from media.space.policy import EntryPolicy

_S: Final = HOST_SETTINGS.c
_R: Final = CARRIED_REMOVALS.c


@dataclass(frozen=True, slots=True)
class HostSettings:
    """What holds for all Spaces of a host."""

    carry_removals: bool = False
    """Whether whoever is removed from one of them is kept out of all of them."""
    entry_policy: EntryPolicy = EntryPolicy.EVERYONE
    """Rules of entry that a new Space begins with, as of :class:`~media.space.entry.Entry`:"""
    entry_rate: int = 0
    mute_on_entry: bool = False


@dataclass(frozen=True, slots=True)
class CarriedRemoval:
    """Somebody who was removed from a Space, and so is on the block list of its host."""

    user_id: str
    space_id: str
    removed_by: str
    at: float
    """Unix seconds."""


class HostToolsStore:
    """Queries, each a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def settings(self, host: str) -> HostSettings:
        """Read the settings of a host; the defaults of one who has set nothing."""
        query = sa.select(HOST_SETTINGS).where(_S.host_id == host)
        async with self._database.connect() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return HostSettings()
        return HostSettings(row.carry_removals, EntryPolicy(row.entry_policy), row.entry_rate, row.mute_on_entry)

    async def set(self, host: str, settings: HostSettings) -> None:
        """Write the settings of a host."""
        values = {"host_id": host, **asdict(settings), "entry_policy": settings.entry_policy.value}
        async with self._database.begin() as connection:
            await connection.execute(sa.delete(HOST_SETTINGS).where(_S.host_id == host))
            await connection.execute(sa.insert(HOST_SETTINGS).values(values))

    async def carry(self, host: str, removal: CarriedRemoval) -> None:
        """Note why somebody is on the block list of a host; the last time counts."""
        async with self._database.begin() as connection:
            await connection.execute(_gone(host, removal.user_id))
            await connection.execute(sa.insert(CARRIED_REMOVALS).values(host_id=host, **asdict(removal)))

    async def forget(self, host: str, user_id: str) -> bool:
        """Forget a removal; False if there was none."""
        async with self._database.begin() as connection:
            return (await connection.execute(_gone(host, user_id))).rowcount > 0

    async def carried(self, host: str, before: tuple[float, str] | None, limit: int) -> Sequence[CarriedRemoval]:
        """Read whom removals put on the block list of a host, newest first.

        :param before: time (Unix seconds) and user of the last that was read
        """
        query = sa.select(_R.user_id, _R.space_id, _R.removed_by, _R.at).where(_R.host_id == host)
        if before is not None:
            at, user_id = before
            query = query.where(sa.or_(_R.at < at, sa.and_(_R.at == at, _R.user_id > user_id)))
        async with self._database.connect() as connection:
            rows = await connection.execute(query.order_by(_R.at.desc(), _R.user_id).limit(limit))
            return [CarriedRemoval(*row) for row in rows]


def _gone(host: str, user_id: str) -> sa.Delete:
    return sa.delete(CARRIED_REMOVALS).where(_R.host_id == host, _R.user_id == user_id)
