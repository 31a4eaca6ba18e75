"""What all rooms of a relay are sent in a tick: one compiled function mixes whoever is heard, another encodes it.

In each room, everyone who is silent shares one frame, and each talker who listens has one more, without their own
voice (:mod:`media.audio.mixer`). The frames are written straight into the batch of the encoders.
"""

from time import perf_counter
from typing import Any

import numpy as np
from numba import njit

from media.audio.batch import Batch
from media.audio.mixer import limit, mix_full, mix_minus
from media.audio.opus import FRAME
from media.relay.hearing import Hearing
from media.relay.stats import RelayStats
from media.relay.stream import Streams, rest, speak
from media.relay.tap import Tap
from media.rtc.crowd import Crowd


@njit(nogil=True, cache=True)
def _add(  # pragma: no cover
    stream: Any, owner: int, states: Any, places: Any, owners: Any, count: Any
) -> int:
    """Have a frame of the batch encoded for a stream; which one."""
    job = count[0]
    states[job], places[job], owners[job] = stream.encoder, stream.row, owner
    count[0] = job + 1
    return job


@njit(nogil=True, cache=True)
def _rest(  # pragma: no cover
    owner: int,
    streams: Any,
    rows: Any,
    timestamp: int,
    states: Any,
    places: Any,
    owners: Any,
    count: Any,
    sounds: Any,
) -> None:
    """Nothing is said on a stream, which may be a frame of silence."""
    if rest(streams[owner], rows, timestamp):
        sounds[_add(streams[owner], owner, states, places, owners, count)] = np.float32(0.0)


@njit(nogil=True, cache=True)
def _mix_all(  # pragma: no cover
    rooms: Any,
    speakers: Any,
    frames: Any,
    streams: Any,
    rows: Any,
    timestamp: int,
    states: Any,
    places: Any,
    owners: Any,
    count: Any,
    sounds: Any,
    talkers: Any,
    silence: Any,
) -> int:
    """Fill the batch (``states``, ``places``, ``owners``, ``count``, ``sounds``); how many were heard.

    ``talkers`` is room for the places of all speakers of a room, ``silence`` a frame of it.
    """
    heard = 0
    for index in range(rooms.shape[0]):
        room = rooms[index]
        if not room.mixes or room.skipped:
            room.skipped, room.heard = 0, -1
            continue
        number, place = 0, room.first
        capture, loudest = np.uint64(0), -128.0
        while place:
            speaker = speakers[place - 1]
            if speaker.heard:
                talkers[number] = place - 1
                number += 1
                if speaker.loudness > loudest:
                    loudest, capture = speaker.loudness, speaker.frame_capture
            place = speaker.next
        if number == 0:
            _rest(room.full, streams, rows, timestamp, states, places, owners, count, sounds)
            room.heard = -1
            continue
        heard += number
        stream = streams[room.full]
        job = _add(stream, room.full, states, places, owners, count)
        full = sounds[job]
        mix_full(frames, talkers, number, full)
        speak(stream, rows, timestamp, capture)
        if np.isnan(stream.gain):
            stream.gain = np.float32(1.0)
        for one in range(number):
            owner = speakers[talkers[one]].minus - 1
            if owner < 0:
                continue
            minus = streams[owner]
            if np.isnan(minus.gain):
                minus.gain = stream.gain
            if number == 1:
                minus.gain = limit(silence, minus.gain)
                _rest(owner, streams, rows, timestamp, states, places, owners, count, sounds)
                continue
            sound = sounds[_add(minus, owner, states, places, owners, count)]
            mix_minus(frames, talkers, number, full, one, sound)
            minus.gain = limit(sound, minus.gain)
            speak(minus, rows, timestamp, capture)
        stream.gain = limit(full, stream.gain)
        room.heard = job
    return heard


class Mixing:
    """Driven by the media thread alone, once a tick."""

    def __init__(self, crowd: Crowd, tap: Tap | None = None) -> None:
        self.hearing, self.streams, self.crowd, self.batch = Hearing(), Streams(), crowd, Batch()
        self.tap = tap or Tap()
        self._talkers, self._silence = np.zeros(64, np.int64), np.zeros(FRAME, np.float32)

    def mix(self, timestamp: int, stats: RelayStats) -> None:
        """Mix all rooms; :meth:`encode` comes next."""
        start = perf_counter()
        hearing, speakers, streams, batch = self.hearing, self.hearing.speakers, self.streams, self.batch
        batch.reserve(len(hearing.rooms) + len(speakers.records))
        if len(self._talkers) < len(speakers.records):
            self._talkers = np.zeros(len(speakers.records), np.int64)
        if len(streams.owners) < len(batch.states):
            streams.owners = np.zeros(len(batch.states), np.int64)
        stats.talker_ticks += _mix_all(
            *(hearing.rooms, speakers.records, speakers.frames, streams.records, self.crowd.rows),
            *(timestamp, batch.states, batch.places, streams.owners, batch.count, batch.frames),
            *(self._talkers, self._silence),
        )
        stats.mixes += int(batch.count[0])
        stats.stages["mix"].observe(perf_counter() - start)

    def encode(self, timestamp: int, stats: RelayStats) -> None:
        """Encode all that is said, straight into the rows of the crowd."""
        start, streams, batch = perf_counter(), self.streams, self.batch
        states = batch.states[: batch.count[0]]
        if not states.all():
            for job in np.flatnonzero(states == 0).tolist():
                states[job] = streams.by_place[int(streams.owners[job])].open().state
        rows, sizes = batch.run(self.crowd.payloads)
        if rows.size:
            stats.faults += int((sizes < 0).sum())
            self.crowd.fit(rows, sizes.clip(0))
        for stream in streams.bundled.values():
            stream.bundle_said(timestamp)
        if rows.size:
            stats.stages["encode"].observe(perf_counter() - start)

    def record(self, now: float, stats: RelayStats) -> None:
        """Have the recorder given what was heard in the tick that was due at ``now``."""
        self.tap.tick(self.hearing, self.streams, self.crowd, now, stats)

    def warm(self) -> None:
        """Compile or load the kernels now."""
        stats = RelayStats()
        self.tap.warm(self.hearing, self.streams, self.crowd)
        self.hearing.warm(stats)
        self.mix(0, stats)
        self.encode(0, stats)
