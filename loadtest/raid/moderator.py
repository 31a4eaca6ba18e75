"""Moderators: reviewers who claim the next case, take their time, and decide."""

import time
from datetime import datetime
from typing import Any

import gevent
import numpy as np
from locust import task

from loadtest.crew import Crew
from loadtest.raid.account import Account
from sim.moderation import ORDINARY
from sim.streams import Purpose, stream

POLL = 0.1
"""Seconds after which who found no case asks again."""
KEY_PRESS = 60.0
"""Seconds after which a moderator who is still at it presses a key, which extends the lease."""


class Moderator(Account):
    """Claims, listens, decides; errs now and then."""

    title = "moderator"
    roles = ("reviewer",)
    fixed_count = 3

    @task
    def review(self) -> None:
        """Work off the queue until stopped."""
        crew, _ = self.sign_in()
        draw = stream(crew.programme.seed, Purpose.REVIEW, self.number)
        options: Any = self.environment.parsed_options
        while True:
            case = self._claim()
            if case is None:
                gevent.sleep(POLL)
                continue
            claimed = time.time()
            self._listen(case["id"], float(draw.lognormal(np.log(options.review_median), ORDINARY.sigma)))
            wrong = draw.random() < options.review_error
            self._decide(crew, case, claimed, "no violation" if wrong else "remove from the Space")

    def _claim(self) -> dict[str, Any] | None:
        response = self.client.post("/2/moderation/claims", json={}, headers=self.headers)
        return response.json()["data"] if response.status_code == 200 else None

    def _listen(self, case: str, seconds: float) -> None:
        while seconds > 0:
            gevent.sleep(min(seconds, KEY_PRESS))
            seconds -= KEY_PRESS
            if seconds > 0:
                path = f"/2/moderation/cases/{case}/lease"
                self.client.put(path, headers=self.headers, name="/2/moderation/cases/:id/lease")

    def _decide(self, crew: Crew, case: dict[str, Any], claimed: float, action: str) -> None:
        path = f"/2/moderation/cases/{case['id']}/decision"
        body = {"actions": [action], "note": "Heard in the clip."}
        response = self.client.post(path, json=body, headers=self.headers, name="/2/moderation/cases/:id/decision")
        if response.ok:
            row = {
                "t": datetime.fromisoformat(case["opened_at"]).timestamp(),
                "case": case["id"],
                "user": case["subject"]["user_id"],
                "moderator": self.name,
                "reports": len(case["reports"]),
                "claimed_s": claimed,
                "decided_s": time.time(),
                "violation": action != "no violation",
            }
            crew.book("reviews", row)
