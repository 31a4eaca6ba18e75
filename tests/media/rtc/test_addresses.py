"""The address table against a dict."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from media.rtc.addresses import FIRST_SIZE, AddressTable, find

keys = st.integers(1, 40)
steps = st.lists(st.tuples(st.sampled_from(["put", "remove"]), keys, st.integers(0, 1000)), max_size=120)


@given(steps, st.sampled_from([1, (1 << 32) + 1, 0x9E3779B97F4A7C15]))
def test_holds_what_a_dict_holds(steps: list, factor: int):
    """Some factors let all addresses fall on one slot, so that every search is long and every gap is closed."""
    table, model = AddressTable(), {}
    table.factor = np.uint64(factor)
    for step, key, place in steps:
        if step == "put":
            table.put(key, place)
            model[key] = place
        else:
            table.remove(key)
            model.pop(key, None)
        assert {key: table.get(key) for key in range(1, 41)} == {key: model.get(key, -1) for key in range(1, 41)}
        assert len(table) == len(model)


def test_grows_and_shrinks_with_thousands():
    table = AddressTable()
    numbers = [0x0100_007F_0000_0002 + (port << 16) for port in range(5_000)]
    for place, key in enumerate(numbers):
        table.put(key, place)
    assert [table.get(key) for key in numbers] == [*range(5_000)]
    assert len(table.slots) >= 2 * 5_000 > FIRST_SIZE
    for key in numbers[::2]:
        table.remove(key)
    assert [table.get(key) for key in numbers[:4]] == [-1, 1, -1, 3]
    assert len(table) == 2_500


def test_unknown_address_ends_its_search_in_an_empty_slot():
    table = AddressTable()
    assert not table.slots[find(table.slots, table.factor, np.uint64(7)), 0]
