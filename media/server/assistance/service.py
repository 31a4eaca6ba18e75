"""Turns what the relay tells of live Spaces, and their captions, into cases for reviewers.  It never acts.

A hint is a report in the name of its rule (``~loudness``, ``~turns``, ``~examples``): it has a clip and a place in
the queue, and what reviewers decide of it counts for the rule's accuracy as it does for any reporter's. A rule
with which people do not agree weighs less, and can be muted like anybody.
"""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from typing import Final

from media.captions.lines import Line
from media.moderation.errors import ModerationError
from media.moderation.report import Report
from media.moderation.rule_examples import RulesByExample, is_worth_judging
from media.moderation.signal_agreement import SignalAgreement, priority
from media.moderation.signals import Kind, Signal
from media.relay.plane import DataPlane, Levels, PlaneEvent
from media.server.assistance.embedding import Embedder, EmbeddingError
from media.server.assistance.watch import Watch
from media.server.database_faults import StoreUnavailableError
from media.server.errors import Problem
from media.server.moderation.service import Moderation
from media.server.spaces import Spaces
from media.space.events import Events, MuteChanged, PersonRemoved, RightRevoked, SpaceEnded
from media.space.space import Space
from media.space.states import State

log = logging.getLogger(__name__)

NAMES: Final = {Kind.LOUDNESS: "~loudness", Kind.TURNS: "~turns", Kind.RULE: "~examples"}
"""Reporters' names of rules, which no token can carry."""
KEPT: Final = 500
"""Hints that are shown."""
WAITING: Final = 64
"""Lines that wait to be judged, 20 ms each; when there are more the oldest are let go, as captions go on."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A signal in a Space, and the cases that it opened or joined."""

    space_id: str
    signal: Signal
    at: float
    """Unix seconds."""
    cases: tuple[str, ...]


class Assistance:
    """Driven by the events of the plane, by what happens in Spaces, by reports and by captions."""

    def __init__(
        self, spaces: Spaces, plane: DataPlane, moderation: Moderation, embedder: Embedder | None = None
    ) -> None:
        """Without an embedder captions are not judged."""
        self._spaces = spaces
        self._moderation = moderation
        self._embedder = embedder
        self._rules: RulesByExample | None = None
        self._watches: dict[str, Watch] = {}
        self._lines: deque[tuple[str, Line]] = deque(maxlen=WAITING)
        self._judging: asyncio.Task[None] | None = None
        self.hints: deque[Hint] = deque(maxlen=KEPT)
        """The last ones, the newest first."""
        plane.subscribe(self.receive)
        spaces.watch(self._watch)
        moderation.on_report.append(self._reported)

    def receive(self, event: PlaneEvent) -> None:
        """Take an event of the plane."""
        if isinstance(event, Levels) and self._is_live(event.room):
            self._tell(event.room, self._of(event.room).hear(event.dbov, self._moderation.now))

    def read(self, space_id: str, line: Line) -> None:
        """Take a final line of captions of a Space."""
        if self._embedder is None or not is_worth_judging(line.text):
            return
        self._lines.append((space_id, line))
        if self._judging is None or self._judging.done():
            self._judging = self._spaces.follow(self._judge(self._embedder))

    def close(self) -> None:
        """Judge no more; what waits is let go."""
        self._lines.clear()
        if self._embedder is not None:
            self._embedder.close()

    async def agreement(self) -> dict[Kind, SignalAgreement]:
        """Return how often people's decisions agreed with each kind, of the last hundred."""
        reporters = await self._moderation.reporters(NAMES.values())
        found: dict[Kind, SignalAgreement] = {}
        for kind, name in NAMES.items():
            right = sum(reporters[name].outcomes.values())
            found[kind] = SignalAgreement(right, len(reporters[name].outcomes) - right)
        return found

    async def _judge(self, embedder: Embedder) -> None:
        """Judge lines one after the other; the oldest that nobody could wait for are gone."""
        while self._lines:
            space_id, line = self._lines.popleft()
            try:
                if self._rules is None:
                    self._rules = await embedder.rules()
                match = self._rules.judge((await embedder.embed([line.text]))[0])
            except EmbeddingError as error:
                log.warning("A line was not held against the rules: %s", error)
                continue
            space = self._spaces.held(space_id)
            if match is not None and space is not None and space.started_at is not None:
                ahead = self._spaces.clock() - self._moderation.now
                self._tell(space_id, [match.signal(line.user_id, space.started_at + line.start_ms / 1000 - ahead)])

    def _is_live(self, space_id: str) -> bool:
        """Whether a Space is live: what comes late, of one that has just ended, is about nothing any more."""
        space = self._spaces.held(space_id)
        return space is not None and space.state is State.LIVE

    def _of(self, space_id: str) -> Watch:
        return self._watches.setdefault(space_id, Watch())

    def _watch(self, space: Space, events: Events) -> None:
        for event in events:
            match event:
                case (
                    MuteChanged(person=person, by_admin=True)
                    | PersonRemoved(person=person)
                    | RightRevoked(person=person, reason="revoked")
                ):
                    self._of(space.id).note_trouble(person, self._moderation.now)
                case SpaceEnded():
                    self._watches.pop(space.id, None)
                case _:
                    pass

    def _reported(self, report: Report) -> None:
        subject = report.subject
        if subject.user_id is not None and self._is_live(subject.space_id):
            self._of(subject.space_id).note_trouble(subject.user_id, self._moderation.now)

    def _tell(self, space_id: str, signals: list[Signal]) -> None:
        for signal in signals:
            self._spaces.follow(self._open_cases(space_id, signal))

    async def _open_cases(self, space_id: str, signal: Signal) -> None:
        """Put a hint into the queue, a case for each person; one that cannot be is shown all the same."""
        cases: list[str] = []
        for person in signal.people:
            try:
                filing = await self._moderation.flag(
                    NAMES[signal.kind], space_id, person, signal.category, signal.reason, signal.at
                )
            except (ModerationError, Problem, StoreUnavailableError) as refusal:
                log.info("A hint opened no case: %s", refusal)
            else:
                cases += [filing.case.id] if filing.case is not None else []
        self.hints.appendleft(Hint(space_id, signal, self._spaces.clock(), tuple(cases)))


def ordered(hints: list[Hint], agreement: dict[Kind, SignalAgreement]) -> list[tuple[Hint, float]]:
    """Return hints with their priorities (0 to 1), the highest first; among equals the newest."""
    weighed = [(hint, priority(hint.signal.strength, agreement[hint.signal.kind])) for hint in hints]
    return sorted(weighed, key=lambda each: (-each[1], -each[0].at))
