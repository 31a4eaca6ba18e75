"""The sketch of how many came: its error, and that neither order nor repetition counts."""

import secrets
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.server.analytics.sketch import ERROR, REGISTERS, Sketch

KEY = b"k" * 32


def of(names: range, key: bytes = KEY) -> Sketch:
    sketch = Sketch()
    for number in names:
        sketch.add(f"person{number}", key)
    return sketch


@pytest.mark.parametrize(("count", "most"), [(0, 0), (1, 0), (10, 0), (100, 3), (1_000, 0.04), (30_000, 0.05)])
def test_estimates_are_near(count: int, most: float) -> None:
    error = abs(of(range(count)).estimate() - count)
    assert error <= (most + 0.5 if count <= 100 else most * count)


def test_the_error_is_as_small_as_is_said_and_has_no_direction() -> None:
    """Twelve draws by different keys: their spread within what chance allows for the stated standard error."""
    errors = [of(range(6_000), bytes([n] * 32)).estimate() / 6_000 - 1 for n in range(12)]
    assert mean(e * e for e in errors) ** 0.5 < 1.6 * ERROR
    assert abs(mean(errors)) < 3 * ERROR / 12**0.5


@settings(max_examples=30)
@given(st.lists(st.text(max_size=8), max_size=60), st.randoms())
def test_neither_order_nor_repetition_counts(names: list[str], random) -> None:
    one, other = Sketch(), Sketch()
    mixed = names * 2
    random.shuffle(mixed)
    for name in names:
        one.add(name, KEY)
    for name in mixed:
        other.add(name, KEY)
    assert one.pack() == other.pack()
    assert abs(one.estimate() - len(set(names))) < 1.5


@settings(max_examples=30)
@given(st.integers(0, 300), st.integers(0, 300))
def test_two_sketches_merge_to_the_one_of_both(first: int, second: int) -> None:
    one, other = of(range(first)), of(range(100, 100 + second))
    one.merge(other)
    both = of(range(first))
    for number in range(100, 100 + second):
        both.add(f"person{number}", KEY)
    assert one.pack() == both.pack()


def test_it_is_packed_small_and_comes_back() -> None:
    sketch = of(range(5_000))
    assert len(sketch.pack()) < REGISTERS
    assert len(of(range(3)).pack()) < 100
    assert Sketch(sketch.pack()).pack() == sketch.pack()
    with pytest.raises(ValueError, match="registers"):
        Sketch("eJwDAAAAAAE=")


def test_the_same_people_under_another_key_are_another_sketch() -> None:
    assert of(range(50)).pack() != of(range(50), secrets.token_bytes(32)).pack()
