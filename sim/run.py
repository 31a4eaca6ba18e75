"""The record of a run: one folder, the same whether the run was measured or simulated.

``runs/<id>/`` holds ``run.json`` (what was run, where, and whether it may be believed) and its tables
(``sim.schema``). Every file is written under a temporary name and renamed; ``run.json`` comes last. A run that
was stopped before its end has a ``run.json``, too: its ``cut_short`` says why, and its verdict is invalid.
"""

import json
import os
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from sim import schema
from sim.machine import machine_facts, utc_stamp, versions
from sim.scenario import Scenario
from sim.schema import SCHEMA, TABLES, Source, Table
from sim.verdict import Verdict, judge

FORMAT = 1
"""Version of the folder's layout; raised when a reader of the old one could misunderstand the new."""

KEYS = (
    "format", "id", "source", "scenario", "seed", "versions", "machine", "command", "started_at", "duration_s",
    "tiers", "verdict",
)  # fmt: skip
"""What run.json holds, beside ``cut_short``: null, or one sentence. Records of before have no ``cut_short``."""

UNFINISHED = "it was still going on, or its process was killed, when this was written"
"""Why a run is cut short whose record was never finished."""


class RunError(ValueError):
    """A run folder that cannot be used; the message is one sentence that says what is missing."""


