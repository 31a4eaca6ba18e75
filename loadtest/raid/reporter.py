"""Reporters: listeners who report whom they hear disturb."""

import json
import time
from collections.abc import Iterator
from typing import Any

import gevent
from locust import task
from locust.exception import StopUser

from loadtest.raid.account import Account
from loadtest.raid.raider import Raider
from loadtest.venue import Venue
from sim.streams import Purpose, stream

AGAIN = 20.0
"""Seconds after which a disturbance that goes on is reported again."""
LATELY = 2.0
"""Seconds for which somebody who was audible counts as disturbing."""


class Reporter(Account):
    """Follows who is audible, as the page does, and reports raiders a little while after they begin."""

    title = "reporter"
    fixed_count = 3

    @task
    def listen(self) -> None:
        """Report until the Space is over."""
        crew, venue = self.sign_in()
        self._heard: dict[str, float] = {}
        reported: dict[str, float] = {}
        draw = stream(crew.programme.seed, Purpose.REPORTS, self.number)
        options: Any = self.environment.parsed_options
        for audible in self._pulses(venue):
            now = time.time()
            for user in audible:
                if not user.startswith(Raider.title):
                    continue
                self._heard[user] = now
                if now - reported.get(user, -AGAIN) >= AGAIN:
                    reported[user] = now
                    gevent.spawn_later(float(draw.exponential(options.report_after)), self._report, venue, user)
        raise StopUser

    def _report(self, venue: Venue, user: str) -> None:
        """Report somebody who can still be heard."""
        if time.time() - self._heard[user] > LATELY:
            return
        body = {"space_id": venue.space, "user_id": user, "category": "disturbance", "text": "Makes noise."}
        self.client.post("/2/reports", json=body, headers=self.headers)

    def _pulses(self, venue: Venue) -> Iterator[dict[str, float]]:
        """Yield who is audible, and how loud, whenever the server says so."""
        path = f"/spaces/{venue.space}/events"
        with self.client.get(
            path, headers=self.headers, stream=True, catch_response=True, name="/spaces/:id/events"
        ) as response:
            response.success()  # as soon as it has begun
            event = b""
            for line in response.iter_lines():
                field, _, value = line.partition(b":")
                if field == b"event":
                    event = value.strip()
                elif field == b"data" and event == b"pulse":
                    yield json.loads(value)["speaking"]
