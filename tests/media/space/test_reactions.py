"""Reactions are a closed list, and told in sums: however many there are."""

from itertools import pairwise

import pytest

from media.space.errors import BadInputError
from media.space.reactions import GESTURES, SYMBOL, Reaction, Tally, reaction


def test_ten_thousand_a_second_are_two_handovers_a_second() -> None:
    tally, told, handovers, taken = Tally(), 0, 0, list[float]()
    for number in range(20_000):  # in two seconds
        now = 100.0 + number / 10_000
        tally.add(Reaction.CLAP if number % 4 else Reaction.HUNDRED)
        if sums := tally.take(now):
            told += sum(sums.values())
            handovers += 1
            taken.append(now)
    assert handovers == 4
    assert min(b - a for a, b in pairwise(taken)) >= 0.5
    due = tally.due()
    assert due is not None
    told += sum(tally.take(due).values())
    assert told == 20_000
    assert tally.total == {"clap": 15_000, "100": 5_000}
    assert (tally.due(), tally.take(200.0)) == (None, {})


def test_the_list_is_closed_and_a_raised_hand_is_not_in_it() -> None:
    assert set(SYMBOL) == set(Reaction) > GESTURES
    assert {Reaction.WAVE, Reaction.FIST, Reaction.PEACE, Reaction.HUNDRED} == GESTURES
    assert reaction("100") is Reaction.HUNDRED
    with pytest.raises(BadInputError, match="no reaction 'raise_hand'; choose one of wave, fist, peace, 100,"):
        reaction("raise_hand")
