"""Words in network order, held against :meth:`int.to_bytes`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from media.rtc.words import get16, get32, put16, put32

TYPES = (np.uint32, np.int64, np.uint64)
"""Of the numbers that kernels write."""


@njit
def read(data, at):
    return get16(data, at), get32(data, at)


@njit
def write(data, at, value):
    put16(data, at, value)
    put32(data, at + 2, value)


@given(st.binary(min_size=7, max_size=7), st.integers(0, 3))
def test_reads_what_was_sent(data: bytes, at: int) -> None:
    assert read(np.frombuffer(data, np.uint8), at) == (
        int.from_bytes(data[at : at + 2], "big"),
        int.from_bytes(data[at : at + 4], "big"),
    )


@pytest.mark.parametrize("kind", TYPES)
@given(value=st.integers(0, (1 << 32) - 1))
def test_writes_so_that_others_read_it(kind: type[np.integer], value: int) -> None:
    data = np.full(8, 0xEE, np.uint8)
    write(data, 1, kind(value))
    assert data.tobytes() == b"\xee" + (value & 0xFFFF).to_bytes(2, "big") + value.to_bytes(4, "big") + b"\xee"
