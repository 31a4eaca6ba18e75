"""What one speaker says, from Opus packets to phrases.

libopus decodes to 16 kHz by itself, so nothing is resampled. Packets that are lost are concealed, as a listener's
browser does; what is missing for longer was silence.
"""

from collections.abc import Iterator
from typing import Final

from media.audio.opus import Decoder, OpusError
from media.captions.phrases import END_MS, Phrase, PhraseSegmenter
from media.captions.voice import FRAME_MS, FRAME_SAMPLES, RATE

CONCEALED_MS: Final = 60
"""Sound that is made up for lost packets, at most."""
IDLE_MS: Final = END_MS + 200
"""Milliseconds without a packet after which a speaker is silent: muted, or saving packets (DTX)."""


class Ear:
    """Packets of one speaker in, phrases out."""

    def __init__(self, cut_ms: int, partial_ms: int | None) -> None:
        """Cut phrases as :class:`~media.captions.phrases.PhraseSegmenter` does."""
        self._decoder = Decoder(RATE)
        self._segmenter = PhraseSegmenter(cut_ms, partial_ms)
        self._next_ms: int | None = None
        self._heard_at = float("inf")
        self.language: str | None = None
        """ISO 639-1 of what was said last; None if not known."""
        self.shown = False
        """A partial phrase of what is being said is shown."""

    def packet(self, at_ms: int, payload: bytes, now: float) -> Iterator[Phrase]:
        """Take the packet whose sound begins at ``at_ms``; ``now`` in seconds. One that is no Opus is lost."""
        self._heard_at = now
        if self._next_ms is not None:
            if abs(at_ms - self._next_ms) < FRAME_MS:
                at_ms = self._next_ms  # packets follow each other: what differs is how it was counted
            elif 0 < at_ms - self._next_ms <= CONCEALED_MS:
                yield from self._conceal(at_ms - self._next_ms)
        try:
            sound = self._decoder.decode(payload)
        except OpusError:
            return
        self._next_ms = at_ms
        for start in range(0, len(sound) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
            yield from self._segmenter.push(self._next_ms, sound[start : start + FRAME_SAMPLES])
            self._next_ms += FRAME_MS

    def quiet(self, now: float) -> Iterator[Phrase]:
        """Yield what was said if the speaker has sent nothing for a while."""
        if now - self._heard_at >= IDLE_MS / 1000:
            yield from self.flush()

    def flush(self) -> Iterator[Phrase]:
        """Yield what was said: nothing follows for now."""
        self._heard_at = float("inf")
        self._next_ms = None
        yield from self._segmenter.flush()

    def close(self) -> None:
        """Free the decoder."""
        self._decoder.close()

    def _conceal(self, ms: int) -> Iterator[Phrase]:
        assert self._next_ms is not None
        for _ in range(ms // FRAME_MS):
            yield from self._segmenter.push(self._next_ms, self._decoder.conceal(FRAME_SAMPLES))
            self._next_ms += FRAME_MS
