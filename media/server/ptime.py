"""How much sound a listener's packets hold: what was asked for, else what the rule for large rooms says.

A listener costs packets: with 60 ms of sound in each a third as many, for a core that serves about twice the crowd
(``python -m loadtest.bench ptime``), and for a first frame that waits 40 ms for the others. Small rooms, where
people talk back, get 20 ms.
"""

import re
from dataclasses import dataclass
from typing import Final

PTIMES: Final = (20, 40, 60)
"""Milliseconds of sound in a packet that the relay can send."""
_SECTIONS: Final = re.compile(r"(?<![^\r\n])(?=m=)")
_ASKED: Final = re.compile(r"(?<![^\r\n])a=(?:max)?ptime:")
_PTIME: Final = re.compile(r"(?<![^\r\n])a=ptime:[^\r\n]*[\r\n]*")


@dataclass(frozen=True, slots=True)
class LargeRoom:
    """The rule for rooms that are large; by default none is."""

    listeners: int = 0
    """How many there have to be already when one more joins; 0 for never."""
    ptime: int = 40
    """Milliseconds of sound in a packet for that one; those who were there before keep what they have."""

    def apply(self, offer: str, listeners: int) -> str:
        """A listener's offer to a room of so many, asking for what the rule says if it asks for nothing."""
        if not 0 < self.listeners <= listeners or asks(offer):
            return offer
        return with_ptime(offer, self.ptime)


NO_LARGE_ROOM: Final = LargeRoom()


def asks(offer: str) -> bool:
    """Whether an audio section of the offer says how long packets should be, or may be."""
    return any(_ASKED.search(part) for part in _SECTIONS.split(offer) if part.startswith("m=audio"))


def with_ptime(offer: str, ptime: int | None) -> str:
    """The offer, asking for packets of so many milliseconds in its audio section whatever it asked for before."""
    if ptime is None:
        return offer
    parts = _SECTIONS.split(offer)
    for index, part in enumerate(parts):
        if part.startswith("m=audio"):
            parts[index] = f"{_PTIME.sub('', part).rstrip()}\r\na=ptime:{ptime}\r\n"
    return "".join(parts)
