"""The rules of the product that are easy to miss, one test each."""

from collections.abc import Callable

import pytest

from media.space import errors
from media.space.events import (
    Asked,
    Connected,
    Disconnected,
    MuteChanged,
    PersonLeft,
    PersonRemoved,
    RequestDenied,
    RightGranted,
    RightRevoked,
    SpaceEnded,
    SpaceStarted,
)
from media.space.policy import DAY, DEFAULT, Policy, SpeakPolicy, preset
from media.space.record import from_record, to_record
from media.space.space import Space
from media.space.states import Standing, State

SMALL = Policy("small", speaker_seats=1, cohost_seats=1)


def live(policy: Policy = DEFAULT, crowd: int = 5, **attributes: object) -> Space:
    space = Space("s", "host", 0.0, policy=policy, **attributes)  # type: ignore[arg-type]
    space.start("host", 0.0)
    space.join("host", 0.0)
    space.arrive(0.0, crowd)
    return space


def seated(space: Space, *people: str) -> Space:
    for person in people:
        space.ask(person, 0.0)
        if not space.may_speak(person):
            space.approve("host", person, 0.0)
    return space


def test_the_host_starts_muted_as_the_only_speaker() -> None:
    space = Space("s", "host", 0.0)
    assert not space.may_speak("host")
    events = space.start("host", 7.0)
    assert events == [SpaceStarted(7.0), RightGranted(7.0, "host"), MuteChanged(7.0, "host", True, False)]
    assert space.started_at == 7.0
    assert list(space.spoke) == ["host"]


def test_the_crowd_is_a_number() -> None:
    space = live(crowd=1_000_000)
    assert space.participant_count == 1_000_001
    assert len(space.people.named) == 1
    space.join("ana", 1.0)
    assert space.participant_count == 1_000_002
    space.ask("ana", 1.0)
    assert (space.people.crowd, space.participant_count) == (1_000_000, 1_000_002)
    space.withdraw("ana", 1.0)
    assert len(space.people.named) == 1
    assert space.participant_count == 1_000_002
    space.depart(2.0, 1_000_001)
    assert space.participant_count == 1


@pytest.mark.parametrize(
    "step",
    [
        lambda s: s.depart(1.0, 6),
        lambda s: s.depart(1.0, -1),
        lambda s: s.arrive(1.0, -1),
        lambda s: Space("s", "host", 0.0, topic_ids=["1", "2", "3", "4"]),
        lambda s: Space("s", "host", 0.0).schedule("host", 1.0, 1.0),
        lambda s: preset("2019-01"),
        lambda s: Policy("odd", speaker_seats=-1, cohost_seats=0),
        lambda s: Policy("odd", speaker_seats=1, cohost_seats=0, grace=float("nan")),
    ],
)
def test_what_cannot_be(step: Callable[[Space], object]) -> None:
    with pytest.raises(errors.BadInputError):
        step(live())


def test_a_full_stage_keeps_the_request_in_the_queue() -> None:
    space = seated(live(SMALL), "ana")
    space.ask("ben", 1.0)
    with pytest.raises(errors.SeatsFullError, match="the request of ben stays in the queue"):
        space.approve("host", "ben", 2.0)
    assert [p.person for p in space.people.queue] == ["ben"]
    space.step_down("ana", "ana", 3.0)
    assert RightGranted(4.0, "ben") in space.approve("host", "ben", 4.0)


def test_the_queue_is_first_come_first_served_and_the_host_may_choose() -> None:
    space = live()
    for person in ("ana", "ben", "cem"):
        space.ask(person, 1.0)
    assert [p.person for p in space.people.queue] == ["ana", "ben", "cem"]
    space.approve("host", "cem", 2.0)
    assert [p.person for p in space.people.queue] == ["ana", "ben"]
    with pytest.raises(errors.WrongStateError):
        space.ask("ana", 2.0)


def test_everyone_gets_a_seat_at_once_and_the_longest_waiting_the_next_free_one() -> None:
    space = live(SMALL, speak_policy=SpeakPolicy.EVERYONE)
    assert space.ask("ana", 1.0) == [
        Asked(1.0, "ana"),
        RightGranted(1.0, "ana"),
        MuteChanged(1.0, "ana", True, False),
    ]
    assert space.ask("ben", 2.0) == [Asked(2.0, "ben")]
    assert space.ask("cem", 3.0) == [Asked(3.0, "cem")]
    assert RightGranted(4.0, "ben") in space.leave("ana", 4.0)
    assert not space.may_speak("cem")


