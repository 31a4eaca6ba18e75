"""One speaker's sound, one frame per tick, whatever the network did to the packets.

``JitterBuffer`` says what comes next; here it becomes sound: decoded, taken from the spare copy in the packet
after a lost one (FEC), made up from what came before (PLC), or silence. What must not be heard is not decoded.

Where nothing is out of the ordinary, which is nearly always, ``begin`` says so and ``finish`` completes it: a
kernel calls them for hundreds of speakers (``media.relay.hearing``); ``pull`` is for everything.
"""

from typing import Any, Literal, NamedTuple

import numpy as np
from numba import njit

from media.audio.arrivals import Counters
from media.audio.batch import opus_decode_float
from media.audio.jitter import (
    DECODE,
    FEC,
    LOST,
    PAUSE,
    SOON,
    SOONEST,
    JitterBuffer,
    excess,
    flush,
    is_due,
    next_step,
    put_aside,
    shortage,
    start,
    take_aside,
    take_due,
)
from media.audio.levels import ONSET_DBOV, SILENCE_DBOV, loudness
from media.audio.opus import FRAME, MAX_SAMPLES, RATE, Decoder, OpusError, Pcm
from media.audio.speaker import Speakers, free_slot
from media.audio.stretch import SHORTEST, cut, lengthen, shorten, squeeze
from media.audio.timeline import captured_at

Kind = Literal["speech", "fec", "concealed", "silence"]
KINDS: tuple[Kind, ...] = ("silence", "speech", "fec", "concealed")
"""From the best part of a frame to the worst; a record has the place of one."""

CONCEAL_FULL = 2_880
"""Samples (60 ms) of made-up sound that are played as libopus makes them; from there they fade ..."""

CONCEAL_LONGEST = 4_800
"""... to silence at 100 ms: beyond that, made-up speech is a drone."""

RAMP = 480
"""Samples (10 ms) that muting and unmuting take."""

ENTRY = 240
"""Samples (5 ms) over which sound comes back after silence."""

QUIET_DBOV = -50.0
"""Below this a piece of any length may be taken out unheard."""

PATIENCE = 10
"""Ticks (0.2 s) for which there must be too much delay before sound is taken out."""

NO_MORE_PATIENCE = 50
"""Ticks (1 s) after which even a rest that does not repeat itself goes."""

HURRY = 2_880
"""Samples (60 ms) of excess from which on sound is taken out in every tick, repeating itself or not."""

IMPATIENCE, LONG_IMPATIENCE = 3, 50
"""Ticks for which there must be too little delay before sound is put in: what comes late is lost. The longer one
holds while it is so little that nearly all packets are in time: without it, one and the same network would be
played with a tick more or less, whichever was there first."""

CREEP = 4
"""Samples a tick by which a rest that is shorter than a period of the voice goes: 0.4 %, 7 cents."""

_MOST_STEPS = 32


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
_RAMP_UP = np.linspace(0.0, 1.0, RAMP, dtype=np.float32)
_ENTRY_UP = np.linspace(0.0, 1.0, ENTRY, dtype=np.float32)
SILENT, ORDINARY, GAP, LONG = range(4)
"""What :func:`begin` may say."""
_SILENCE, _SPEECH, _FEC, _CONCEALED = range(4)
"""Places in :data:`KINDS`."""


@njit(nogil=True, cache=True)
def is_silent(speaker: Any, free: Any) -> bool:  # pragma: no cover
    """Whether there is nothing to be heard in this tick: muted, or nothing came. The record is then up to date.

    ``speaker`` is a :data:`media.audio.speaker.SPEAKER`, ``free`` the list of free slots beside it.
    """
    if speaker.muted and speaker.gain == 0.0:
        flush(speaker, free)
        speaker.held, speaker.made_up = 0, CONCEAL_LONGEST
        return True
    if not speaker.muted and not speaker.playing and not speaker.waiting and not speaker.held:
        speaker.gain = 1.0
        return True
    return False


@njit(nogil=True, cache=True)
def tell(speaker: Any, level: float) -> bool:  # pragma: no cover
    """Note what a packet's sender says of its loudness (dBov, or NaN); True if it need not be decoded."""
    if np.isnan(level):
        return False
    speaker.told = level if np.isnan(speaker.told) else max(level, speaker.told)
    return speaker.spare and level <= ONSET_DBOV


