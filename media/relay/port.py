"""The one UDP port of a relay: bound, enlarged, and named for its clients."""

import socket
from collections.abc import Sequence

from media.rtc.arrival import SO_TIMESTAMPNS
from media.rtc.stun import Address


class PortTakenError(OSError):
    """A UDP port that cannot be had."""

    port = 0


SOCKET_BUFFER = 8 << 20
"""Bytes asked for in each direction: 0.1 s of 4,000 listeners. The system may grant less."""

_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33
_IP_MTU_DISCOVER, _IP_PMTUDISC_PROBE = 10, 3
"""From Linux's asm-generic/socket.h and in.h; Python does not name them."""


def bind(host: str, port: int) -> socket.socket:
    """A UDP socket on an IPv4 address, any free port if that is 0; :raises PortTakenError: it cannot be had."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        refused = PortTakenError(error.errno, error.strerror)
        refused.port = port
        raise refused from error
    made.setblocking(False)
    _enlarge_buffers(made)
    ask_for_arrivals(made)
    # Nothing here is large enough to be cut into fragments. A packet that must not be needs no identification,
    # which spares the kernel finding one for each (__ip_select_ident).
    made.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _IP_PMTUDISC_PROBE)
    return made


def ask_for_arrivals(port: socket.socket) -> None:
    """Have the kernel say when each datagram came (see :class:`media.rtc.inbox.Inbox`)."""
    port.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)


def _enlarge_buffers(sock: socket.socket) -> None:
    """Ask for :data:`SOCKET_BUFFER`, beyond the system's limit where the process may."""
    for option, forced in ((socket.SO_RCVBUF, _SO_RCVBUFFORCE), (socket.SO_SNDBUF, _SO_SNDBUFFORCE)):
        try:
            sock.setsockopt(socket.SOL_SOCKET, forced, SOCKET_BUFFER)
        except PermissionError:
            sock.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER)


def local_ips(host: str) -> tuple[str, ...]:
    """The IPv4 addresses under which a port bound to ``host`` can be reached from this machine's network."""
    if host != "0.0.0.0":  # noqa: S104 (a comparison)
        return (socket.gethostbyname(host),)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1 (RFC 5737): picks the route, sends nothing
            return (probe.getsockname()[0], "127.0.0.1")
        except OSError:
            return ("127.0.0.1",)


def candidates_of(sock: socket.socket, public_ips: Sequence[str]) -> tuple[Address, ...]:
    """What to tell clients of a bound socket: the public addresses, or else its own."""
    host, port = sock.getsockname()
    return tuple((ip, port) for ip in public_ips or local_ips(host))