def test_following_gives_a_seat_to_those_whom_the_host_follows() -> None:
    space = live(speak_policy=SpeakPolicy.FOLLOWING)
    space.ask("ana", 1.0)
    space.ask("ben", 1.0, followed=True)
    assert (space.may_speak("ana"), space.may_speak("ben")) == (False, True)
    assert RightGranted(2.0, "ana") in space.set_speak_policy("host", SpeakPolicy.EVERYONE, 2.0)


def test_a_denied_person_waits_a_minute() -> None:
    space = live()
    space.ask("ana", 0.0)
    assert space.deny("host", "ana", 10.0) == [RequestDenied(10.0, "ana", "host", 70.0)]
    with pytest.raises(errors.CoolDownError, match="ask again in 1 s") as refusal:
        space.ask("ana", 69.0)
    assert refusal.value.retry_at == 70.0
    assert space.next_timer() == 70.0
    assert space.handle_timer(70.0) == []
    assert "ana" not in space.people.named
    assert space.participant_count == 6
    space.ask("ana", 70.0)


def test_the_two_mutes() -> None:
    space = seated(live(), "ana")
    assert space.unmute("ana", "ana", 1.0) == [MuteChanged(1.0, "ana", False, False)]
    assert space.unmute("ana", "ana", 1.0) == []
    assert space.mute("host", "ana", 2.0) == [MuteChanged(2.0, "ana", False, True)]
    with pytest.raises(errors.MutedError, match="only an admin can lift that"):
        space.unmute("ana", "ana", 3.0)
    space.mute("ana", "ana", 4.0)
    assert space.unmute("host", "ana", 5.0) == [MuteChanged(5.0, "ana", True, False)]  # opens nothing
    assert space.unmute("ana", "ana", 6.0) == [MuteChanged(6.0, "ana", False, False)]


def test_an_admins_mute_outlasts_a_walk_around_the_stage() -> None:
    space = seated(live(speak_policy=SpeakPolicy.EVERYONE), "ana")
    space.mute("host", "ana", 1.0)
    space.step_down("ana", "ana", 2.0)
    space.drop("ana", 3.0)
    space.ask("ana", 4.0, present=False)
    with pytest.raises(errors.MutedError):
        space.unmute("ana", "ana", 5.0)


def test_removed_is_final() -> None:
    space = seated(live(), "ana")
    assert space.remove("host", "ana", 1.0) == [RightRevoked(1.0, "ana", "removed"), PersonRemoved(1.0, "ana")]
    for again in (space.join, space.ask, space.leave):
        with pytest.raises(errors.RemovedError):
            again("ana", 2.0)
    with pytest.raises(errors.RemovedError):
        space.invite("host", "ana", 2.0)
    with pytest.raises(errors.RemovedError):
        space.check_entry("ana")
    assert space.drop("ana", 2.0) == []  # the last of the connection
    assert space.participant_count == 5


def test_somebody_in_the_crowd_can_be_removed_and_somebody_outside_kept_out() -> None:
    space = live(crowd=1)
    space.remove("host", "ana", 1.0, present=True)
    space.remove(None, "ben", 1.0, present=False)
    assert space.participant_count == 1
    with pytest.raises(errors.UnknownPersonError):
        space.remove("host", "cem", 1.0, present=True)


def test_a_dropped_connection_keeps_its_role_for_the_grace_time() -> None:
    space = seated(live(), "ana")
    assert space.drop("ana", 10.0) == [Disconnected(10.0, "ana")]
    assert space.may_speak("ana")
    assert space.next_timer() == 40.0
    assert space.handle_timer(39.9) == []
    assert space.join("ana", 39.9) == [Connected(39.9, "ana")]
    assert space.next_timer() is None
    space.drop("ana", 50.0)
    assert space.handle_timer(80.0) == [
        RightRevoked(80.0, "ana", "connection lost"),
        PersonLeft(80.0, "ana", "connection lost"),
    ]
    assert "ana" not in space.people.named
    space.join("ana", 81.0)  # back as anybody


