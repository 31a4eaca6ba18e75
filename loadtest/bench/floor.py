"""The floor under a fan-out: what the system call alone costs, on the same sockets, at the same pace and size."""

import socket
import time
from typing import Any

import numpy as np
from numba import njit

from loadtest.voice import TICK
from media.rtc.fanout import BATCH
from media.rtc.inbox import key_of
from media.rtc.mmsg import ADDRESS_SIZE, MMSGHDR_SIZE, Messages
from media.rtc.native import sendmmsg
from media.rtc.stun import Address


@njit(nogil=True, cache=True)
def _send_all(fd: int, headers: Any, count: int, batch: int) -> int:  # pragma: no cover
    sent = 0
    while sent < count:
        done = sendmmsg(fd, headers.ctypes.data + sent * MMSGHDR_SIZE, min(batch, count - sent), 0)
        if done <= 0:
            break
        sent += done
    return sent


def bare_sendmmsg(hearers: list[Address], size: int, seconds: float) -> float:
    """CPU in µs per packet of sending ``size`` bytes to each address every 20 ms with ``sendmmsg`` alone.

    The bytes are no valid SRTP: receivers do their work on them and then drop them.
    """
    payload = np.full(size, 0x80, np.uint8)
    addresses = np.zeros((len(hearers), 2), np.uint64)
    addresses[:, 0] = [key_of(address) for address in hearers]
    messages = Messages(np.broadcast_to(payload, (len(hearers), size)), size, addresses)
    headers = messages.headers
    headers["name_size"] = ADDRESS_SIZE
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("127.0.0.1", 0))
        _send_all(sender.fileno(), headers, 0, BATCH)  # compile or load
        packets, due, end = 0, time.monotonic(), time.monotonic() + seconds
        begun = time.thread_time()
        while due < end:
            packets += _send_all(sender.fileno(), headers, len(hearers), BATCH)
            due += TICK
            time.sleep(max(0.0, due - time.monotonic()))
        return 1e6 * (time.thread_time() - begun) / packets
