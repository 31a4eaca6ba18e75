"""Which relay a room and a listener go to."""

from hypothesis import given
from hypothesis import strategies as st

from media.relay.placement import links_wanted, move_room, place_listener, place_room


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


def test_a_room_moves_to_where_most_of_it_is_and_else_to_where_the_fewest_are():
    assert move_room({1: 2, 2: 7, 3: 7}, {1: 2, 2: 7, 3: 7}, {}) == 2
    assert move_room({1: 0, 2: 0}, {1: 9, 2: 4}, {}) == 2
    assert move_room({}, {}, {}) is None


def test_links_lead_to_listeners_elsewhere_and_to_each_talker_who_is_there():
    sessions = {(0, "a"): 1, (1, "a"): 1, (1, "b"): 2, (2, "c"): 0, (3, "d"): 1}
    assert links_wanted(0, sessions, {0, 1, 2}, {"a", "d"}) == {(1, ""), (1, "a")}
    assert links_wanted(None, sessions, {0, 1}, set()) == set()
