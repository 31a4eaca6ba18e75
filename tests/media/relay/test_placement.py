"""Which relay a room and a listener go to."""

from hypothesis import given
from hypothesis import strategies as st

from media.relay.placement import place_listener, place_room


def test_a_room_goes_where_the_fewest_are():
    assert place_room({}, {}) is None
    assert place_room({0: 5, 1: 2, 2: 2}, {}) == 1
    assert place_room({0: 5, 1: 2, 2: 2}, {1: 3, 2: 1}) == 2


def test_listeners_stay_at_home_until_it_is_full_and_links_are_used_before_new_ones_are_made():
    assert place_listener(0, {0}, {0: 9, 1: 0}, limit=10) == 0
    assert place_listener(0, {0}, {0: 10, 1: 3, 2: 1}, limit=10) == 2
    assert place_listener(0, {0, 1}, {0: 10, 1: 3, 2: 1}, limit=10) == 1
    assert place_listener(0, {0, 1}, {0: 10, 1: 10, 2: 1}, limit=10) == 2
    assert place_listener(0, {0, 1}, {0: 12, 1: 11, 2: 11}, limit=10) == 1


@given(st.integers(1, 5), st.integers(1, 20), st.integers(0, 150))
def test_a_crowd_fills_one_relay_after_the_other_and_beyond_that_all_alike(relays: int, limit: int, crowd: int):
    loads = dict.fromkeys(range(relays), 0)
    having = {0}
    for _ in range(crowd):
        place = place_listener(0, having, loads, limit)
        having.add(place)
        loads[place] += 1
    assert sum(loads.values()) == crowd
    if crowd <= relays * limit:
        assert max(loads.values()) <= limit
        assert sum(load > 0 for load in loads.values()) == -(-crowd // limit)
    else:
        assert max(loads.values()) - min(loads.values()) <= 1
