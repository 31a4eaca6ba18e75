"""Counting the structure of JSON: never less than a parser finds, in one pass, whatever the bytes are."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.server.json_shape import depth_of, structure_of, values_in

TEXT = st.text(st.sampled_from('{}[],:"\\ä😀x'), max_size=20)
VALUE: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=30,
)


def count(value: Any) -> int:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(count, inside))


def depth(value: Any) -> int:
    inside = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inside is None else 1 + max(map(depth, inside), default=0)


@given(VALUE, st.booleans(), st.sampled_from([None, 2]))
def test_it_counts_what_a_parser_finds(value: Any, escaped: bool, indent: int | None) -> None:
    structure = structure_of(json.dumps(value, ensure_ascii=escaped, indent=indent).encode())
    assert count(value) <= values_in(structure) <= 2 * count(value)
    assert depth_of(structure, 1000) == depth(value)


@given(st.binary(max_size=200))
def test_any_bytes_have_a_shape(text: bytes) -> None:
    structure = structure_of(text)
    assert set(structure) <= set(b"{}[],") and 0 <= depth_of(structure, 3) <= 4 and values_in(structure) >= 1


@pytest.mark.parametrize("piece", [b'"', b'"\\', b"\\", b'"a', b"[", b'{"'])
def test_a_megabyte_of_what_does_not_end_is_looked_at_once(piece: bytes) -> None:
    """Quadratic, this would take an hour."""
    structure = structure_of(piece * (1 << 20))
    assert depth_of(structure, 5) in (0, 6)
