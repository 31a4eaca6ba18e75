"""All speakers of a relay at once: what has come of their sound, and what each of them says in this tick.

Where nothing is out of the ordinary, no Python runs for a packet, and none for a speaker in a tick: one compiled
function decodes and weighs the packets of all who are awake. Whatever else there is to be done it leaves to their
room (:meth:`media.relay.room.Room.tick`), and says so in the room's record.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from media.audio.batch import opus_decode_float
from media.audio.opus import FRAME
from media.audio.playout import KINDS, Frame
from media.audio.render import finish_long, finish_refused
from media.audio.speaker import SILENCE_DBOV, Speakers, doubled, free_slot
from media.audio.tick import GAP, LONG, ORDINARY, begin, finish, finish_gap
from media.audio.timeline import captured_at
from media.relay.stats import BUCKETS, RelayStats
from media.relay.voice import Voice, is_asleep, join_mix, take_packet
from media.rtc.rtp import RtpPacket
from media.rtc.sound import SOUND

ROOM: np.dtype[Any] = np.dtype(
    [
        ("first", "i8"),  # place + 1 of a speaker who is awake; 0: none
        ("full", "i8"),  # stream
        ("heard", "i8"),  # frame of the batch that was the mix of the tick before; -1: silence
        ("mixes", "u1"),  # here, and not on another relay
        ("recorded", "u1"),
        ("skipped", "u1"),  # in this tick
        ("needs", "u1"),
    ],
    align=True,
)

_SILENCE, _SPEECH, _, _CONCEALED = range(len(KINDS))

DONE, LEFT = range(2)
"""What may have come of a speaker in a tick: all is done, or nothing, since the decoder has to begin anew."""


@njit(nogil=True, cache=True)
def _take_all(  # pragma: no cover
    sounds: Any, count: int, data: Any, records: Any, packets: Any, free: Any
) -> int:
    """Put packets into the jitter buffers of their speakers; how many were too many."""
    refused = 0
    for number in range(count):
        row = sounds[number]
        payload = data[row.index, row.start : row.start + row.size]
        taken = take_packet(
            *(records[row.voice], packets, free, row.ssrc, row.sequence, row.timestamp, payload, row.size),
            *(row.arrival, row.captured != 0, row.capture, row.level),
        )
        refused += not taken
    return refused


@njit(nogil=True, cache=True)
def _settle(speaker: Any, frame: Any, silent: bool, level: float, room: Any) -> None:  # pragma: no cover
    """A tick's frame is there: say whether it is in the mix, and whether the room has to do something about it."""
    if silent and speaker.talks:
        frame[:] = np.float32(0.0)
    before = speaker.talks
    speaker.outcome, speaker.loudness = DONE, level
    speaker.heard = join_mix(speaker, frame, silent, level)
    speaker.turned = speaker.talks != before
    if speaker.turned or (not speaker.heard and (speaker.leaving or is_asleep(speaker))):
        room.needs = 1


@njit(nogil=True, cache=True)
def _decode(decoder: Any, packets: Any, slot: int, frame: Any, free: Any) -> bool:  # pragma: no cover
    """Decode a packet of one frame into ``frame`` and free its slot; False if libopus refuses."""
    packet = packets[slot]
    decoded = opus_decode_float(decoder, packet.payload.ctypes.data, packet.size, frame.ctypes.data, FRAME, 0)
    free_slot(free, slot)
    return decoded == FRAME


@njit(nogil=True, cache=True)
def _time(speaker: Any) -> None:  # pragma: no cover
    """Note when the frame that has just been played was captured."""
    if speaker.captured:
        position = speaker.cursor - FRAME
        speaker.frame_capture = captured_at(position, speaker.capture, speaker.capture_timestamp)


@njit(nogil=True, cache=True)
def _hear_all(  # pragma: no cover
    awake: Any,
    count: int,
    rooms: Any,
    records: Any,
    packets: Any,
    free: Any,
    frames: Any,
    held: Any,
    now: float,
    delays: Any,
    kinds: Any,
) -> int:
    """One tick of the speakers ``awake[:count]``; how many had sound. ``kinds`` counts frames by kind.

    ``delays`` (s) are those of frames with sound.
    """
    kinds[:] = 0
    for index in range(rooms.shape[0]):
        rooms[index].first = rooms[index].needs = 0
    sounding = 0
    for index in range(count - 1, -1, -1):
        place = awake[index]
        speaker, frame = records[place], frames[place]
        room = rooms[speaker.room]
        if not room.mixes:
            continue
        speaker.next, room.first = room.first, place + 1
        speaker.heard, speaker.turned, speaker.frame_capture, speaker.played = 0, 0, 0, 0
        way, slot, before = begin(speaker, packets, free, now)
        if way == LONG and speaker.resets != speaker.resets_known:
            speaker.outcome, room.needs = LEFT, 1
            continue
        if way == LONG:
            kind, level = finish_long(speaker, packets, free, held[place], frame, now)
            _settle(speaker, frame, kind == 0, level, room)
        elif way == ORDINARY:
            whole = before < 0 or _decode(speaker.decoder, packets, before, frame, free)
            if not (_decode(speaker.decoder, packets, slot, frame, free) and whole):
                kind, level = finish_refused(speaker, frame, now)
            else:
                kind, level = _SPEECH, finish(speaker, frame, now)
                _time(speaker)
            _settle(speaker, frame, kind == _SILENCE, level, room)
        elif way == GAP:
            opus_decode_float(speaker.decoder, 0, 0, frame.ctypes.data, FRAME, 0)
            level = finish_gap(speaker, frame, slot, now)
            _time(speaker)
            kind = _CONCEALED
            _settle(speaker, frame, False, level, room)
        else:
            kind = _SILENCE
            _settle(speaker, frame, True, SILENCE_DBOV, room)
        kinds[kind] += 1
        if kind != _SILENCE:
            delays[sounding] = speaker.delay
            sounding += 1
    return sounding