def new_run_id() -> str:
    """Return a name for a run that sorts by time and does not collide: ``20260131-123456-1a2b3c``."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"


class RunWriter:
    """Collects the rows of one run and writes its folder; driven by whoever runs the swarm or the model.

    Use ``relay``, ``clients``, ``joins`` and ``probes`` to append one row each (or ``extend`` for a whole table),
    then ``finish``. A writer that never finishes leaves no ``run.json``, and no reader will take the folder for a
    run, unless ``checkpoint`` was called: then there is a run that was cut short. Rows are checked against the
    schema as they come.
    """

    def __init__(
        self,
        root: str | Path,
        *,
        source: Source,
        scenario: Scenario,
        seed: int,
        tiers: Mapping[str, int],
        run_id: str | None = None,
        command: Sequence[str] | None = None,
    ) -> None:
        self.id = run_id or new_run_id()
        self.folder = Path(root) / self.id
        self.folder.mkdir(parents=True, exist_ok=False)
        self._source: Source = source
        self._started = time.time()
        self._rows: dict[Table, list[Mapping[str, Any]]] = {table: [] for table in TABLES}
        self._frames: dict[Table, list[pl.DataFrame]] = {table: [] for table in TABLES}
        self._facts: dict[str, Any] = {
            "format": FORMAT,
            "id": self.id,
            "source": source,
            "scenario": scenario.to_dict(),
            "seed": seed,
            "versions": versions(),
            "machine": machine_facts(),
            "command": list(command if command is not None else sys.orig_argv),
            "started_at": utc_stamp(self._started),
            "tiers": dict(tiers),
        }

    def append(self, table: Table, row: Mapping[str, Any]) -> None:
        """Append one row, given by column name; raise SchemaError on a missing or unknown column."""
        schema.check_row(table, row)
        self._rows[table].append(dict(row))

    def relay(self, **row: Any) -> None:
        """Append one second of the relay."""
        self.append("relay", row)

    def clients(self, **row: Any) -> None:
        """Append one second of a generator worker."""
        self.append("clients", row)

    def joins(self, **row: Any) -> None:
        """Append one join."""
        self.append("joins", row)

    def probes(self, **row: Any) -> None:
        """Append what one probe heard of a chirp."""
        self.append("probes", row)

    def extend(self, table: Table, frame: pl.DataFrame) -> None:
        """Append many rows at once; raise SchemaError if ``frame`` does not keep to the schema."""
        self._frames[table].append(schema.conform(table, frame, self._source))

    def checkpoint(self) -> None:
        """Write what there is so far as a run that was cut short: this is what stays if the process is killed."""
        self._write(time.time() - self._started, Verdict(True), UNFINISHED)

    def finish(
        self,
        *,
        duration_s: float | None = None,
        verdict: Verdict | None = None,
        cut_short: str | None = None,
    ) -> "Run":
        """Write the folder and return the run as a reader sees it.

        The duration defaults to the time since the writer was made, the verdict to ``sim.verdict.judge`` for a
        measured run and to valid for a simulated one. ``cut_short`` is why the run did not come to its end; the
        verdict is then invalid, and begins with it.
        """
        self._write(time.time() - self._started if duration_s is None else duration_s, verdict, cut_short)
        return Run.load(self.folder)

    def _write(self, duration_s: float, verdict: Verdict | None, cut_short: str | None) -> None:
        tables = {table: self._table(table) for table in TABLES}
        if verdict is None:
            measured = self._source == "measured"
            verdict = judge(tables["clients"], tables["relay"]) if measured else Verdict(True)
        if cut_short is not None:
            verdict = Verdict(False, (f"the run was cut short: {cut_short}", *verdict.reasons))
        for table, frame in tables.items():
            target = self.folder / f"{table}.parquet"
            partial = target.with_suffix(".parquet.part")
            frame.write_parquet(partial)
            partial.replace(target)
        facts = {
            **self._facts,
            "duration_s": duration_s,
            "cut_short": cut_short,
            "verdict": {"valid": verdict.valid, "reasons": list(verdict.reasons)},
        }
        partial = self.folder / "run.json.part"
        with partial.open("w", encoding="utf-8") as file:
            json.dump(facts, file, indent=2, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.folder / "run.json")

    def _table(self, table: Table) -> pl.DataFrame:
        dtypes = {name: column.dtype for name, column in SCHEMA[table].items()}
        try:
            rows = pl.DataFrame(self._rows[table], schema=dtypes, orient="row")
        except (pl.exceptions.PolarsError, TypeError, OverflowError) as error:
            reason = str(error).splitlines()[0]
            raise schema.SchemaError(
                f"{table}.parquet has a value that does not fit its column ({reason})"
            ) from error
        whole = pl.concat([*self._frames[table], rows])
        return schema.conform(table, whole.sort("t", maintain_order=True), self._source)


@dataclass(frozen=True, slots=True)
class Run:
    """A run, measured or simulated, that has ended."""

    folder: Path
    id: str
    source: Source
    scenario: Scenario
    seed: int
    duration_s: float
    started_at: str
    command: tuple[str, ...]
    tiers: Mapping[str, int]
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    verdict: Verdict
    cut_short: str | None
    """Why the run did not come to its end; its verdict is invalid then."""
    relay: pl.DataFrame
    clients: pl.DataFrame
    joins: pl.DataFrame
    probes: pl.DataFrame
    disturbances: pl.DataFrame
    reviews: pl.DataFrame

    @staticmethod
    def load(folder: str | Path) -> "Run":
        """Read a run folder; raise RunError if it is incomplete or not a run, saying what is missing."""
        folder = Path(folder)
        facts = _facts(folder)
        tables = {table: _read(folder, table, facts["source"]) for table in TABLES}
        try:
            return Run(
                folder=folder,
                id=str(facts["id"]),
                source=facts["source"],
                scenario=Scenario.from_dict(facts["scenario"]),
                seed=int(facts["seed"]),
                duration_s=float(facts["duration_s"]),
                started_at=str(facts["started_at"]),
                command=tuple(facts["command"]),
                tiers=dict(facts["tiers"]),
                machine=dict(facts["machine"]),
                versions=dict(facts["versions"]),
                verdict=Verdict(bool(facts["verdict"]["valid"]), tuple(facts["verdict"]["reasons"])),
                cut_short=None if facts.get("cut_short") is None else str(facts["cut_short"]),
                relay=tables["relay"],
                clients=tables["clients"],
                joins=tables["joins"],
                probes=tables["probes"],
                disturbances=tables["disturbances"],
                reviews=tables["reviews"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"{folder} has a run.json that does not describe a run ({error})") from error

    def require_valid(self) -> "Run":
        """Return the run itself; raise RunError with the reasons if it was marked invalid, as one cut short is."""
        if not self.verdict.valid:
            reasons = "; ".join(self.verdict.reasons) or "no reason recorded"
            raise RunError(f"run {self.id} is invalid and must not be used: {reasons}")
        return self

    def to_json(self) -> dict[str, Any]:
        """Return the facts of the run without its tables."""
        return {
            "id": self.id,
            "source": self.source,
            "scenario": self.scenario.name,
            "seed": self.seed,
            "tiers": dict(self.tiers),
            "machine": dict(self.machine),
            "verdict": asdict(self.verdict),
            "cut_short": self.cut_short,
        }


def _facts(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise RunError(f"there is no run folder {folder}; make one with `make plan`")
    file = folder / "run.json"
    if not file.is_file():
        raise RunError(f"{folder} has no run.json: it is not a run, or the run did not finish")
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{folder} has a run.json that cannot be read ({error})") from error
    if not isinstance(facts, dict):
        raise RunError(f"{folder} has a run.json that does not describe a run")
    missing = [key for key in KEYS if key not in facts]
    if missing:
        raise RunError(f"{folder} has a run.json without {', '.join(missing)}")
    if facts["format"] != FORMAT:
        raise RunError(f"{folder} has format {facts['format']}, and this version reads format {FORMAT}")
    if facts["source"] not in ("measured", "simulated"):
        raise RunError(f"{folder} has source {facts['source']!r}; a run is measured or simulated")
    return facts


def _read(folder: Path, table: Table, source: Source) -> pl.DataFrame:
    file = folder / f"{table}.parquet"
    if not file.is_file() and table in schema.OPTIONAL:
        return schema.empty(table)
    if not file.is_file():
        raise RunError(f"{folder} has no {table}.parquet: the run is incomplete")
    try:
        return schema.conform(table, pl.read_parquet(file), source)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise RunError(f"{file} cannot be read as a table ({str(error).splitlines()[0]})") from error
    except schema.SchemaError as error:
        raise RunError(f"{folder} is not a usable run: {error}") from error
