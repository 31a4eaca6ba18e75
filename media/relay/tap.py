"""What is heard in rooms that are recorded, copied for the recorder: one compiled function and one copy a tick.

The mix goes as it is sent, and each speaker who is in it as their packets came, so nothing is encoded for a
recording, and what nobody heard (a muted microphone, a packet that came too late) is in none. The recorder is
another process (:mod:`media.recorder`); what it has no room for is left out and counted.
"""

from mmap import mmap
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from media.audio.opus import FRAME
from media.audio.speaker import PLAYS_MAX
from media.recording.ring import MIX, PACKET, TICK, TICK_HEAD, Ring, gone_frame, name_frame
from media.relay.hearing import Hearing
from media.relay.stats import RelayStats
from media.relay.stream import Streams
from media.rtc.crowd import Crowd

SPACE: Final = 1 << 20
"""Bytes of a tick at most; one of 500 rooms with two talkers in each takes 200 kB."""
_PACKET_SIZE, _TICK_SIZE = PACKET.size, TICK_HEAD.size
_SILENT = 127


@njit(nogil=True, cache=True)
def _put16(out: Any, at: int, value: int) -> None:  # pragma: no cover
    out[at], out[at + 1] = value & 0xFF, value >> 8 & 0xFF


@njit(nogil=True, cache=True)
def _add(  # pragma: no cover
    out: Any, at: int, room: int, speaker: int, samples: int, level: float, payload: Any, size: int
) -> int:
    """Write a packet; where the next goes, or ``at`` if there is no room."""
    end = at + _PACKET_SIZE + size
    if end > out.shape[0]:
        return at
    _put16(out, at, room)
    _put16(out, at + 2, speaker)
    _put16(out, at + 4, samples)
    _put16(out, at + 6, size)
    out[at + 8] = np.uint8(min(float(_SILENT), max(0.0, -level)))
    out[at + _PACKET_SIZE : end] = payload[:size]
    return end


@njit(nogil=True, cache=True)
def _copy_heard(  # pragma: no cover
    rooms: Any, speakers: Any, packets: Any, streams: Any, rows: Any, payloads: Any, frame: int, out: Any
) -> int:
    """Write what was heard in this tick from ``out[_TICK_SIZE]`` on; where it ends."""
    at = _TICK_SIZE
    for index in range(rooms.shape[0]):
        room = rooms[index]
        if not room.recorded:
            continue
        loudest, place = -127.0, room.first
        while place:
            speaker = speakers[place - 1]
            if speaker.heard:
                loudest = max(loudest, speaker.loudness)
                for number in range(min(speaker.played, PLAYS_MAX)):
                    packet = packets[speaker.plays[number]]
                    at = _add(
                        *(out, at, index, place - 1, packet.samples, speaker.loudness),
                        *(packet.payload, packet.size),
                    )
            place = speaker.next
        row = streams[room.full].row
        if rows[row].length:
            at = _add(out, at, index, MIX, frame, loudest, payloads[row], rows[row].length)
    return at


class Tap:
    """Driven by the media thread alone; without a ring nothing is recorded."""

    def __init__(self, memory: mmap | None = None) -> None:
        """Take the memory that the recorder sees, too."""
        self._ring = None if memory is None else Ring(memoryview(memory))
        self._out: NDArray[np.uint8] = np.zeros(SPACE if memory is not None else _TICK_SIZE, np.uint8)
        self._data = self._out.data
        self._rooms: set[int] = set()

    def name(self, room: int, speaker: int, name: str) -> None:
        """Say whose a speaker's number is, or with ``MIX`` which room has that number."""
        if self._ring is not None:
            if speaker == MIX:
                self._rooms.add(room)
            self._ring.write(name_frame(room, speaker, name))

    def forget(self, room: int) -> None:
        """Say that nothing more comes of a room."""
        if self._ring is not None and room in self._rooms:
            self._rooms.remove(room)
            self._ring.write(gone_frame(room))

    def tick(self, hearing: Hearing, streams: Streams, crowd: Crowd, now: float, stats: RelayStats) -> None:
        """Copy what was heard in the tick that was due at ``now`` (seconds, monotonic)."""
        if not self._rooms or self._ring is None:
            return
        size = self._copy(hearing, streams, crowd)
        if size > _TICK_SIZE:
            TICK_HEAD.pack_into(self._data, 0, size, TICK, int(now * 1e6))
            stats.recorder_refused += not self._ring.write(self._data[:size])

    def warm(self, hearing: Hearing, streams: Streams, crowd: Crowd) -> None:
        """Compile or load the kernel now."""
        self._copy(hearing, streams, crowd)

    def _copy(self, hearing: Hearing, streams: Streams, crowd: Crowd) -> int:
        speakers = hearing.speakers
        return _copy_heard(
            *(hearing.rooms, speakers.records, speakers.packets, streams.records, crowd.rows, crowd.payloads),
            *(FRAME, self._out),
        )
