"""A copy of a Space, on which changes are tried, and a Space whose clock was set."""

from hypothesis import given
from hypothesis import strategies as st

from media.space.errors import SpaceError
from media.space.policy import SpeakPolicy
from media.space.record import to_record
from media.space.space import Space

PEOPLE = ("ben", "cem", "dag")
STEPS = {
    "join": lambda s, p, now: s.join(p, now),
    "drop": lambda s, p, now: s.drop(p, now),
    "ask": lambda s, p, now: s.ask(p, now, present=False),
    "approve": lambda s, p, now: s.approve("ana", p, now),
    "deny": lambda s, p, now: s.deny("ana", p, now),
    "invite": lambda s, p, now: s.invite("ana", p, now, role="speaker", present=False),
    "unmute": lambda s, p, now: s.unmute(p, p, now),
    "mute": lambda s, p, now: s.mute("ana", p, now),
    "hand": lambda s, p, now: s.raise_hand(p, now),
    "remove": lambda s, p, now: s.remove("ana", p, now, present=False),
    "link": lambda s, p, now: s.make_link("ana", f"{p}{now}", "listener", now, uses=3),
    "pin": lambda s, p, now: s.pin("ana", p, now),
    "say": lambda s, p, now: s.say("ana", p, now),
    "edit": lambda s, p, now: s.edit("ana", now, title=f"{p} {now}"),
    "policy": lambda s, p, now: s.set_speak_policy("ana", SpeakPolicy.EVERYONE, now),
    "lock": lambda s, p, now: s.set_entry("ana", now, locked=p == "ben"),
    "rate": lambda s, p, now: s.set_entry("ana", now, entry_rate=len(p) * 2),
    "timer": lambda s, _, now: s.handle_timer(now),
}
SCRIPTS = st.lists(
    st.tuples(st.sampled_from(sorted(STEPS)), st.sampled_from(PEOPLE), st.sampled_from([0.0, 0.4, 20.0])),
    max_size=40,
)


def play(space: Space, script: list[tuple[str, str, float]], now: float) -> list[object]:
    """Return what happens, with times as seconds since ``now``."""
    told: list[object] = []
    began = now
    for step, person, pause in script:
        now += pause
        try:
            told += [(type(e).__name__, getattr(e, "person", ""), round(e.at - began, 6)) for e in
                     STEPS[step](space, person, now)]  # fmt: skip
        except SpaceError as refusal:
            told.append(type(refusal).__name__)
        due = space.next_timer()
        told.append(None if due is None else round(due - began, 6))
    return told


def live() -> Space:
    space = Space("s", "ana", 0.0)
    space.start("ana", 0.0)
    space.join("ana", 0.0)
    return space


@given(SCRIPTS, SCRIPTS)
def test_a_copy_goes_its_own_way(first: list[tuple[str, str, float]], then: list[tuple[str, str, float]]) -> None:
    space = live()
    play(space, first, 1.0)
    before, copy = to_record(space), space.copy()
    assert to_record(copy) == before
    told = play(copy, then, 2000.0)
    assert to_record(space) == before, "the first is as it was"
    after = to_record(copy)
    assert play(space, then, 2000.0) == told and to_record(space) == after
    other = live()
    other.become(copy)
    assert to_record(other) == after and other.participant_count == copy.participant_count


@given(SCRIPTS, SCRIPTS, st.sampled_from([3600.0, -3600.0]))
def test_after_the_clock_was_set_all_happens_as_it_would_have(
    first: list[tuple[str, str, float]], then: list[tuple[str, str, float]], by: float
) -> None:
    one, other = live(), live()
    play(one, first, 10_000.0)
    play(other, first, 10_000.0)
    other.shift(by)
    now = 10_000.0 + sum(pause for _, _, pause in first)
    assert play(other, then, now + by) == play(one, then, now)