@njit(nogil=True, cache=True)
def _settle_one(  # pragma: no cover
    records: Any, place: int, frames: Any, silent: bool, level: float, rooms: Any
) -> None:
    _settle(records[place], frames[place], silent, level, rooms[records[place].room])


class Hearing:
    """Driven by the media thread alone."""

    def __init__(self) -> None:
        self.speakers = Speakers(64)
        self.rooms: NDArray[Any] = np.zeros(16, ROOM)
        self._free_rooms = list(range(15, -1, -1))
        self._awake: NDArray[np.int64] = np.zeros(64, np.int64)
        self._order: dict[int, None] = {}
        """Places of those who are awake."""
        self._changed = False
        self._delays, self._kinds = np.zeros(64), np.zeros(len(KINDS), np.int64)

    def new_room(self, full: int) -> int:
        """A record for a room whose mix is that stream."""
        if not self._free_rooms:
            size = len(self.rooms)
            self.rooms = doubled(self.rooms)
            self._free_rooms = list(range(2 * size - 1, size - 1, -1))
        place = self._free_rooms.pop()
        self.rooms[place] = (0, full, -1, 1, 0, 0, 0)
        return place

    def free_room(self, place: int) -> None:
        """The room is gone."""
        self.rooms[place] = np.zeros(1, ROOM)[0]
        self._free_rooms.append(place)

    def wake(self, place: int) -> None:
        """Something of the speaker is to be played: pull them from the next tick on."""
        self._order[place] = None
        self._changed = True

    def rest(self, place: int) -> None:
        """Until they are woken there is nothing to do."""
        self._order.pop(place, None)
        self._changed = True

    def take(self, sounds: NDArray[Any], data: NDArray[np.uint8]) -> int:
        """Take what the door has let in, rows of :data:`media.rtc.sound.SOUND`; how many packets were too many."""
        own = self.speakers
        own.reserve(len(sounds))
        return _take_all(sounds, len(sounds), data, own.records, own.packets, own.free)

    def hear(self, now: float, stats: RelayStats) -> None:
        """One tick, due at ``now``, of everyone who is awake."""
        own, count = self.speakers, len(self._order)
        if self._changed:
            self._changed = False
            self._awake, self._delays = np.fromiter(self._order, np.int64, count), np.zeros(count)
        sounding = _hear_all(
            *(self._awake, count, self.rooms, own.records, own.packets, own.free, own.frames, own.held),
            *(now, self._delays, self._kinds),
        )
        for kind, frames in zip(KINDS, self._kinds.tolist(), strict=True):
            stats.speaker_frames[kind] += frames
        if sounding:
            delays = self._delays[:sounding]
            places, times = np.unique(np.searchsorted(BUCKETS, delays), return_counts=True)
            counted = zip(places.tolist(), times.tolist(), strict=True)
            stats.stages["jitter buffer"].count(counted, float(delays.sum()))

    def settle(self, place: int, frame: Frame) -> None:
        """The frame of a speaker who was left to the room."""
        own = self.speakers
        own.frames[place] = frame.pcm
        own.records["frame_capture"][place] = frame.capture or 0
        _settle_one(own.records, place, own.frames, frame.kind == "silence", frame.level_dbov, self.rooms)

    def warm(self, stats: RelayStats) -> None:
        """Compile or load the kernels now."""
        self.take(np.zeros(0, SOUND), np.zeros((1, 1), np.uint8))
        self.hear(0.0, stats)
        voice = Voice(self.speakers)
        voice.put(RtpPacket(0, 0, 0, 0, b"\xf8" + bytes(40)), 0.0, None, None)
        self.settle(voice.place, voice.playout.pull(0.0))
        voice.playout.pull_long(0.0)
        voice.close()
