"""The receive side of the one UDP port: many datagrams a system call, in buffers that are reused for ever."""

import socket
import struct
from typing import Any

import numpy as np
from numba import njit

from media.rtc.native import MMSGHDR_WORDS, MSG_DONTWAIT, recvmmsg
from media.rtc.stun import Address

BATCH = 64
"""Datagrams a ``recvmmsg``."""
DATAGRAM_MAX = 2048
"""Bytes; nothing a WebRTC peer sends is larger than an Ethernet frame, what is larger is dropped."""
_MSG_TRUNC = 0x20


@njit(nogil=True, cache=True)
def _receive(fd: int, headers: Any) -> int:  # pragma: no cover
    for index in range(headers.shape[0]):
        headers[index, 1] = 16
        headers[index, 6] = 0
    return recvmmsg(fd, headers.ctypes.data, headers.shape[0], MSG_DONTWAIT, 0)


class Inbox:
    """One batch of received datagrams, read by :meth:`pop` one after the other."""

    def __init__(self) -> None:
        self._data = np.zeros((BATCH, DATAGRAM_MAX), np.uint8)
        self._addresses = np.zeros((BATCH, 2), np.uint64)
        self._iovecs = np.zeros((BATCH, 2), np.uint64)
        self._iovecs[:, 0] = self._data.ctypes.data + np.arange(BATCH, dtype=np.uint64) * DATAGRAM_MAX
        self._iovecs[:, 1] = DATAGRAM_MAX
        self._headers = np.zeros((BATCH, MMSGHDR_WORDS), np.uint64)
        self._headers[:, 0] = self._addresses.ctypes.data + np.arange(BATCH, dtype=np.uint64) * 16
        self._headers[:, 2] = self._iovecs.ctypes.data + np.arange(BATCH, dtype=np.uint64) * 16
        self._headers[:, 3] = 1
        self._view = self._data.data.cast("B")
        self._filled = 0
        self._next = 0
        self.truncated = 0

    def __len__(self) -> int:
        return self._filled - self._next

    def fill(self, fd: int) -> int:
        """Take what waits in the socket, at most :data:`BATCH`; the batch before must be read to its end."""
        self._filled, self._next = max(0, _receive(fd, self._headers)), 0
        return self._filled

    def pop(self) -> tuple[bytes, int]:
        """The next datagram (empty if it was too large) and the key of its source (see :func:`address_of`)."""
        index = self._next
        self._next += 1
        if int(self._headers[index, 6]) & _MSG_TRUNC:
            self.truncated += 1
            return b"", 0
        start = index * DATAGRAM_MAX
        size = int(self._headers[index, 7]) & 0xFFFF_FFFF
        return bytes(self._view[start : start + size]), int(self._addresses[index, 0])

    def warm(self) -> None:
        """Compile or load the kernel now."""
        self.fill(-1)


def address_of(key: int) -> Address:
    """The address whose ``sockaddr_in`` starts with these 8 bytes: family, port, IPv4 address."""
    packed = struct.pack("=Q", key)
    return socket.inet_ntoa(packed[4:]), int.from_bytes(packed[2:4], "big")


def key_of(address: Address) -> int:
    """The inverse of :func:`address_of`."""
    host, port = address
    packed = struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + socket.inet_aton(host)
    return struct.unpack("=Q", packed)[0]
