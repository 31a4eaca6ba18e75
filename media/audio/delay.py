"""How long sound has to wait so that nearly every packet is there when its turn comes.

Each packet's *transit* is its arrival time minus its media time. The two clocks have nothing to do with each
other, so a transit alone means nothing; the spread of many is the jitter of the network. Playing sound at its
media time plus some transit T, every packet whose own transit is at most T is in time. ``DelayTarget`` chooses
T as NetEq and others do, by a quantile of what was seen lately, with two corrections: a few packets in a row
that come late count at once, and a calm half second cuts the memory of a storm, because after a storm the
delay has to be gone in two seconds and not when a histogram has faded.
"""

from typing import Any

from numba import njit

from media.audio.speaker import WINDOW, Speakers

TOLERATED = 32
"""One packet in 32 (3 %) may be late, and one straggler from the eighth packet on."""

CALM = 32
"""Packets (0.64 s) whose spread says what the network is like now."""

QUICK = 8
"""Packets (0.16 s) of which two late ones raise the target at once."""

MARGIN = 0.002
"""Seconds added for the unevenness of our own wake-ups."""

LONGEST = 0.2
"""Seconds of jitter waited for at most (10 frames); what comes later is lost."""


@njit(nogil=True, cache=True)
def forget(speaker: Any) -> None:  # pragma: no cover
    """Forget every transit, after a pause or a restart; ``target`` stays until the next is known."""
    speaker.transits = 0
    speaker.turn = 0


@njit(nogil=True, cache=True)
def _remember(speaker: Any, transit: float) -> None:  # pragma: no cover
    """Put a transit among those that are sorted, in the place of the oldest if there are too many."""
    count = speaker.transits
    if count == WINDOW:
        oldest = speaker.order[speaker.turn % WINDOW]
        count -= 1
        low, high = 0, count
        while low < high:
            middle = (low + high) // 2
            if speaker.sorted[middle] < oldest:
                low = middle + 1
            else:
                high = middle
        for at in range(low, count):
            speaker.sorted[at] = speaker.sorted[at + 1]
    at = count
    while at > 0 and speaker.sorted[at - 1] > transit:
        speaker.sorted[at] = speaker.sorted[at - 1]
        at -= 1
    speaker.sorted[at] = transit
    speaker.order[speaker.turn % WINDOW] = transit
    speaker.transits = count + 1
    speaker.turn += 1


@njit(nogil=True, cache=True)
def observe(speaker: Any, transit: float) -> None:  # pragma: no cover
    """Take the transit of one packet of a :data:`media.audio.speaker.SPEAKER`."""
    _remember(speaker, transit)
    count, turn = speaker.transits, speaker.turn
    lowest = highest = transit
    for back in range(2, min(count, CALM) + 1):
        other = speaker.order[(turn - back) % WINDOW]
        lowest, highest = min(lowest, other), max(highest, other)
    speaker.floor, speaker.lowest, speaker.highest = speaker.sorted[0], lowest, highest
    late = max(count // TOLERATED, 1 if count >= QUICK else 0)
    usual = speaker.sorted[count - 1 - late]
    if count >= CALM:
        usual = min(usual, highest + (highest - lowest) / 4)
    if count > 1:
        first, second = transit, -1e300
        for back in range(2, min(count, QUICK) + 1):
            other = speaker.order[(turn - back) % WINDOW]
            if other > first:
                first, second = other, first
            elif other > second:
                second = other
        usual = max(usual, second)
    speaker.target = min(usual + MARGIN, lowest + LONGEST)


@njit(nogil=True, cache=True)
def _observe(records: Any, place: int, transit: float) -> None:  # pragma: no cover
    observe(records[place], transit)


class DelayTarget:
    """The transit T to play at, driven with each packet's transit in seconds.

    ``target`` is T. ``floor`` is the transit of the fastest packet lately, so that ``target - floor`` is the
    delay the jitter costs. Both are 0 before the first packet.
    """

    def __init__(self, speakers: Speakers | None = None, place: int = 0) -> None:
        self._speakers, self._place = speakers or Speakers(), place

    def __len__(self) -> int:
        return int(self._record["transits"])

    @property
    def _record(self) -> Any:
        return self._speakers.records[self._place]

    @property
    def target(self) -> float:
        """T."""
        return float(self._record["target"])

    @property
    def floor(self) -> float:
        """The smallest transit of the last ``WINDOW`` packets."""
        return float(self._record["floor"])

    @property
    def lowest(self) -> float:
        """The smallest transit of the last ``CALM`` packets."""
        return float(self._record["lowest"])

    @property
    def highest(self) -> float:
        """The largest transit of the last ``CALM`` packets."""
        return float(self._record["highest"])

    def clear(self) -> None:
        """Forget every transit."""
        forget(self._record)

    def observe(self, transit: float) -> None:
        """Take the transit of one packet, duplicates left out."""
        _observe(self._speakers.records, self._place, transit)
