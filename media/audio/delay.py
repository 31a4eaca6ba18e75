"""How long sound has to wait so that nearly every packet is there when its turn comes.

Each packet's *transit* is its arrival time minus its media time. The two clocks have nothing to do with each
other, so a transit alone means nothing; the spread of many is the jitter of the network. Playing sound at its
media time plus some transit T, every packet whose own transit is at most T is in time. ``DelayTarget`` chooses
T as NetEq and others do, by a quantile of what was seen lately, with two corrections: a few packets in a row
that come late count at once, and a calm half second cuts the memory of a storm, because after a storm the
delay has to be gone in two seconds and not when a histogram has faded.
"""

from bisect import bisect_left, insort
from collections import deque

WINDOW = 256
"""Packets remembered: 5 s of 20 ms packets."""

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


class DelayTarget:
    """The transit T to play at, driven by ``JitterBuffer`` with each packet's transit in seconds.

    ``target`` is T. ``floor`` is the transit of the fastest packet lately, so that ``target - floor`` is the
    delay the jitter costs. Both are 0 before the first packet.
    """

    def __init__(self) -> None:
        self._sorted: list[float] = []
        self._order: deque[float] = deque()
        self._recent: deque[float] = deque(maxlen=CALM)
        self._quick: deque[float] = deque(maxlen=QUICK)
        self.target = 0.0
        self.floor = 0.0
        self.lowest = 0.0
        """Smallest and largest transit of the last ``CALM`` packets."""
        self.highest = 0.0

    def __len__(self) -> int:
        return len(self._order)

    def clear(self) -> None:
        """Forget every transit, after a pause or a restart; ``target`` stays until the next is known."""
        self._sorted.clear()
        self._order.clear()
        self._recent.clear()
        self._quick.clear()

    def observe(self, transit: float) -> None:
        """Take the transit of one packet, duplicates left out."""
        known = self._sorted
        if len(self._order) == WINDOW:
            del known[bisect_left(known, self._order.popleft())]
        self._order.append(transit)
        insort(known, transit)
        self._recent.append(transit)
        self._quick.append(transit)
        self.floor = known[0]
        self.lowest = lowest = min(self._recent)
        self.highest = highest = max(self._recent)
        late = max(len(known) // TOLERATED, len(known) >= QUICK)
        usual = known[len(known) - 1 - late]
        if len(self._recent) == CALM:
            usual = min(usual, highest + (highest - lowest) / 4)
        if len(self._quick) > 1:
            usual = max(usual, sorted(self._quick)[-2])
        self.target = min(usual + MARGIN, lowest + LONGEST)
