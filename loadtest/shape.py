"""How many users Locust should run at each moment: seats for the audience that the timetable lets in."""

from typing import Any

from locust import LoadTestShape

from loadtest.programme import Programme
from loadtest.timetable import seats


class Audience(LoadTestShape):
    """Follows a scenario's arrivals (``--scenario``), a staircase (``--steps``), or plain ``-u`` and ``-r``."""

    use_common_options = True

    def __init__(self) -> None:
        super().__init__()
        self._most = 0

    def reset_time(self) -> None:
        """A new run begins."""
        super().reset_time()
        self._most = 0

    def tick(self) -> tuple[int, float] | None:
        """Users wanted now and users a second to get there; None at the end."""
        assert self.runner is not None
        environment: Any = self.runner.environment
        wanted = self._wanted(environment)
        environment.stopping.completed = wanted is None
        return wanted

    def _wanted(self, environment: Any) -> tuple[int, float] | None:
        options, programme = environment.parsed_options, environment.programme
        assert isinstance(programme, Programme)
        others = sum(each.fixed_count for each in environment.user_classes)
        # Another number before the doors are open would make Locust break off their opening, and begin again.
        now = self.get_run_time() if environment.doors_open else 0.0
        if options.run_time and now > options.run_time:
            return None
        if programme.steps:
            listeners = programme.steps.at(now)
            return None if listeners is None else (listeners + others, options.join_rate)
        if programme.schedule:
            if now > programme.schedule.length_s:
                return None
            # Seats are only added: a user who has nobody left to play ends by itself.
            self._most = max(self._most, seats(programme.schedule, now))
            return self._most + others, float(self._most)
        return (options.num_users or 1) + others, options.spawn_rate or 1.0
