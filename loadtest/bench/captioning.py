"""One core that captions many Spaces, on a simulated clock: what the benchmark of captions counts."""

import heapq
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from loadtest.bench.read_aloud import ReadAloud
from media.audio.opus import FRAME, RATE, Encoder
from media.captions.captioner import Captioner
from media.captions.recogniser import Recogniser
from media.captions.scheduler import Track
from media.captions.whisper import Whisper

_T = TypeVar("_T")
TICK: Final = FRAME / RATE
PAUSE: Final = 0.6
"""Seconds between two recordings."""
WINDOW: Final = 28
"""Seconds of a recording that are aligned at once."""
REVIEW: Final = 0.1
"""Seconds between two looks of the captioner at who is silent."""


@dataclass(frozen=True)
class Programme:
    """What is said in every Space, and when each word of it has ended."""

    packets: Sequence[bytes]
    text: str
    words: Sequence[str]
    ends: Sequence[float]
    """Seconds from the begin; in order."""

    @classmethod
    def of_sound(cls, sound: NDArray[np.float32]) -> "Programme":
        """Return one in which nothing is said."""
        return cls(_encode(sound), "", (), ())


def programme_of(clips: Sequence[ReadAloud], seconds: float, judge: Whisper) -> Programme:
    """Put recordings one after the other, whole ones, until they last so long; at least one.

    :param judge: says when words ended
    """
    sounds: list[NDArray[np.float32]] = []
    texts: list[str] = []
    words: list[str] = []
    ends: list[float] = []
    length = 0
    while not length or length / RATE + len(clips[len(texts) % len(clips)].sound) / RATE <= seconds:
        clip = clips[len(texts) % len(clips)]
        for word, end in _timed(clip.sound, judge):
            words.append(plain(word))
            ends.append(max(length / RATE + end, ends[-1] if ends else 0.0))
        sounds += [clip.sound, np.zeros(round(PAUSE * RATE), np.float32)]
        length += len(clip.sound) + round(PAUSE * RATE)
        texts.append(clip.text)
    sounds.append(np.zeros(RATE, np.float32))
    return Programme(_encode(np.concatenate(sounds)), " ".join(texts), words, ends)


def plain(word: str) -> str:
    """Return a word as it is compared: letters and digits, small."""
    return "".join(letter for letter in word.lower() if letter.isalnum())


def _timed(sound: NDArray[np.float32], judge: Whisper) -> Iterator[tuple[str, float]]:
    low = np.asarray(resample_poly(sound, 1, 3), np.float32)
    cuts = [0, *_quiet_places(low), len(low)]
    for start, end in pairwise(cuts):
        for word, at in judge.timed_words(low[start:end]):
            yield word, start / 16_000 + at


def _quiet_places(low: NDArray[np.float32]) -> list[int]:
    """Cut a recording into parts that fit a window, where it is quietest."""
    found, start = list[int](), 0
    while len(low) - start > WINDOW * 16_000:
        first, last = start + WINDOW * 10_000, start + WINDOW * 16_000
        power = np.convolve(np.square(low[first:last]), np.ones(3_200), mode="same")
        start = first + int(np.argmin(power))
        found.append(start)
    return found


def _encode(sound: NDArray[np.float32]) -> list[bytes]:
    encoder = Encoder()
    frames = len(sound) // FRAME
    return [encoder.encode(frame) for frame in sound[: frames * FRAME].reshape(frames, FRAME)]


class Run:
    """So many Spaces at once on one core."""

    def __init__(
        self,
        recogniser: Recogniser,
        programme: Programme,
        spaces: int,
        partial_ms: int | None,
        processor: Callable[[], float],
    ) -> None:
        """Take the clock of the processor's seconds, by which the core is busy."""
        self.spaces = spaces
        self.paused = False
        self.shown: list[float] = []
        """Seconds from the end of each word to when it was shown."""
        self._recogniser = recogniser
        self._programme = programme
        self._processor = processor
        self._captioner = Captioner(partial_ms)
        self._tracks = [(f"space{number}", "speaker") for number in range(spaces)]
        self._captioner.set_audiences({space: number for number, (space, _) in enumerate(self._tracks)})
        self._said: dict[Track, list[str]] = {track: [] for track in self._tracks}
        self._stands = dict.fromkeys(self._tracks, 0)
        self._begins: dict[Track, float] = {}
        self._busy = 0.0
        self._free_at = 0.0
        self.length = len(programme.packets) * TICK

    @property
    def load(self) -> float:
        """Seconds of the core for a second of speech, of all Spaces together."""
        return self._busy / self.length

    @property
    def texts(self) -> list[str]:
        """The final lines of each Space."""
        return [" ".join(said) for said in self._said.values()]

    @property
    def dropped_partials(self) -> int:
        """Partial phrases that were not recognised since a newer one came."""
        return self._captioner.dropped_partials

    def first_shown(self, percent: float) -> float:
        """Return a percentile of the seconds from the end of a word to when it was shown; infinite for no word."""
        return float(np.percentile(self.shown, percent)) if self.shown else float("inf")

    def play(self) -> None:
        """Let the time pass, from the first packet to the last line."""
        for number, track in enumerate(self._tracks):
            self._captioner.begin(track)
            self._begins[track] = number * self.length / self.spaces / 10
        packets = heapq.merge(*(self._arriving(track) for track in self._tracks))
        review = 0.0
        for at, track, number, payload in packets:
            self._work(until=at)
            while review <= at:
                self._review(review)
                review += REVIEW
            self._charge(at, lambda t=track, n=number, p=payload, a=at: self._captioner.packet(t, 20 * n, p, a))
        for _ in range(50):
            self._work(until=review)
            self._review(review)
            review += REVIEW
        self._work(until=float("inf"))

    def _arriving(self, track: Track) -> Iterator[tuple[float, Track, int, bytes]]:
        begin = self._begins[track]
        for number, payload in enumerate(self._programme.packets):
            yield begin + (number + 1) * TICK, track, number, payload

    def _review(self, now: float) -> None:
        self.paused |= bool(self._captioner.review(now))

    def _charge(self, now: float, work: Callable[[], _T]) -> tuple[_T, float]:
        """Do something on the core, which is free or will be, and return what came of it, and when it was done."""
        began = self._processor()
        result = work()
        spent = self._processor() - began
        self._busy += spent
        self._free_at = max(self._free_at, now) + spent
        return result, self._free_at

    def _work(self, until: float) -> None:
        """Recognise while phrases wait and the core is free."""
        while self._free_at < until and (task := self._captioner.next()) is not None:
            heard, done = self._charge(task.job.since, lambda task=task: task.perform(self._recogniser))
            caption = self._captioner.heard(task, heard)
            if caption is not None:
                self._show(task.job.track, caption.text, caption.end_ms / 1000, caption.final, done)

    def _show(self, track: Track, text: str, until: float, final: bool, now: float) -> None:
        words = [plain(word) for word in text.split()]
        known = bisect_right(self._programme.ends, until + 0.3)
        line = [*self._said[track], *words]
        blocks = SequenceMatcher(None, self._programme.words[:known], line, False).get_matching_blocks()
        stands = max((block.a + block.size for block in blocks), default=0)
        for end in self._programme.ends[self._stands[track] : stands]:
            self.shown.append(now - self._begins[track] - end)
        self._stands[track] = max(self._stands[track], stands)
        if final:
            self._said[track] = line
        if text and not self._programme.words:
            self.shown.append(0.0)
