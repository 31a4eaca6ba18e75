import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sim.run import UNFINISHED, Run, RunError, RunWriter, new_run_id
from sim.scenario import load
from sim.schema import OPTIONAL, SCHEMA, TABLES, SchemaError, empty
from sim.verdict import Thresholds, Verdict, judge

Tables = tuple[pl.DataFrame, pl.DataFrame]


def writer(root: Path, source: Any = "measured") -> RunWriter:
    return RunWriter(root, source=source, scenario=load(), seed=9, tiers={"light": 100, "probe": 1, "browser": 0})


def written(root: Path, tables: Tables) -> Run:
    relay, clients = tables
    out = writer(root)
    for row in relay.rows(named=True):
        out.relay(**row)
    for row in clients.rows(named=True):
        out.clients(**row)
    join = {"t": 1.0, "kind": "listener", "signalling_ms": 2.0, "connect_ms": None, "first_packet_ms": None}
    out.joins(**join, ok=False, error="handshake failed")
    out.probes(t=2.0, worker="w", probe=1, mouth_to_ear_ms=71.5, packets=12, lost=0, late_ms=0.2)
    return out.finish(duration_s=30.0)


def test_a_run_reads_back_as_it_was_written(tmp_path: Path, tables: Tables) -> None:
    run = written(tmp_path, tables)
    again = Run.load(tmp_path / run.id)
    assert again.relay.equals(tables[0].cast({"listeners": pl.Int64}))
    assert again.clients.select(sorted(tables[1].columns)).equals(tables[1].select(sorted(tables[1].columns)))
    assert again.joins.row(0, named=True)["error"] == "handshake failed"
    assert again.probes.row(0, named=True)["mouth_to_ear_ms"] == 71.5
    assert (again.source, again.seed, again.duration_s) == ("measured", 9, 30.0)
    assert again.scenario == load()
    assert again.tiers == {"light": 100, "probe": 1, "browser": 0}
    assert again.verdict == Verdict(True)
    assert {"cpu", "cores", "memory_bytes", "kernel", "python"} <= again.machine.keys()
    assert {"numpy", "simpy", "polars"} <= again.versions.keys()
    assert again.require_valid() is again
    files = {"run.json", *(f"{table}.parquet" for table in TABLES)}
    assert {file.name for file in again.folder.iterdir()} == files


