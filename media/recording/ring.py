"""The ring between a relay and its recorder: what is heard in each tick, in memory that both see.

The relay writes whole frames and never waits; the recorder reads them when it has time. What the recorder has not
read when the ring is full is left out, and sound goes on. Since the memory belongs to neither process, what was
written by one that was killed is still read, and what nobody has read is read by the next recorder.

The first page of the memory holds two counts of bytes, each in a cache line of its own: how many were ever
written, and how many of them were read. Frames follow each other around the rest. A frame is::

    size (4, little endian, all of it)  kind (1)  padding (3)  body

and its kind one of :data:`TICK`, :data:`NAME` and :data:`GONE`.
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

PAGE: Final = 4096
"""Bytes before the frames."""
SIZE: Final = 16 << 20
"""Bytes of a ring: two minutes of one Space with 13 speakers, seconds of a hundred Spaces."""
TICK, NAME, GONE = range(3)
"""A tick with packets; who a number is; a room that is no more."""
MIX: Final = 0xFFFF
"""In place of a speaker's number: what everybody hears, and in :data:`NAME` the room itself."""
HEAD: Final = struct.Struct("<IB3x")
TICK_HEAD: Final = struct.Struct("<IB3xq")
"""With the microseconds (monotonic) at which the tick was due."""
PACKET: Final = struct.Struct("<HHHHB")
"""Room, speaker, samples, bytes and level (-dBov) of a packet, whose bytes follow."""
_NAME: Final = struct.Struct("<HH")
_ROOM: Final = struct.Struct("<H")
_COUNT: Final = struct.Struct("<Q")
_WRITTEN_AT, _READ_AT = 0, 64


class Heard(NamedTuple):
    """A packet that was heard."""

    room: int
    speaker: int
    """:data:`MIX` for what everybody hears."""
    us: int
    """When (microseconds, monotonic)."""
    samples: int
    level: int
    """Loudness in -dBov, 0 to 127 (RFC 6464)."""
    payload: bytes


class Named(NamedTuple):
    """From now on that number is somebody else."""

    room: int
    speaker: int
    """:data:`MIX` for the room."""
    name: str


class Gone(NamedTuple):
    """A room that nothing more comes from; its number is free."""

    room: int


class Ring:
    """One end of a ring: a relay's, which writes, or a recorder's, which reads."""

    def __init__(self, memory: memoryview) -> None:
        """Take memory that is shared, zeros at first, of a page and room for frames."""
        self._counts, self._frames = memory[:PAGE], memory[PAGE:]
        self._size = len(self._frames)

    @property
    def unread(self) -> int:
        """Bytes that wait for the recorder."""
        return self._count(_WRITTEN_AT) - self._count(_READ_AT)

    def write(self, frames: bytes | memoryview) -> bool:
        """Write whole frames, or none of them if there is no room; whether there was."""
        written = self._count(_WRITTEN_AT)
        if written - self._count(_READ_AT) + len(frames) > self._size:
            return False
        at = written % self._size
        first = min(len(frames), self._size - at)
        self._frames[at : at + first] = frames[:first]
        self._frames[: len(frames) - first] = frames[first:]
        _COUNT.pack_into(self._counts, _WRITTEN_AT, written + len(frames))  # last: what is counted is there
        return True

    def read(self) -> bytes:
        """Return the frames that have come since the last time."""
        written, read = self._count(_WRITTEN_AT), self._count(_READ_AT)
        at, size = read % self._size, written - read
        first = min(size, self._size - at)
        data = bytes(self._frames[at : at + first]) + bytes(self._frames[: size - first])
        _COUNT.pack_into(self._counts, _READ_AT, written)
        return data

    def _count(self, at: int) -> int:
        return _COUNT.unpack_from(self._counts, at)[0]


def packet_frame(heard: Heard) -> bytes:
    """Say one packet, as a tick of its own."""
    packet = PACKET.pack(heard.room, heard.speaker, heard.samples, len(heard.payload), heard.level) + heard.payload
    return TICK_HEAD.pack(TICK_HEAD.size + len(packet), TICK, heard.us) + packet


def name_frame(room: int, speaker: int, name: str) -> bytes:
    """Say who a number is, or with :data:`MIX` which room."""
    body = _NAME.pack(room, speaker) + name.encode()
    return HEAD.pack(HEAD.size + len(body), NAME) + body


def gone_frame(room: int) -> bytes:
    """Say that a room is no more."""
    return HEAD.pack(HEAD.size + _ROOM.size, GONE) + _ROOM.pack(room)


def read_frames(data: bytes) -> Iterator[Heard | Named | Gone]:
    """Yield what whole frames say, in order."""
    at = 0
    while at < len(data):
        size, kind = HEAD.unpack_from(data, at)
        end = at + size
        if kind == TICK:
            yield from _packets(data, at, end)
        elif kind == NAME:
            room, speaker = _NAME.unpack_from(data, at + HEAD.size)
            yield Named(room, speaker, data[at + HEAD.size + _NAME.size : end].decode())
        else:
            yield Gone(*_ROOM.unpack_from(data, at + HEAD.size))
        at = end


def _packets(data: bytes, at: int, end: int) -> Iterator[Heard]:
    us = TICK_HEAD.unpack_from(data, at)[2]
    at += TICK_HEAD.size
    while at < end:
        room, speaker, samples, size, level = PACKET.unpack_from(data, at)
        at += PACKET.size
        yield Heard(room, speaker, us, samples, level, data[at : at + size])
        at += size