@njit(nogil=True, cache=True)
def enter(speaker: Any, pcm: Any) -> None:  # pragma: no cover
    """Let real sound come up from silence on a ramp, in place."""
    if speaker.made_up > CONCEAL_FULL:
        for at in range(min(ENTRY, pcm.shape[0])):
            pcm[at] *= _ENTRY_UP[at]
    speaker.made_up = 0


@njit(nogil=True, cache=True)
def weigh(speaker: Any, frame: Any, spoken: bool) -> float:  # pragma: no cover
    """The level of a frame in dBov: of what was ``spoken`` as its sender says it, if it does."""
    return speaker.told if spoken and not speaker.muted and not np.isnan(speaker.told) else loudness(frame)


@njit(nogil=True, cache=True)
def time_frame(speaker: Any, position: int, now: float) -> None:  # pragma: no cover
    """Note how long the frame that leaves at ``now``, from the timestamp ``position`` on, has waited here."""
    speaker.delay = now - position / RATE - speaker.floor


@njit(nogil=True, cache=True)
def _correct(speaker: Any, now: float) -> bool:  # pragma: no cover
    """Choose ``removable`` and ``lacking``, both mostly 0: only of a lasting excess or shortage.

    A small excess goes in every other tick, and what is left of it creeps out at once, or it would stay for the
    rest of the stream. True if there is nothing to be done to a tick that holds nothing.
    """
    removable = excess(speaker, now, speaker.held)
    if removable < SHORTEST:
        speaker.patience = 0
        removable = max(0, removable)
    else:
        speaker.patience += 1
        if speaker.patience <= PATIENCE or (removable < HURRY and speaker.patience % 2):
            removable = 0
    lacking = shortage(speaker, now, speaker.held, SOON)
    if lacking <= 0:
        speaker.impatience = lacking = 0
    else:
        speaker.impatience += 1
        pressing = shortage(speaker, now, speaker.held, SOONEST) > 0
        if speaker.impatience <= (IMPATIENCE if pressing else LONG_IMPATIENCE):
            lacking = 0
    speaker.removable, speaker.lacking = removable, lacking
    return removable < SHORTEST and lacking == 0


@njit(nogil=True, cache=True)
def begin(speaker: Any, packets: Any, free: Any, now: float) -> tuple[int, int, int]:  # pragma: no cover
    """What a tick takes: mostly :data:`SILENT` nothing, :data:`ORDINARY` a decode, or :data:`GAP` sound made up.

    To decode is the packet in the slot that comes second; if a third comes (else -1), the decoder has to see its
    packet first, whose sound nobody hears. Both are to be freed, and then comes :func:`finish`. To make up is a
    frame, for :func:`finish_gap`, to which the second is given. Else it is :data:`LONG`: ``Playout.pull_long``.
    ``packets`` and ``free`` are those of the speakers.
    """
    if is_silent(speaker, free):
        return SILENT, -1, -1
    speaker.told = np.nan
    as_it_is = _correct(speaker, now)
    whole = not speaker.held and not speaker.muted and speaker.gain == 1.0
    if not (as_it_is and whole) or speaker.resets != speaker.resets_known:
        return LONG, -1, -1
    if not speaker.playing:
        return _begin_to_play(speaker, packets, free, now)
    if is_due(speaker, packets, now):
        return _take_ordinary(speaker, packets, free)
    if not speaker.waiting:
        return _fill_gap(speaker, packets, free, now)
    return LONG, -1, -1


@njit(nogil=True, cache=True)
def _take_ordinary(speaker: Any, packets: Any, free: Any) -> tuple[int, int, int]:  # pragma: no cover
    """This tick is one packet, and nothing but that packet."""
    slot = take_due(speaker, packets)[2]
    if tell(speaker, packets[slot].level):
        put_aside(speaker, free, slot)
        speaker.made_up = CONCEAL_LONGEST
        return SILENT, -1, -1
    return ORDINARY, slot, take_aside(speaker)


