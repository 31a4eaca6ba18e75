"""The tables of a run folder: which columns, of which type, in which unit, and who may leave them empty.

The record is the same for a measured and a simulated run. A simulation does not know everything a measurement
does; what it does not know it leaves null instead of inventing it, and this table says where that is allowed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

Source = Literal["measured", "simulated"]
Table = Literal["relay", "clients", "joins", "probes", "disturbances", "reviews"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    dtype: type[pl.DataType]
    meaning: str
    null: Literal["never", "simulated", "always"] = "never"
    """Who may leave it empty: nobody, a simulation, or a measurement as well."""

    def nullable(self, source: Source) -> bool:
        """Return True if a run of this source may leave the column empty."""
        return self.null == "always" or (self.null == "simulated" and source == "simulated")


_F, _I, _S, _B = pl.Float64, pl.Int64, pl.String, pl.Boolean

SCHEMA: Mapping[Table, Mapping[str, Column]] = {
    # One row per second of the relay. Counts and CPU seconds belong to the interval that ends at t.
    "relay": {
        "t": Column(_F, "end of the interval, seconds since the start of the run"),
        "listeners": Column(_I, "listeners connected at t"),
        "speakers": Column(_I, "speakers connected at t"),
        "talkers": Column(_F, "mean number of active talkers"),
        "joins": Column(_I, "sessions that came up"),
        "media_cpu_s": Column(_F, "CPU seconds of the media thread", "simulated"),
        "process_cpu_s": Column(_F, "CPU seconds of the whole relay process", "simulated"),
        "packets": Column(_I, "RTP packets sent, to people on stage as well"),
        "bytes": Column(_I, "UDP payload bytes sent", "simulated"),
        "send_failures": Column(_I, "packets the kernel did not take", "simulated"),
        "ticks": Column(_I, "ticks of the media thread", "simulated"),
        "tick_late_p99_ms": Column(_F, "lateness of ticks, 99th percentile, ms", "always"),
        "tick_late_max_ms": Column(_F, "lateness of ticks, largest, ms", "always"),
        "rss_bytes": Column(_I, "resident memory of the relay process at t", "simulated"),
    },
    # One row per second and generator worker.
    "clients": {
        "t": Column(_F, "end of the interval, seconds since the start of the run"),
        "worker": Column(_S, "name of the generator worker"),
        "listeners": Column(_I, "synthetic listeners connected at t"),
        "speakers": Column(_I, "synthetic speakers connected at t"),
        "packets": Column(_I, "RTP packets received and authenticated"),
        "lost": Column(_I, "RTP packets missing by sequence number", "simulated"),
        "jitter_p99_ms": Column(
            _F, "interarrival jitter (RFC 3550), 99th percentile over listeners, ms", "always"
        ),
        "mouth_to_ear_p50_ms": Column(_F, "mouth-to-ear delay, median, ms", "always"),
        "mouth_to_ear_p95_ms": Column(_F, "mouth-to-ear delay, 95th percentile, ms", "always"),
        "mouth_to_ear_p99_ms": Column(_F, "mouth-to-ear delay, 99th percentile, ms", "always"),
        "generator_cpu": Column(_F, "CPU of the engine as a fraction of one core", "simulated"),
        "loop_lag_ms": Column(_F, "lag of the engine's loop, largest, ms", "simulated"),
        "rcvbuf_errors": Column(_I, "datagrams dropped because a receive buffer was full", "simulated"),
    },
    # One row per join, tried or done.
    "joins": {
        "t": Column(_F, "when the join was begun, seconds since the start of the run"),
        "kind": Column(_S, '"listener" or "speaker"'),
        "signalling_ms": Column(_F, "HTTP offer and answer, ms", "always"),
        "connect_ms": Column(_F, "from the answer to the end of the DTLS handshake, ms", "always"),
        "first_packet_ms": Column(_F, "from the begin of the join to the first RTP packet, ms", "always"),
        "ok": Column(_B, "True if media flowed"),
        "error": Column(_S, "why not; null or empty if ok", "always"),
    },
    # One row per chirp that one probe said (four a second) and probe that listened; none without --probes.
    "probes": {
        "t": Column(_F, "when it was said, seconds since the start of the run"),
        "worker": Column(_S, "name of the generator worker"),
        "probe": Column(_I, "number of the probe that listened, from 1"),
        "mouth_to_ear_ms": Column(
            _F, "from its capture to its playout, jitter buffer included, ms; null if it was not heard", "always"
        ),
        "packets": Column(_I, "RTP packets the probe received since its row before"),
        "lost": Column(_I, "RTP packets that were not there when they were to be played, since its row before"),
        "late_ms": Column(_F, "lateness of the probes' own thread, largest in half a second, ms", "simulated"),
    },
    # One row for each time that a raider disturbed; none without raiders.
    "disturbances": {
        "t": Column(_F, "when the raider could be heard, seconds since the start of the run"),
        "user": Column(_S, "the raider"),
        "listeners": Column(_I, "listeners who had to hear it"),
        "silenced_s": Column(_F, "when it was over, seconds since the start; null if it was not", "always"),
    },
    # One row for each decision of a moderator; none without moderators.
    "reviews": {
        "t": Column(_F, "when the case was opened, seconds since the start of the run"),
        "case": Column(_S, "id of the case"),
        "user": Column(_S, "who is reported"),
        "moderator": Column(_S, "who decided"),
        "reports": Column(_I, "reports in the case when it was claimed"),
        "claimed_s": Column(_F, "when it was claimed, seconds since the start"),
        "decided_s": Column(_F, "when the decision was carried out, seconds since the start"),
        "violation": Column(_B, "True if the rules were found broken"),
    },
}

TABLES: tuple[Table, ...] = ("relay", "clients", "joins", "probes", "disturbances", "reviews")
OPTIONAL: tuple[Table, ...] = ("probes", "disturbances", "reviews")
"""Tables that a folder need not have, as those of earlier versions: then they have no rows."""


class SchemaError(ValueError):
    """A table that does not keep to the schema; the message is one sentence that names the column."""


def empty(table: Table) -> pl.DataFrame:
    """Return a table without rows, with every column in its type."""
    return pl.DataFrame(schema={name: column.dtype for name, column in SCHEMA[table].items()})


def check_row(table: Table, row: Mapping[str, Any]) -> None:
    """Raise SchemaError if ``row`` does not hold exactly the columns of ``table``."""
    if row.keys() != SCHEMA[table].keys():
        missing = [name for name in SCHEMA[table] if name not in row]
        unknown = [name for name in row if name not in SCHEMA[table]]
        raise SchemaError(_difference(table, missing, unknown))


def conform(table: Table, frame: pl.DataFrame, source: Source) -> pl.DataFrame:
    """Return ``frame`` with the columns of ``table`` in order and in their types.

    Raises SchemaError if a column is missing or unknown, does not fit its type, is empty where it may not be, or
    holds NaN or infinity.
    """
    columns = SCHEMA[table]
    missing = [name for name in columns if name not in frame.columns]
    unknown = [name for name in frame.columns if name not in columns]
    if missing or unknown:
        raise SchemaError(_difference(table, missing, unknown))
    try:
        frame = frame.select([pl.col(name).cast(column.dtype) for name, column in columns.items()])
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise SchemaError(f"{table}.parquet holds a value that does not fit its column ({reason})") from error
    for name, column in columns.items():
        if column.dtype == _F and not frame.get_column(name).is_finite().fill_null(True).all():
            raise SchemaError(f"{table}.parquet has a value in {name} that is no finite number")
        if not column.nullable(source) and frame.get_column(name).null_count():
            raise SchemaError(f"{table}.parquet has empty values in {name}, which a {source} run must fill")
    return frame


def _difference(table: Table, missing: list[str], unknown: list[str]) -> str:
    parts = [f"lacks {', '.join(missing)}"] if missing else []
    parts += [f"has unknown {', '.join(unknown)}"] if unknown else []
    return f"{table}.parquet {' and '.join(parts)}"
