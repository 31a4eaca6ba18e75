"""Loudness as bars, in numbers and as a picture; made of the levels that are recorded beside the sound."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

QUIETEST: Final = 60
"""Loudness in -dBov of a bar of no height: what is quieter is the room around who speaks."""
TALLEST: Final = 100
"""Height of a bar of 0 dBov."""
_WIDTH, _HEIGHT = 4, 64
"""Of a bar with the gap beside it, and of the picture."""


def thinned(levels: bytes, by: int) -> bytes:
    """Keep the loudest of each so many levels (-dBov)."""
    return bytes(min(levels[at : at + by]) for at in range(0, len(levels), by))


def bars_of(levels: bytes, count: int) -> list[int]:
    """Return so many bars, each as high as the loudest of its levels (-dBov): 0 to :data:`TALLEST`.

    There are fewer where there are fewer levels.
    """
    count = min(count, len(levels))
    edges = [n * len(levels) // count for n in range(count + 1)] if count else [0]
    return [_height(min(levels[a:b])) for a, b in pairwise(edges)]


def _height(level: int) -> int:
    return round(TALLEST * max(0, QUIETEST - level) / QUIETEST)


def svg_of(bars: Sequence[int], title: str) -> str:
    """Draw bars, in the colour of the text around them; ``title`` is read out instead, and is escaped here."""
    middle = _HEIGHT // 2
    path = "".join(
        f"M{n * _WIDTH + 1} {middle - half}v{2 * half}"
        for n, bar in enumerate(bars)
        for half in (max(1, bar * (middle - 2) // TALLEST),)
    )
    width = max(1, len(bars)) * _WIDTH
    named = title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {_HEIGHT}" role="img" '
        f'preserveAspectRatio="none"><title>{named}</title>'
        f'<path d="{path}" stroke="currentColor" stroke-width="2" stroke-linecap="round"/></svg>'
    )
