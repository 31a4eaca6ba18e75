"""Raiders: accounts that come onto the stage and make noise until they are silenced."""

import time
from typing import Any

import gevent
import numpy as np
from locust import task
from locust.exception import StopUser

from loadtest.raid.account import Account
from loadtest.users import FOREVER, Person
from sim.streams import Purpose, stream

RETRY = 1.0
"""Seconds after which who found no seat asks again."""


class Raider(Account, Person):
    """Asks to speak when it is their turn, talks without pauses, and is done when the relay ends the session."""

    kind = "speaker"
    title = "raider"
    continuous = True
    fixed_count = 20
    _row: dict[str, Any] | None = None

    @task
    def disturb(self) -> None:
        """Disturb once."""
        crew, venue = self.sign_in()
        options: Any = self.environment.parsed_options
        gaps = stream(crew.programme.seed, Purpose.RAID).exponential(options.raid_apart, self.number + 1)
        gevent.sleep(max(0.0, crew.started + float(np.sum(gaps)) - time.time()))
        while not crew.ask_to_speak(venue, self.token) or not self.join(venue.whip, self.token, self.number + 1):
            gevent.sleep(RETRY)
        self._row = {"t": time.time(), "user": self.name, "listeners": crew.listeners}
        silenced = self.stay(FOREVER)
        self._book(time.time() if silenced else None)
        raise StopUser

    def on_stop(self) -> None:
        """Book a disturbance that nobody ended, and leave."""
        self._book(None)
        super().on_stop()

    def _book(self, silenced: float | None) -> None:
        row, self._row = self._row, None
        if row is not None:
            self.crew.book("disturbances", {**row, "silenced_s": silenced})
