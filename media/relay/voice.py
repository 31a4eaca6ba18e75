"""A participant who may be heard: their packets on the way into the mix of a room.

What happens to each packet and in each tick is a compiled function on the speaker's record, so that
:mod:`media.relay.hearing` can do it for all; the class is for whatever else happens to one.
"""

from math import nan
from typing import Any

import numpy as np
from numba import njit

from media.audio.levels import Activity, quiet, update
from media.audio.opus import FRAME, RATE, Pcm
from media.audio.packet import octets, samples_in
from media.audio.playout import Frame, Playout
from media.audio.reorder import put
from media.audio.speaker import Speakers
from media.relay.stream import Stream
from media.rtc.peers import Known
from media.rtc.rtp import RtpPacket

RAMP = 240
"""Samples (5 ms) over which a voice comes into the mix and leaves it: what is cut off is quiet, not silent."""

SOUND_PER_SECOND, SOUND_SAVED = 1.5, 5.0
"""Seconds of sound that may come in a second, and what may come at once after a stall. Whoever sends ten times too
many packets is heard badly; everybody else does not notice."""

_UP = np.linspace(0.0, 1.0, RAMP, dtype=np.float32)


@njit(nogil=True, cache=True)
def _afford(speaker: Any, samples: int, arrival: float) -> bool:  # pragma: no cover
    """Whether the speaker may send that much sound now; it is then spent."""
    earned = (arrival - speaker.budget_at) * SOUND_PER_SECOND
    budget = min(SOUND_SAVED, speaker.budget + max(0.0, earned))
    seconds = samples / RATE
    taken = seconds <= budget
    speaker.budget_at, speaker.budget = arrival, budget - seconds if taken else budget
    return taken


@njit(nogil=True, cache=True)
def take_packet(  # pragma: no cover
    speaker: Any,
    packets: Any,
    free: Any,
    ssrc: int,
    sequence: int,
    timestamp: int,
    data: Any,
    size: int,
    arrival: float,
    captured: bool,
    capture: Any,
    level: float,
) -> bool:
    """Put a packet into the jitter buffer (see :func:`media.audio.reorder.put`), unless it is one too many."""
    samples = samples_in(data, size)
    if not _afford(speaker, samples if samples > 0 else FRAME, arrival):
        return False
    put(speaker, packets, free, ssrc, sequence, timestamp, data, size, arrival, captured, capture, level)
    return True


@njit(nogil=True, cache=True)
def join_mix(speaker: Any, frame: Any, silent: bool, level: float) -> bool:  # pragma: no cover
    """Whether a tick's ``frame``, shape (960,), belongs into the mix; ``talks`` is then up to date.

    A voice leaves the mix 300 ms after its last sound (:class:`media.audio.levels.Activity`), on a ramp, made in
    place, as it came. ``silent``: the frame is nothing but zeros.
    """
    audible = update(speaker, level) and not speaker.leaving
    before = speaker.talks != 0
    if audible == before:
        return audible
    speaker.talks, speaker.spare = audible, not audible
    if silent:
        return audible
    for at in range(RAMP):
        frame[at] *= _UP[at] if audible else _UP[RAMP - 1 - at]
    if not audible:
        frame[RAMP:] = 0.0
    return True


@njit(nogil=True, cache=True)
def is_asleep(speaker: Any) -> bool:  # pragma: no cover
    """See :attr:`Voice.asleep`."""
    settled = speaker.gain == (0.0 if speaker.muted else 1.0)
    idle = settled and not speaker.held and not speaker.playing and not speaker.waiting
    return not speaker.talks and idle and quiet(speaker)


# What Python calls: arrays cross over eight times as fast as a record does.


@njit(nogil=True, cache=True)
def _take_packet(  # pragma: no cover
    records: Any,
    place: int,
    packets: Any,
    free: Any,
    ssrc: int,
    sequence: int,
    timestamp: int,
    data: Any,
    size: int,
    arrival: float,
    captured: bool,
    capture: Any,
    level: float,
) -> bool:
    return take_packet(
        records[place], packets, free, ssrc, sequence, timestamp, data, size, arrival, captured, capture, level
    )


@njit(nogil=True, cache=True)
def _join_mix(records: Any, place: int, frame: Any, silent: bool, level: float) -> bool:  # pragma: no cover
    return join_mix(records[place], frame, silent, level)


class Voice:
    """Jitter buffer, decoder and levels of one participant, and what they hear while they talk."""

    def __init__(self, speakers: Speakers | None = None) -> None:
        self.source: Known | None = None
        """The session whose packets count: the newest, if there are several."""
        self._speakers = speakers = speakers or Speakers()
        self.place = speakers.add()
        """Where the record is."""
        self.playout = Playout(speakers, self.place)
        self.playout.spare = True
        self.activity = Activity(speakers, self.place)
        self.minus: Stream | None = None
        """The room without this voice; made when they talk for the first time."""
        self._record["budget"] = SOUND_SAVED

    @property
    def _record(self) -> Any:
        return self._speakers.records[self.place]

    @property
    def talks(self) -> bool:
        """Was in the mix of the tick before."""
        return bool(self._record["talks"])

    @property
    def leaving(self) -> bool:
        """May be heard no longer: fades out in the next tick and is gone."""
        return bool(self._record["leaving"])

    @leaving.setter
    def leaving(self, leaving: bool) -> None:
        self._record["leaving"] = leaving

    def put(self, packet: RtpPacket, arrival: float, capture: int | None, level: float | None) -> str | None:
        """Take a packet; returns why it was dropped, None if it was not."""
        own, payload = self._speakers, packet.payload
        own.reserve(1)
        taken = _take_packet(
            *(own.records, self.place, own.packets, own.free, packet.ssrc, packet.sequence, packet.timestamp),
            *(octets(payload), len(payload), arrival),
            *(capture is not None, np.uint64(capture or 0), nan if level is None else level),
        )
        return None if taken else "too many packets"

    def hear(self, frame: Frame) -> Pcm | None:
        """What of a frame belongs into the mix, None if nothing; ``talks`` is then up to date."""
        own = self._speakers
        pcm = own.frames[self.place]
        pcm[:] = frame.pcm
        mixed = _join_mix(own.records, self.place, pcm, frame.kind == "silence", frame.level_dbov)
        return pcm.copy() if mixed else None

    @property
    def asleep(self) -> bool:
        """Neither heard nor on the way to be: until the next packet there is nothing to do."""
        return not self.talks and self.playout.idle and self.activity.idle

    def close(self) -> None:
        """Free decoder and encoder."""
        self.playout.close()
        self._speakers.remove(self.place)
        if self.minus:
            self.minus.close()