@njit(nogil=True, cache=True)
def _begin_to_play(speaker: Any, packets: Any, free: Any, now: float) -> tuple[int, int, int]:  # pragma: no cover
    """Nothing has played, and a packet waits."""
    if packets[speaker.slots[0]].samples != FRAME:
        return LONG, -1, -1
    if not start(speaker, packets, free, now):
        speaker.made_up = CONCEAL_LONGEST
        return SILENT, -1, -1
    if packets[speaker.slots[0]].samples != FRAME:
        return LONG, -1, -1
    return _take_ordinary(speaker, packets, free)


@njit(nogil=True, cache=True)
def _fill_gap(speaker: Any, packets: Any, free: Any, now: float) -> tuple[int, int, int]:  # pragma: no cover
    """Something has played, and no packet waits."""
    kind = next_step(speaker, packets, free, now, FRAME)[0]
    if kind == PAUSE:
        speaker.made_up = CONCEAL_LONGEST
        return SILENT, -1, -1
    before = speaker.made_up
    if before >= CONCEAL_LONGEST:
        return SILENT, -1, -1
    speaker.made_up = before + FRAME
    return GAP, before, -1


@njit(nogil=True, cache=True)
def finish(speaker: Any, frame: Any, now: float) -> float:  # pragma: no cover
    """What is left to do once the one packet of a tick is decoded, in place; the frame's level in dBov."""
    enter(speaker, frame)
    time_frame(speaker, speaker.cursor - FRAME, now)
    return weigh(speaker, frame, True)


@njit(nogil=True, cache=True)
def fade(pcm: Any, before: int) -> None:  # pragma: no cover
    """Let made-up sound, before which ``before`` samples were made up already, fade as it gets old, in place."""
    for at in range(max(0, CONCEAL_FULL - before), pcm.shape[0]):
        left = (CONCEAL_LONGEST - before - at) / (CONCEAL_LONGEST - CONCEAL_FULL)
        pcm[at] *= np.float32(max(0.0, left))


@njit(nogil=True, cache=True)
def finish_gap(speaker: Any, frame: Any, before: int, now: float) -> float:  # pragma: no cover
    """What is left to do once a frame is made up, in place; its level in dBov."""
    fade(frame, before)
    speaker.concealed += 1
    time_frame(speaker, speaker.cursor - FRAME, now)
    return weigh(speaker, frame, False)


@njit(nogil=True, cache=True)
def _make_up(speaker: Any, sound: Any, samples: int) -> int:  # pragma: no cover
    """Sound for a loss at the start of ``sound``: as libopus makes it, fading between 60 and 100 ms; its kind."""
    before = speaker.made_up
    sound[:samples] = np.float32(0.0)
    if before >= CONCEAL_LONGEST or not speaker.decoder:
        return _SILENCE
    speaker.made_up = before + samples
    rounded = min(samples + -samples % 120, MAX_SAMPLES)
    if opus_decode_float(speaker.decoder, 0, 0, sound.ctypes.data, rounded, 0) < 0:
        sound[:samples] = np.float32(0.0)
    sound[rounded:samples] = np.float32(0.0)
    fade(sound[:samples], before)
    return _CONCEALED


@njit(nogil=True, cache=True)
def _decode_next(  # pragma: no cover
    speaker: Any, packets: Any, free: Any, sound: Any, slot: int, spare: int, skip: int
) -> int:
    """Decode a packet, or the last ``spare`` samples before it, without the first ``skip``; how many, -1: refused.

    What was put aside is decoded before, so that the decoder knows what the packet goes on from.
    """
    aside = take_aside(speaker)
    whole = speaker.decoder != 0
    if whole and aside >= 0:
        packet = packets[aside]
        size, start = packet.size, packet.payload.ctypes.data
        whole = opus_decode_float(speaker.decoder, start, size, sound.ctypes.data, MAX_SAMPLES, 0) >= 0
    if aside >= 0:
        free_slot(free, aside)
    packet = packets[slot]
    size, start = packet.size, packet.payload.ctypes.data
    rounded = spare + -spare % 120 if spare else MAX_SAMPLES
    decoded = -1
    if whole and size > 0:
        decoded = opus_decode_float(speaker.decoder, start, size, sound.ctypes.data, rounded, 1 if spare else 0)
    if decoded < 0:
        speaker.malformed += 1
        return -1
    skip = rounded - spare if spare else skip
    for at in range(decoded - skip if skip else 0):
        sound[at] = sound[at + skip]
    return max(0, decoded - skip)


