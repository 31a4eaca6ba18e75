"""Replays, from the wish of a host to the file: made when the Space is over, kept until they are deleted.

What waits is in the store and not in memory, so whatever is killed is taken up by the next process; a file is
there whole or not at all, and is only shown once the store knows of it.
"""

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from media.server.database_faults import StoreUnavailableError
from media.server.errors import Problem
from media.server.recordings.evidence import Evidence
from media.server.recordings.service import Recordings
from media.server.recordings.store import EvidenceGoneError
from media.server.replays import press
from media.server.replays.store import Replay, ReplayState, ReplayStore
from media.server.spaces import Spaces
from media.space.events import Events, SpaceEnded, SpaceStarted
from media.space.space import Space
from media.space.states import State

log = logging.getLogger(__name__)

FOLDER: Final = "replays"
"""In the data folder."""
LEAST_MS: Final = 1_000
"""What is heard of a Space, at least."""
AGAIN: Final = 1.0
"""Seconds until a Space is looked at again whose recording is being completed."""
REST: Final = 30.0
"""Seconds until the disk or the store is tried again after it failed."""
LATE: Final = 60.0
"""Seconds after its end from which on a recording is taken as it is, or not waited for."""


class Replays:
    """Watches every Space; between :meth:`open` and :meth:`close`."""

    def __init__(
        self, data: Path, store: ReplayStore, spaces: Spaces, recordings: Recordings, clock: Callable[[], float]
    ) -> None:
        """Take the data folder, and a clock in Unix seconds."""
        self.store = store
        self._folder = data / FOLDER
        self._spaces, self._recordings, self._clock = spaces, recordings, clock
        self.faults: dict[str, str] = {}
        """Why a replay is not written, by Space; one sentence each."""
        self._wished: dict[str, str] = {}
        """Hosts by Space, of wishes that the store may not know."""
        self._news = asyncio.Event()
        self._sweeping = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        spaces.watch(self._watch)

    async def open(self) -> None:
        """Take up what the last process left; the Spaces and their recordings are there."""
        for space in self._spaces.in_memory:
            if space.state is State.LIVE and space.is_available_for_replay:
                self._wished[space.id] = space.host
        await self._tidy()
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """End; what is half written is taken up by the next process."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def path_of(self, replay: Replay) -> Path:
        """Return where the file is that is heard."""
        return self._folder / replay.space_id / replay.file

    async def known(self, space_id: str) -> Replay:
        """Return the replay of a Space, whatever its state.

        :raises Problem: 404, there is none
        """
        host = self._wished.get(space_id)
        if host is not None:  # wished a moment ago, and not written yet
            await self.store.add(space_id, host)
        replay = await self.store.find(space_id)
        if replay is None:
            raise unknown_replay()
        return replay

    async def ready(self, space_id: str) -> Replay:
        """Return a replay that can be heard.

        :raises Problem: 404, there is none; 409, it is not ready
        """
        replay = await self.known(space_id)
        if replay.state is ReplayState.FAILED:
            raise Problem(404, "unknown-replay", "No sound of this Space was recorded, so it has no replay.")
        if replay.state is not ReplayState.READY:
            fault = self.faults.get(space_id)
            raise Problem(
                409, "replay-waiting", fault or "The replay is made when the Space is over; ask again then."
            )
        return replay

    async def trim(self, space: Space, start_ms: int, end_ms: int) -> Replay:
        """Let another range be heard; what is cut off can be had again until the replay is deleted.

        :raises Problem: 404, 409; 422, it is no range of the Space; 507, the disk does not take it
        """
        before = await self.ready(space.id)
        if not 0 <= start_ms <= end_ms - LEAST_MS or end_ms > before.whole_ms:
            sentence = f"Choose at least {LEAST_MS} ms between 0 and {before.whole_ms}, the length of the Space."
            raise Problem(422, "bad-input", sentence)
        folder = self._folder / space.id
        async with self._sweeping:
            try:
                name, written = await asyncio.to_thread(press.press_range, folder, start_ms, end_ms, space.title)
            except (OSError, ValueError) as error:
                raise Problem(507, "disk-full", _sentence(error)) from error
            after = dataclasses.replace(
                before, start_ms=start_ms, end_ms=end_ms, file=name, changed_at=self._clock(),
                size=written.size, digest=written.digest,
            )  # fmt: skip
            if not await self.store.trim(before, after):
                await self._tidy()
                raise Problem(409, "replay-changed", "Somebody has just changed this replay; look at it again.")
            await asyncio.to_thread(press.tidy, folder, press.WHOLE, name)
        return after

    async def delete(self, space_id: str) -> None:
        """Delete a replay for good.

        :raises Problem: 404, there is none
        """
        if not await self.store.delete(space_id, self._clock()):
            raise unknown_replay()
        self.faults.pop(space_id, None)
        async with self._sweeping:  # nothing is being written to it
            await asyncio.to_thread(press.discard, self._folder / space_id)

    async def sweep(self) -> bool:
        """Make what can be made; whether something is left that waits for its recording."""
        async with self._sweeping:
            for space_id, host in [*self._wished.items()]:
                await self.store.add(space_id, host)
                self._wished.pop(space_id, None)
            waiting = False
            for space_id in await self.store.in_state(ReplayState.WAITING):
                waiting |= not await self._make(space_id)
            return waiting

    async def _make(self, space_id: str) -> bool:
        """Make one; False if it has to be looked at again soon."""
        space = await self._spaces.get(space_id)
        if space.state is State.LIVE:
            return True
        if not space.is_available_for_replay:
            await self.store.forget(space_id)
            return True
        recording = await self._recordings.store.find(space_id)
        late = self._clock() - (space.ended_at or 0.0) > LATE
        if (recording is None or recording.ended_at is None) and not late:
            return False
        try:
            evidence = await self._recordings.evidence(space_id)
        except EvidenceGoneError:
            await self.store.fail(space_id)
            return True
        if None not in evidence.tracks or evidence.tracks[None].end_ms < LEAST_MS:
            await self.store.fail(space_id)
            return True
        try:
            replay = await asyncio.to_thread(self._press, space, evidence)
        except OSError as error:
            if space_id not in self.faults:
                log.error("The replay of Space %s waits: %s", space_id, _sentence(error))
            self.faults[space_id] = _sentence(error)
            raise
        self.faults.pop(space_id, None)
        if not await self.store.publish(replay):  # it was deleted meanwhile
            await asyncio.to_thread(press.discard, self._folder / space_id)
        return True

    def _press(self, space: Space, evidence: Evidence) -> Replay:
        end_ms, now = evidence.tracks[None].end_ms, self._clock()
        written = press.press_whole(self._folder / space.id, evidence, end_ms, space.title)
        return Replay(
            space.id,
            space.host,
            ReplayState.READY,
            published_at=now,
            changed_at=now,
            whole_ms=end_ms,
            end_ms=end_ms,
            file=press.WHOLE,
            size=written.size,
            digest=written.digest,
            levels=press.levels_of(evidence, end_ms),
            turns=press.turns_of(evidence, end_ms),
        )

    async def _tidy(self) -> None:
        """Delete files that no replay has."""
        folders = await asyncio.to_thread(lambda: [*self._folder.iterdir()] if self._folder.is_dir() else [])
        for folder in folders:
            replay = await self.store.find(folder.name)
            if replay is None:
                await asyncio.to_thread(press.discard, folder)
            else:
                await asyncio.to_thread(press.tidy, folder, press.WHOLE, replay.file)

    def _watch(self, space: Space, events: Events) -> None:
        if space.is_available_for_replay and any(isinstance(e, SpaceStarted | SpaceEnded) for e in events):
            self._wished[space.id] = space.host
            self._news.set()

    async def _run(self) -> None:
        while True:
            self._news.clear()
            try:
                wait = AGAIN if await self.sweep() else None
            except (StoreUnavailableError, OSError):  # which is in the log already
                wait = REST
            except Exception:
                log.exception("Replays wait.")
                wait = REST
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), wait)


def unknown_replay() -> Problem:
    """Return what is said where there is no replay."""
    return Problem(404, "unknown-replay", "This Space has no replay: none was wished, or it was deleted.")


def _sentence(error: Exception) -> str:
    why = (error.strerror if isinstance(error, OSError) else "") or str(error).rstrip(".")
    return f"The replay cannot be written ({why}); make room on the disk of the server."
