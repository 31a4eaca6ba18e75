"""What a run is to do: who comes, who speaks, drawn from which seed."""

from argparse import Namespace
from dataclasses import dataclass

from loadtest.timetable import Steps
from sim import scenario as scenarios
from sim.scenario import Scenario
from sim.schedule import Schedule, arrival_schedule

SPEAKERS_MAX = 12
"""The host keeps one of the 13 seats of the default policy."""


@dataclass(frozen=True)
class Programme:
    """What a run is to do, made of the flags: the same on every worker, since it is drawn from the seed."""

    scenario: Scenario
    schedule: Schedule | None
    steps: Steps | None
    speakers: int
    continuous: bool
    join_rate: float
    """Listeners a second up a step, over all workers."""
    seed: int

    @staticmethod
    def of(options: Namespace) -> "Programme":
        """Read the flags; :raises ValueError: one sentence that says which is wrong."""
        if not 0 <= options.speakers <= SPEAKERS_MAX:
            raise ValueError(f"--speakers takes 0 to {SPEAKERS_MAX}, not {options.speakers}")
        if not options.join_rate > 0:
            raise ValueError(f"--join-rate takes a number above 0, not {options.join_rate:g}")
        if options.scenario and options.steps:
            raise ValueError("--scenario and --steps exclude each other: choose one")
        scenario = scenarios.load(options.scenario or scenarios.DEFAULT)
        schedule = None
        if options.scenario:
            schedule = arrival_schedule(
                scenario, options.seed, listeners=options.listeners, duration=options.duration
            )
        steps = Steps.parse(options.steps, options.step_time) if options.steps else None
        return Programme(
            scenario, schedule, steps, options.speakers, options.continuous, options.join_rate, options.seed
        )
