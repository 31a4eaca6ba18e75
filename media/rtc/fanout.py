"""The fan-out kernel: one payload to a crowd, at the cost of the system call.

A listener costs one RTP header, one seal (:mod:`media.rtc.aesgcm`) and a share of one ``sendmmsg``; everything
that is the same for all is made once, outside. The kernel holds no GIL, allocates nothing, and runs over tables:

* ``listeners``: one 64-byte record (a cache line) each, dense, in no order;
* ``keys``: what each of them is sealed with, at the same place;
* ``rows``: what is to be sent in this tick. A listener's ``row`` says which one it hears: its room's mix, or, for
  someone who is talking, the mix without their own voice.
"""

from typing import Any

import numpy as np
from numba import njit

from media.rtc.aesgcm import SIZE, TAG, seal
from media.rtc.mmsg import ADDRESS_SIZE, MMSGHDR_SIZE, Messages
from media.rtc.native import (
    EAGAIN,
    EINTR,
    MSG_DONTWAIT,
    SRTP_OK,
    SRTP_TRAILER_MAX,
    errno,
    poll,
    sendmmsg,
    srtp_protect,
    srtp_protect_rtcp,
)
from media.rtc.words import put16, put32

LISTENER = np.dtype(
    {
        "names": [
            *("srtp", "address_low", "address_high", "ssrc", "timestamp_offset", "row"),
            *("packets", "octets", "sequence", "payload_type", "capture_id", "sealed", "paused"),
        ],
        "formats": ["u8", "u8", "u8", "u4", "u4", "i4", "u4", "u4", "u2", "u1", "u1", "u1", "u1"],
        "offsets": [0, 8, 16, 24, 28, 32, 36, 40, 44, 46, 47, 48, 49],
        "itemsize": 64,
    }
)
"""``srtp`` is the address of the outbound context; ``address_*`` are the 16 bytes of a ``sockaddr_in``;
``capture_id`` is the header extension's identifier for abs-capture-time, 0 if the listener does not know it;
``sealed`` is 1 if the table of keys holds this listener's, 0 if its packets go through libsrtp; ``paused`` is 1
while it must not be sent anything."""

ROW = np.dtype([("capture", "u8"), ("timestamp", "u4"), ("length", "u4"), ("marker", "u4")], align=True)
"""``length`` in bytes, 0 to send nothing; ``capture`` a 64-bit NTP time, 0 for none; ``marker`` 0 or 1."""

PAYLOAD_MAX = 1276
"""Bytes: the largest Opus packet of one frame with its TOC (RFC 6716 §3.4)."""
PAYLOAD_SPACE = 1344
"""Bytes a payload's row takes: the seal reads whole blocks, up to 64 bytes beyond the payload."""
BATCH = 64
"""Packets a ``sendmmsg``: their bytes stay in the first-level cache until the system call reads them."""
_AROUND = 28 + max(TAG + 64, SRTP_TRAILER_MAX)
_PACKET_SPACE = (_AROUND + PAYLOAD_MAX + 63) // 64 * 64
_ADDRESS_OFFSET = 8
_REPORT_SIZE = 28
_CNAME_CHUNK = 16

PACKETS, BYTES, FAILURES, REPORTS = 0, 1, 2, 3
"""Places in ``counters``: int64 each, only ever growing."""


class SendBuffers(Messages):
    """One batch of packets with the headers ``sendmmsg`` wants; reused for ever, so sending allocates nothing."""

    def __init__(self) -> None:
        self.packets = np.zeros(BATCH * _PACKET_SPACE, np.uint8)
        super().__init__(self.packets.reshape(BATCH, _PACKET_SPACE), _PACKET_SPACE)
        self.headers["name_size"] = ADDRESS_SIZE
        self.length = np.zeros(1, np.int32)
        self.counters = np.zeros(8, np.int64)


@njit(nogil=True, cache=True)
def flush(fd: int, headers: Any, iovecs: Any, count: int, counters: Any) -> None:  # pragma: no cover
    """Send ``count`` prepared packets.

    A datagram the kernel refuses is counted and skipped. A full socket queue is waited for once, at most 2 ms;
    what does not fit then is lost and counted, since sound that is late is worth nothing.
    """
    pollfd = np.empty(1, np.uint64)
    waited = False
    sent = 0
    while sent < count:
        done = sendmmsg(fd, headers.ctypes.data + sent * MMSGHDR_SIZE, count - sent, MSG_DONTWAIT)
        if done > 0:
            counters[PACKETS] += done
            for index in range(sent, sent + done):
                counters[BYTES] += np.int64(iovecs[index].length)
            sent += done
            continue
        error = errno()
        if error == EINTR:
            continue
        if error == EAGAIN and not waited:
            pollfd[0] = np.uint64(fd) | (np.uint64(4) << np.uint64(32))  # struct pollfd with POLLOUT
            poll(pollfd.ctypes.data, 1, 2)
            waited = True
            continue
        counters[FAILURES] += 1
        sent += 1


