"""The captions of many speakers: their packets in, phrases to be recognised out, and what is shown of them.

No clock, no socket and no model: ``now`` is an argument, and whoever drives it recognises what :meth:`next` gives.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from media.captions.ear import Ear
from media.captions.gates import recognise_gated
from media.captions.phrases import LIVE_CUT_MS, Phrase
from media.captions.recogniser import LIVE_WINDOW_S, SHORT_WINDOW_S, TAIL_S, Heard, Recogniser
from media.captions.scheduler import CaptionScheduler, Job, Track
from media.captions.shown import Caption, Paused
from media.captions.voice import RATE

PARTIAL_MS: Final = 1_500
"""Milliseconds of a phrase after which it is shown as far as it goes, for Whisper base; see the benchmark."""
PARTIAL_FAST_MS: Final = 1_000
"""The same for recognisers that cost half as much."""


@dataclass(frozen=True, slots=True)
class Task:
    """A phrase that is to be recognised, and how."""

    job: Job
    window_s: float
    language: str | None
    """ISO 639-1 of what its speaker said last; None to find it out."""

    def perform(self, recogniser: Recogniser) -> Heard | None:
        """Recognise it; None if nothing was said."""
        phrase = self.job.phrase
        return recognise_gated(recogniser, phrase.sound, self.window_s, self.language, retry=phrase.final)


class Captioner:
    """Driven by a process around it, or by a benchmark."""

    def __init__(self, partial_ms: int | None = PARTIAL_MS, cut_ms: int = LIVE_CUT_MS) -> None:
        """``partial_ms`` None: phrases are shown when they are over, and not before."""
        self._partial_ms = partial_ms
        self._cut_ms = cut_ms
        self._ears: dict[Track, Ear] = {}
        self._scheduler = CaptionScheduler()

    def __len__(self) -> int:
        """Phrases that wait."""
        return len(self._scheduler)

    @property
    def dropped_partials(self) -> int:
        """Partial phrases whose place a newer one took."""
        return self._scheduler.dropped_partials

    def set_audiences(self, audience: Mapping[str, int]) -> None:
        """Take the listeners of each Space that has captions; others are forgotten."""
        self._scheduler.set_audiences(audience)
        for track in [track for track in self._ears if track[0] not in audience]:
            self._ears.pop(track).close()

    def begin(self, track: Track) -> None:
        """Begin to listen to a speaker."""
        if track not in self._ears:
            self._ears[track] = Ear(self._cut_ms, self._partial_ms)

    def withdraw(self, track: Track) -> None:
        """Stop listening to a speaker, and forget what was said and is not recognised yet."""
        if (ear := self._ears.pop(track, None)) is not None:
            ear.close()
        self._scheduler.drop(*track)

    def packet(self, track: Track, at_ms: int, payload: bytes, now: float) -> None:
        """Take a packet; that of somebody who is not listened to is dropped."""
        if (ear := self._ears.get(track)) is not None:
            self._add(track, ear.packet(at_ms, payload, now), now)

    def review(self, now: float) -> list[Paused]:
        """Close the phrases of who is silent, pause Spaces or take them up; to be called a few times a second."""
        for track, ear in self._ears.items():
            self._add(track, ear.quiet(now), now)
        return self._scheduler.review(now)

    def next(self) -> Task | None:
        """Take the phrase that is to be recognised now."""
        job = self._scheduler.next()
        if job is None:
            return None
        ear = self._ears[job.track]
        if job.phrase.final:
            return Task(job, LIVE_WINDOW_S, ear.language)
        fits = len(job.phrase.sound) <= (SHORT_WINDOW_S - TAIL_S) * RATE
        return Task(job, SHORT_WINDOW_S if fits else LIVE_WINDOW_S, ear.language)

    def heard(self, task: Task, heard: Heard | None) -> Caption | None:
        """Return what is to be shown of a phrase that was recognised; None if nothing changes."""
        job = task.job
        ear, phrase = self._ears.get(job.track), job.phrase
        if ear is None:
            return None  # withdrawn meanwhile
        if heard is None and not (phrase.final and ear.shown):
            return None
        ear.shown = not phrase.final
        if phrase.final:
            ear.language = None if heard is None else heard.language or None
        text, language = ("", "") if heard is None else (heard.text, heard.language)
        return Caption(*job.track, phrase.start_ms, phrase.end_ms, text, language, phrase.final)

    def _add(self, track: Track, phrases: Iterable[Phrase], now: float) -> None:
        for phrase in phrases:
            self._scheduler.add(track, phrase, now)
