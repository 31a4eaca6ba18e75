"""What holds for all Spaces of a host: the rules that new ones begin with, and removals that are carried on.

A removal is about one Space, and whoever was removed comes back to the next one. A host who does not want that has
removals carried on: whoever is removed, by the host or a co-host, is on the host's block list from that moment,
which :class:`~media.server.guard.Guard` holds at every Space of theirs, and which the host can look through.
"""

import asyncio
from dataclasses import replace
from typing import Any

from media.server.database_faults import StoreUnavailableError, UnwrittenError
from media.server.guard import Guard
from media.server.host_tools.store import CarriedRemoval, HostSettings, HostToolsStore
from media.server.spaces import Spaces
from media.space.events import Events, SpaceEnded, SpaceStarted
from media.space.space import Space
from media.space.states import State


class HostTools:
    """Told by the routes who is removed; the settings of hosts who are live are in memory."""

    def __init__(self, store: HostToolsStore, spaces: Spaces, guard: Guard) -> None:
        self.store = store
        self._spaces = spaces
        self._guard = guard
        self._settings: dict[str, HostSettings] = {}
        """Of hosts with live Spaces: to remove somebody there, no store is asked."""
        self._unwritten: dict[tuple[str, str], CarriedRemoval] = {}
        self._turn = asyncio.Lock()
        """Of those who read or change settings: what is in memory is what is in the store."""
        spaces.watch(self._watch)

    async def open(self) -> None:
        """Have the settings of the hosts of live Spaces in memory."""
        hosts = {space.host for space in self._spaces.in_memory if space.state is State.LIVE}
        await asyncio.gather(*map(self._know, hosts))

    async def catch_up(self) -> None:
        """Write why people are on block lists that could not be written while the store was away."""
        for (host, user_id), removal in list(self._unwritten.items()):
            await self.store.carry(host, removal)
            self._unwritten.pop((host, user_id), None)

    async def settings(self, host: str) -> HostSettings:
        """Return the settings of a host."""
        return self._settings.get(host) or await self.store.settings(host)

    async def change(self, host: str, **changes: Any) -> HostSettings:
        """Change settings of a host; Spaces that are there keep their rules of entry."""
        async with self._turn:
            settings = replace(await self.store.settings(host), **changes)
            await self.store.set(host, settings)
            if self._hosts_live(host):
                self._settings[host] = settings
        return settings

    async def rules_for_new(self, host: str) -> dict[str, Any]:
        """Return the rules of entry that a new Space of a host begins with."""
        settings = await self.store.settings(host)
        return {name: getattr(settings, name) for name in ("entry_policy", "entry_rate", "mute_on_entry")}

    async def carry(self, space: Space, user_id: str, removed_by: str) -> None:
        """Keep somebody who was removed out of all Spaces of the host, if the host has that done.

        :raises UnwrittenError: it holds, but cannot be written before the store is back
        """
        if not self._settings.get(space.host, HostSettings()).carry_removals:
            return
        removal = CarriedRemoval(user_id, space.id, removed_by, self._spaces.clock())
        self._unwritten[space.host, user_id] = removal
        await self._guard.block(space.host, user_id)
        try:
            await self.store.carry(space.host, removal)
        except StoreUnavailableError as error:
            raise UnwrittenError(str(error)) from error
        self._unwritten.pop((space.host, user_id), None)

    async def uncarry(self, host: str, user_id: str) -> bool:
        """Take somebody off the block list whom a removal put there; False if none did."""
        if not await self.store.forget(host, user_id):
            return False
        self._unwritten.pop((host, user_id), None)
        await self._guard.unblock(host, user_id)
        return True

    def _watch(self, space: Space, events: Events) -> None:
        for event in events:
            if isinstance(event, SpaceStarted):
                self._spaces.follow(self._know(space.host))
            elif isinstance(event, SpaceEnded) and not self._hosts_live(space.host):
                self._settings.pop(space.host, None)

    def _hosts_live(self, host: str) -> bool:
        return any(space.host == host and space.state is State.LIVE for space in self._spaces.in_memory)

    async def _know(self, host: str) -> None:
        async with self._turn:
            settings = await self.store.settings(host)
            if self._hosts_live(host):
                self._settings[host] = settings
