"""The states of a case, as a table: every transition that exists stands here.

A case is opened by a report, claimed by one reviewer under a lease, and decided::

    open ⇄ claimed → decided → closed ─ appeal ─► open (the complaint's turn, for another reviewer) → … → final
       ▲       ├──► held        (kept by its reviewer, with no lease that runs out)
       └───────┴──► escalated   (for senior reviewers, without a due time that is extended by waiting)

``decided`` is carried out at once; for a few seconds who decided can take it back. What ends a complaint is final.
"""

from enum import StrEnum
from typing import Final

from media.moderation.errors import WrongCaseStateError


class CaseState(StrEnum):
    """Of a case."""

    OPEN = "open"
    CLAIMED = "claimed"
    HELD = "held"
    ESCALATED = "escalated"
    DECIDED = "decided"
    CLOSED = "closed"
    FINAL = "final"


class CaseInput(StrEnum):
    """What can happen to a case."""

    REPORT = "add a report to"
    CLAIM = "claim"
    EXTEND = "extend the lease of"
    RELEASE = "release"
    EXPIRE = "time out of"
    HOLD = "hold"
    RESUME = "resume"
    HAND_OVER = "hand over"
    ESCALATE = "escalate"
    DECIDE = "decide"
    UNDO = "take back the decision on"
    SETTLE = "close"
    APPEAL = "appeal against"
    ANSWER = "answer the appeal in"


_S, _I = CaseState, CaseInput

CASE: Final[dict[tuple[CaseState, CaseInput], CaseState]] = {
    (_S.OPEN, _I.CLAIM): _S.CLAIMED,
    (_S.ESCALATED, _I.CLAIM): _S.CLAIMED,
    (_S.CLAIMED, _I.EXTEND): _S.CLAIMED,
    (_S.CLAIMED, _I.RELEASE): _S.OPEN,
    (_S.CLAIMED, _I.EXPIRE): _S.OPEN,
    (_S.CLAIMED, _I.HOLD): _S.HELD,
    (_S.HELD, _I.RESUME): _S.CLAIMED,
    (_S.HELD, _I.RELEASE): _S.OPEN,
    (_S.CLAIMED, _I.HAND_OVER): _S.CLAIMED,
    (_S.HELD, _I.HAND_OVER): _S.CLAIMED,
    (_S.CLAIMED, _I.ESCALATE): _S.ESCALATED,
    (_S.CLAIMED, _I.DECIDE): _S.DECIDED,
    (_S.DECIDED, _I.UNDO): _S.CLAIMED,
    (_S.DECIDED, _I.SETTLE): _S.CLOSED,
    (_S.CLOSED, _I.APPEAL): _S.OPEN,
    (_S.CLAIMED, _I.ANSWER): _S.FINAL,
    **{(s, _I.REPORT): s for s in (_S.OPEN, _S.CLAIMED, _S.HELD, _S.ESCALATED)},
}

UNDECIDED: Final = frozenset({_S.OPEN, _S.CLAIMED, _S.HELD, _S.ESCALATED})
"""The states in which further reports on the same matter belong to the case."""


def next_case_state(state: CaseState, happening: CaseInput) -> CaseState:
    """Look a transition up.

    :raises WrongCaseStateError: the table has no such cell
    """
    try:
        return CASE[state, happening]
    except KeyError:
        raise WrongCaseStateError(f"Nobody can {happening} a case that is {state}.") from None
