"""HMAC-SHA1 and CRC-32 of the kernels against the standard library's."""

import hashlib
import hmac
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtc import sha1


def native(password: bytes, message: bytes) -> bytes:
    """HMAC-SHA1 by the kernel."""
    schedule, padded = sha1.scratch()
    padded[:] = 0xFF  # what an earlier message left there
    out = np.zeros(20, np.uint8)
    data = np.frombuffer(message + b"behind it", np.uint8)
    sha1.hmac(sha1.keyed(password), data, len(message), schedule, padded, out)
    return out.tobytes()


@given(st.binary(max_size=64), st.binary(max_size=600))
def test_hmac_is_that_of_hashlib(password: bytes, message: bytes):
    assert native(password, message) == hmac.digest(password, message, hashlib.sha1)


@pytest.mark.parametrize("size", [*range(54, 58), *range(62, 66), *range(118, 122), 65_535])
def test_hmac_where_the_padding_changes_its_length(size: int):
    assert native(b"key", bytes(size)) == hmac.digest(b"key", bytes(size), hashlib.sha1)


def test_key_that_is_too_long_is_refused():
    with pytest.raises(ValueError, match="64 bytes"):
        sha1.keyed(bytes(65))


@given(st.binary(max_size=600))
def test_crc_is_that_of_zlib(message: bytes):
    data = np.frombuffer(message + b"behind it", np.uint8)
    assert int(sha1.crc32(data, len(message))) == zlib.crc32(message)