def test_who_asks_from_outside_must_connect_in_the_grace_time() -> None:
    space = live(crowd=0)
    space.ask("ana", 1.0, present=False)
    assert space.participant_count == 1
    assert space.next_timer() == 31.0
    space.join("ana", 2.0)
    assert (space.participant_count, space.next_timer()) == (2, None)


def test_a_space_ends_when_the_host_is_gone_for_too_long() -> None:
    space = live()
    space.drop("host", 100.0)
    assert space.next_timer() == 100.0 + DEFAULT.host_grace
    assert space.handle_timer(399.9) == []
    assert space.handle_timer(400.0) == [SpaceEnded(400.0, "host gone")]
    assert (space.state, space.ended_at, space.participant_count) == (State.ENDED, 400.0, 0)
    assert space.next_timer() is None


def test_a_cohost_keeps_a_space_without_host_going() -> None:
    space = seated(live(), "ana")
    space.promote("host", "ana", 0.0)
    space.drop("host", 100.0)
    assert space.next_timer() is None
    space.drop("ana", 1000.0)
    assert space.handle_timer(1030.0)[-1] == PersonLeft(1030.0, "ana", "connection lost")
    assert space.handle_timer(1300.0) == [SpaceEnded(1300.0, "host gone")]


def test_an_invitation_is_a_seat_for_whoever_accepts() -> None:
    space = live(SMALL)
    space.invite("host", "ana", 1.0)
    space.invite("host", "ben", 1.0, present=False)
    assert RightGranted(2.0, "ana") in space.accept("ana", 2.0)
    with pytest.raises(errors.SeatsFullError, match="the invitation stays open"):
        space.accept("ben", 3.0)
    assert space.people.standing("ben") is Standing.INVITED
    space.decline("ben", 4.0)
    assert "ben" not in space.people.named
    with pytest.raises(errors.UnknownPersonError, match="has neither asked nor been invited"):
        space.accept("cem", 5.0)


def test_an_invitation_after_a_denial_counts() -> None:
    space = live()
    space.ask("ana", 1.0)
    space.deny("host", "ana", 1.0)
    space.invite("host", "ana", 2.0)
    assert RightGranted(2.0, "ana") in space.accept("ana", 2.0)


def test_cohosts_have_their_own_seats() -> None:
    space = seated(live(SMALL), "ana")
    space.promote("host", "ana", 1.0)
    seated(space, "ben")
    with pytest.raises(errors.SeatsFullError, match="can have 1 co-hosts"):
        space.promote("host", "ben", 2.0)


def test_only_whom_the_space_lets_in_comes_in() -> None:
    live(anonymous_listening=True).check_entry(None)
    live().check_entry("ana")
    with pytest.raises(errors.NotEligibleError, match="no anonymous listeners"):
        live().check_entry(None)
    with pytest.raises(errors.WrongStateError):
        Space("s", "host", 0.0).check_entry("ana")


def test_the_schedule_window() -> None:
    space = Space("s", "host", 0.0)
    with pytest.raises(errors.NotEligibleError, match="at most 30 days ahead"):
        space.schedule("host", 30 * DAY + 1, 0.0)
    space.schedule("host", 30 * DAY, 0.0)
    assert (space.state, space.scheduled_start) == (State.SCHEDULED, 30 * DAY)


def test_a_record_brings_back_everything_but_the_crowd() -> None:
    space = seated(live(topic_ids=["7"], title="a title"), "ana", "ben")
    space.mute("host", "ana", 1.0)
    space.remove("host", "cem", 1.0)
    space.ask("dag", 1.0)
    space.drop("ben", 2.0)
    back = from_record(to_record(space), 500.0)
    assert to_record(back) == to_record(space)
    assert back.participant_count == 0
    assert back.people.known("ana").muted_by_admin
    with pytest.raises(errors.RemovedError):
        back.join("cem", 501.0)
    assert back.next_timer() == 530.0  # everyone has the whole grace time from the restart
    back.join("ana", 529.0)
    assert {e.person for e in back.handle_timer(530.0) if isinstance(e, PersonLeft)} == {"ben", "dag"}
    assert back.may_speak("ana")
    assert back.next_timer() == 800.0
