"""What is counted about one Space while it is live.  No I/O and no clock: driven by :mod:`.analytics`.

Listeners are numbers in it. While somebody is here their name is known, as it is to the sessions; what is written
down is how many came, how long stays were, and a sketch of how many different people that was. Named are those who
spoke, whom everyone heard.
"""

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from media.server.analytics.course import Course, Sample
from media.server.analytics.sketch import Sketch
from media.server.analytics.spells import Spells
from media.server.sessions import Source
from media.space.events import (
    Asked,
    PersonLeft,
    PersonRemoved,
    RequestDenied,
    RequestWithdrawn,
    RightGranted,
    SpaceEvent,
)

RETURN: Final = 30.0
"""Seconds within which somebody who lost the connection and comes back has never left: the grace time of roles."""

Answer = str
"""What became of a request: ``granted``, ``denied`` or ``withdrawn``."""


@dataclass(slots=True)
class Visit:
    """Somebody who is here, or was a moment ago."""

    since: float
    sessions: int = 1
    left_at: float | None = None


class Ledger:
    """Times are Unix seconds."""

    def __init__(self, started_at: float, record: Mapping[str, Any] | None = None) -> None:
        """Begin, or go on from what :meth:`to_record` returned."""
        r = record or {}
        self.started_at = started_at
        self.ended_at: float | None = r.get("ended_at")
        self.as_of: float = r.get("as_of", started_at)
        key = r.get("key")
        self._key = secrets.token_bytes(32) if not r else bytes.fromhex(key) if key else b""
        self._people = Sketch(r.get("people", ""))
        self.anonymous: int = r.get("anonymous", 0)
        """Anonymous listeners who came; each connection of one counts, since nothing tells them apart."""
        self.peak: int = r.get("peak", 0)
        self.peak_at: float = r.get("peak_at", started_at)
        self.arrivals: Counter[str] = Counter(r.get("arrivals", {}))
        """By source."""
        self.course = Course(started_at, r.get("course"))
        self.reactions: Counter[str] = Counter(r.get("reactions", {}))
        self.answers: Counter[Answer] = Counter(r.get("answers", {}))
        self.asked: int = r.get("asked", 0)
        self.waits = Spells(r.get("waits"))
        self.talk: dict[str, float] = dict(r.get("talk", {}))
        """Person to seconds that they were audible."""
        self._stays = Spells(r.get("stays"))
        self._visits: dict[str, Visit] = {}
        self._leaving: set[str] = set()
        self._since: Counter[float] = Counter()
        """When those who are here came, in whole intervals, to how many."""
        self._asked_at: dict[str, float] = {}
        self._talking: dict[str, float] = {}
        self._reacted: Counter[str] = Counter()
        self._came = self._left = 0

    @property
    def unique(self) -> float:
        """About how many different people came, without anonymous ones."""
        return self._people.estimate()

    @property
    def stays(self) -> Spells:
        """How long people stayed, and have been staying."""
        return self._stays.with_open(self._ages())

    @property
    def waiting(self) -> int:
        """Requests without an answer."""
        return len(self._asked_at)

    def resume(self, waiting: Mapping[str, float]) -> None:
        """Know the requests that were made to a process before: person to when (Unix seconds)."""
        self._asked_at.update(waiting)

    def up(self, person: str, source: Source, anonymous: bool, participants: int, now: float) -> None:
        """Take a connection that came up, and how many are connected now."""
        if participants > self.peak:
            self.peak, self.peak_at = participants, now
        visit = self._visits.get(person)
        if visit is not None:
            visit.sessions += 1
            visit.left_at = None
            self._leaving.discard(person)
            return
        self._visits[person] = Visit(now)
        self._since[_rounded(now)] += 1
        self.arrivals[source] += 1
        self._came += 1
        if anonymous:
            self.anonymous += 1
        else:
            self._people.add(person, self._key)

    def down(self, person: str, now: float) -> None:
        """Take a connection that went down."""
        visit = self._visits.get(person)
        if visit is None:
            return
        visit.sessions -= 1
        if visit.sessions <= 0:
            visit.sessions, visit.left_at = 0, now
            self._leaving.add(person)

    def note(self, events: Iterable[SpaceEvent]) -> None:
        """Take what happened in the Space."""
        for event in events:
            match event:
                case Asked(at=at, person=person):
                    self.asked += 1
                    self._asked_at[person] = at
                case RightGranted(at=at, person=person):
                    self._answer(person, "granted", at)
                case RequestDenied(at=at, person=person):
                    self._answer(person, "denied", at)
                case RequestWithdrawn(at=at, person=person) | PersonLeft(at=at, person=person):
                    self._answer(person, "withdrawn", at)
                case PersonRemoved(at=at, person=person):
                    self._answer(person, "denied", at)
                case _:
                    pass

    def hear(self, audible: Iterable[str], now: float) -> None:
        """Take who is audible from now on, and nobody else."""
        here = set(audible)
        for person in self._talking.keys() - here:
            self._heard(person, now - self._talking.pop(person))
        for person in here - self._talking.keys():
            self._talking[person] = now

    def sample(
        self, participants: int, listeners: int, stage: int, reactions: Mapping[str, int], now: float
    ) -> None:
        """End an interval; ``reactions`` are all that this process has counted, by kind."""
        self._settle(now)
        fresh = {kind: n for kind, total in reactions.items() if (n := total - self._reacted[kind]) > 0}
        self._reacted = Counter(reactions)
        self.reactions.update(fresh)
        if participants > self.peak:
            self.peak, self.peak_at = participants, now
        self.course.add(Sample(now, participants, listeners, stage, self.waiting, self._came, self._left, fresh))
        self._came = self._left = 0
        self.as_of = now

    def end(self, now: float) -> None:
        """Count no more: who was here stayed to the end, and the key goes."""
        self.hear((), now)
        self._settle(float("inf"))
        for age, number in self._ages(now).items():
            self._stays.cut_off(age, number)
        for asked_at in self._asked_at.values():
            self.waits.cut_off(now - asked_at)
        self._visits.clear()
        self._since.clear()
        self._asked_at.clear()
        self._key = b""
        self.ended_at = self.as_of = now

    def to_record(self) -> dict[str, Any]:
        """Return what JSON holds: names of none but those who spoke."""
        return {
            "ended_at": self.ended_at,
            "as_of": self.as_of,
            "key": self._key.hex(),
            "people": self._people.pack(),
            "anonymous": self.anonymous,
            "peak": self.peak,
            "peak_at": self.peak_at,
            "arrivals": dict(self.arrivals),
            "course": self.course.to_record(),
            "reactions": dict(self.reactions),
            "answers": dict(self.answers),
            "asked": self.asked,
            "waits": self.waits.to_record(),
            "talk": {person: round(seconds, 2) for person, seconds in self.talk.items()},
            "stays": self.stays.to_record(),  # who is here now is cut off, if this process ends before them
        }

    def _answer(self, person: str, how: Answer, at: float) -> None:
        asked_at = self._asked_at.pop(person, None)
        if asked_at is not None:
            self.answers[how] += 1
            self.waits.end(at - asked_at)

    def _heard(self, person: str, seconds: float) -> None:
        self.talk[person] = self.talk.get(person, 0.0) + seconds

    def _settle(self, now: float) -> None:
        """Bring what goes on up to date: talk until now, and who has been gone for long has left."""
        for person, since in self._talking.items():
            if now != float("inf"):
                self._heard(person, now - since)
                self._talking[person] = now
        for person in list(self._leaving):
            visit = self._visits[person]
            if visit.left_at is not None and now >= visit.left_at + RETURN:
                self._stays.end(visit.left_at - visit.since)
                self._left += 1
                self._drop(person, visit)

    def _drop(self, person: str, visit: Visit) -> None:
        del self._visits[person]
        self._leaving.discard(person)
        since = _rounded(visit.since)
        self._since[since] -= 1
        if not self._since[since]:
            del self._since[since]

    def _ages(self, now: float | None = None) -> dict[float, int]:
        """How long those who are here have been, to how many."""
        at = self.as_of if now is None else now
        ages: Counter[float] = Counter()
        for since, number in self._since.items():
            ages[max(0.0, round(at - since, 1))] += number
        return ages


def _rounded(time: float) -> float:
    return time // 1.0
