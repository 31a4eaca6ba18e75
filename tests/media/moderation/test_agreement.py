"""Second readings and golden cases: who reads what, and how far readers agree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.moderation.agreement import GOLDEN_EVERY, agreement, is_golden_turn, is_sampled, verdict
from media.moderation.decision import Action

verdicts = st.sampled_from([Action.NO_VIOLATION, Action.WARN, Action.SUSPEND])


def test_the_harshest_action_is_what_is_compared() -> None:
    assert verdict({Action.WARN, Action.SUSPEND, Action.MUTE}) is Action.SUSPEND
    assert verdict({Action.NO_VIOLATION}) is Action.NO_VIOLATION


def test_a_share_is_read_twice_and_nobody_can_tell_which_without_the_secret() -> None:
    cases = [f"{n:08d}" for n in range(10_000)]
    mine = {case for case in cases if is_sampled(case, b"secret", 0.05)}
    other = {case for case in cases if is_sampled(case, b"another", 0.05)}
    assert 400 < len(mine) < 600 and len(mine & other) < 60
    assert all(is_sampled(case, b"secret", 0.05) for case in mine), "asked again, the same answer"
    assert not any(is_sampled(case, b"secret", 0.0) for case in cases)
    assert all(is_sampled(case, b"secret", 1.0) for case in cases)


def test_golden_cases_are_mixed_in() -> None:
    assert [is_golden_turn(n) for n in range(GOLDEN_EVERY)] == [False] * (GOLDEN_EVERY - 1) + [True]


def test_kappa_of_a_table_that_is_known() -> None:
    """20 both yes, 15 both no, 5 and 10 apart: 0.7 observed, 0.5 by chance."""
    yes, no = Action.WARN, Action.NO_VIOLATION
    found = agreement([(yes, yes)] * 20 + [(yes, no)] * 5 + [(no, yes)] * 10 + [(no, no)] * 15)
    assert (found.readings, found.same) == (50, 35) and found.share == 0.7
    assert found.kappa == pytest.approx(0.4)


def test_where_chance_explains_everything_there_is_no_kappa() -> None:
    assert agreement([]).share is None and agreement([]).kappa is None
    assert agreement([(Action.WARN, Action.WARN)] * 3).kappa is None


@given(st.lists(st.tuples(verdicts, verdicts), min_size=1, max_size=40))
def test_kappa_never_exceeds_one_and_is_the_same_for_both(pairs: list[tuple[Action, Action]]) -> None:
    found, turned = agreement(pairs), agreement([(second, first) for first, second in pairs])
    assert found.share == turned.share
    if found.kappa is None or turned.kappa is None:
        assert found.kappa is turned.kappa
    else:
        assert found.kappa == pytest.approx(turned.kappa) and found.kappa <= 1 + 1e-12
