"""Evidence is erased when it is due and not before, and the log of it cannot be changed unnoticed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.moderation.audit import Entry, append, first_fault
from media.moderation.categories import DAY
from media.moderation.errors import TooLateError
from media.moderation.retention import Erased, Evidence

ENDED = 5_000.0


def test_thirty_days_and_ninety_more_on_a_violation() -> None:
    evidence = Evidence("s", ENDED)
    assert evidence.due_at == ENDED + 30 * DAY
    evidence.hold("c1")
    evidence.release("c1", violation=True)
    assert evidence.due_at == ENDED + 120 * DAY
    evidence.hold("c2")
    evidence.release("c2", violation=False)
    assert evidence.due_at == ENDED + 120 * DAY, "another case takes nothing back"


def test_nothing_is_erased_while_somebody_is_still_to_decide() -> None:
    evidence = Evidence("s", ENDED)
    for case in ("c1", "c2"):
        evidence.hold(case)
    late = ENDED + 200 * DAY
    assert evidence.handle_timer(late) == []
    evidence.release("c1", violation=False)
    assert evidence.handle_timer(late) == []
    evidence.release("c2", violation=False)
    assert evidence.handle_timer(late) == [Erased(late, "s", ENDED + 30 * DAY, violation=False)]
    assert evidence.handle_timer(late + DAY) == [], "erased once"
    with pytest.raises(TooLateError, match="erased"):
        evidence.hold("c3")


@given(st.floats(0, 400), st.booleans())
def test_never_before_it_is_due(days: float, violation: bool) -> None:
    evidence = Evidence("s", ENDED, violation=violation)
    now = ENDED + days * DAY
    assert bool(evidence.handle_timer(now)) == (now >= evidence.due_at)


def test_complaints_outlive_evidence() -> None:
    evidence = Evidence("s", ENDED, violation=True)
    assert evidence.outlived_by_complaints(ENDED + DAY) == (ENDED + 120 * DAY, ENDED + 184 * DAY)


def log(length: int) -> list[Entry]:
    entries: list[Entry] = []
    for n in range(length):
        entries.append(append(entries[-1] if entries else None, float(n), "rea", "listen", {"space": f"s{n}"}))
    return entries


def test_a_log_as_it_was_written_has_no_fault() -> None:
    assert first_fault(log(20)) is None and first_fault([]) is None


@given(st.integers(0, 9), st.sampled_from(["actor", "act", "at", "details", "digest", "previous", "number"]))
def test_any_change_is_found(place: int, name: str) -> None:
    entries = log(10)
    other = {
        "actor": "bob",
        "act": "erase",
        "at": 0.5,
        "details": {},
        "digest": b"",
        "previous": b"",
        "number": 99,
    }
    entries[place] = replace(entries[place], **{name: other[name]})
    assert first_fault(entries) == place + 1


def test_entries_are_neither_left_out_nor_swapped_nor_rewritten_from_the_middle() -> None:
    entries = log(10)
    assert first_fault(entries[:4] + entries[5:]) == 5
    assert first_fault([*entries[:3], entries[4], entries[3], *entries[5:]]) == 4
    forged = append(entries[3], 4.0, "rea", "nothing", {})
    assert first_fault([*entries[:4], forged, *entries[5:]]) == 6, "what follows does not follow from it"
