"""The order of Spaces: more of a signal never lowers one, the same input gives the same order, reasons add up."""

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.space.errors import BadInputError
from media.space.ranking import WEIGHTS, Candidate, logarithmic, rank, saturate, signals

share = st.floats(0, 1)
few = st.integers(0, 20)
candidates = st.builds(
    Candidate,
    space_id=st.text("ab", min_size=1, max_size=4),
    live=st.booleans(),
    since=st.floats(0, 1e6),
    audience=st.integers(0, 3_000_000),
    hosts_followed=few,
    speakers_followed=few,
    topics_matched=st.integers(0, 3),
    language=share,
    match=share,
)


@given(st.lists(candidates, max_size=8))
def test_reasons_sum_to_the_score_and_the_order_is_that_of_the_scores(some: list[Candidate]) -> None:
    ranked = rank(some)
    assert sorted(map(repr, some)) == sorted(repr(r.entry) for r in ranked)
    assert [r.score for r in ranked] == sorted((r.score for r in ranked), reverse=True)
    for entry in ranked:
        assert math.isclose(math.fsum(r.contribution for r in entry.reasons), entry.score, abs_tol=1e-9)
        assert all(abs(r.value * r.weight - r.contribution) <= 0.5e-4 + 1e-9 for r in entry.reasons)
        assert [r.contribution for r in entry.reasons] == sorted(
            (r.contribution for r in entry.reasons), reverse=True
        )
        named = {r.signal for r in entry.reasons}
        silent = {name for name, value in signals(entry.entry).items() if value * WEIGHTS[name] >= 1e-4} - named
        assert not silent, "whatever counts is named"


@given(st.lists(candidates, max_size=8, unique_by=lambda c: c.space_id), st.randoms())
def test_the_order_does_not_depend_on_the_order_of_the_input(some: list[Candidate], random) -> None:
    mixed = list(some)
    random.shuffle(mixed)
    assert rank(some) == rank(mixed)


MORE = {
    "audience": st.integers(1, 1_000_000),
    "hosts_followed": st.integers(1, 5),
    "speakers_followed": st.integers(1, 5),
    "topics_matched": st.integers(1, 3),
    "language": share,
    "match": share,
}


@given(candidates, st.sampled_from(sorted(MORE)), st.data())
def test_more_of_a_signal_never_lowers_a_space(one: Candidate, name: str, data: st.DataObject) -> None:
    more = dataclasses.replace(one, **{name: getattr(one, name) + data.draw(MORE[name])})
    assert rank([more])[0].score >= rank([one])[0].score


@given(candidates, st.floats(0, 1e6))
def test_what_is_fresher_or_nearer_is_never_lower(one: Candidate, older: float) -> None:
    assert rank([one])[0].score >= rank([dataclasses.replace(one, since=one.since + older)])[0].score


def test_whom_one_follows_counts_more_than_the_largest_crowd() -> None:
    friend = Candidate("a", True, 60.0, 3, hosts_followed=1)
    crowd = Candidate("b", True, 60.0, 100_000)
    speaker = Candidate("c", True, 60.0, 3, speakers_followed=1)
    assert [r.entry.space_id for r in rank([crowd, speaker, friend])] == ["a", "c", "b"]


def test_equals_stand_by_age_and_then_by_id() -> None:
    some = [Candidate("b", True, 5.0, 0), Candidate("a", True, 5.0, 0)]
    assert [r.entry.space_id for r in rank(some)] == ["a", "b"]


def test_a_weight_below_zero_is_refused() -> None:
    with pytest.raises(BadInputError, match="weight of live"):
        rank([], {"live": -1.0})


@given(st.integers(0, 10**9), st.integers(1, 10**6))
def test_counts_saturate(count: int, more: int) -> None:
    assert 0 <= saturate(count) <= saturate(count + more) <= 1
    assert 0 <= logarithmic(count, 10**6) < logarithmic(count + more, 10**6)
