"""A recorded raid beside the model: a trace that the model made itself must come out as it went in."""

from pathlib import Path

import numpy as np
import pytest

from sim.moderation import Disturbance, Reviewing, ReviewModel, Shift
from sim.raid import harm, replay
from sim.run import Run, RunError, RunWriter
from sim.scenario import load


def record(folder: Path, opened: list[float], claims: list[tuple[float, float]], moderators: int) -> Run:
    """A run in which the cases that were opened then were claimed and decided then, in turn."""
    writer = RunWriter(folder, source="measured", scenario=load(), seed=1, tiers={"light": 1})
    for number, (at, (claimed, decided)) in enumerate(zip(opened, claims, strict=True)):
        row = {"case": f"{number}", "user": f"raider{number}", "moderator": f"moderator{number % moderators}"}
        writer.append(
            "reviews",
            {"t": at, "reports": 1, "claimed_s": claimed, "decided_s": decided, "violation": True, **row},
        )
        writer.append(
            "disturbances", {"t": at - 1, "user": f"raider{number}", "listeners": 10, "silenced_s": decided}
        )
    return writer.finish(duration_s=1_000.0)


def test_the_models_own_trace_comes_out_as_it_went_in(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    opened = np.cumsum(rng.exponential(5.0, 40)).tolist()
    services = iter(rng.lognormal(2.0, 0.7, 40).tolist())
    claims: list[tuple[float, float]] = []
    free = [0.0, 0.0]
    for at in opened:
        begin = max(at, min(free))
        end = begin + next(services)
        free[free.index(min(free))] = end
        claims.append((begin, end))
    replayed = replay(record(tmp_path, opened, claims, 2))
    figures = replayed.figures()
    assert figures["cases"] == 40 and replayed.moderators == 2
    assert figures["error_wait_p95"] < 1e-6 and figures["error_backlog"] < 0.02
    assert figures["unsilenced"] == 0


def test_a_server_that_lets_cases_lie_is_found_out(tmp_path: Path) -> None:
    opened = [float(at) for at in range(0, 100, 10)]
    claims = [(at + 30.0, at + 35.0) for at in opened]  # moderators were free, and waited half a minute
    assert replay(record(tmp_path, opened, claims, 1)).figures()["error_wait_p95"] > 0.5


def test_a_raid_without_waiting_is_no_trace(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no case that waited"):
        replay(record(tmp_path, [1.0], [(1.0, 2.0)], 1))


def test_harm_is_listeners_times_seconds_and_goes_on_without_an_end(tmp_path: Path) -> None:
    run = record(tmp_path, [10.0], [(10.0, 19.0)], 1)
    assert harm(run) == 10 * 10
    writer = RunWriter(tmp_path, source="measured", scenario=load(), seed=1, tiers={"light": 1})
    writer.append("disturbances", {"t": 40.0, "user": "raider1", "listeners": 3, "silenced_s": None})
    assert harm(writer.finish(duration_s=100.0)) == 60 * 3


def test_what_is_wrongly_let_go_is_reported_again() -> None:
    disturbance = Disturbance(0.0, "ben", 1, (0.0,), again_s=5.0)
    blind = Reviewing(error=1.0, leave=0.0, work_s=np.inf)
    result = ReviewModel([disturbance], [Shift(0, 500, 1)], seed=1, reviewing=blind, service=lambda rng: 1.0).run(
        500
    )
    assert result.decided > 10 and np.isnan(result.silenced_s[0])
