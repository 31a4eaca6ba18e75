"""What a run is to do: who comes, who speaks, drawn from which seed."""

from argparse import Namespace
from dataclasses import dataclass

from loadtest.timetable import Steps
from sim import scenario as scenarios
from sim.scenario import Scenario
from sim.schedule import Schedule, arrival_schedule

SPEAKERS_MAX = 12
"""The host keeps one of the 13 seats of the default policy."""
SPEAKERS_BESIDE_PROBES = 10
"""The host's seat and the ten that are had for the asking, but for that of the probe that speaks."""
PROBES_MAX = 20
"""All live on one thread of one engine."""


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
    probes: int
    """Probes that listen to one more that speaks; all on the first worker, since both ends need one clock."""

    @property
    def ends(self) -> bool:
        """The run has an end of its own, unless it is given one with ``--run-time``."""
        return self.schedule is not None or self.steps is not None

    @staticmethod
    def of(options: Namespace) -> "Programme":
        """Read the flags; :raises ValueError: one sentence that says which is wrong."""
        if not 0 <= options.speakers <= SPEAKERS_MAX:
            raise ValueError(f"--speakers takes 0 to {SPEAKERS_MAX}, not {options.speakers}")
        if not 0 <= options.probes <= PROBES_MAX:
            raise ValueError(f"--probes takes 0 to {PROBES_MAX}, not {options.probes}")
        if options.probes and options.speakers > SPEAKERS_BESIDE_PROBES:
            raise ValueError(
                f"--probes needs a seat on stage: --speakers takes 0 to {SPEAKERS_BESIDE_PROBES} with it"
            )
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
            scenario,
            schedule,
            steps,
            options.speakers,
            options.continuous,
            options.join_rate,
            options.seed,
            options.probes,
        )
