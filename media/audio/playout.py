"""One speaker's sound, one frame per tick, whatever the network did to the packets.

``JitterBuffer`` says what comes next; here it becomes sound: decoded, taken from the spare copy in the packet
after a lost one (FEC), made up from what came before (PLC), or silence. What must not be heard is not decoded.
"""

from typing import Literal, NamedTuple

import numpy as np

from media.audio.arrivals import Counters
from media.audio.jitter import SOON, SOONEST, JitterBuffer, Step
from media.audio.levels import ONSET_DBOV, SILENCE_DBOV, level_dbov
from media.audio.opus import FRAME, RATE, Decoder, OpusError, Pcm
from media.audio.stretch import SHORTEST, cut, lengthen, shorten, squeeze

Kind = Literal["speech", "fec", "concealed", "silence"]

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
_NOTHING = np.zeros(0, np.float32)
_RAMP_UP = np.linspace(0.0, 1.0, RAMP, dtype=np.float32)
_ENTRY_UP = np.linspace(0.0, 1.0, ENTRY, dtype=np.float32)
_RANK: dict[Kind, int] = {"silence": 0, "speech": 1, "fec": 2, "concealed": 3}


class Playout:
    """Jitter buffer, decoder and mute switch of one speaker.

    The media thread calls ``put`` for each packet and ``pull`` once per tick of 20 ms, with the tick's scheduled
    time on the clock that also stamps arrivals. ``muted`` may be set at any time between. A speaker who is
    muted, stopped or paused costs no decoding.
    """

    def __init__(self) -> None:
        self.buffer = JitterBuffer()
        self.muted = False
        """Set to be silent within one tick; packets are then thrown away undecoded."""
        self.spare = False
        """Set while nobody would hear this voice unless it became loud: packets that their sender calls quiet
        (RFC 6464) are then played as silence, undecoded."""
        self.delay = 0.0
        """Seconds the last frame waited here, beyond the fastest packet's way: jitter buffer and tick wait."""
        self._decoder = Decoder()
        self._held = _NOTHING
        self._gain = 1.0
        self._made_up = CONCEAL_LONGEST
        self._patience = self._impatience = 0
        self._resets = 0
        self._told: float | None = None
        self._spared = b""
        self.put = self.buffer.put
        """Takes a packet, see ``JitterBuffer.put``."""

    @property
    def idle(self) -> bool:
        """Nothing is played and nothing waits.

        Until the next packet, or the next change of ``muted``, every ``pull`` would be silent and may be left out.
        """
        settled = self._gain == (0.0 if self.muted else 1.0)
        return settled and not self._held.size and not self.buffer.playing and self.buffer.empty

    @property
    def counters(self) -> Counters:
        """What became of the speaker's packets."""
        return self.buffer.counters

    def close(self) -> None:
        """Free the decoder now; from then on there is only silence."""
        self._decoder.close()
        self.muted = True
        self._gain = 0.0

    def pull(self, now: float) -> Frame:
        """The frame of the tick at ``now`` (seconds). Called exactly once per tick; never raises on bad input."""
        if self.muted and self._gain == 0.0:
            self.buffer.flush()
            self._held = _NOTHING
            self._made_up = CONCEAL_LONGEST
            return SILENCE
        if not self.buffer.playing and self.buffer.empty and not self._held.size and not self.muted:
            self._gain = 1.0
            return SILENCE
        self._told = None
        held = self._held.size
        if not held and not self.muted and self._gain == 1.0 and (step := self.buffer.due(now)):
            self._patience = self._impatience = 0
            pcm, kind = self._render(step)
            return self._frame(pcm, kind, self.buffer.position(FRAME), now)
        removable = self._removable(now, held)
        shortage = self._lacking(now, held)
        pcm, kind = self._gather(now, 2 * FRAME if removable >= SHORTEST else FRAME)
        position = self.buffer.position(pcm.size)
        pcm = self._shrink(pcm, removable) if removable else self._grow(pcm, shortage)
        self._held = pcm[FRAME:] if pcm.size > FRAME else _NOTHING
        return self._frame(pcm[:FRAME], kind, position, now)

    def _frame(self, frame: Pcm, kind: Kind, position: int | None, now: float) -> Frame:
        """What leaves in this tick: ``frame``, whose first sample has the timestamp ``position``."""
        if kind == "silence" and not self._held.size and not frame.any():
            self._gain = 0.0 if self.muted else 1.0
            return SILENCE
        frame = self._apply_gain(frame)
        told = self._told if kind == "speech" and not self.muted else None
        level = level_dbov(frame) if told is None else told
        if kind == "concealed":
            self.counters.concealed += 1
        if position is None:
            return Frame(frame, level, kind, None)
        self.delay = now - position / RATE - self.buffer.delay.floor
        return Frame(frame, level, kind, self.buffer.capture_at(position))

    def _removable(self, now: float, held: int) -> int:
        """Samples to take out in this tick, 0 for none: only of lasting excess, in every other tick if small.

        What is left of it creeps out at once, or it would stay for the rest of the stream.
        """
        excess = self.buffer.excess(now, held)
        if excess < SHORTEST:
            self._patience = 0
            return max(0, excess)
        self._patience += 1
        if self._patience <= PATIENCE or (excess < HURRY and self._patience % 2):
            return 0
        return excess

    def _lacking(self, now: float, held: int) -> int:
        """Samples to put in, 0 for none: only of lasting shortage."""
        shortage = self.buffer.shortage(now, held, SOON)
        if shortage <= 0:
            self._impatience = 0
            return 0
        self._impatience += 1
        pressing = self.buffer.shortage(now, held, SOONEST) > 0
        return shortage if self._impatience > (IMPATIENCE if pressing else LONG_IMPATIENCE) else 0

    def _gather(self, now: float, wanted: int) -> tuple[Pcm, Kind]:
        """At least one frame of sound: ``wanted`` samples if the buffer has them."""
        parts = [self._held] if self._held.size else []
        have = self._held.size
        kind: Kind = "speech" if have else "silence"
        for _ in range(_MOST_STEPS):
            if have >= wanted or (have >= FRAME and self.buffer.empty):
                break
            step = self.buffer.next(now, min(wanted - have, FRAME))
            pcm, step_kind = self._render(step)
            parts.append(pcm)
            have += pcm.size
            kind = max(kind, step_kind, key=_RANK.__getitem__)
        if have < FRAME:
            parts.append(_ZEROS[have:])
        return (parts[0] if len(parts) == 1 else np.concatenate(parts)), kind

    def _render(self, step: Step) -> tuple[Pcm, Kind]:
        """The sound of one step, shape (step.samples,)."""
        if self._resets != self.counters.resets:
            self._resets = self.counters.resets
            self._decoder.reset()
        if step.kind == "pause":
            self._made_up = CONCEAL_LONGEST
            return (_ZEROS if step.samples == FRAME else np.zeros(step.samples, np.float32)), "silence"
        if step.kind == "lost":
            return self._conceal(step.samples)
        if step.level is not None:
            self._told = step.level if self._told is None else max(step.level, self._told)
            if self.spare and step.kind == "decode" and step.level <= ONSET_DBOV:
                self._spared, self._made_up = step.payload, CONCEAL_LONGEST
                return (_ZEROS if step.samples == FRAME else np.zeros(step.samples, np.float32)), "silence"
        try:
            if self._spared:  # what was left out last, so that the decoder knows what the next goes on from
                spared, self._spared = self._spared, b""
                self._decoder.decode(spared)
            if step.kind == "fec":
                rounded = step.samples + -step.samples % 120
                pcm, kind = self._decoder.decode_fec(step.payload, rounded)[rounded - step.samples :], "fec"
            else:
                pcm, kind = self._decoder.decode(step.payload)[step.skip :], "speech"
        except OpusError:
            self.counters.malformed += 1
            return self._conceal(step.samples)
        if self._made_up > CONCEAL_FULL:
            pcm[:ENTRY] *= _ENTRY_UP[: pcm.size]
        self._made_up = 0
        return pcm, kind

    def _conceal(self, samples: int) -> tuple[Pcm, Kind]:
        """Sound made up for a loss: at first as libopus makes it, fading to silence between 60 and 100 ms."""
        before = self._made_up
        if before >= CONCEAL_LONGEST:
            return np.zeros(samples, np.float32), "silence"
        self._made_up = before + samples
        pcm = self._decoder.conceal(min(samples + -samples % 120, 5_760))[:samples]
        if pcm.size < samples:
            pcm = np.concatenate((pcm, np.zeros(samples - pcm.size, np.float32)))
        if self._made_up > CONCEAL_FULL:
            age = np.arange(before, before + samples, dtype=np.float32)
            pcm *= np.clip((CONCEAL_LONGEST - age) / (CONCEAL_LONGEST - CONCEAL_FULL), 0.0, 1.0)
        return pcm, "concealed"

    def _shrink(self, pcm: Pcm, removable: int) -> Pcm:
        """``pcm`` with up to ``removable`` samples taken out, but no fewer than one frame left."""
        spare = min(removable, pcm.size - FRAME)
        if spare <= 0:
            return pcm
        if level_dbov(pcm) < QUIET_DBOV:
            return cut(pcm, spare)
        if removable < SHORTEST:
            return squeeze(pcm, min(spare, CREEP))
        return shorten(pcm, spare, -1.0 if removable > HURRY or self._patience > NO_MORE_PATIENCE else 0.5)

    def _grow(self, pcm: Pcm, shortage: int) -> Pcm:
        """``pcm`` with up to ``shortage`` samples put in."""
        if not shortage or pcm.size >= 2 * FRAME:
            return pcm
        return lengthen(pcm, max(shortage, 2 * SHORTEST), -1.0 if level_dbov(pcm) < QUIET_DBOV else 0.5)

    def _apply_gain(self, frame: Pcm) -> Pcm:
        """Fade in or out within the frame if ``muted`` has changed."""
        wanted = 0.0 if self.muted else 1.0
        if self._gain == wanted:
            return frame
        self._gain = wanted
        frame = frame.copy()
        if self.muted:
            frame[:RAMP] *= _RAMP_UP[::-1]
            frame[RAMP:] = 0.0
        else:
            frame[:RAMP] *= _RAMP_UP
        return frame
