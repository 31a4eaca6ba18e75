"""A sealed file opens as far as it was written, and never shows what was not sealed there."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.recording.sealing import KEY, RECORD_MAX, SALT, Ending, Sealer, record_bounds, space_key, unseal

KEY_OF_SPACE = space_key(bytes(range(KEY)), bytes(KEY), "1DXxyRYNejbKM")
RECORDS = [b"first", b"", b"x" * 300, bytes(range(256)), b"fifth"]


def sealed(records: list[bytes], salt: int = 1, *, ended: bool = True, context: bytes = b"mix") -> bytes:
    sealer = Sealer(KEY_OF_SPACE, random.Random(salt).randbytes(SALT), context)
    return sealer.head + b"".join(map(sealer.seal, records)) + (sealer.end() if ended else b"")


def test_what_was_sealed_comes_back() -> None:
    opened = unseal(sealed(RECORDS), KEY_OF_SPACE)
    assert (opened.records, opened.ending, opened.context) == ([*RECORDS, b""], Ending.WHOLE, b"mix")
    assert unseal(sealed([]), KEY_OF_SPACE).ending is Ending.WHOLE
    assert unseal(sealed(RECORDS, ended=False), KEY_OF_SPACE).ending is Ending.CUT


def test_every_cut_leaves_a_genuine_beginning() -> None:
    data = sealed(RECORDS)
    ends = [stop for _, stop, _ in record_bounds(data)]
    for size in range(len(data)):
        opened = unseal(data[:size], KEY_OF_SPACE)
        assert opened.ending is Ending.CUT, size
        assert opened.records == [*RECORDS, b""][: sum(end <= size for end in ends)], size


def test_every_flipped_bit_is_noticed() -> None:
    data = sealed(RECORDS)
    for place, bit in itertools.product(range(len(data)), range(8)):
        damaged = bytearray(data)
        damaged[place] ^= 1 << bit
        opened = unseal(bytes(damaged), KEY_OF_SPACE)
        assert opened.ending is not Ending.WHOLE, (place, bit)
        assert opened.records == RECORDS[: len(opened.records)], (place, bit)


def test_records_do_not_move_between_places_and_files() -> None:
    data, other = sealed(RECORDS), sealed(RECORDS, salt=2)
    cuts = [(start - 4, stop) for start, stop, _ in record_bounds(data)]
    head = data[: cuts[0][0]]
    parts = [data[start:stop] for start, stop in cuts]
    foreign = other[cuts[2][0] : cuts[2][1]]
    for order in ([1, 0], [0, 2], [0, 0], [0, 1, 3]):
        opened = unseal(head + b"".join(parts[n] for n in order), KEY_OF_SPACE)
        assert opened.ending is Ending.BROKEN, order
    assert unseal(head + parts[0] + parts[1] + foreign, KEY_OF_SPACE).ending is Ending.BROKEN
    assert unseal(head + parts[0] + parts[-1], KEY_OF_SPACE).ending is Ending.BROKEN, "an early end"
    assert unseal(data + parts[0], KEY_OF_SPACE).ending is Ending.BROKEN, "something after the end"


@pytest.mark.parametrize(
    "key",
    [
        space_key(bytes(KEY), bytes(KEY), "1DXxyRYNejbKM"),
        space_key(bytes(range(KEY)), b"\x01" * KEY, "1DXxyRYNejbKM"),
        space_key(bytes(range(KEY)), bytes(KEY), "another"),
    ],
)
def test_every_part_of_the_key_is_needed(key: bytes) -> None:
    assert unseal(sealed(RECORDS), key).records == []
    assert unseal(sealed(RECORDS), key).ending is Ending.BROKEN


@given(st.binary(max_size=200))
def test_other_bytes_are_refused_and_never_raise(data: bytes) -> None:
    head = sealed([], ended=False)
    for each in (data, head + data, head[:20] + data):
        assert unseal(each, KEY_OF_SPACE).records == []


@given(st.lists(st.binary(max_size=64), max_size=6), st.integers(0, 2**32), st.binary(max_size=40))
def test_any_records_come_back(records: list[bytes], salt: int, context: bytes) -> None:
    opened = unseal(sealed(records, salt, context=context), KEY_OF_SPACE)
    assert (opened.records[:-1], opened.ending, opened.context) == (records, Ending.WHOLE, context)


def test_what_cannot_be_sealed_is_refused() -> None:
    sealer = Sealer(KEY_OF_SPACE, bytes(SALT))
    with pytest.raises(ValueError, match="16777216 bytes"):
        sealer.seal(bytes(RECORD_MAX + 1))
    sealer.end()
    with pytest.raises(ValueError, match="none after its last"):
        sealer.seal(b"late")
    with pytest.raises(ValueError, match="salt of 23 bytes"):
        Sealer(KEY_OF_SPACE, b"short")
