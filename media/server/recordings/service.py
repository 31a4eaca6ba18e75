"""Evidence of every Space: recorded while it is live, read by range, held, and erased in time.

A recording that cannot begin or go on costs evidence and never sound: it is in the log and in the metrics.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from media.recording.track_reader import Packet
from media.relay.plane import DataPlane, PlaneError
from media.server.audit.audit import Audit
from media.server.clock import Clock
from media.server.database import Database
from media.server.database_faults import StoreUnavailableError
from media.server.recordings.event_log import EventLog
from media.server.recordings.evidence import Evidence, read_evidence
from media.server.recordings.evidence_keys import SLOTS, EvidenceKeys, load_master
from media.server.recordings.recorder_process import RecorderLostError, RecorderProcess
from media.server.recordings.retention import Retention
from media.server.recordings.slot_file import SlotError, SlotFile, doubt
from media.server.recordings.store import EvidenceGoneError, Recording, RecordingStore, gone
from media.server.spaces import Spaces
from media.space.events import Events, SpaceEnded, SpaceStarted
from media.space.space import Space
from media.space.states import State

log = logging.getLogger(__name__)

FOLDER: Final = "recordings"
"""In the data folder."""
OPENED: Final = 4
"""Recordings that stay opened: a reviewer asks for sound, loudness and words of one after the other."""
_AGAIN: Final = 0.05
"""Seconds between two attempts to find the room of a Space that has just started."""


@dataclass(frozen=True, slots=True)
class TrackInfo:
    """What there is of a speaker, or of the mix (None).  Milliseconds since the Space started."""

    user_id: str | None
    start_ms: int
    end_ms: int


class Recordings:
    """Watches every Space; between :meth:`open` and :meth:`close`."""

    def __init__(
        self,
        data: Path,
        spaces: Spaces,
        plane: DataPlane,
        database: Database,
        audit: Audit,
        clock: Clock,
        recorder: RecorderProcess | None = None,
        slots: Path | None = None,
    ) -> None:
        """Without a recorder nothing is recorded; ``slots``: file of the slots, where not in the data folder."""
        self.folder = data / FOLDER
        self.store = RecordingStore(database)
        self._data, self._slots = data, slots or data / SLOTS
        self._spaces, self._plane, self._clock, self._recorder = spaces, plane, clock, recorder
        self._keys: EvidenceKeys | None = None
        self._logs: dict[str, EventLog] = {}
        self._began: dict[str, float] = {}
        """When each Space that is being recorded started (Unix seconds)."""
        self._origins: dict[str, float] = {}
        """The same on the monotonic clock, which goes on whatever the other one is set to."""
        self._early: dict[str, list[tuple[int, Events]]] = {}
        """What happened in a Space before its log was there."""
        self.captioned: Callable[[str], Collection[str]] = lambda _space_id: ()
        """Whose speech is captioned in a Space."""
        self._opened: dict[tuple[str, tuple[int, ...]], Evidence] = {}
        self.retention = Retention(self.store, self._keys_here, self.folder, audit, clock.steady)
        database.on_recovered(self._end_what_is_over)
        if recorder is not None:
            spaces.watch(self._watch)
            recorder.on_restarted = self._begin_again

    async def open(self) -> None:
        """Go on with every Space that is live; the recorder is started with the first.

        :raises SlotError: the master key or the slots cannot be used
        """
        if self._recorder is None and not self._slots.exists():
            return
        self._keys = await asyncio.to_thread(self._open_keys)
        self.retention.start()
        if self._recorder is None:
            return
        live = {space.id for space in self._spaces.in_memory if space.state is State.LIVE}
        await self._end_what_is_over()
        for space_id in live:
            self._spaces.follow(self._begin(space_id))

    async def close(self) -> None:
        """Have everything written that was heard until now."""
        if self._keys is None:
            return
        await self.retention.stop()
        if self._recorder is not None:
            await self._recorder.stop()
        for each in self._logs.values():
            each.end()
        self._logs.clear()
        self._keys.close()

    # What was recorded.

    async def tracks(self, space_id: str) -> list[TrackInfo]:
        """Return what there is of a Space, the mix first.

        :raises EvidenceGoneError: nothing; so for all below
        """
        evidence = await self.evidence(space_id)
        names = sorted(evidence.tracks, key=lambda user_id: user_id or "")
        return [TrackInfo(each, evidence.tracks[each].start_ms, evidence.tracks[each].end_ms) for each in names]

    async def packets(self, space_id: str, user_id: str | None, start_ms: int, end_ms: int) -> list[Packet]:
        """Return the Opus packets of a range of a speaker, or of the mix (None)."""
        track = (await self.evidence(space_id)).tracks.get(user_id)
        return [] if track is None else list(track.packets(start_ms, end_ms))

    async def speech(self, space_id: str, user_id: str, start_ms: int, end_ms: int) -> list[tuple[int, bytes]]:
        """Return the Opus packets of a range of a speaker, each with its milliseconds."""
        found = await self.packets(space_id, user_id, start_ms, end_ms)
        return [(packet.start_ms, packet.payload) for packet in found]

    async def audio(
        self, space_id: str, user_id: str | None, start_ms: int, end_ms: int, tags: Sequence[str] = ()
    ) -> bytes:
        """Return a range of a speaker, or of the mix (None), as Ogg Opus; pauses are silence."""
        track = (await self.evidence(space_id)).tracks.get(user_id)
        if track is None:
            raise gone()
        return await asyncio.to_thread(track.ogg, start_ms, end_ms, tags)

    async def levels(self, space_id: str, user_id: str | None, start_ms: int, end_ms: int) -> bytes:
        """Return the loudness in -dBov of each 20 ms of a range."""
        track = (await self.evidence(space_id)).tracks.get(user_id)
        if track is None:
            raise gone()
        return track.levels(start_ms, end_ms)

    async def spurts(self, space_id: str, start_ms: int, end_ms: int) -> list[tuple[str, int, int]]:
        """Return who spoke in a range, from when to when, by when they began."""
        tracks = (await self.evidence(space_id)).tracks
        found = [
            (user_id, spurt.start_ms, spurt.end_ms)
            for user_id, track in tracks.items()
            if user_id is not None
            for spurt in track.spurts(start_ms, end_ms)
        ]
        return sorted(found, key=lambda spurt: spurt[1:])

    async def events(self, space_id: str) -> list[dict[str, Any]]:
        """Return what happened, each with ``ms`` and ``event``."""
        return (await self.evidence(space_id)).events

    async def offset_ms(self, space_id: str, at: float) -> int:
        """Return where a time (Unix seconds) lies on the timeline of a Space."""
        began = self._began.get(space_id)
        if began is None:
            began = (await self._find(space_id)).began_at
        return max(0, round((at - began) * 1000))

    async def hold(self, space_id: str, holder: str) -> None:
        """Keep the evidence of a Space until :meth:`release`."""
        await self.store.hold(space_id, holder)

    async def release(self, space_id: str, holder: str, *, violation: bool) -> None:
        """Let the clock of retention decide again; a violation keeps it longer."""
        await self.store.release(space_id, holder, violation=violation)

    async def evidence(self, space_id: str) -> Evidence:
        """Open what there is of a Space."""
        recording = await self._find(space_id)
        folder = self.folder / space_id
        try:
            key = self._keys_here().key(space_id, recording.slot, recording.commitment)
            sizes = await asyncio.to_thread(_sizes, folder)
            known = self._opened.get((space_id, sizes))
            if known is not None:
                return known
            evidence = await asyncio.to_thread(read_evidence, folder, key)
        except (SlotError, OSError) as error:
            raise gone() from error
        self._opened[space_id, sizes] = evidence
        while len(self._opened) > OPENED:
            del self._opened[next(iter(self._opened))]
        return evidence

    def caption_soon(self, space_id: str, user_id: str, on: bool) -> None:
        """Have the speech of somebody put into the ring of captions, or no longer."""
        self._spaces.follow(self._caption(space_id, user_id, on))

    async def _caption(self, space_id: str, user_id: str, on: bool) -> None:
        if self._recorder is not None:
            with contextlib.suppress(RecorderLostError):  # the next one is told who consents
                await self._recorder.caption(space_id, user_id, on=on)

    def families(self) -> Iterator[Metric]:
        """What is recorded, for ``/metrics``."""
        recorder = self._recorder
        for name, text, value in (
            ("recorded_spaces", "Live Spaces whose evidence is being recorded", len(self._began)),
            (
                "recorder_faults",
                "Spaces of which something cannot be written",
                len(recorder.faults) if recorder else 0,
            ),
        ):
            yield GaugeMetricFamily(f"spaces_{name}", text, value=value)
        restarts = recorder.restarts if recorder else 0
        yield CounterMetricFamily("spaces_recorder_restarts", "How often it was started again", value=restarts)

    # What is being recorded.

    def _watch(self, space: Space, events: Events) -> None:
        if any(isinstance(event, SpaceStarted) for event in events):
            self._early[space.id] = []
            self._spaces.follow(self._begin(space.id))
        if space.id in self._early:
            self._early[space.id].append((0, events))
        elif each := self._logs.get(space.id):
            each.note(round((time.monotonic() - self._origins[space.id]) * 1000), events)
        if any(isinstance(event, SpaceEnded) for event in events):
            self._spaces.follow(self._end(space.id))

    async def _begin(self, space_id: str) -> None:
        """Record a Space that is live, from the beginning or from now on."""
        space = self._spaces.held(space_id)
        if space is None or space.started_at is None:
            return
        try:
            recording = await self.store.find(space_id) or await self._add(space_id, space.started_at)
            key = self._keys_here().key(space_id, recording.slot, recording.commitment)
            self._began[space_id] = recording.began_at
            self._origins[space_id] = time.monotonic() - (self._clock() - recording.began_at)
            self._logs[space_id] = EventLog(self.folder / space_id, key)
            for ms, events in self._early.pop(space_id, []):
                self._logs[space_id].note(ms, events)
            await self._record(space_id, key)
        except (SlotError, OSError, StoreUnavailableError, EvidenceGoneError) as error:
            log.error("Space %s is not recorded: %s", space_id, error)
        finally:
            self._early.pop(space_id, None)
        held = self._spaces.held(space_id)
        if held is None or held.state is not State.LIVE:  # it was over before all was ready
            await self._end(space_id)

    async def _record(self, space_id: str, key: bytes) -> None:
        assert self._recorder is not None
        origin = self._origins[space_id]
        self._recorder.start()
        with contextlib.suppress(RecorderLostError):  # the next one is told of all Spaces
            await self._recorder.begin(space_id, self.folder / space_id, key, int(origin * 1e6))
            for user_id in self.captioned(space_id):
                await self._recorder.caption(space_id, user_id, on=True)
        while (space := self._spaces.held(space_id)) is not None and space.state is State.LIVE:
            try:
                await self._plane.record(space_id)
            except PlaneError:  # its room is being opened
                await asyncio.sleep(_AGAIN)
            else:
                return

    async def _begin_again(self) -> None:
        """Tell a recorder that knows nothing about every Space that is being recorded."""
        for space_id in [*self._began]:
            recording = await self._find(space_id)
            key = self._keys_here().key(space_id, recording.slot, recording.commitment)
            await self._record(space_id, key)

    async def _add(self, space_id: str, began_at: float) -> Recording:
        slot, commitment = await asyncio.to_thread(self._keys_here().take)
        recording = Recording(space_id, slot, commitment, began_at, None, False, False, None)
        try:
            await self.store.add(recording)
        except StoreUnavailableError:
            await asyncio.to_thread(self._keys_here().erase, [(slot, commitment)])
            raise
        return recording

    async def _end(self, space_id: str) -> None:
        if self._began.pop(space_id, None) is None:
            return
        self._origins.pop(space_id, None)
        assert self._recorder is not None
        with contextlib.suppress(RecorderLostError):  # what it had not written is lost with it
            await self._recorder.end(space_id)
        if each := self._logs.pop(space_id, None):
            each.end()
        await self.store.end(space_id, self._clock.steady())

    async def _end_what_is_over(self) -> None:
        """Let the clock of retention begin where it could not be written, or while no server ran."""
        if self._recorder is None:
            return
        live = {space.id for space in self._spaces.in_memory if space.state is State.LIVE}
        for recording in await self.store.unended():
            if recording.space_id not in live:
                await self.store.end(recording.space_id, self._clock.steady())

    async def _find(self, space_id: str) -> Recording:
        recording = await self.store.find(space_id)
        if recording is None or recording.erasing:
            raise gone()
        return recording

    def _open_keys(self) -> EvidenceKeys:
        keys = EvidenceKeys(load_master(self._data), SlotFile(self._slots))
        if why := doubt(self._slots):
            log.warning("%s", why)
        return keys

    def _keys_here(self) -> EvidenceKeys:
        if self._keys is None:
            raise gone()
        return self._keys


def _sizes(folder: Path) -> tuple[int, ...]:
    """Tell two states of a folder apart: files are only ever appended to."""
    return tuple(path.stat().st_size for path in sorted(folder.iterdir()))
