"""The people of the swarm, as Locust users on top of one engine per worker."""

import time
from typing import Any

import gevent
from gevent.event import Event
from locust import User, task
from locust.exception import StopUser

from loadtest.crew import Crew
from loadtest.engine.remote import EngineError
from loadtest.timetable import Arrival
from loadtest.venue import Venue

RETRY_AFTER = 2.0
"""Seconds until someone who could not get in, or was thrown out, tries again."""
FOREVER = 7 * 86_400.0


class Person(User):
    """Someone with a connection; not used by itself."""

    abstract = True
    kind = "listener"
    continuous: bool | None = None
    """Whether a speaker of this class talks without pauses; None: as the run's flag says."""

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.crew: Any = environment.crew
        assert self.crew is None or isinstance(self.crew, Crew)
        self._member: int | None = None
        self._ended = Event()

    def enter(self) -> tuple[Crew, Venue]:
        """The crew, once the doors are open; :raises StopUser: the run could not begin."""
        if self.crew is None:
            raise StopUser
        return self.crew, self.crew.wait_for_venue()

    def on_stop(self) -> None:
        """Leave, if still there."""
        self._leave()

    def visit(self, url: str, token: str | None, stay: float, seed: int) -> bool:
        """Join, stay for so many seconds, leave; False if the join failed or the relay ended it before."""
        if not self.join(url, token, seed):
            return False
        thrown_out = self.stay(stay)
        if thrown_out:
            self.crew.thrown_out(self.kind)
        return not thrown_out

    def join(self, url: str, token: str | None, seed: int) -> bool:
        """Join and book it; False if that failed."""
        self._ended.clear()
        try:
            continuous = self.crew.programme.continuous if self.continuous is None else self.continuous
            joined = self.crew.engine.join(self.kind, url, token, seed=seed, continuous=continuous)
        except EngineError as error:
            self.crew.join_failed(self.kind, error)
            return False
        self._member = joined.pop("member")
        self.crew.joined(self.kind, joined)
        self.crew.on_end(self._member, self._ended.set)
        return True

    def stay(self, seconds: float) -> bool:
        """Stay for so many seconds and leave; True if the relay ended the session before."""
        ended = self._ended.wait(seconds)
        if ended:
            self._member = None
        self._leave()
        return ended

    def _leave(self) -> None:
        member, self._member = self._member, None
        if member is not None:
            self.crew.leave(member)


class Listener(Person):
    """One of the crowd: anonymous, hears, says nothing."""

    weight = 1

    @task
    def attend(self) -> None:
        """Visit when the timetable says so; without a timetable, at once and until stopped."""
        crew, venue = self.enter()
        arrival: Arrival | None = Arrival(0.0, FOREVER)
        if crew.timetable is not None:
            arrival = crew.timetable.take()
            if arrival is None:
                raise StopUser
            gevent.sleep(max(0.0, crew.started + arrival.at - time.time()))
        else:
            crew.wait_for_turn()
        if not self.visit(venue.whep, None, arrival.stay, 0):
            gevent.sleep(RETRY_AFTER)


class Speaker(Person):
    """Someone on stage: asks to speak, is let in while seats are free, and talks."""

    kind = "speaker"
    fixed_count = 2

    @task
    def speak(self) -> None:
        """Take a seat and keep it until the end."""
        crew, venue = self.enter()
        token, seed = crew.next_speaker(venue)
        if token is None or not crew.ask_to_speak(venue, token):
            raise StopUser
        while not self.visit(venue.whip, token, FOREVER, seed):
            gevent.sleep(RETRY_AFTER)
