"""What a listener hears under load, and when: probes beside the crowd, one that chirps and others that listen.

All pairs share the one mouth, since two that chirp in one Space could not be told apart. What it says is mixed
with whoever else speaks, and reaches the probes as it reaches the crowd: with the same packets, from the same
fan-out, late where the relay is late. Probes live on a thread of this process, so both ends have one clock; their
own lateness is written beside what they measure.
"""

import asyncio
import sys
from functools import cache
from typing import Any

import numpy as np

from loadtest.engine.chirp import CYCLE, add_chirps
from loadtest.engine.chirp_ear import ChirpEar
from loadtest.engine.probe import EPOCH, TICK, ListeningProbe, SpeakingProbe
from loadtest.engine.probes import Probes, encode, soon, speech
from loadtest.voice import Clip, clips
from media.audio.opus import FRAME

SETTLE = 1.0
"""Seconds after the begin in which chirps are not counted: playout finds its delay meanwhile."""
LISTEN_INTERVAL = 0.5
"""Seconds between two looks for chirps in what was played."""
SPEECH_GAIN = 0.3
"""Of the speech under the chirps: −10 dB, so that it keeps codec and level meters busy and hides nothing."""
SWITCH_INTERVAL = 0.0005
"""Seconds after which the engine has to hand Python over to the probes' thread; usually 5 ms."""


class Hearing:
    """The probes of one engine. Use from one event loop: :meth:`tune`, :meth:`start`, :meth:`stop`, once each."""

    def __init__(self) -> None:
        self._probes = Probes()
        self._pairs: list[_Pair] = []
        self._rows: list[dict[str, Any]] = []
        self._late_rows = self._late_health = 0
        self._usual = sys.getswitchinterval()

    @property
    def ears(self) -> int:
        """Probes that listen."""
        return len(self._pairs)

    @property
    def received(self) -> int:
        """Packets that all of them received since the start."""
        return sum(pair.listener.playout.counters.received for pair in self._pairs)

    @property
    def lost(self) -> int:
        """Packets that never came, since the start; those that came too late to be played are in the rows."""
        return sum(pair.listener.lost for pair in self._pairs)

    async def tune(self) -> None:
        """Get ready; it keeps a core busy for a second, so do it before load runs."""
        await asyncio.to_thread(chirping)
        self._probes.start()
        sys.setswitchinterval(SWITCH_INTERVAL)

    async def start(self, whip: str, token: str, whep: str, ears: int) -> None:
        """Join by WHIP to chirp and ``ears`` times by WHEP to listen; :raises JoinError: a probe cannot."""
        speaker = await self._probes.speaker(whip, token, chirping())
        pairs = [_Pair(number, speaker, await self._probes.listener(whep)) for number in range(1, ears + 1)]
        await self._probes.speak(speaker, soon(0.0))
        for pair in pairs:  # evenly over a tick: what a listener hears depends on where in it the sound card asks
            await self._probes.listen(pair.listener, soon((pair.number - 0.5) * TICK / ears))
        self._pairs = pairs
        self._listening = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        """Let everyone leave."""
        if self._pairs:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
            self._pairs = []
        await self._probes.stop()
        sys.setswitchinterval(self._usual)

    def take(self) -> list[dict[str, Any]]:
        """Rows of ``probes.parquet`` since the last call, with Unix times.

        :raises JoinError: the relay has ended the session of a probe; nothing more will come
        """
        rows, self._rows = self._rows, []
        if not rows:
            self._probes.check()
            if self._listening.done():
                self._listening.result()
        return rows

    def take_late_max(self) -> float:
        """Largest lateness of the probes' thread in seconds since the last call."""
        late = self._probes.clockwork.late(self._late_health)
        self._late_health += late.size
        return float(late.max(initial=0.0))

    async def _listen(self) -> None:
        while True:
            await asyncio.sleep(LISTEN_INTERVAL)
            self._rows += await asyncio.to_thread(self._look)

    def _look(self) -> list[dict[str, Any]]:
        late = self._probes.clockwork.late(self._late_rows)
        self._late_rows += late.size
        return [row for pair in self._pairs for row in pair.hear(1e3 * float(late.max(initial=0.0)))]


class _Pair:
    """The mouth and one who listens to it."""

    def __init__(self, number: int, speaker: SpeakingProbe, listener: ListeningProbe) -> None:
        self.number, self.listener = number, listener
        self._speaker = speaker
        self._ear = ChirpEar(lambda sample: speaker.start + sample * speaker.period / FRAME)
        self._before = 0, 0

    def hear(self, late_ms: float) -> list[dict[str, Any]]:
        """A row for each chirp whose time to be heard is over; packets and losses are with the first of them."""
        since = max(self._speaker.start, self.listener.start) + SETTLE
        delays = [each for each in self._ear.put(*self.listener.take()) if each.mouth >= since]
        self.listener.marks.clear()
        rows = []
        for delay in delays:
            counters, before = self.listener.playout.counters, self._before
            self._before = counters.received, counters.lost
            rows.append(
                {
                    "t": EPOCH + delay.mouth,
                    "probe": self.number,
                    "mouth_to_ear_ms": None if np.isnan(delay.seconds) else 1e3 * delay.seconds,
                    "packets": self._before[0] - before[0],
                    "lost": self._before[1] - before[1],
                    "late_ms": late_ms,
                }
            )
        return rows


@cache
def chirping() -> Clip:
    """Soft speech with a chirp every 0.25 s, in whole cycles, so that it can be said over and over."""
    sound = np.concatenate([speech(each) for each in clips()[:2]])
    return encode("chirps", add_chirps(SPEECH_GAIN * sound[: sound.size // CYCLE * CYCLE]))
