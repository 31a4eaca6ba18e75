"""What happened to a case, as rows: the timeline that reviewers see, and the entries of the audit log."""

from collections.abc import Iterable
from typing import Any

from media.moderation.events import (
    AppealAnswered,
    AppealMade,
    CaseClaimed,
    CaseClosed,
    CaseDecided,
    CaseEscalated,
    CaseEvent,
    CaseHeld,
    CaseReleased,
    DecisionUndone,
)
from media.server.audit.audit import Act

SERVER = "server"
"""Who does what time alone brings."""


def lines_of(events: Iterable[CaseEvent]) -> list[dict[str, Any]]:
    """Return the rows of a timeline."""
    lines: list[dict[str, Any]] = []
    for event in events:
        said = _said(event)
        if said is not None:
            actor, what, text = said
            lines.append({"case_id": int(event.case), "at": event.at, "actor": actor, "what": what, "text": text})
    return lines


def acts_of(events: Iterable[CaseEvent]) -> list[Act]:
    """Return the entries of the audit log; what time alone brings follows from the others and has none."""
    return [
        Act(actor, what, f"case {event.case}", text)
        for event in events
        if (said := _said(event)) is not None
        for actor, what, text in [said]
        if actor != SERVER
    ]


def _said(event: CaseEvent) -> tuple[str, str, str] | None:
    """Return who did what, and with which words; None for what is in the reports."""
    match event:
        case CaseClaimed():
            return event.reviewer, "claimed", ""
        case CaseReleased(expired=True):
            return SERVER, "lease ran out", event.reviewer
        case CaseReleased():
            return event.reviewer, "released", ""
        case CaseHeld():
            return event.reviewer, "held", ""
        case CaseEscalated():
            return event.reviewer, "escalated", event.note
        case CaseDecided(decision=decision) | DecisionUndone(decision=decision):
            what = "decided" if isinstance(event, CaseDecided) else "took back"
            return decision.reviewer, what, ": ".join([", ".join(sorted(decision.actions)), decision.note])
        case CaseClosed():
            return SERVER, "closed", ""
        case AppealMade():
            return event.by, "appealed", ""
        case AppealAnswered():
            return event.reviewer, event.outcome.value, event.reasons
        case _:
            return None