@njit(nogil=True, cache=True)
def _render(  # pragma: no cover
    speaker: Any, packets: Any, free: Any, sound: Any, now: float, samples: int
) -> tuple[int, int]:
    """Put the next step's sound at the start of ``sound``; how many samples of which kind."""
    step, samples, slot, skip = next_step(speaker, packets, free, now, samples)
    if step == LOST:
        return samples, _make_up(speaker, sound, samples)
    if step == PAUSE:
        speaker.made_up = CONCEAL_LONGEST
        sound[:samples] = np.float32(0.0)
        return samples, _SILENCE
    if tell(speaker, packets[slot].level) and step == DECODE:
        put_aside(speaker, free, slot)
        speaker.made_up = CONCEAL_LONGEST
        sound[:samples] = np.float32(0.0)
        return samples, _SILENCE
    decoded = _decode_next(speaker, packets, free, sound, slot, samples if step == FEC else 0, skip)
    if step == DECODE:
        free_slot(free, slot)
    if decoded < 0:
        return samples, _make_up(speaker, sound, samples)
    enter(speaker, sound[:decoded])
    return decoded, _FEC if step == FEC else _SPEECH


@njit(nogil=True, cache=True)
def _shrink(speaker: Any, pcm: Any, removable: int) -> Any:  # pragma: no cover
    """``pcm`` with up to ``removable`` samples taken out, but no fewer than one frame left."""
    spare = min(removable, pcm.size - FRAME)
    if spare <= 0:
        return pcm
    if loudness(pcm) < QUIET_DBOV:
        return cut(pcm, spare)
    if removable < SHORTEST:
        return squeeze(pcm, min(spare, CREEP))
    return shorten(pcm, spare, -1.0 if removable > HURRY or speaker.patience > NO_MORE_PATIENCE else 0.5)


@njit(nogil=True, cache=True)
def _grow(pcm: Any, shortage: int) -> Any:  # pragma: no cover
    """``pcm`` with up to ``shortage`` samples put in."""
    if not shortage or pcm.size >= 2 * FRAME:
        return pcm
    return lengthen(pcm, max(shortage, 2 * SHORTEST), -1.0 if loudness(pcm) < QUIET_DBOV else 0.5)


@njit(nogil=True, cache=True)
def _turn_to(speaker: Any, frame: Any) -> None:  # pragma: no cover
    """Fade in or out within the frame, in place, if ``muted`` has changed."""
    wanted = np.float32(0.0 if speaker.muted else 1.0)
    if speaker.gain == wanted:
        return
    speaker.gain = wanted
    for at in range(RAMP):
        frame[at] *= _RAMP_UP[RAMP - 1 - at] if speaker.muted else _RAMP_UP[at]
    if speaker.muted:
        frame[RAMP:] = np.float32(0.0)


@njit(nogil=True, cache=True)
def finish_long(  # pragma: no cover
    speaker: Any, packets: Any, free: Any, sound: Any, frame: Any, now: float
) -> tuple[int, float]:
    """A tick of which :func:`begin` has said that it is :data:`LONG`, into ``frame``; kind and level in dBov.

    ``sound`` is the speaker's row of what is held. The decoder must have been reset if a stream has begun anew.
    """
    removable, lacking = speaker.removable, speaker.lacking
    wanted = 2 * FRAME if removable >= SHORTEST else FRAME
    have, kind = speaker.held, _SPEECH if speaker.held else _SILENCE
    for _ in range(_MOST_STEPS):
        if have >= wanted or (have >= FRAME and not speaker.waiting):
            break
        more, rank = _render(speaker, packets, free, sound[have:], now, min(wanted - have, FRAME))
        have, kind = have + more, max(kind, rank)
    if have < FRAME:
        sound[have:FRAME] = np.float32(0.0)
        have = FRAME
    position, placed = speaker.cursor - have, speaker.playing != 0
    pcm = _shrink(speaker, sound[:have], removable) if removable else _grow(sound[:have], lacking)
    frame[:] = pcm[:FRAME]
    speaker.held = pcm.size - FRAME
    for at in range(speaker.held):  # from the front: the two may overlap
        sound[at] = pcm[FRAME + at]
    speaker.frame_capture = 0
    if kind == _SILENCE and not speaker.held and not frame.any():
        speaker.gain = np.float32(0.0 if speaker.muted else 1.0)
        return kind, SILENCE_DBOV
    _turn_to(speaker, frame)
    if placed:
        time_frame(speaker, position, now)
        if speaker.captured:
            speaker.frame_capture = captured_at(position, speaker.capture, speaker.capture_timestamp)
    if kind == _CONCEALED:
        speaker.concealed += 1
    return kind, weigh(speaker, frame, kind == _SPEECH)


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
def _measure(  # pragma: no cover
    records: Any, place: int, frame: Any, spoken: bool, placed: bool, position: int, now: float
) -> float:
    if placed:
        time_frame(records[place], position, now)
    return weigh(records[place], frame, spoken)