def test_ids_sort_by_time_and_do_not_collide() -> None:
    ids = {new_run_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{6}", name) for name in ids)


def test_a_run_that_never_finished_is_refused(tmp_path: Path) -> None:
    out = writer(tmp_path)
    with pytest.raises(RunError, match=r"has no run\.json: it is not a run, or the run did not finish"):
        Run.load(out.folder)
    with pytest.raises(RunError, match="there is no run folder"):
        Run.load(tmp_path / "none")
    with pytest.raises(FileExistsError):
        RunWriter(tmp_path, source="measured", scenario=load(), seed=1, tiers={}, run_id=out.id)


def test_what_was_written_before_the_end_is_a_run_that_was_cut_short(tmp_path: Path, tables: Tables) -> None:
    out = writer(tmp_path)
    out.checkpoint()
    assert Run.load(out.folder).clients.is_empty()
    for row in tables[1].rows(named=True):
        out.clients(**row)
    out.checkpoint()
    cut = Run.load(out.folder)
    assert cut.clients.height == tables[1].height
    assert cut.cut_short == UNFINISHED
    with pytest.raises(RunError, match="must not be used: the run was cut short: it was still going on"):
        cut.require_valid()
    for row in tables[0].rows(named=True):
        out.relay(**row)
    whole = out.finish()
    assert whole.cut_short is None and whole.relay.height == tables[0].height
    assert whole.verdict == judge(whole.clients, whole.relay)
    assert json.loads((out.folder / "run.json").read_text())["cut_short"] is None


def test_a_run_that_was_cut_short_is_invalid_for_that_and_for_what_else_is_wrong(tmp_path: Path) -> None:
    run = writer(tmp_path).finish(cut_short="SIGTERM")
    assert run.cut_short == "SIGTERM"
    assert run.verdict == Verdict(False, ("the run was cut short: SIGTERM", "the generator left no data"))
    assert run.to_json()["cut_short"] == "SIGTERM"


def test_a_record_of_before_was_not_cut_short(tmp_path: Path, tables: Tables) -> None:
    run = written(tmp_path, tables)
    file = run.folder / "run.json"
    facts = json.loads(file.read_text())
    del facts["cut_short"]
    file.write_text(json.dumps(facts))
    assert Run.load(run.folder).require_valid().cut_short is None


@pytest.mark.parametrize("table", TABLES)
def test_a_run_that_lost_a_table_is_refused_by_its_name(tmp_path: Path, tables: Tables, table: str) -> None:
    run = written(tmp_path, tables)
    file = run.folder / f"{table}.parquet"
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(RunError, match=rf"{table}\.parquet cannot be read as a table"):
        Run.load(run.folder)
    file.unlink()
    if table in OPTIONAL:
        assert getattr(Run.load(run.folder), table).equals(empty(table))
        return
    with pytest.raises(RunError, match=rf"has no {table}\.parquet: the run is incomplete"):
        Run.load(run.folder)


def test_a_foreign_folder_is_refused(tmp_path: Path, tables: Tables) -> None:
    run = written(tmp_path, tables)
    file = run.folder / "run.json"
    facts = json.loads(file.read_text())
    for change, sentence in [
        ({"format": 99}, "has format 99, and this version reads format 1"),
        ({"source": "guessed"}, "source 'guessed'"),
        ({"verdict": 3}, "does not describe a run"),
        ({"scenario": {"name": "x"}}, "the key title is missing"),
    ]:
        file.write_text(json.dumps({**facts, **change}))
        with pytest.raises(RunError, match=re.escape(sentence)):
            Run.load(run.folder)
    for text, sentence in [
        ("{", "cannot be read"),
        ("[]", "does not describe"),
        ('{"format": 1}', "without id, source"),
    ]:
        file.write_text(text)
        with pytest.raises(RunError, match=sentence):
            Run.load(run.folder)


def test_a_table_with_other_columns_is_refused(tmp_path: Path, tables: Tables) -> None:
    run = written(tmp_path, tables)
    run.relay.drop("joins").write_parquet(run.folder / "relay.parquet")
    with pytest.raises(RunError, match=r"relay\.parquet lacks joins"):
        Run.load(run.folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_table_with_what_is_no_number_is_refused(tmp_path: Path, tables: Tables, value: float) -> None:
    run = written(tmp_path, tables)
    run.relay.with_columns(t=pl.lit(value)).write_parquet(run.folder / "relay.parquet")
    with pytest.raises(RunError, match="value in t that is no finite number"):
        Run.load(run.folder)


def test_rows_that_do_not_keep_to_the_schema_are_refused_as_they_come(tmp_path: Path, tables: Tables) -> None:
    out = writer(tmp_path)
    row = tables[0].row(0, named=True)
    with pytest.raises(SchemaError, match=r"relay\.parquet lacks joins and has unknown join"):
        out.relay(**{("join" if name == "joins" else name): value for name, value in row.items()})
    out.relay(**{**row, "listeners": "many"})
    with pytest.raises(SchemaError, match=r"relay\.parquet has a value that does not fit"):
        out.finish()
    assert not (out.folder / "run.json").exists()


def test_only_a_simulation_may_leave_out_what_it_cannot_know(tmp_path: Path, tables: Tables) -> None:
    unknown = tables[0].with_columns(pl.lit(None).alias("process_cpu_s"))
    with pytest.raises(SchemaError, match="empty values in process_cpu_s, which a measured run must fill"):
        writer(tmp_path).extend("relay", unknown)
    out = writer(tmp_path, "simulated")
    out.extend("relay", unknown)
    assert out.finish().relay["process_cpu_s"].null_count() == unknown.height


def test_every_column_has_a_meaning_and_an_empty_table_has_every_column() -> None:
    for table in TABLES:
        assert empty(table).columns == list(SCHEMA[table])
        assert all(column.meaning for column in SCHEMA[table].values())


def test_a_healthy_generator_is_believed(tables: Tables) -> None:
    assert judge(tables[1], tables[0]) == Verdict(True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"generator_cpu": 0.95}, "more than 90% of its core in 100% of the seconds"),
        ({"loop_lag_ms": 80.0}, "lagged 80 ms at the 99th percentile"),
        ({"rcvbuf_errors": 1}, "datagrams were lost in the generator's own receive buffers"),
        ({"packets": 1}, "the generator accounts for only"),
        ({"packets": 0}, "no packet reached the generator"),
    ],
)
def test_a_saturated_generator_is_not(tables: Tables, change: dict[str, float], reason: str) -> None:
    relay, clients = tables
    verdict = judge(clients.with_columns(pl.lit(value).alias(name) for name, value in change.items()), relay)
    assert not verdict.valid
    assert any(reason in found for found in verdict.reasons)


def test_a_few_busy_seconds_and_loss_on_the_way_are_no_fault_of_the_generator(tables: Tables) -> None:
    relay, clients = tables
    n = clients.height
    busy = pl.Series("generator_cpu", [0.99] + [0.3] * (n - 1))
    lossy = clients.with_columns(
        busy, (pl.col("packets") * 0.9).cast(int), (pl.col("packets") * 0.1).cast(int).alias("lost")
    )
    assert judge(lossy, relay, Thresholds(saturated_share=0.06)).valid


def test_no_data_is_no_result(tables: Tables) -> None:
    assert judge(empty("clients"), tables[0]).reasons == ("the generator left no data",)
    assert judge(tables[1], empty("relay")).reasons == ("the relay left no data",)
