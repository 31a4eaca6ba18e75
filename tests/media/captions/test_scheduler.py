"""What gives way when there is too much: partials, then Spaces by audience, and never a whole phrase that fits."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from media.captions.phrases import Phrase
from media.captions.scheduler import CALM_S, LATE_S, SETTLE_S, CaptionScheduler
from media.captions.shown import Paused

NOTHING = np.zeros(0, np.float32)
ANA, BEN, CLEO = ("s1", "ana"), ("s1", "ben"), ("s2", "cleo")


def phrase(start: int = 0, *, final: bool = True) -> Phrase:
    return Phrase(start, start + 1_000, NOTHING, final)


def scheduler(**audience: int) -> CaptionScheduler:
    made = CaptionScheduler()
    made.set_audiences(audience or {"s1": 10, "s2": 5})
    return made


def test_whole_phrases_come_first_then_partials_each_the_longest_waiting_first() -> None:
    jobs = scheduler()
    jobs.add(ANA, phrase(final=False), 0.0)
    jobs.add(CLEO, phrase(final=False), 0.5)
    jobs.add(BEN, phrase(), 1.0)
    order = [job.track for job in iter(jobs.next, None)]
    assert order == [BEN, ANA, CLEO]


def test_a_newer_phrase_takes_the_place_of_a_partial_one() -> None:
    jobs = scheduler()
    jobs.add(ANA, phrase(final=False), 0.0)
    jobs.add(ANA, Phrase(0, 2_000, NOTHING, final=False), 1.0)
    jobs.add(ANA, Phrase(0, 2_400, NOTHING, final=True), 1.4)
    (job,) = list(iter(jobs.next, None))
    assert job.phrase.final and job.phrase.end_ms == 2_400
    assert jobs.dropped_partials == 2


def test_the_smallest_audience_is_paused_first_and_comes_back_last() -> None:
    jobs = scheduler(s1=10, s2=5, s3=7)
    for space in ("s1", "s2", "s3"):
        jobs.add((space, "ana"), phrase(), 0.0)
    assert jobs.review(LATE_S) == []
    assert jobs.review(LATE_S + 0.1) == [Paused("s2", True)]
    assert jobs.review(LATE_S + 0.2) == []  # what is left needs time
    assert jobs.review(LATE_S + 0.2 + SETTLE_S) == [Paused("s3", True)]
    jobs.add(("s2", "ana"), phrase(), 20.0)
    assert [job.track[0] for job in iter(jobs.next, None)] == ["s1"]
    assert jobs.review(20.0) == []
    assert jobs.review(20.0 + CALM_S) == [Paused("s3", False)]
    assert jobs.review(20.1 + CALM_S) == []
    assert jobs.review(20.0 + 2 * CALM_S) == [Paused("s2", False)]
    assert jobs.paused == ()


def test_only_spaces_that_talk_are_paused() -> None:
    jobs = scheduler(s1=10, quiet=0)
    jobs.add(ANA, phrase(), 0.0)
    assert jobs.review(100.0) == [Paused("s1", True)]


def test_who_withdraws_is_forgotten_at_once() -> None:
    jobs = scheduler()
    for track in (ANA, BEN, CLEO):
        jobs.add(track, phrase(), 0.0)
        jobs.add(track, phrase(1_000, final=False), 0.0)
    jobs.drop("s1", "ana")
    assert {job.track for job in iter(jobs.next, None)} == {BEN, CLEO}
    jobs.add(ANA, phrase(), 0.0)
    jobs.add(CLEO, phrase(), 0.0)
    jobs.set_audiences({"s2": 1})
    assert [job.track for job in iter(jobs.next, None)] == [CLEO]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([ANA, BEN, CLEO]), st.booleans(), st.floats(0.0, 3.0), st.booleans()),
        max_size=60,
    )
)
def test_every_whole_phrase_is_recognised_in_order_or_its_space_is_paused(
    steps: list[tuple[tuple[str, str], bool, float, bool]],
) -> None:
    jobs, now, expected = scheduler(), 0.0, dict[tuple[str, str], list[int]]()
    for number, (track, final, wait, recognise) in enumerate(steps):
        now += wait
        for event in jobs.review(now):
            if event.paused:
                expected = {t: starts for t, starts in expected.items() if t[0] != event.space_id}
        if track[0] not in jobs.paused and final:
            expected.setdefault(track, []).append(number)
        jobs.add(track, phrase(number, final=final), now)
        if recognise and (job := jobs.next()) is not None and job.phrase.final:
            assert expected[job.track].pop(0) == job.phrase.start_ms
    rest: dict[tuple[str, str], list[int]] = {}
    for job in iter(jobs.next, None):
        if job.phrase.final:
            rest.setdefault(job.track, []).append(job.phrase.start_ms)
    assert rest == {track: starts for track, starts in expected.items() if starts}
