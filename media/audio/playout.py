"""One speaker's sound, one frame per tick, whatever the network did to the packets.

What comes next is decoded, taken from the spare copy in the packet after a lost one (FEC), made up from what came
before (PLC), or silence. What must not be heard is not decoded.

This is the face for Python of :mod:`media.audio.tick`, where nothing is out of the ordinary, and
:mod:`media.audio.render`. A kernel calls those for hundreds of speakers (``media.relay.hearing``).
"""

from typing import Any, Literal, NamedTuple

import numpy as np
from numba import njit

from media.audio.arrivals import Counters
from media.audio.conceal import CONCEAL_LONGEST
from media.audio.jitter import JitterBuffer
from media.audio.levels import SILENCE_DBOV
from media.audio.opus import FRAME, Decoder, OpusError, Pcm
from media.audio.render import finish_long, finish_refused
from media.audio.speaker import Speakers
from media.audio.tick import GAP, ORDINARY, SILENT, begin, finish, finish_gap

Kind = Literal["speech", "fec", "concealed", "silence"]
KINDS: tuple[Kind, ...] = ("silence", "speech", "fec", "concealed")
"""From the best part of a frame to the worst; a record has the place of one."""


class Frame(NamedTuple):
    """One tick of one speaker."""

    pcm: Pcm
    """Shape (960,), float32, full scale ±1.0. Read-only if ``kind`` is silence."""
    level_dbov: float
    """−127 to 0, RFC 6464."""
    kind: Kind
    """What the worst part of the frame is made of."""
    capture: int | None
    """Capture time of the first sample (64-bit NTP, the speaker's clock), if known."""


_ZEROS = np.zeros(FRAME, np.float32)
_ZEROS.flags.writeable = False
SILENCE = Frame(_ZEROS, SILENCE_DBOV, "silence", None)


class Playout:
    """Jitter buffer, decoder and mute switch of one speaker.

    The media thread calls ``put`` for each packet and ``pull`` once per tick of 20 ms, with the tick's scheduled
    time on the clock that also stamps arrivals. ``muted`` may be set at any time between. A speaker who is
    muted, stopped or paused costs no decoding.
    """

    def __init__(self, speakers: Speakers | None = None, place: int | None = None) -> None:
        self._speakers = speakers = speakers or Speakers()
        self._place = place = speakers.add() if place is None else place
        self.buffer = JitterBuffer(speakers, place)
        self._decoder = Decoder()
        self._record["decoder"], self._record["made_up"] = self._decoder.state, CONCEAL_LONGEST
        self.put = self.buffer.put
        """Takes a packet, see ``JitterBuffer.put``."""

    @property
    def _record(self) -> Any:
        return self._speakers.records[self._place]

    @property
    def muted(self) -> bool:
        """Set to be silent within one tick; packets are then thrown away undecoded."""
        return bool(self._record["muted"])

    @muted.setter
    def muted(self, muted: bool) -> None:
        self._record["muted"] = muted

    @property
    def spare(self) -> bool:
        """Set while nobody would hear this voice unless it became loud.

        Packets that their sender calls quiet (RFC 6464) are then played as silence, undecoded.
        """
        return bool(self._record["spare"])

    @spare.setter
    def spare(self, spare: bool) -> None:
        self._record["spare"] = spare

    @property
    def delay(self) -> float:
        """Seconds the last frame waited here, beyond the fastest packet's way: jitter buffer and tick wait."""
        return float(self._record["delay"])

    @property
    def idle(self) -> bool:
        """Nothing is played and nothing waits.

        Until the next packet, or the next change of ``muted``, every ``pull`` would be silent and may be left out.
        """
        record = self._record
        settled = record["gain"] == (0.0 if record["muted"] else 1.0)
        return bool(settled and not record["held"] and not record["playing"] and not record["waiting"])

    @property
    def counters(self) -> Counters:
        """What became of the speaker's packets until now."""
        return self.buffer.counters

    def close(self) -> None:
        """Free the decoder now; from then on there is only silence."""
        self._decoder.close()
        record = self._record
        record["muted"], record["gain"], record["decoder"] = True, 0.0, 0

    def pull(self, now: float) -> Frame:
        """The frame of the tick at ``now`` (seconds). Called exactly once per tick; never raises on bad input."""
        own, place = self._speakers, self._place
        way, slot, before = _begin(own.records, place, own.packets, own.free, now)
        if way == SILENT:
            return SILENCE
        if way == ORDINARY:
            pcm = self._decode(self.buffer.payload(slot), self.buffer.payload(before) if before >= 0 else b"")
            if pcm is None:
                pcm = np.empty(FRAME, np.float32)
                return self._rendered(pcm, *_finish_refused(own.records, place, pcm, now))
            return self._timed(pcm, _finish(own.records, place, pcm, now), "speech")
        if way == GAP:
            pcm = self._decoder.conceal(FRAME)
            return self._timed(pcm, _finish_gap(own.records, place, pcm, slot, now), "concealed")
        return self.pull_long(now)

    def pull_long(self, now: float) -> Frame:
        """The frame of a tick of which :func:`media.audio.tick.begin` has said that it is ``LONG``."""
        own, place, record = self._speakers, self._place, self._record
        if record["resets_known"] != record["resets"]:
            record["resets_known"] = record["resets"]
            self._decoder.reset()
        frame = np.empty(FRAME, np.float32)
        kind, level = _finish_long(own.records, place, own.packets, own.free, own.held, frame, now)
        return self._rendered(frame, kind, level)

    def _rendered(self, frame: Pcm, kind: int, level: float) -> Frame:
        record = self._record
        if kind == 0 and not record["held"] and level <= SILENCE_DBOV and not frame.any():
            return SILENCE
        return Frame(frame, level, KINDS[kind], int(record["frame_capture"]) or None)

    def _timed(self, frame: Pcm, level: float, kind: Kind) -> Frame:
        position = self.buffer.position(FRAME)
        return Frame(frame, level, kind, None if position is None else self.buffer.capture_at(position))

    def _decode(self, payload: bytes, before: bytes) -> Pcm | None:
        """The sound of a packet; None if libopus refuses.

        ``before`` was left out, and is decoded so that the decoder knows what the packet goes on from.
        """
        try:
            if before:
                self._decoder.decode(before)
            return self._decoder.decode(payload)
        except OpusError:
            return None


# What Python calls: arrays cross over eight times as fast as a record does.


@njit(nogil=True, cache=True)
def _begin(  # pragma: no cover
    records: Any, place: int, packets: Any, free: Any, now: float
) -> tuple[int, int, int]:
    return begin(records[place], packets, free, now)


@njit(nogil=True, cache=True)
def _finish(records: Any, place: int, frame: Any, now: float) -> float:  # pragma: no cover
    return finish(records[place], frame, now)


@njit(nogil=True, cache=True)
def _finish_gap(records: Any, place: int, frame: Any, before: int, now: float) -> float:  # pragma: no cover
    return finish_gap(records[place], frame, before, now)


@njit(nogil=True, cache=True)
def _finish_refused(records: Any, place: int, frame: Any, now: float) -> tuple[int, float]:  # pragma: no cover
    return finish_refused(records[place], frame, now)


@njit(nogil=True, cache=True)
def _finish_long(  # pragma: no cover
    records: Any, place: int, packets: Any, free: Any, held: Any, frame: Any, now: float
) -> tuple[int, float]:
    return finish_long(records[place], packets, free, held[place], frame, now)
