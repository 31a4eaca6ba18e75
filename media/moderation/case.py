"""A case: reports on one matter, decided by one reviewer at a time."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from media.moderation.categories import URGENCY, Category
from media.moderation.decision import Action, Decision, Outcome
from media.moderation.errors import (
    LeaseLostError,
    ModerationError,
    NotThisReviewerError,
    TooLateError,
    WrongCaseStateError,
)
from media.moderation.events import (
    AppealAnswered,
    AppealMade,
    CaseClaimed,
    CaseClosed,
    CaseDecided,
    CaseEscalated,
    CaseHeld,
    CaseOpened,
    CaseReleased,
    DecisionUndone,
    Events,
    EvidenceHeld,
    ReportAdded,
)
from media.moderation.policy import DEFAULT, ReviewPolicy
from media.moderation.report import Clip, Report, Subject, clip_around, with_clip
from media.moderation.states import UNDECIDED, CaseInput, CaseState, next_case_state

APPEAL_TEXT_MAX: Final = 5_000
"""Characters of a complaint."""


@dataclass(frozen=True, slots=True)
class Appeal:
    """A complaint against a decision."""

    at: float
    by: str
    text: str


class Case:
    """One matter: a subject, a category, and all reports on it.

    Driven by reports, by reviewers, by the user affected, and by :meth:`handle_timer`, which comes first whenever
    :attr:`next_timer` has passed. Each input takes ``now`` in seconds and returns events.
    """

    def __init__(self, case_id: str, report: Report, now: float, policy: ReviewPolicy = DEFAULT) -> None:
        """Open a case; :meth:`open` says so."""
        self.id = case_id
        self.policy = policy
        self.subject: Subject = report.subject
        self.category: Category = report.category
        self.state = CaseState.OPEN
        self.opened_at = now
        self.due_at = now + URGENCY[report.category].due
        self.reporters: dict[str, bool] = {}
        """Who reported, and whether they were credible then."""
        self.trusted = False
        """Whether a trusted flagger is among them."""
        self.clips: tuple[Clip, ...] = ()
        self.reviewer: str | None = None
        self.lease_until: float | None = None
        self.escalated = False
        self.decisions: list[Decision] = []
        """Those that stand, oldest first."""
        self.appeal: Appeal | None = None
        self.outcome: Outcome | None = None
        self._first = report

    def open(self, now: float, *, credible: bool = True) -> Events:
        """Take the report that the case was made of."""
        return [CaseOpened(now, self.id, self._first), *self._take(self._first, now, credible)]

    @property
    def severity(self) -> int:
        """0 to 4: that of the category, and one more if many credible users or a trusted flagger say so."""
        agreed = self.trusted or sum(self.reporters.values()) >= self.policy.crowd
        return URGENCY[self.category].severity + agreed

    @property
    def place(self) -> tuple[float, int, str]:
        """Where the case stands in its queue, the first to be looked at being the least."""
        return self.due_at, -self.severity, self.id

    @property
    def waiting(self) -> bool:
        """Whether a reviewer can claim it."""
        return self.state in (CaseState.OPEN, CaseState.ESCALATED)

    @property
    def holds_evidence(self) -> bool:
        """Whether its evidence must not be erased: somebody is still to decide about it."""
        return self.state in UNDECIDED or self.state is CaseState.DECIDED

    @property
    def violation(self) -> bool:
        """Whether the rules were found broken, and nothing has come of a complaint about that."""
        return bool(self.decisions) and self.decisions[-1].violation and self.outcome is not Outcome.OVERTURNED

    @property
    def next_timer(self) -> float:
        """When :meth:`handle_timer` is due (seconds)."""
        if self.state is CaseState.CLAIMED and self.lease_until is not None:
            return self.lease_until
        if self.state is CaseState.DECIDED:
            return self.decisions[-1].at + self.policy.undo
        return float("inf")

    def report(self, report: Report, now: float, *, credible: bool = True) -> Events:
        """Add a report on the same matter; a second one of the same user moves the clip and counts once.

        :raises WrongCaseStateError: the case has been decided: a new one is to be opened
        """
        next_case_state(self.state, CaseInput.REPORT)
        known = report.reporter in self.reporters
        held = self._take(report, now, credible)
        return held if known else [ReportAdded(now, self.id, report), *held]

    def claim(self, reviewer: str, now: float, *, senior: bool = False) -> Events:
        """Give the case to a reviewer, under a lease.

        :raises WrongCaseStateError: another reviewer has it, or it is decided
        :raises NotThisReviewerError: they are part of the matter, decided it before, or it is for senior reviewers
        """
        following = next_case_state(self.state, CaseInput.CLAIM)
        self.check_reviewer(reviewer, senior=senior)
        self.state = following
        return self._lease(reviewer, now)

    def check_reviewer(self, reviewer: str, *, senior: bool = False) -> None:
        """Pass if a reviewer may decide the case.

        :raises NotThisReviewerError: why not
        """
        if reviewer == self.subject.affected or reviewer in self.reporters:
            raise NotThisReviewerError("You are part of this matter; another reviewer has to decide it.")
        if self.appeal is not None and any(decision.reviewer == reviewer for decision in self.decisions):
            raise NotThisReviewerError(
                "You took the decision that is complained about; another has to look at it."
            )
        if self.escalated and self.appeal is None and not senior:
            raise NotThisReviewerError("This case was escalated; a senior reviewer has to decide it.")

    def extend(self, reviewer: str, now: float) -> Events:
        """Begin the lease anew: its reviewer is there.

        :raises LeaseLostError: it ran out, or the case is another's
        """
        self._held(CaseInput.EXTEND, reviewer, now)
        self.lease_until = now + self.policy.lease
        return []

    def release(self, reviewer: str, now: float) -> Events:
        """Put the case back into its queue.

        :raises LeaseLostError: it is not theirs
        """
        self._held(CaseInput.RELEASE, reviewer, now)
        return self._put_back(now, expired=False)

    def hold(self, reviewer: str, now: float) -> Events:
        """Keep the case without a lease, to wait for something.

        :raises LeaseLostError: it is not theirs
        """
        self.state = self._held(CaseInput.HOLD, reviewer, now)
        self.lease_until = None
        return [CaseHeld(now, self.id, reviewer)]

    def resume(self, reviewer: str, now: float) -> Events:
        """Go on with a case that was held.

        :raises LeaseLostError: it is not theirs
        """
        self.state = self._held(CaseInput.RESUME, reviewer, now)
        return self._lease(reviewer, now)

    def hand_over(self, reviewer: str, to: str, now: float, *, senior: bool = False) -> Events:
        """Give the case to another reviewer, under a lease of theirs.

        :raises LeaseLostError: it is not theirs to give
        :raises NotThisReviewerError: the other must not decide it
        """
        following = self._held(CaseInput.HAND_OVER, reviewer, now)
        self.check_reviewer(to, senior=senior)
        self.state = following
        return self._lease(to, now)

    def escalate(self, reviewer: str, now: float, note: str = "") -> Events:
        """Let a senior reviewer decide.

        :raises LeaseLostError: it is not theirs
        """
        self.state = self._held(CaseInput.ESCALATE, reviewer, now)
        self.escalated = True
        self.reviewer = self.lease_until = None
        return [CaseEscalated(now, self.id, reviewer, note)]

    def decide(self, reviewer: str, actions: Collection[Action], now: float, note: str = "") -> Events:
        """Decide; to be carried out at once.

        :raises ModerationError: the actions contradict each other
        :raises LeaseLostError: the lease ran out, or the case is another's
        :raises WrongCaseStateError: it is a complaint, which is answered and not decided
        """
        if self.appeal is not None and self.state is CaseState.CLAIMED:
            raise WrongCaseStateError("This is a complaint; answer it with upheld or overturned.")
        following = self._held(CaseInput.DECIDE, reviewer, now)
        decision = Decision(now, reviewer, frozenset(actions), note)
        self.state, self.lease_until = following, None
        self.decisions.append(decision)
        return [CaseDecided(now, self.id, decision)]

    def undo(self, reviewer: str, now: float) -> Events:
        """Take the decision back; the case is its reviewer's again.

        :raises TooLateError: the time to do so has passed
        :raises LeaseLostError: somebody else decided
        """
        if self.state is CaseState.DECIDED and now >= self.next_timer:
            raise TooLateError(f"A decision can be taken back for {self.policy.undo:.0f} s; this one stands.")
        following = next_case_state(self.state, CaseInput.UNDO)
        if reviewer != self.reviewer:
            raise LeaseLostError("Somebody else took this decision; only they can take it back.")
        self.state = following
        undone = self.decisions.pop()
        return [DecisionUndone(now, self.id, undone), *self._lease(reviewer, now)]

    def complain(self, by: str, text: str, now: float) -> Events:
        """Appeal against the decision; the case is queued again, for another reviewer.

        :raises NotThisReviewerError: the decision does not affect them
        :raises TooLateError: the time to complain has passed
        :raises WrongCaseStateError: there is no decision to complain about, or it was complained about before
        """
        if self.appeal is not None:
            raise WrongCaseStateError("There was a complaint in this case already; what came of it is final.")
        following = next_case_state(self.state, CaseInput.APPEAL)
        decision = self.decisions[-1]
        if by != self.subject.affected or not decision.violation:
            raise NotThisReviewerError("Only the user whom a decision was taken against can complain about it.")
        if now > decision.at + self.policy.appeal_window:
            raise TooLateError("The six months in which one can complain about a decision have passed.")
        if len(text) > APPEAL_TEXT_MAX:
            raise ModerationError(f"A complaint has at most {APPEAL_TEXT_MAX} characters, not {len(text)}.")
        self.state = following
        self.appeal = Appeal(now, by, text)
        self.due_at = now + self.policy.appeal_due
        return [AppealMade(now, self.id, by, text)]

    def answer(self, reviewer: str, outcome: Outcome, now: float, reasons: str = "") -> Events:
        """Decide a complaint, for good; what was overturned counts against nobody any more.

        :param reasons: what the user who complained is told
        :raises LeaseLostError: the lease ran out, or the case is another's
        :raises WrongCaseStateError: nobody complained
        """
        if self.appeal is None:
            raise WrongCaseStateError("Nobody has complained in this case; decide it.")
        self.state = self._held(CaseInput.ANSWER, reviewer, now)
        self.outcome, self.reviewer, self.lease_until = outcome, None, None
        return [AppealAnswered(now, self.id, outcome, reviewer, self.decisions[-1], reasons)]

    def handle_timer(self, now: float) -> Events:
        """Whatever time alone brings: a lease that ran out, a decision that stands."""
        if now < self.next_timer:
            return []
        if self.state is CaseState.CLAIMED:
            return self._put_back(now, expired=True)
        self.state = next_case_state(self.state, CaseInput.SETTLE)
        self.reviewer = None
        return [CaseClosed(now, self.id, self.decisions[-1])]

    def _held(self, happening: CaseInput, reviewer: str, now: float) -> CaseState:
        """Return the state that follows, if the reviewer has the case."""
        if self.state is CaseState.CLAIMED and now >= self.next_timer:
            raise LeaseLostError("Your lease of this case ran out; claim it again, if it is still there.")
        following = next_case_state(self.state, happening)
        if reviewer != self.reviewer:
            raise LeaseLostError("This case is another reviewer's; claim the next one.")
        return following

    def _lease(self, reviewer: str, now: float) -> Events:
        self.reviewer, self.lease_until = reviewer, now + self.policy.lease
        return [CaseClaimed(now, self.id, reviewer, self.lease_until)]

    def _put_back(self, now: float, *, expired: bool) -> Events:
        happening = CaseInput.EXPIRE if expired else CaseInput.RELEASE
        self.state = next_case_state(self.state, happening)
        if self.escalated and self.appeal is None:
            self.state = CaseState.ESCALATED
        reviewer, self.reviewer, self.lease_until = self.reviewer, None, None
        assert reviewer is not None
        return [CaseReleased(now, self.id, reviewer, expired)]

    def _take(self, report: Report, now: float, credible: bool) -> Events:
        self.reporters[report.reporter] = self.reporters.get(report.reporter, False) or credible
        self.trusted = self.trusted or report.trusted
        clip = clip_around(report.moment, self.policy.clip)
        before, self.clips = self.clips, with_clip(self.clips, clip)
        return [] if self.clips == before else [EvidenceHeld(now, self.id, clip)]
