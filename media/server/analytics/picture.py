"""The report as one picture: SVG, in light and dark, with nothing to install and nothing to load.

Colours are Okabe and Ito's where kinds are told apart ("Color Universal Design", 2008), which people who see
colours differently can tell apart, too; every bar says its number in words to who points at it.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal

from media.server.analytics.plot import (
    Box,
    amount,
    area,
    bar,
    clean,
    curve,
    duration,
    line,
    rows_and_scale,
    shorten,
    times_up_to,
    whole,
    words,
)
from media.server.analytics.schema import AudiencePoint, Peak, Report

Theme = Literal["auto", "light", "dark"]

WIDTH: Final = 1_000.0
HEIGHT: Final = 1_176.0
_EDGE: Final = 40.0
_GAP: Final = 48.0
_KINDS: Final = 5
"""Kinds of reactions that have a colour; the others share one."""
_ROWS: Final = 6
"""Bars of a list."""
_EARLY: Final = 5.0
"""Seconds at which the retention curve begins to be shown."""

_LIGHT: Final = """\
.paper{fill:#ffffff}.card{fill:#f5f3fb}.strong,.big{fill:#17131f}.soft,.tick,.label{fill:#5b5568}
.grid{stroke:#e7e3ef}.axis{stroke:#b9b2c7}.line{stroke:#6a35d9}.fill{fill:#6a35d9;fill-opacity:.16}
.bar{fill:#6a35d9}.track{fill:#ece8f5}.mark{stroke:#17131f}.dot{fill:#6a35d9;stroke:#ffffff}
.k0{fill:#0072b2}.k1{fill:#e69f00}.k2{fill:#009e73}.k3{fill:#cc79a7}.k4{fill:#d55e00}.k5{fill:#9a95a5}"""
_DARK: Final = """\
.paper{fill:#131019}.card{fill:#1e1a28}.strong,.big{fill:#f4f1fa}.soft,.tick,.label{fill:#aaa3ba}
.grid{stroke:#2b2637}.axis{stroke:#564f66}.line{stroke:#b596ff}.fill{fill:#b596ff;fill-opacity:.2}
.bar{fill:#a17fff}.track{fill:#262032}.mark{stroke:#f4f1fa}.dot{fill:#b596ff;stroke:#131019}
.k0{fill:#56b4e9}.k1{fill:#e69f00}.k2{fill:#1dbf91}.k3{fill:#e091bf}.k4{fill:#f07a3c}.k5{fill:#7d778a}"""
_ALWAYS: Final = """\
text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif}
.title{font-size:25px;font-weight:700}.head{font-size:16px;font-weight:650}.big{font-size:24px;font-weight:700}
.soft{font-size:14px}.tick,.label{font-size:12.5px;font-variant-numeric:tabular-nums}.name{font-size:13.5px}
.grid,.axis,.mark{stroke-width:1;fill:none}.mark{stroke-dasharray:3 4}
.line{fill:none;stroke-width:2.4;stroke-linejoin:round;stroke-linecap:round}.dot{stroke-width:2.5}"""
_WAYS: Final = {
    "bubble": "Bubble",
    "link": "Link",
    "search": "Search",
    "notification": "Notification",
    "direct": "Direct",
}


def picture(report: Report, theme: Theme = "auto") -> str:
    """Draw a report."""
    style = {"light": _LIGHT, "dark": _DARK}.get(theme, f"{_LIGHT}@media(prefers-color-scheme:dark){{{_DARK}}}")
    title = report.title or "A Space without a title"
    half = (WIDTH - 2 * _EDGE - _GAP) / 2
    right = _EDGE + half + _GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" width="{WIDTH:g}" '
        f'height="{HEIGHT:g}" role="img" aria-labelledby="t d">',
        f'<title id="t">{clean(title)}</title><desc id="d">{clean(_description(report))}</desc>',
        f"<style>{_ALWAYS}{style}</style>",
        bar(Box(0, 0, WIDTH, HEIGHT), "paper"),
        words(_EDGE, 58, shorten(title, 54), "title strong"),
        words(_EDGE, 84, _subtitle(report), "soft"),
        *_figures(report, Box(_EDGE, 106, WIDTH - 2 * _EDGE, 84)),
        *_audience(report, Box(_EDGE, 226, WIDTH - 2 * _EDGE, 292)),
        *_reactions(report, Box(_EDGE, 546, WIDTH - 2 * _EDGE, 172)),
        *_retention(report, Box(_EDGE, 752, half, 190)),
        *_bars("Who was heard", _talk(report), Box(right, 752, half, 190), "Nobody has been heard."),
        *_bars("How people came", _ways(report), Box(_EDGE, 976, half, 170), "Nobody has come yet."),
        *_bars("Requests to speak", _requests(report), Box(right, 976, half, 170), "Nobody has asked to speak."),
        "</svg>",
    ]
    return "".join(parts)


def _description(report: Report) -> str:
    peak = report.peak
    at = duration((peak.at - report.started_at).total_seconds())
    people = report.unique.people
    return f"At most {peak.participant_count} people at a time, {at} after the start; about {people} in all."


def _subtitle(report: Report) -> str:
    length = duration(((report.ended_at or report.as_of) - report.started_at).total_seconds())
    day = f"{report.started_at:%d %B %Y, %H:%M} UTC".lstrip("0")
    return f"{day} · {length}" if report.ended_at else f"{day} · live for {length}"


def _figures(report: Report, box: Box) -> Iterator[str]:
    stay = report.retention.median_seconds
    longest = report.retention.curve[-1].seconds if report.retention.visits else 0
    more = f"> {whole(longest)}" if report.retention.visits else "–"
    people = amount(report.unique.people)
    figures = (
        ("peak audience", amount(report.peak.participant_count)),
        ("different people", f"≈ {people}" if report.unique.people > 100 else people),
        ("median stay", more if stay is None else duration(stay)),
        ("reactions", amount(sum(report.reactions.values()))),
        ("asked to speak", amount(report.requests.asked)),
    )
    gap = 14.0
    width = (box.width - gap * (len(figures) - 1)) / len(figures)
    for place, (name, figure) in enumerate(figures):
        x = box.x + place * (width + gap)
        yield bar(Box(x, box.y, width, box.height), "card", rounded=12)
        yield words(x + 16, box.y + 44, figure, "big")
        yield words(x + 16, box.y + 67, name, "soft")


def _audience(report: Report, box: Box) -> Iterator[str]:
    yield words(box.x, box.y + 14, "Audience", "head strong")
    inner = Box(box.x + 48, box.y + 34, box.width - 48, box.height - 64)
    lines, height = rows_and_scale(inner, max(report.peak.participant_count, 1))
    yield lines
    across = _times(report, inner)
    yield from _time_axis(report, inner, across)
    course = [(_elapsed(report, p), p.participant_count) for p in (*report.audience.data, report.peak)]
    points = [(across(seconds), height(count)) for seconds, count in sorted([(0.0, 0), *course])]
    yield area(points, inner.bottom, "fill")
    yield curve(points, "line")
    peak = (across(_elapsed(report, report.peak)), height(report.peak.participant_count))
    if report.peak.participant_count:
        yield f'<circle cx="{peak[0]:.1f}" cy="{peak[1]:.1f}" r="5.5" class="dot"/>'
        side = "end" if peak[0] > inner.x + inner.width * 0.8 else "start"
        shift = -11 if side == "end" else 11
        yield words(peak[0] + shift, peak[1] - 8, f"peak {amount(report.peak.participant_count)}", "label", side)


def _reactions(report: Report, box: Box) -> Iterator[str]:
    yield words(box.x, box.y + 14, "Reactions", "head strong")
    if not report.reactions:
        yield words(box.x, box.y + 42, "Nobody has reacted.", "soft")
        return
    named = list(report.reactions)[:_KINDS]
    yield from _legend(report, named, box)
    inner = Box(box.x + 48, box.y + 34, box.width - 48, box.height - 62)
    across = _times(report, inner)
    columns = _stacked(report, named)
    lines, height = rows_and_scale(inner, max(sum(column.values()) for _, _, column in columns))
    yield lines
    yield from _time_axis(report, inner, across)
    for start, end, column in columns:
        below = 0
        gap = 1.0 if across(end) - across(start) > 4 else 0.0
        for kind, count in column.items():
            low, high = height(below), height(below + count)
            x, width = across(start) + gap / 2, across(end) - across(start) - gap
            note = f"{_kind(kind)}: {count}, {duration(start)} to {duration(end)}"
            place = named.index(kind) if kind in named else _KINDS
            yield bar(Box(x, high, width, low - high), f"k{place}", note)
            below += count


def _legend(report: Report, named: Sequence[str], box: Box) -> Iterator[str]:
    others = sum(count for kind, count in report.reactions.items() if kind not in named)
    entries = [(f"k{place}", kind, report.reactions[kind]) for place, kind in enumerate(named)]
    entries += [(f"k{_KINDS}", "others", others)] if others else []
    x = box.right
    for colour, kind, count in reversed(entries):
        text = f"{_kind(kind)} {amount(count)}"
        x -= 7.2 * len(text) + 8
        yield words(x, box.y + 14, text, "label")
        x -= 18
        yield bar(Box(x, box.y + 4, 12, 12), colour, rounded=3)
        x -= 12


def _stacked(report: Report, named: Sequence[str]) -> list[tuple[float, float, Counter[str]]]:
    """Return columns of reactions, wide enough to be seen: start and end (seconds), and kinds to counts."""
    data = report.audience.data
    most = 72
    size = max(1, math.ceil(len(data) / most))
    columns: list[tuple[float, float, Counter[str]]] = []
    start = 0.0
    for first in range(0, len(data), size):
        part = data[first : first + size]
        end = _elapsed(report, part[-1])
        sums: Counter[str] = Counter(dict.fromkeys(named, 0))
        for point in part:
            for kind, count in point.reactions.items():
                sums[kind if kind in named else "others"] += count
        columns.append((start, end, Counter({kind: n for kind, n in sums.items() if n})))
        start = end
    return columns


def _retention(report: Report, box: Box) -> Iterator[str]:
    yield words(box.x, box.y + 14, "Who stays how long", "head strong")
    curve_of_it = report.retention.curve
    if not report.retention.visits or curve_of_it[-1].seconds <= _EARLY:
        yield words(box.x, box.y + 42, "Nobody has stayed yet.", "soft")
        return
    inner = Box(box.x + 48, box.y + 34, box.width - 48, box.height - 62)
    longest = curve_of_it[-1].seconds

    def across(seconds: float) -> float:
        share = math.log(max(seconds, _EARLY) / _EARLY) / math.log(longest / _EARLY)
        return inner.x + inner.width * share

    def height(share: float) -> float:
        return inner.bottom - inner.height * share

    for percent in (0, 50, 100):
        y = height(percent / 100)
        yield line((inner.x, y), (inner.right, y), "grid" if percent else "axis")
        yield words(inner.x - 8, y + 4, f"{percent} %", "tick", "end")
    for seconds in (10, 60, 600, 3_600, 36_000):
        if _EARLY < seconds < longest:
            yield line((across(seconds), inner.y), (across(seconds), inner.bottom), "grid")
            yield words(across(seconds), inner.bottom + 19, duration(seconds), "tick", "middle")
    points = [(across(p.seconds), height(p.share)) for p in curve_of_it if p.seconds >= _EARLY * 0.8]
    yield area(points, inner.bottom, "fill")
    yield curve(points, "line")
    median = report.retention.median_seconds
    if median is not None and median > _EARLY:
        yield line((across(median), height(0.5)), (across(median), inner.bottom), "mark")
        late = across(median) > inner.x + inner.width * 0.65
        x, y, anchor = (-8, 20, "end") if late else (8, -10, "start")
        yield words(across(median) + x, height(0.5) + y, f"half stay {duration(median)}", "label", anchor)


def _talk(report: Report) -> list[tuple[str, float, str]]:
    return [(talk.user_id, talk.seconds, duration(talk.seconds)) for talk in report.talk_time]


def _ways(report: Report) -> list[tuple[str, float, str]]:
    return [(_WAYS[s.source], s.count, f"{amount(s.count)} · {s.share:.0%}") for s in report.sources]


def _requests(report: Report) -> list[tuple[str, float, str]]:
    requests = report.requests
    if not requests.asked:
        return []
    wait = requests.median_wait_seconds
    granted = amount(requests.granted) + ("" if wait is None else f" · wait {duration(wait)}")
    rows = [("Granted", requests.granted, granted), ("Denied", requests.denied, amount(requests.denied))]
    rows += [("Withdrawn", requests.withdrawn, amount(requests.withdrawn))]
    unanswered = requests.asked - requests.granted - requests.denied - requests.withdrawn
    return [*rows, ("Unanswered", unanswered, amount(unanswered))]


def _bars(title: str, rows: Sequence[tuple[str, float, str]], box: Box, nothing: str) -> Iterator[str]:
    """Draw a list of names, each with a bar and what it says."""
    yield words(box.x, box.y + 14, title, "head strong")
    if not rows:
        yield words(box.x, box.y + 42, nothing, "soft")
        return
    most = max(value for _, value, _ in rows) or 1.0
    track = Box(box.x + 136, 0, box.width - 136 - 118, 10)
    for place, (name, value, says) in enumerate(rows[:_ROWS]):
        y = box.y + 42 + place * 25
        yield words(box.x, y, shorten(name, 16), "name strong")
        yield bar(Box(track.x, y - 9, track.width, track.height), "track", rounded=5)
        if value > 0:
            width = max(track.height, track.width * value / most)
            yield bar(Box(track.x, y - 9, width, track.height), "bar", f"{name}: {says}", rounded=5)
        yield words(box.right, y, says, "label", "end")
    if len(rows) > _ROWS:
        yield words(box.right, box.y + 14, f"and {len(rows) - _ROWS} more", "label", "end")


def _times(report: Report, box: Box) -> Callable[[float], float]:
    length = max(1.0, ((report.ended_at or report.as_of) - report.started_at).total_seconds())
    return lambda seconds: box.x + box.width * min(1.0, max(0.0, seconds / length))


def _time_axis(report: Report, box: Box, across: Callable[[float], float]) -> Iterator[str]:
    length = ((report.ended_at or report.as_of) - report.started_at).total_seconds()
    for seconds in times_up_to(max(1.0, length), 8):
        anchor = "start" if seconds == 0 else "end" if across(seconds) > box.right - 12 else "middle"
        yield words(across(seconds), box.bottom + 19, duration(seconds), "tick", anchor)


def _elapsed(report: Report, point: AudiencePoint | Peak) -> float:
    return (point.at - report.started_at).total_seconds()


def _kind(kind: str) -> str:
    return kind.replace("_", " ")
