"""Two voices that take turns: the pattern is told, a conversation is not."""

from collections.abc import Sequence

import pytest

from media.moderation.alternation import AGAIN, TROUBLE, Alternation, Spurt
from media.moderation.categories import Category
from media.moderation.signals import Kind, Signal


def duel(alternation: Alternation, *names: str, begin: float = 0.0, pause: float = 1.0) -> list[Signal]:
    """Let people talk for three seconds each, one after the other."""
    signals: list[Signal] = []
    for name in names:
        found = alternation.note_spurt(Spurt(name, begin, begin + 3))
        signals += [found] if found else []
        begin += 3 + pause
    return signals


def in_trouble(*names: str) -> Alternation:
    alternation = Alternation()
    for name in names:
        alternation.note_trouble(name, 0.0)
    return alternation


def test_two_who_take_turns_are_told_together() -> None:
    alternation = in_trouble("rex", "rob")
    (signal,) = duel(alternation, "ana", "rex", "rob", "rex", "rob", "rex", "rob")
    assert (signal.people, signal.kind, signal.category) == (("rex", "rob"), Kind.TURNS, Category.DISTURBANCE)
    assert signal.at == 4.0, "from the first spurt of the two"
    assert duel(alternation, "rex", "rob", begin=40.0) == [], "told a moment ago"
    assert len(duel(alternation, *["rex", "rob"] * 3, begin=40.0 + AGAIN)) == 1


@pytest.mark.parametrize(
    ("trouble", "talk", "pause"),
    [
        (("rex",), ["rex", "rob"] * 4, 1.0),
        (("rex", "rob"), ["rex", "ana", "rob", "ana"] * 3, 1.0),
        (("rex", "rob"), ["rex", "rob"] * 4, 20.0),
        (("rex", "rob"), ["rex"] * 8, 1.0),
        (("rex", "rob"), ["rex", "rob"] * 2, 1.0),
    ],
    ids=["one was never in trouble", "others talk between", "long pauses", "one alone", "too few turns"],
)
def test_what_is_no_pattern(trouble: Sequence[str], talk: list[str], pause: float) -> None:
    assert duel(in_trouble(*trouble), *talk, pause=pause) == []


def test_trouble_is_forgotten_and_a_cough_is_no_turn() -> None:
    assert duel(in_trouble("rex", "rob"), *["rex", "rob"] * 4, begin=TROUBLE + 1) == []
    alternation = in_trouble("rex", "rob")
    coughs = [Spurt(name, at, at + 0.2) for at, name in enumerate(["rex", "rob"] * 6)]
    assert [alternation.note_spurt(cough) for cough in coughs] == [None] * 12
