"""The report as CSV (RFC 4180), one table at a time, for whoever works in a spreadsheet."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal

from media.server.analytics.schema import Report
from media.space.reactions import Reaction

Table = Literal["audience", "retention", "talk", "sources", "summary"]
Rows = Iterable[Sequence[object]]


def sheet(report: Report, table: Table) -> str:
    """Return a table with its header; what a spreadsheet would take for a formula is quoted."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerows([_harmless(cell) for cell in row] for row in _TABLES[table](report))
    return text.getvalue()


def _audience(report: Report) -> Rows:
    kinds = [kind.value for kind in Reaction]
    counts = ("participants", "listeners", "stage", "waiting", "arrivals", "departures")
    yield ("at", "seconds", *counts, *(f"reaction_{kind}" for kind in kinds))
    for point in report.audience.data:
        yield (
            point.at.isoformat(timespec="seconds"),
            round((point.at - report.started_at).total_seconds(), 1),
            *(point.participant_count, point.listener_count, point.stage_count, point.waiting_count),
            *(point.arrivals, point.departures),
            *(point.reactions.get(kind, 0) for kind in kinds),
        )


def _retention(report: Report) -> Rows:
    yield ("seconds", "share_staying")
    yield from ((point.seconds, point.share) for point in report.retention.curve)


def _talk(report: Report) -> Rows:
    yield ("user_id", "seconds", "share")
    yield from ((talk.user_id, talk.seconds, talk.share) for talk in report.talk_time)


def _sources(report: Report) -> Rows:
    yield ("source", "arrivals", "share")
    yield from ((source.source, source.count, source.share) for source in report.sources)


def _summary(report: Report) -> Rows:
    yield ("figure", "value")
    yield ("title", report.title)
    yield ("started_at", report.started_at.isoformat(timespec="seconds"))
    yield ("ended_at", report.ended_at.isoformat(timespec="seconds") if report.ended_at else "")
    yield ("peak_participants", report.peak.participant_count)
    yield ("peak_at", report.peak.at.isoformat(timespec="seconds"))
    yield ("unique_people", report.unique.people)
    yield ("anonymous_connections", report.unique.anonymous_connections)
    yield ("visits", report.retention.visits)
    yield ("mean_stay_seconds", report.retention.mean_seconds)
    yield ("median_stay_seconds", report.retention.median_seconds)
    yield ("reactions", sum(report.reactions.values()))
    yield from report.requests.model_dump().items()


def _harmless(cell: object) -> object:
    if cell is None:
        return ""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


_TABLES: Final[dict[Table, Callable[[Report], Rows]]] = {
    "audience": _audience,
    "retention": _retention,
    "talk": _talk,
    "sources": _sources,
    "summary": _summary,
}