@njit(nogil=True, cache=True)
def _pull_long(  # pragma: no cover
    records: Any, place: int, packets: Any, free: Any, held: Any, frame: Any, now: float
) -> tuple[int, float]:
    return finish_long(records[place], packets, free, held[place], frame, now)


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
                return self.patch(now)
            return self._timed(pcm, _finish(own.records, place, pcm, now), "speech")
        if way == GAP:
            pcm = self._decoder.conceal(FRAME)
            return self._timed(pcm, _finish_gap(own.records, place, pcm, slot, now), "concealed")
        return self.pull_long(now)

    def pull_long(self, now: float) -> Frame:
        """The frame of a tick of which :func:`begin` has said that it is :data:`LONG`."""
        own, place, record = self._speakers, self._place, self._record
        if record["resets_known"] != record["resets"]:
            record["resets_known"] = record["resets"]
            self._decoder.reset()
        frame = np.empty(FRAME, np.float32)
        kind, level = _pull_long(own.records, place, own.packets, own.free, own.held, frame, now)
        if kind == 0 and not record["held"] and level <= SILENCE_DBOV and not frame.any():
            return SILENCE
        return Frame(frame, level, KINDS[kind], int(record["frame_capture"]) or None)

    def _timed(self, frame: Pcm, level: float, kind: Kind) -> Frame:
        position = self.buffer.position(FRAME)
        return Frame(frame, level, kind, None if position is None else self.buffer.capture_at(position))

    def patch(self, now: float) -> Frame:
        """The frame of a tick whose one packet was taken out of the buffer, and refused by libopus."""
        return self._frame(*self._conceal(FRAME), self.buffer.position(FRAME), now)

    def _frame(self, frame: Pcm, kind: Kind, position: int | None, now: float) -> Frame:
        """What leaves in this tick: ``frame``, whose first sample has the timestamp ``position``."""
        record = self._record
        if kind == "silence" and not record["held"] and not frame.any():
            record["gain"] = 0.0 if record["muted"] else 1.0
            return SILENCE
        frame = self._apply_gain(frame)
        own, placed = self._speakers, position is not None
        level = _measure(own.records, self._place, frame, kind == "speech", placed, position or 0, now)
        if kind == "concealed":
            record["concealed"] += 1
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
            self._record["malformed"] += 1
            return None

    def _conceal(self, samples: int) -> tuple[Pcm, Kind]:
        """Sound made up for a loss: at first as libopus makes it, fading to silence between 60 and 100 ms."""
        record = self._record
        before = int(record["made_up"])
        if before >= CONCEAL_LONGEST:
            return np.zeros(samples, np.float32), "silence"
        record["made_up"] = before + samples
        pcm = self._decoder.conceal(min(samples + -samples % 120, 5_760))[:samples]
        if pcm.size < samples:
            pcm = np.concatenate((pcm, np.zeros(samples - pcm.size, np.float32)))
        fade(pcm, before)
        return pcm, "concealed"

    def _apply_gain(self, frame: Pcm) -> Pcm:
        """Fade in or out within the frame if ``muted`` has changed."""
        wanted = 0.0 if self.muted else 1.0
        if self._record["gain"] == wanted:
            return frame
        self._record["gain"] = wanted
        frame = frame.copy()
        if self.muted:
            frame[:RAMP] *= _RAMP_UP[::-1]
            frame[RAMP:] = 0.0
        else:
            frame[:RAMP] *= _RAMP_UP
        return frame
