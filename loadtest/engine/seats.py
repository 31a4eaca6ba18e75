"""Where listeners sit: many to a socket, each at a loopback address of its own.

Everything in 127.0.0.0/8 is this machine. So where the relay is too, a listener needs no socket: an address and
the port of a row of 64 will do, and the relay cannot tell the difference. What a crowd's sockets cost in
descriptors, and what the kernel spends on finding each of them for every packet, the swarm then does not add to
the relay's bill. Elsewhere each listener has a socket, as a host has one address.
"""

import socket
import struct
from collections import deque
from collections.abc import Sequence

from loadtest.engine.ears import Ears
from loadtest.engine.receive import ROW
from media.rtc.stun import Address

_IP_PKTINFO = 8
_PKTINFO = struct.Struct("=i4s4s")
_NETWORK = 127 << 24 | 64 << 16
"""127.64.0.0: far from the addresses that servers on loopback like."""
RECEIVE_BUFFER = 4 << 20
"""Bytes asked for a row's receive buffer; the system may give less (``net.core.rmem_max``)."""


class Seat:
    """One listener's place: its number in the tables, and the socket and address it sends from."""

    __slots__ = ("_control", "_socket", "address", "number", "row")

    def __init__(self, row: socket.socket, first: int, number: int) -> None:
        packed = struct.pack("!I", _NETWORK + number - first)
        self.number = number
        self.row = row
        self._control = [(socket.IPPROTO_IP, _IP_PKTINFO, _PKTINFO.pack(0, packed, packed))]
        self._socket = row
        self.address: Address = (socket.inet_ntoa(packed), row.getsockname()[1])

    def send(self, datagram: bytes, remote: Address) -> None:
        """Send from this seat's address; :raises OSError: the system does not take it."""
        self._socket.sendmsg([datagram], self._control, 0, remote)


class Seats:
    """The seats in rows of one engine. A seat that was given back is the last to be taken again."""

    def __init__(self, ears: Ears) -> None:
        self._ears = ears
        self._free: deque[int] = deque(ears.shared)
        self._rows: dict[int, socket.socket] = {}
        self._taken: dict[int, int] = {}

    def take(self) -> Seat | None:
        """A seat that is joining; None if all are taken. :raises OSError: there is no socket for its row."""
        number = self._next()
        if number is None:
            return None
        first = self._first(number)
        row = self._rows.get(first)
        if row is None:
            row = self._rows[first] = self._open(first)
        self._taken[first] = self._taken.get(first, 0) + 1
        self._ears.join(number)
        return Seat(row, self._ears.shared.start, number)

    def vacate(self, seat: Seat) -> Sequence[socket.socket]:
        """Give a seat back; returns sockets to close two rounds of the loop later, if its row is empty now."""
        self._ears.remove(seat.number)
        self._free.append(seat.number)
        first = self._first(seat.number)
        self._taken[first] -= 1
        if self._taken[first]:
            return ()
        row = self._rows.pop(first)
        self._ears.unwatch(row.fileno())
        return (row,)

    def _next(self) -> int | None:
        return self._free.popleft() if self._free else None

    def _first(self, number: int) -> int:
        start = self._ears.shared.start
        return start + (number - start) // ROW * ROW

    def _open(self, first: int) -> socket.socket:
        row = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        row.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        row.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        row.bind(("0.0.0.0", 0))  # noqa: S104 (it must receive for every address of its row)
        self._ears.watch(row.fileno(), first)
        return row
