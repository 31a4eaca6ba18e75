"""What ``sendmmsg`` and ``recvmmsg`` work on: the layout of their structures, said once.

Kernels fill the tables by field; the system calls get their address.
"""

import numpy as np
from numpy.typing import NDArray

MMSGHDR = np.dtype(
    {
        "names": ["name", "name_size", "iov", "iov_count", "control", "control_size", "flags", "length"],
        "formats": ["u8", "u4", "u8", "u8", "u8", "u8", "i4", "u4"],
        "offsets": [0, 8, 16, 24, 32, 40, 48, 56],
        "itemsize": 64,
    }
)
"""A ``struct mmsghdr`` of LP64 Linux (recvmsg(2), recvmmsg(2)); ``length`` is what was received, or sent."""
IOVEC = np.dtype([("base", "u8"), ("length", "u8")])
"""A ``struct iovec``."""
MMSGHDR_SIZE: int = MMSGHDR.itemsize
ADDRESS_SIZE = 16
"""Bytes of a ``struct sockaddr_in``."""
MSG_TRUNC = 0x20
"""In ``flags``: the datagram was larger than its buffer."""


def places(table: NDArray[np.generic]) -> NDArray[np.uint64]:
    """The address of each row."""
    return table.ctypes.data + np.arange(len(table), dtype=np.uint64) * np.uint64(table.strides[0])


class Messages:
    """A table of :data:`MMSGHDR`, each with one :data:`IOVEC`, and all they point to, kept alive together.

    ``buffers``: uint8[messages, space], of which each message has ``length`` bytes. ``addresses``: a
    ``sockaddr_in`` in 16 bytes each. ``controls``: a row of control data each, whose size is to be set before
    every receiving.
    """

    def __init__(
        self,
        buffers: NDArray[np.uint8],
        length: int,
        addresses: NDArray[np.generic] | None = None,
        controls: NDArray[np.uint8] | None = None,
    ) -> None:
        self._kept = (buffers, addresses, controls)
        self.iovecs = np.zeros(len(buffers), IOVEC)
        self.iovecs["base"], self.iovecs["length"] = places(buffers), length
        self.headers = np.zeros(len(buffers), MMSGHDR)
        self.headers["iov"], self.headers["iov_count"] = places(self.iovecs), 1
        if addresses is not None:
            self.headers["name"] = places(addresses)
        if controls is not None:
            self.headers["control"] = places(controls)
