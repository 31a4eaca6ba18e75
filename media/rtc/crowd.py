"""The crowd: who gets a packet in the next tick, and which. The tables that the fan-out kernel runs over.

Listeners stand dense in one array; a place that becomes free is filled by the last one, and whoever holds that
place is told. Rows are what is to be sent: handed out singly, filled anew each tick, and returned.
"""

import secrets
from struct import Struct
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from media.rtc.aesgcm import KEYS, derive
from media.rtc.fanout import (
    BYTES,
    FAILURES,
    LISTENER,
    PACKETS,
    PAYLOAD_SPACE,
    REPORTS,
    ROW,
    SendBuffers,
    send_reports,
    send_rows,
)
from media.rtc.inbox import key_of
from media.rtc.selftest import OWN, sealer
from media.rtc.srtp import SrtpContext
from media.rtc.stun import Address

REPORT_INTERVAL = 250
"""Ticks of 20 ms between two sender reports to the same listener: 5 s (RFC 3550 §6.2)."""
_ROW = Struct("<QIII")
"""A record of :data:`ROW`; packed into its bytes, it is written three times as fast as through numpy."""
_LENGTH, _LENGTH_AT = Struct("<I"), 12
_CNAME_LENGTH = 13
"""Bytes: with its item header and one zero a description's chunk then ends on a word boundary."""


class Listening(Protocol):
    """What holds a place in the crowd."""

    place: int
    """Index in the table, -1 while it holds none; the crowd keeps it up to date."""


def _doubled(table: NDArray[Any]) -> NDArray[Any]:
    """Twice the places, in the same record layout (concatenating would drop a record's padding)."""
    larger = np.zeros((2 * len(table), *table.shape[1:]), table.dtype)
    larger[: len(table)] = table
    return larger


