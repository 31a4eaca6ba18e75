"""Phrases of one speaker: where speech begins and ends in frames of 20 ms.

A recogniser is given phrases and not a stream: it costs the same for a second of sound as for ten, and it
invents words where nothing is said. So silence ends a phrase, and a phrase that goes on is cut at its quietest
place before it outgrows the recogniser's window.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from media.captions.voice import FRAME_MS, FRAME_SAMPLES, VoiceDetector, level_of

Sound = NDArray[np.float32]
"""Samples at 16 kHz, full scale 1."""

PRE_ROLL_MS: Final = 240
"""Sound kept from before the voice was detected: consonants begin quietly."""
END_MS: Final = 500
"""Silence that ends a phrase: pauses between words are 100 to 300 ms, between sentences 400 and more."""
TAIL_MS: Final = 240
"""Silence of the end that stays with the phrase."""
VOICE_MIN_MS: Final = 120
"""Voice below which a phrase is a click or a breath, and is dropped."""
LIVE_CUT_MS: Final = 8_000
"""Longest live phrase: two seconds less than the recogniser's window, which needs silence at its end."""
_SEARCH: Final = 0.3
"""Share of the longest phrase, at its end, in which the quietest place is looked for."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Speech without a long pause in it; of a partial one the end is not known yet."""

    start_ms: int
    end_ms: int
    sound: Sound
    final: bool


class PhraseSegmenter:
    """Frames of one speaker in, phrases out.  Memory: one phrase."""

    def __init__(self, cut_ms: int = LIVE_CUT_MS, partial_ms: int | None = None) -> None:
        """Cut phrases at ``cut_ms``; yield a partial phrase for each ``partial_ms`` of it, None for none."""
        self._cut = cut_ms // FRAME_MS
        self._partial = None if partial_ms is None else partial_ms // FRAME_MS
        self._voice = VoiceDetector()
        self._frames: list[Sound] = []
        self._levels: list[float] = []
        self._start_ms = 0
        self._next_ms: int | None = None
        self._voiced = 0
        self._silent = 0
        self._since_partial = 0
        self._open = False

    def push(self, at_ms: int, frame: Sound) -> Iterator[Phrase]:
        """Take the frame that begins at ``at_ms``, and yield what it completes.

        Frames that are missing were silence. One that lies before the end of those taken is dropped.
        """
        if self._next_ms is not None:
            missing = (at_ms - self._next_ms) // FRAME_MS
            if missing < 0:
                return
            if missing * FRAME_MS > END_MS:
                yield from self.flush()
            else:
                for _ in range(missing):
                    yield from self._take(np.zeros(FRAME_SAMPLES, np.float32), self._next_ms)
        yield from self._take(frame, at_ms)

    def flush(self) -> Iterator[Phrase]:
        """Yield the phrase that is open, as it is: the speaker is silent, or gone."""
        if self._open:
            phrase = self._phrase(len(self._frames) - max(0, self._silent - TAIL_MS // FRAME_MS), final=True)
            if phrase is not None:
                yield phrase
        self._close([], [])
        self._next_ms = None

    def _take(self, frame: Sound, at_ms: int) -> Iterator[Phrase]:
        level = level_of(frame)
        voiced = self._voice.push(level)
        if not self._frames:
            self._start_ms = at_ms
        self._frames.append(frame)
        self._levels.append(level)
        self._next_ms = at_ms + FRAME_MS
        if not self._open:
            self._wait(voiced)
            return
        self._voiced += voiced
        self._silent = 0 if voiced else self._silent + 1
        self._since_partial += 1
        if self._silent * FRAME_MS >= END_MS:
            yield from self._end()
        elif len(self._frames) >= self._cut:
            yield from self._cut_in_two()
        elif self._is_partial_due():
            self._since_partial = 0
            phrase = self._phrase(len(self._frames), final=False)
            if phrase is not None:
                yield phrase

    def _is_partial_due(self) -> bool:
        if self._partial is None or self._silent or self._since_partial < self._partial:
            return False
        return self._cut - len(self._frames) > self._partial // 2  # else the whole phrase follows at once

    def _wait(self, voiced: bool) -> None:
        if voiced:
            self._open, self._voiced, self._silent, self._since_partial = True, 1, 0, len(self._frames)
        else:
            spare = len(self._frames) - PRE_ROLL_MS // FRAME_MS
            if spare > 0:
                del self._frames[:spare], self._levels[:spare]
                self._start_ms += spare * FRAME_MS

    def _end(self) -> Iterator[Phrase]:
        keep = len(self._frames) - self._silent + TAIL_MS // FRAME_MS
        phrase = self._phrase(keep, final=True)
        if phrase is not None:
            yield phrase
        self._close(self._frames[keep:], self._levels[keep:])

    def _cut_in_two(self) -> Iterator[Phrase]:
        first = int(len(self._frames) * (1 - _SEARCH))
        smooth = np.convolve(self._levels[first:], np.ones(5) / 5, mode="same")
        at = first + int(np.argmin(smooth))
        phrase = self._phrase(at, final=True)
        if phrase is not None:
            yield phrase
        rest, levels = self._frames[at:], self._levels[at:]
        self._close(rest, levels)
        self._open = True
        self._voiced = self._since_partial = len(rest)

    def _phrase(self, frames: int, *, final: bool) -> Phrase | None:
        if self._voiced * FRAME_MS < VOICE_MIN_MS:
            return None
        sound = np.concatenate(self._frames[:frames])
        return Phrase(self._start_ms, self._start_ms + frames * FRAME_MS, sound, final)

    def _close(self, rest: list[Sound], levels: list[float]) -> None:
        self._start_ms += (len(self._frames) - len(rest)) * FRAME_MS
        self._frames, self._levels = list(rest), list(levels)
        self._open, self._voiced, self._silent, self._since_partial = False, 0, 0, 0
