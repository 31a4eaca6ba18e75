"""Placing many at once is placing one after the other."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from media.relay.placement import place_listener
from sim.fleet.spreading import Spreading

CHANGES = st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=12)


@given(st.integers(1, 6), st.integers(1, 15), CHANGES, st.integers(0, 2**32 - 1))
def test_many_at_once_are_placed_as_one_after_the_other(
    relays: int, limit: int, changes: list[tuple[bool, int]], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    fast = Spreading(relays, limit)
    loads, having = dict.fromkeys(range(relays), 0), {0}
    for joins, count in changes:
        if joins:
            fast.join(count)
            for _ in range(count):
                place = place_listener(0, having, loads, limit)
                having.add(place)
                loads[place] += 1
        else:
            left = {relay: int(rng.integers(0, load + 1)) for relay, load in loads.items()}
            fast.leave(left)
            loads = {relay: load - left[relay] for relay, load in loads.items()}
            having = {0} | {relay for relay in having if loads[relay]}
        assert fast.loads == loads
        assert fast.having == having


def test_the_home_is_filled_first_and_links_lead_to_the_others() -> None:
    space = Spreading(4, 1500)
    space.join(1500)
    assert space.loads == {0: 1500, 1: 0, 2: 0, 3: 0} and not space.links
    assert space.join(100) == {1: 100}
    assert space.links == {1}
    space.leave({1: 100})
    assert not space.links and space.having == {0}


def test_a_lost_home_moves_to_where_most_of_the_space_is() -> None:
    space = Spreading(3, 10)
    space.join(25)
    assert space.lose(0) == 10
    assert space.home == 1
    space.join(10)
    assert sum(space.loads.values()) == 25 and 0 not in space.loads
    space.restart(0)
    space.join(1)
    assert space.loads[0] == 1


def test_a_crowd_of_hundreds_of_thousands_is_placed_in_few_steps() -> None:
    space = Spreading(333, 1500)
    space.join(668_000)
    assert sum(space.loads.values()) == 668_000
    assert max(space.loads.values()) - min(space.loads.values()) <= 1