class Crowd:
    """All listeners of one relay and the rows they hear. Driven by the media thread alone."""

    def __init__(self, native: bool = True) -> None:
        """``native``: seal with our AES-GCM, where that can be relied on; else all goes through libsrtp."""
        self._native = native
        self._holders: list[Listening] = []
        self._listeners = np.zeros(64, LISTENER)
        self._keys = np.zeros(64, KEYS)
        self._rows = np.zeros(16, ROW)
        self._payloads = np.zeros((16, PAYLOAD_SPACE), np.uint8)
        self._look()
        self._free_rows = list(range(15, -1, -1))
        self._buffers = SendBuffers()
        self._report_from = 0.0
        name = secrets.token_hex(7)[:_CNAME_LENGTH].encode()
        self._cname = np.frombuffer(bytes([1, len(name)]) + name + b"\0", np.uint8).copy()

    def __len__(self) -> int:
        return len(self._holders)

    @property
    def packets(self) -> int:
        """RTP packets sent."""
        return int(self._buffers.counters[PACKETS] - self._buffers.counters[REPORTS])

    @property
    def octets(self) -> int:
        """UDP payload bytes sent, RTCP included."""
        return int(self._buffers.counters[BYTES])

    @property
    def failures(self) -> int:
        """Packets that could not be protected or that the system refused."""
        return int(self._buffers.counters[FAILURES])

    def add(
        self,
        holder: Listening,
        context: SrtpContext,
        address: Address,
        *,
        ssrc: int,
        payload_type: int,
        capture_id: int,
        row: int,
    ) -> None:
        """Give ``holder`` a place; it hears ``row`` from the next tick on. ``context`` must outlive the place."""
        place = len(self._holders)
        if place == len(self._listeners):
            self._listeners, self._keys = _doubled(self._listeners), _doubled(self._keys)
        master = context.lend() if self._native and sealer() == OWN else None
        if master:
            derive(self._keys, place, master)
        # Random starts (RFC 3550 §5.1); the first half of the numbers leaves no doubt about the rollover counter.
        sequence, offset = secrets.randbits(15), secrets.randbits(32)
        self._listeners[place] = (
            *(context.address, key_of(address), 0, ssrc, offset, row),
            *(0, 0, sequence, payload_type, capture_id, master is not None, False),
        )
        self._holders.append(holder)
        holder.place = place

    def remove(self, holder: Listening) -> None:
        """Take the place back; the last in the table moves into it."""
        place, last = holder.place, len(self._holders) - 1
        if place != last:
            self._listeners[place], self._keys[place] = self._listeners[last], self._keys[last]
            self._holders[place] = self._holders[last]
            self._holders[place].place = place
        self._keys[last] = 0
        self._holders.pop()
        holder.place = -1

    def move(self, holder: Listening, address: Address) -> None:
        """Send to another address from now on (the peer nominated another path)."""
        self._listeners[holder.place]["address_low"] = key_of(address)

    def pause(self, holder: Listening, paused: bool) -> None:
        """Send ``holder`` nothing, or what it hears again; numbers go on from where they were."""
        self._listeners[holder.place]["paused"] = paused

    def hear(self, holder: Listening, row: int) -> None:
        """Let ``holder`` hear another row from now on."""
        self._listeners[holder.place]["row"] = row

    def new_row(self) -> int:
        """A row of one's own, silent until it is filled."""
        if not self._free_rows:
            size = len(self._rows)
            self._rows = _doubled(self._rows)
            self._payloads = _doubled(self._payloads)
            self._look()
            self._free_rows = list(range(2 * size - 1, size - 1, -1))
        return self._free_rows.pop()

    def _look(self) -> None:
        """Keep the bytes of the tables at hand."""
        self._row_bytes = self._rows.view(np.uint8).data
        self._payload_bytes = self._payloads.reshape(-1).data

    def free_row(self, row: int) -> None:
        """Return a row that nobody hears any more."""
        self.silence(row)
        self._free_rows.append(row)

    def fill(self, row: int, payload: bytes, timestamp: int, capture: int | None, marker: bool) -> None:
        """What the row's listeners get in this tick: at most 1,276 bytes of Opus, captured at an NTP time."""
        start, size = row * PAYLOAD_SPACE, len(payload)
        self._payload_bytes[start : start + size] = payload
        self._head(row, timestamp, capture, marker, size)

    def payload(self, row: int) -> bytes:
        """What the row holds."""
        return self._payloads[row, : self._rows["length"][row]].tobytes()

    @property
    def payloads(self) -> NDArray[np.uint8]:
        """What rows hold, shape (rows, PAYLOAD_SPACE); another table after ``new_row``."""
        return self._payloads

    @property
    def rows(self) -> NDArray[Any]:
        """Of :data:`media.rtc.fanout.ROW`, for kernels that say what is to be sent; another after ``new_row``."""
        return self._rows

    def fit(self, rows: NDArray[np.int64], sizes: NDArray[np.int32]) -> None:
        """Say how many bytes each of these announced rows holds now."""
        self._rows["length"][rows] = sizes

    def _head(self, row: int, timestamp: int, capture: int | None, marker: bool, size: int) -> None:
        _ROW.pack_into(self._row_bytes, row * ROW.itemsize, capture or 0, timestamp & 0xFFFF_FFFF, size, marker)

    def silence(self, row: int) -> None:
        """The row's listeners get nothing."""
        _LENGTH.pack_into(self._row_bytes, row * ROW.itemsize + _LENGTH_AT, 0)

    def send(self, fd: int) -> None:
        """Fan out every row to its listeners, through the UDP socket ``fd``. No Python runs per packet."""
        own = self._buffers
        send_rows(
            *(fd, self._listeners, self._keys, len(self._holders), self._rows, self._payloads),
            *(own.packets, own.iovecs, own.headers, own.length, own.counters),
        )

    def report(self, fd: int, ntp: int, timestamp: int) -> None:
        """Send sender reports to the next 1/250 of the crowd; called once a tick, it reaches each every 5 s."""
        count = len(self._holders)
        if count == 0:
            return
        start = self._report_from if self._report_from < count else 0.0
        end = min(start + count / REPORT_INTERVAL, float(count))
        own = self._buffers
        send_reports(
            *(fd, self._listeners, int(start), int(end), np.uint64(ntp), timestamp & 0xFFFF_FFFF, self._cname),
            *(own.packets, own.iovecs, own.headers, own.length, own.counters),
        )
        self._report_from = end

    def warm(self) -> None:
        """Compile or load the kernels now, so that the first tick is not the slowest."""
        sealer()
        self.send(-1)
        own = self._buffers
        send_reports(
            *(-1, self._listeners, 0, 0, np.uint64(0), 0, self._cname),
            *(own.packets, own.iovecs, own.headers, own.length, own.counters),
        )
