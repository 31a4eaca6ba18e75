"""Reviewers and their queue on simulated time, over the very objects that the server runs.

Reports come as a list of moments; each becomes a case of :class:`media.moderation.queue.ReviewQueue`, or joins
one. Reviewers come and go in shifts, claim the next case under its lease, listen, decide, and now and then err or
walk away, after which the lease runs out. Users complain about decisions, and other reviewers answer.

What counts is harm: listeners × seconds from the moment somebody began to disturb until they were silenced.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import simpy
from numpy.typing import NDArray

from media.moderation.case import Case
from media.moderation.categories import Category
from media.moderation.decision import Action, Outcome
from media.moderation.errors import LeaseLostError, TooManyReportsError
from media.moderation.events import CaseClosed, Events
from media.moderation.policy import DEFAULT, ReviewPolicy
from media.moderation.queue import ReviewQueue
from media.moderation.report import Report, Subject
from sim.streams import Purpose, stream

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shift:
    """Reviewers who work from one time to another.  Seconds from the beginning."""

    begin_s: float
    end_s: float
    reviewers: int
    senior: bool = False


@dataclass(frozen=True, slots=True)
class Reviewing:
    """How reviewers work.  Times in seconds; sources in brackets, ``?`` for an assumption to sweep."""

    median_s: float = 240.0
    """Median time to decide a case by listening, lognormal (?)."""
    sigma: float = 0.7
    """σ of its logarithm (?)."""
    error: float = 0.1
    """Share of decisions that are wrong (press reports on text review)."""
    leave: float = 0.01
    """Share of claims that are walked away from: the lease runs out (?)."""
    work_s: float = 5_400.0
    """Time between breaks (?)."""
    break_s: float = 600.0

    @property
    def mean_s(self) -> float:
        """Mean time to decide a case."""
        return self.median_s * float(np.exp(self.sigma**2 / 2))


@dataclass(frozen=True, slots=True)
class Disturbance:
    """Somebody who breaks the rules, and those who report it.  Seconds from the beginning."""

    at_s: float
    user: str
    listeners: int
    reports_s: tuple[float, ...]
    """When each report is made; of different reporters."""
    category: Category = Category.DISTURBANCE
    true: bool = True
    """Whether it is a violation: of what is reported, much is not."""
    complains: float = 0.0
    """Probability that the user complains about a decision against them."""
    again_s: float = float("inf")
    """After how long it is reported again if a reviewer wrongly found nothing; infinite: never."""


ORDINARY: Final = Reviewing()


@dataclass(slots=True)
class Reviewed:
    """What happened to the cases of one run; arrays have an entry for each disturbance, NaN for never."""

    reported_s: Floats
    claimed_s: Floats
    """First claim."""
    silenced_s: Floats
    """First decision against the user."""
    harm: Floats
    """Listener-seconds until silenced, or until the end of the run."""
    backlog: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    """Cases that wait, after each change: (seconds, cases)."""
    decided: int = 0
    answered: int = 0
    overturned: int = 0
    expired: int = 0
    """Leases that ran out."""

    @property
    def waits_s(self) -> Floats:
        """From the first report to the first claim, for those that were claimed."""
        waits = self.claimed_s - self.reported_s
        return waits[~np.isnan(waits)]

    def mean_backlog(self, until_s: float) -> float:
        """Cases that waited, averaged over time."""
        return mean_backlog(self.backlog, until_s)


class ReviewModel:
    """One run; made, run once, and read."""

    def __init__(
        self,
        disturbances: Sequence[Disturbance],
        shifts: Sequence[Shift],
        *,
        seed: int,
        replication: int = 0,
        reviewing: Reviewing = ORDINARY,
        policy: ReviewPolicy = DEFAULT,
        service: Callable[[np.random.Generator], float] | None = None,
    ) -> None:
        """Take who disturbs and who reviews; ``service`` draws seconds instead of the lognormal."""
        self._env = simpy.Environment()
        self._queue = ReviewQueue(policy)
        self._policy = policy
        self._reviewing = reviewing
        self._rng = stream(seed, Purpose.REVIEW, replication)
        self._service = service or self._lognormal
        self._disturbances = disturbances
        self._shifts = shifts
        self._of_case: dict[str, int] = {}
        self._work = self._env.event()
        never = np.full(len(disturbances), np.nan)
        self.result = Reviewed(never.copy(), never.copy(), never.copy(), np.zeros(len(disturbances)))

    def run(self, until_s: float) -> Reviewed:
        """Let that many seconds pass, and return what happened."""
        for number, disturbance in enumerate(self._disturbances):
            for at in disturbance.reports_s:
                self._env.process(self._reports(number, disturbance, at))
        names = (f"reviewer{n}" for n in range(sum(shift.reviewers for shift in self._shifts)))
        for shift in self._shifts:
            for _ in range(shift.reviewers):
                self._env.process(self._reviews(next(names), shift))
        self._env.process(self._time_passes())
        self._env.run(until=until_s)
        silenced = np.where(np.isnan(self.result.silenced_s), until_s, self.result.silenced_s)
        for number, each in enumerate(self._disturbances):
            lasted = max(0.0, silenced[number] - each.at_s) if each.true else 0.0
            self.result.harm[number] = lasted * each.listeners
        return self.result

    def _reports(self, number: int, disturbance: Disturbance, at: float) -> Generator[simpy.Event, Any, None]:
        yield self._env.timeout(at - self._env.now)
        subject = Subject("space", disturbance.user)
        reporter = f"{disturbance.user}'s reporter at {at!r}"
        report = Report(reporter, subject, disturbance.category, at, max(disturbance.at_s, 0.0))
        try:
            case, _ = self._queue.report(report, at)
        except TooManyReportsError:
            return
        if case is not None:
            self._of_case.setdefault(case.id, number)
            if np.isnan(self.result.reported_s[number]):
                self.result.reported_s[number] = at
            self._changed()

    def _reviews(self, name: str, shift: Shift) -> Generator[simpy.Event, Any, None]:
        env, reviewing = self._env, self._reviewing
        yield env.timeout(shift.begin_s)
        rested = env.now
        while env.now < shift.end_s:
            if env.now - rested >= reviewing.work_s:
                yield env.timeout(reviewing.break_s)
                rested = env.now
                continue
            case, events = self._queue.claim(name, env.now, senior=shift.senior)
            self._note(events)
            if case is None:
                yield self._work | env.timeout(max(shift.end_s - env.now, 0.0))
                continue
            number = self._of_case[case.id]
            if np.isnan(self.result.claimed_s[number]):
                self.result.claimed_s[number] = env.now
            self._changed()
            if self._rng.random() < reviewing.leave:
                yield env.timeout(self._policy.lease)  # nobody presses a key
                continue
            yield from self._listens(case, name)
            self._decides(case, name, self._disturbances[number])

    def _listens(self, case: Case, name: str) -> Generator[simpy.Event, Any, None]:
        """Take as long as it takes, pressing a key often enough to keep the lease."""
        left = self._service(self._rng)
        while left > 0:
            stretch = min(left, self._policy.lease / 2)
            yield self._env.timeout(stretch)
            left -= stretch
            if left > 0:
                self._queue.note(case, case.extend(name, self._env.now))

    def _decides(self, case: Case, name: str, disturbance: Disturbance) -> None:
        now = self._env.now
        right = self._rng.random() >= self._reviewing.error
        violation = disturbance.true if right else not disturbance.true
        try:
            if case.appeal is None:
                actions = {Action.REVOKE_SPEECH} if violation else {Action.NO_VIOLATION}
                self._queue.note(case, case.decide(name, actions, now))
                self.result.decided += 1
                self._silence(case, violation)
            else:
                outcome = Outcome.UPHELD if violation else Outcome.OVERTURNED
                self._queue.note(case, case.answer(name, outcome, now))
                self.result.answered += 1
                self.result.overturned += outcome is Outcome.OVERTURNED
        except LeaseLostError:
            self.result.expired += 1
        self._changed()

    def _silence(self, case: Case, violation: bool) -> None:
        number = self._of_case[case.id]
        if violation and np.isnan(self.result.silenced_s[number]):
            self.result.silenced_s[number] = self._env.now

    def _time_passes(self) -> Generator[simpy.Event, Any, None]:
        """Hand the queue its timers: leases that ran out, decisions that stand."""
        while True:
            wait = self._queue.next_timer - self._env.now
            if wait == float("inf"):
                yield self._work
            else:
                yield self._env.timeout(max(wait, 0.0)) | self._work
            self._note(self._queue.handle_timers(self._env.now))

    def _note(self, events: Events) -> None:
        for event in events:
            if not isinstance(event, CaseClosed):
                continue
            number = self._of_case[event.case]
            disturbance = self._disturbances[number]
            if event.decision.violation:
                self._maybe_complains(self._queue.cases[event.case])
            elif disturbance.true and np.isnan(self.result.silenced_s[number]) and disturbance.again_s < np.inf:
                at = self._env.now + disturbance.again_s
                self._env.process(self._reports(number, disturbance, at))
        if events:
            self._changed()

    def _maybe_complains(self, case: Case) -> None:
        disturbance = self._disturbances[self._of_case[case.id]]
        if self._rng.random() < disturbance.complains:
            self._queue.note(case, case.complain(disturbance.user, "", self._env.now))

    def _changed(self) -> None:
        """Note the backlog, and wake whoever waits for work."""
        self.result.backlog.append((self._env.now, len(self._queue)))
        work, self._work = self._work, self._env.event()
        work.succeed()

    def _lognormal(self, rng: np.random.Generator) -> float:
        return float(rng.lognormal(np.log(self._reviewing.median_s), self._reviewing.sigma))


def mean_backlog(backlog: Sequence[tuple[float, int]], until_s: float) -> float:
    """Return the cases that waited, averaged over time until ``until_s``; ``backlog`` as in :class:`Reviewed`."""
    before = [(at, cases) for at, cases in backlog if at <= until_s]
    at = np.array([0.0, *(each[0] for each in before), until_s])
    cases = np.array([0, *(each[1] for each in before)], dtype=float)
    return float(np.sum(np.diff(at) * cases) / until_s) if until_s > 0 else 0.0


def report_times(rate_per_s: float, begin_s: float, end_s: float, rng: np.random.Generator) -> tuple[float, ...]:
    """Draw the moments of a Poisson process between two times (seconds)."""
    count = int(rng.poisson(rate_per_s * max(0.0, end_s - begin_s)))
    return tuple(float(at) for at in np.sort(rng.uniform(begin_s, end_s, count)))
