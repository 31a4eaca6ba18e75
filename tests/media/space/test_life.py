"""The life of a Space: schedules and the end of what nobody starts, nobody hosts or nobody hears."""

from dataclasses import replace

import pytest

from media.space.errors import BadInputError, NotEligibleError, WrongStateError
from media.space.events import SpaceCanceled, SpaceEnded, SpaceScheduled
from media.space.policy import DAY, DEFAULT, PRESETS
from media.space.record import from_record, to_record
from media.space.space import Space
from media.space.states import State

HOUR = 3600.0


def scheduled(start: float = HOUR) -> Space:
    space = Space("s", "ana", 0.0)
    space.schedule("ana", start, 0.0)
    return space


def live() -> Space:
    space = Space("s", "ana", 0.0)
    space.start("ana", 0.0)
    return space


def test_another_time_is_told_and_counted() -> None:
    space = scheduled()
    assert space.sequence == 0
    assert space.schedule("ana", 2 * HOUR, 1.0) == [SpaceScheduled(1.0, 2 * HOUR)]
    assert (space.scheduled_start, space.sequence) == (2 * HOUR, 1)
    assert space.schedule("ana", 2 * HOUR, 1.0) == []
    assert space.sequence == 1
    space.edit("ana", 2.0, title="another title")
    space.cancel("ana", 3.0)
    assert space.sequence == 3


@pytest.mark.parametrize(("start", "refusal"), [(10.0, BadInputError), (30 * DAY + 11, NotEligibleError)])
def test_a_time_that_cannot_be_changes_nothing(start: float, refusal: type[Exception]) -> None:
    space = scheduled()
    before = to_record(space)
    with pytest.raises(refusal):
        space.schedule("ana", start, 10.0)
    assert to_record(space) == before


def test_the_number_at_a_time_is_the_policys() -> None:
    for policy, limit in ((PRESETS["2021-05"], 1), (DEFAULT, 10)):
        space = Space("s", "ana", 0.0, policy=policy)
        with pytest.raises(NotEligibleError, match=f"{limit} scheduled"):
            space.schedule("ana", HOUR, 0.0, others=limit)
        space.schedule("ana", HOUR, 0.0, others=limit - 1)


def test_where_nothing_is_scheduled() -> None:
    with pytest.raises(NotEligibleError):
        Space("s", "ana", 0.0, policy=PRESETS["2020-12"]).schedule("ana", 1.0, 0.0)


def test_a_space_that_nobody_starts_is_canceled_an_hour_after_its_time() -> None:
    space = scheduled()
    assert space.next_timer() == 2 * HOUR
    assert space.handle_timer(2 * HOUR - 1) == []
    space = from_record(to_record(space), 2 * HOUR)  # after a restart as before it
    assert space.handle_timer(2 * HOUR) == [SpaceCanceled(2 * HOUR, "not started")]
    assert (space.state, space.end_reason, space.next_timer()) == (State.CANCELED, "not started", None)
    with pytest.raises(WrongStateError):
        space.start("ana", 2 * HOUR)


def test_a_late_host_is_in_time_within_the_hour() -> None:
    space = scheduled()
    space.start("ana", 2 * HOUR - 1)
    space.join("ana", 2 * HOUR - 1)
    assert space.handle_timer(2 * HOUR) == []
    assert space.state is State.LIVE


def test_a_space_with_nobody_in_it_ends() -> None:
    space = live()
    assert space.next_timer() == DEFAULT.empty_grace
    space.arrive(100.0)
    assert space.next_timer() == DEFAULT.host_grace
    space.depart(150.0)
    assert space.handle_timer(150.0 + DEFAULT.empty_grace - 1) == []
    now = 150.0 + DEFAULT.empty_grace
    assert space.handle_timer(now) == [SpaceEnded(now, "empty")]
    assert space.end_reason == "empty"


def test_after_a_restart_people_have_time_to_come_back() -> None:
    space = from_record(to_record(live()), 1000.0)
    assert space.next_timer() == 1000.0 + DEFAULT.empty_grace


def test_the_crowd_does_not_keep_a_space_without_host_alive() -> None:
    space = live()
    space.arrive(1.0, 5)
    assert space.handle_timer(DEFAULT.host_grace) == [SpaceEnded(DEFAULT.host_grace, "host gone")]


@pytest.mark.parametrize("connected", [False, True])
def test_a_host_who_is_taken_out_ends_the_space_unless_a_cohost_is_connected(connected: bool) -> None:
    space = live()
    space.join("ana", 1.0)
    space.invite("ana", "ben", 1.0, role="cohost", present=False)
    space.accept("ben", 1.0)
    if connected:
        space.join("ben", 1.0)
    events = space.lose_host(2.0)
    assert (SpaceEnded(2.0, "enforcement") in events) is not connected
    assert space.state is (State.LIVE if connected else State.ENDED)


def test_the_reason_outlives_the_process() -> None:
    space = live()
    space.end(None, 1.0)
    assert from_record(to_record(space), 2.0).end_reason == "enforcement"


def test_a_policy_without_patience() -> None:
    space = Space("s", "ana", 0.0, policy=replace(DEFAULT, no_show=0.0))
    space.schedule("ana", HOUR, 0.0)
    assert space.handle_timer(HOUR) == [SpaceCanceled(HOUR, "not started")]
