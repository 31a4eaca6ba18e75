"""Parts of a picture in SVG 1.1: text, axes, areas, bars.  Coordinates are in pixels of the picture."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

Point = tuple[float, float]
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400)
"""Seconds that ticks may be apart."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where something is drawn."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.height


def clean(text: str) -> str:
    """Return text that XML can hold, without markup."""
    return escape(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text))


def words(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    """Return a line of text."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class={quoteattr(kind)} text-anchor="{anchor}">{clean(text)}</text>'


def shorten(text: str, most: int) -> str:
    """Return text that is not longer than some letters."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def line(one: Point, other: Point, kind: str) -> str:
    """Return a straight line."""
    return f'<path d="M{one[0]:.1f} {one[1]:.1f}L{other[0]:.1f} {other[1]:.1f}" class={quoteattr(kind)}/>'


def curve(points: Sequence[Point], kind: str) -> str:
    """Return a line through points."""
    return f'<path d="{_path(points)}" class={quoteattr(kind)}/>' if points else ""


def area(points: Sequence[Point], floor: float, kind: str) -> str:
    """Return what is between a line and a floor."""
    if not points:
        return ""
    path = f"{_path(points)}L{points[-1][0]:.1f} {floor:.1f}L{points[0][0]:.1f} {floor:.1f}Z"
    return f'<path d="{path}" class={quoteattr(kind)}/>'


def bar(box: Box, kind: str, note: str = "", *, rounded: float = 0.0) -> str:
    """Return a rectangle, with a note for who points at it."""
    shape = f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{max(0.0, box.width):.1f}" '
    shape += f'height="{max(0.0, box.height):.1f}" rx="{rounded:g}" class={quoteattr(kind)}'
    return f"{shape}><title>{clean(note)}</title></rect>" if note else f"{shape}/>"


def steps_up_to(most: float) -> list[int]:
    """Return whole numbers for an axis from 0 to ``most`` or more: 1, 2 or 5 times a power of ten apart."""
    raw = max(1.0, most / 4)
    power = 10 ** math.floor(math.log10(raw))
    step = next(int(power * n) for n in (1, 2, 5, 10) if power * n >= raw - 1e-9)
    return list(range(0, math.ceil(max(1.0, most) / step) * step + 1, step))


def times_up_to(most: float, ticks: int) -> list[float]:
    """Return times for an axis from 0 to ``most`` (seconds), not many more than ``ticks``."""
    step = next((s for s in _STEPS if most / s <= ticks), 86_400 * math.ceil(most / 86_400 / ticks))
    return [float(step * n) for n in range(math.floor(most / step) + 1)]


def duration(seconds: float) -> str:
    """Say how long something is."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min" + (f" {rest} s" if rest and minutes < 10 else "")
    hours, rest = divmod(round(whole / 60), 60)
    return f"{hours} h" + (f" {rest} min" if rest else "")


def whole(seconds: float) -> str:
    """Say how long something is at least, in its largest unit."""
    size, unit = next(((n, u) for n, u in ((3_600, "h"), (60, "min")) if seconds >= n), (1, "s"))
    return f"{math.floor(seconds / size)} {unit}"


def amount(number: float) -> str:
    """Write a number as people read it."""
    return f"{number:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def rows_and_scale(box: Box, most: float) -> tuple[str, Callable[[float], float]]:
    """Return the horizontal lines of an axis of counts, and how high a count is."""
    steps = steps_up_to(most)
    top = steps[-1]

    def height(count: float) -> float:
        return box.bottom - box.height * count / top

    drawn = [line((box.x, height(n)), (box.right, height(n)), "grid" if n else "axis") for n in steps]
    drawn += [words(box.x - 8, height(n) + 4, amount(n), "tick", "end") for n in steps]
    return "".join(drawn), height


def _path(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
