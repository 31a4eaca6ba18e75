"""What the queue of a Space tells those who wait in it."""

import pytest

from media.space.errors import SeatsFullError
from media.space.policy import Policy, SpeakPolicy
from media.space.record import from_record, to_record
from media.space.space import Space


def live(**rules: int) -> Space:
    space = Space("s", "host", 0.0, policy=Policy("test", 10, 2, **rules))  # type: ignore[arg-type]
    space.start("host", 0.0)
    space.arrive(0.0, 10)
    return space


def test_nothing_is_foretold_before_anybody_was_answered() -> None:
    space = live()
    space.ask("ana", 1.0)
    assert (space.waiting.estimate(1), space.waiting.median) == (None, None)


def test_who_is_at_a_position_waits_for_as_many_answers() -> None:
    space = live()
    for second, person in enumerate(("ana", "ben", "cem", "dag")):
        space.ask(person, float(second))
    space.approve("host", "ana", 10.0)
    space.deny("host", "ben", 30.0)
    space.withdraw("cem", 60.0)
    assert list(space.waiting.gaps) == [10.0, 20.0, 30.0]
    assert list(space.waiting.waits) == [10.0, 29.0, 58.0]
    assert (space.waiting.estimate(1), space.waiting.estimate(3), space.waiting.median) == (20.0, 60.0, 29.0)


def test_time_in_which_nobody_waits_does_not_count() -> None:
    space = live()
    space.ask("ana", 0.0)
    space.approve("host", "ana", 10.0)
    space.ask("ben", 1_000.0)
    space.remove("host", "ben", 1_030.0)
    assert list(space.waiting.gaps) == [10.0, 30.0]


def test_a_seat_at_once_is_no_waiting() -> None:
    space = live()
    space.set_speak_policy("host", SpeakPolicy.FOLLOWING, 0.0)
    space.ask("ana", 1.0)
    space.ask("ben", 5.0, followed=True)
    assert space.may_speak("ben")
    assert not space.waiting.gaps
    space.set_speak_policy("host", SpeakPolicy.EVERYONE, 9.0)
    assert (list(space.waiting.gaps), list(space.waiting.waits)) == ([8.0], [8.0])


def test_the_estimate_follows_the_last_twenty() -> None:
    space = live()
    for n in range(30):
        space.ask("ana", n * 100.0)
        space.withdraw("ana", n * 100.0 + (50.0 if n < 10 else 2.0))
    assert space.waiting.estimate(1) == 2.0


def test_a_restart_forgets_no_observation() -> None:
    space = live()
    space.ask("ana", 0.0)
    space.ask("ben", 0.0)
    space.approve("host", "ana", 10.0)
    back = from_record(to_record(space), 100.0)
    assert back.waiting.estimate(2) == 20.0
    back.approve("host", "ben", 104.0)  # who waits for a server to come back does not wait for the host
    assert list(back.waiting.gaps) == [10.0, 4.0]


def test_a_queue_has_an_end() -> None:
    space = live(queue=2)
    space.ask("ana", 0.0)
    space.ask("ben", 0.0)
    with pytest.raises(SeatsFullError, match="2 people wait to speak here already"):
        space.ask("cem", 0.0)
    space.withdraw("ana", 1.0)
    space.ask("cem", 1.0)