@njit(nogil=True, cache=True)
def _lay_out(longest: int, packets: Any, iovecs: Any) -> int:  # pragma: no cover
    """Place a batch's packets as closely as the longest payload allows; returns the bytes from one to the next."""
    stride = (_AROUND + longest + 63) // 64 * 64
    for index in range(BATCH):
        iovecs[index].base = packets.ctypes.data + index * stride
    return stride


@njit(nogil=True, cache=True)
def send_rows(  # pragma: no cover
    fd: int,
    listeners: Any,
    keys: Any,
    count: int,
    rows: Any,
    payloads: Any,
    packets: Any,
    iovecs: Any,
    headers: Any,
    length: Any,
    counters: Any,
) -> None:
    """Send to each of the first ``count`` listeners the payload of its row.

    ``payloads``: uint8[rows, PAYLOAD_SPACE]. The other arrays are those of :class:`SendBuffers`.
    """
    base = listeners.ctypes.data
    longest = 0
    for index in range(rows.shape[0]):
        longest = max(longest, rows[index].length)
    stride = _lay_out(longest, packets, iovecs)
    filled = 0
    for index in range(count):
        row = listeners[index].row
        size = rows[row].length
        if size == 0 or listeners[index].paused:
            continue
        packet = packets[filled * stride : (filled + 1) * stride]
        sequence = listeners[index].sequence
        timestamp = rows[row].timestamp + listeners[index].timestamp_offset
        packet[1] = listeners[index].payload_type | (rows[row].marker << 7)
        put16(packet, 2, sequence)
        put32(packet, 4, timestamp)
        put32(packet, 8, listeners[index].ssrc)
        start = 12
        capture = rows[row].capture
        if capture != 0 and listeners[index].capture_id != 0:
            packet[0] = 0x90
            put32(packet, 12, 0xBEDE0003)
            packet[16] = (listeners[index].capture_id << 4) | 7
            put32(packet, 17, capture >> np.uint64(32))
            put32(packet, 21, capture & np.uint64(0xFFFFFFFF))
            packet[25] = 0
            packet[26] = 0
            packet[27] = 0
            start = 28
        else:
            packet[0] = 0x80
        if listeners[index].sealed:
            seal(
                *(keys.ctypes.data + index * SIZE, packet.ctypes.data, start),
                *(payloads.ctypes.data + row * PAYLOAD_SPACE, size, listeners[index].ssrc, sequence),
            )
            length[0] = start + size + TAG
            keys[index].rollover += sequence == 0xFFFF
        else:
            packet[start : start + size] = payloads[row, :size]
            length[0] = start + size
            if srtp_protect(listeners[index].srtp, packet.ctypes.data, length.ctypes.data) != SRTP_OK:
                counters[FAILURES] += 1
                continue
        listeners[index].sequence = sequence + 1
        listeners[index].packets += 1
        listeners[index].octets += size
        iovecs[filled].length = length[0]
        headers[filled].name = base + index * 64 + _ADDRESS_OFFSET
        filled += 1
        if filled == BATCH:
            flush(fd, headers, iovecs, filled, counters)
            filled = 0
    flush(fd, headers, iovecs, filled, counters)


@njit(nogil=True, cache=True)
def send_reports(  # pragma: no cover
    fd: int,
    listeners: Any,
    first: int,
    last: int,
    ntp: Any,
    timestamp: int,
    cname: Any,
    packets: Any,
    iovecs: Any,
    headers: Any,
    length: Any,
    counters: Any,
) -> None:
    """Send an RTCP sender report with its description (RFC 3550 §6.4.1, §6.5) to listeners ``first`` to ``last``.

    ``ntp`` (uint64) and ``timestamp`` (uint32, before each listener's offset) are the same instant on both clocks.
    ``cname``: uint8[16], the item and its padding after the SSRC of the description's chunk.
    """
    base = listeners.ctypes.data
    stride = _lay_out(0, packets, iovecs)
    filled = 0
    for index in range(first, last):
        if listeners[index].paused:
            continue
        packet = packets[filled * stride : (filled + 1) * stride]
        put32(packet, 0, 0x80C80006)
        put32(packet, 4, listeners[index].ssrc)
        put32(packet, 8, ntp >> np.uint64(32))
        put32(packet, 12, ntp & np.uint64(0xFFFFFFFF))
        put32(packet, 16, timestamp + listeners[index].timestamp_offset)
        put32(packet, 20, listeners[index].packets)
        put32(packet, 24, listeners[index].octets)
        put32(packet, 28, 0x81CA0005)
        put32(packet, 32, listeners[index].ssrc)
        packet[36 : 36 + _CNAME_CHUNK] = cname
        length[0] = _REPORT_SIZE + 8 + _CNAME_CHUNK
        if srtp_protect_rtcp(listeners[index].srtp, packet.ctypes.data, length.ctypes.data) != SRTP_OK:
            counters[FAILURES] += 1
            continue
        counters[REPORTS] += 1
        iovecs[filled].length = length[0]
        headers[filled].name = base + index * 64 + _ADDRESS_OFFSET
        filled += 1
        if filled == BATCH:
            flush(fd, headers, iovecs, filled, counters)
            filled = 0
    flush(fd, headers, iovecs, filled, counters)
