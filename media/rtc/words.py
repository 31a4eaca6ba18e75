"""Numbers in network order inside kernels: RTP, RTCP and STUN have the most significant byte first."""

from typing import Any

import numpy as np
from numba import njit


@njit(nogil=True, cache=True, inline="always")
def get16(data: Any, at: Any) -> Any:  # pragma: no cover
    """The 16-bit number at ``at`` of uint8 ``data``, as int64."""
    return np.int64(data[at]) << 8 | np.int64(data[at + 1])


@njit(nogil=True, cache=True, inline="always")
def get32(data: Any, at: Any) -> Any:  # pragma: no cover
    """The 32-bit number at ``at``, as int64."""
    return (
        np.int64(data[at]) << 24
        | np.int64(data[at + 1]) << 16
        | np.int64(data[at + 2]) << 8
        | np.int64(data[at + 3])
    )


@njit(nogil=True, cache=True, inline="always")
def put16(data: Any, at: Any, value: Any) -> None:  # pragma: no cover
    """Write the lower 16 bits of an integer to ``data`` at ``at``."""
    data[at] = (value >> 8) & 0xFF
    data[at + 1] = value & 0xFF


@njit(nogil=True, cache=True, inline="always")
def put32(data: Any, at: Any, value: Any) -> None:  # pragma: no cover
    """Write the lower 32 bits of an integer to ``data`` at ``at``."""
    data[at] = (value >> 24) & 0xFF
    data[at + 1] = (value >> 16) & 0xFF
    data[at + 2] = (value >> 8) & 0xFF
    data[at + 3] = value & 0xFF
