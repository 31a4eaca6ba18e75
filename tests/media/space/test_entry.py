"""The rules of entry: whom they keep out, whom never, and how fast newcomers are let in."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.space.arrivals import PATIENCE, TURNS_KEPT, Arrivals
from media.space.entry import RATE_MAX
from media.space.errors import BadInputError, NoEntryError, SlowEntryError
from media.space.policy import EntryPolicy, SpeakPolicy
from media.space.record import from_record, to_record
from media.space.space import Space


def live() -> Space:
    space = Space("s", "host", 0.0, anonymous_listening=True)
    space.start("host", 0.0)
    space.join("host", 0.0)
    space.arrive(0.0, 3)
    return space


def test_a_lock_puts_nobody_out_and_lets_nobody_new_in() -> None:
    space = live()
    space.ask("ana", 1.0)
    space.approve("host", "ana", 1.0)
    space.invite("host", "ben", 1.0, present=False)
    space.set_entry("host", 2.0, locked=True)
    assert (space.participant_count, space.may_speak("ana")) == (4, True)
    space.drop("ana", 3.0)
    for who in ("ana", "ben", "host"):
        space.check_newcomer(who)
    space.check_newcomer("a listener who is in", present=True)
    for stranger in ("sam", None):
        with pytest.raises(NoEntryError, match="is locked: nobody new comes in until"):
            space.check_newcomer(stranger, followed=True)
    space.handle_timer(40.0)  # the seat of ana has waited long enough
    with pytest.raises(NoEntryError):
        space.check_newcomer("ana")
    space.set_entry("host", 41.0, locked=False)
    space.check_newcomer("ana")


def test_a_lock_closes_the_ways_around_the_door() -> None:
    space = live()
    space.make_link("host", "code", "speaker", 1.0)
    space.set_speak_policy("host", SpeakPolicy.EVERYONE, 1.0)
    space.set_entry("host", 1.0, locked=True)
    with pytest.raises(NoEntryError):
        space.ask("sam", 2.0, present=False)
    with pytest.raises(NoEntryError):
        space.follow_link("sam", "code", 2.0, present=False)
    assert not space.may_speak("sam")
    space.ask("eve", 2.0)
    assert space.may_speak("eve"), "who is in may still ask"


def test_only_people_whom_the_host_follows_come_in_and_ask() -> None:
    space = live()
    space.make_link("host", "code", "speaker", 1.0)
    space.set_entry("host", 1.0, entry_policy=EntryPolicy.FOLLOWING)
    space.check_newcomer("fay", followed=True)
    with pytest.raises(NoEntryError, match="Only people whom the host follows, or invites to speak,"):
        space.check_newcomer("sam")
    with pytest.raises(NoEntryError):
        space.check_newcomer(None)
    with pytest.raises(NoEntryError, match="can ask to speak here; wait to be invited"):
        space.ask("eve", 2.0)
    space.ask("fay", 2.0, followed=True)
    space.invite("host", "eve", 3.0)
    space.accept("eve", 3.0)
    space.follow_link("lea", "code", 4.0, present=False)
    assert space.may_speak("eve") and space.may_speak("lea")


def test_who_comes_on_the_stage_is_muted_until_an_admin_lifts_it() -> None:
    space = live()
    space.set_entry("host", 1.0, mute_on_entry=True)
    space.ask("ana", 2.0)
    space.approve("host", "ana", 2.0)
    assert space.people.known("ana").muted_by_admin
    space.unmute("host", "ana", 3.0)
    space.unmute("ana", "ana", 3.0)
    assert not space.people.known("ana").muted
    space.invite("host", "ben", 4.0, role="cohost")
    space.accept("ben", 4.0)
    assert not space.people.known("ben").muted_by_admin, "the host chose a co-host"


def test_slow_entry_has_no_way_around() -> None:
    space = live()
    space.admit("ana", 1.0)
    space.admit("ben", 1.0)  # as many as come
    space.set_entry("host", 1.0, entry_rate=6)
    space.admit("cem", 2.0)
    with pytest.raises(SlowEntryError, match=r"one after another; it is your turn in 10 s\.") as refusal:
        space.admit("dag", 2.0)
    assert refusal.value.retry_at == 12.0
    with pytest.raises(NoEntryError, match="join it first"):
        space.ask("dag", 3.0, present=False)
    with pytest.raises(BadInputError, match="0 to 60000 listeners a minute, not 60001"):
        space.set_entry("host", 4.0, entry_rate=RATE_MAX + 1)


def test_the_rules_of_entry_are_kept() -> None:
    space = live()
    rules = {"entry_policy": EntryPolicy.FOLLOWING, "locked": True, "entry_rate": 6, "mute_on_entry": True}
    space.set_entry("host", 1.0, **rules)  # type: ignore[arg-type]
    back = from_record(to_record(space), 2.0)
    assert {name: getattr(back, name) for name in rules} == rules
    assert space.set_entry("host", 2.0, locked=True) == [], "nothing new is no event"


def let_in(arrivals: Arrivals, rate: int, asks: Iterable[tuple[float, str]]) -> list[tuple[float, str]]:
    """Return who is let in, and when."""
    came: list[tuple[float, str]] = []
    for at, who in asks:
        try:
            arrivals.admit(who, rate, at)
        except SlowEntryError as refusal:
            assert refusal.retry_at is not None and refusal.retry_at > at
        else:
            came.append((at, who))
    return came


@given(
    st.lists(st.tuples(st.integers(0, 300), st.sampled_from("abcdefgh")), max_size=80),
    st.sampled_from([1, 6, 12, 60, 600]),
)
def test_no_more_come_in_than_the_rate(asks: list[tuple[int, str]], rate: int) -> None:
    came = [at for at, _ in let_in(Arrivals(), rate, [(float(at), who) for at, who in sorted(asks)])]
    for first in came:
        for last in [at for at in came if at >= first]:
            many = sum(first <= at <= last for at in came)
            assert many <= (last - first + PATIENCE) * rate / 60 + 2


def test_whoever_comes_at_their_turn_is_let_in_and_a_raid_takes_no_turn_of_theirs() -> None:
    arrivals, rate = Arrivals(), 60
    arrivals.admit("first", rate, 0.0)
    with pytest.raises(SlowEntryError) as refusal:
        arrivals.admit("ana", rate, 0.0)
    turn = refusal.value.retry_at
    assert turn == 1.0
    raid = [(at / 100, f"raider {at % 7}") for at in range(90)]
    assert [who for _, who in let_in(arrivals, rate, raid)] == []
    assert let_in(arrivals, rate, [(1.0, "ana")]) == [(1.0, "ana")]


def test_turns_that_nobody_takes_are_forgotten_and_not_kept_without_end() -> None:
    arrivals = Arrivals()
    crowd = [(0.0, f"raider {number}") for number in range(TURNS_KEPT + 50)]
    assert len(let_in(arrivals, 60_000, crowd)) == 1
    assert len(arrivals) == TURNS_KEPT
    later = TURNS_KEPT / 1000 + PATIENCE + 1
    assert let_in(arrivals, 60_000, [(later, "ana")]) == [(later, "ana")]
    assert len(arrivals) == 0


def test_a_turn_moves_along_when_the_clock_is_set() -> None:
    arrivals = Arrivals()
    arrivals.admit("first", 6, 0.0)
    with pytest.raises(SlowEntryError):
        arrivals.admit("ana", 6, 0.0)
    arrivals.shift(3600.0)
    assert let_in(arrivals, 6, [(3609.0, "ana"), (3610.0, "ana")]) == [(3610.0, "ana")]
