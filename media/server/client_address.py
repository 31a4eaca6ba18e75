"""What the address of a client tells, and when it tells nothing.

Whoever calls from this machine is an operator or a lab. But a proxy on this machine calls from it, too, for people
who are elsewhere: its requests say so in their headers. What such a header says is believed only of proxies that
the operator named; that it is there is believed of anybody, since it can only cost its sender.
"""

import ipaddress
from typing import Final

from starlette.types import Scope

_BY_PROXY: Final = frozenset(
    {
        b"forwarded",
        b"via",
        b"x-real-ip",
        b"x-client-ip",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"x-forwarded-port",
        b"x-forwarded-server",
        b"cf-connecting-ip",
        b"true-client-ip",
    }
)


def address_of(scope: Scope) -> str:
    """Return the address that a request comes from; "" if there is none, as over a local socket."""
    return scope["client"][0] if scope["client"] else ""


def is_local(address: str) -> bool:
    """Whether an address is one of this machine's own."""
    return address.startswith("127.") or address in ("::1", "", "::ffff:127.0.0.1")


def by_proxy(scope: Scope) -> bool:
    """Whether a request says that somebody else passed it on."""
    return any(name in _BY_PROXY for name, _ in scope["headers"])


def is_from_here(scope: Scope) -> bool:
    """Whether a request was made on this machine, and not passed on by a proxy on it."""
    return is_local(address_of(scope)) and not by_proxy(scope)


def counted_address(scope: Scope, *, named: bool) -> str:
    """Return with which others a request counts as coming from one address; "" where there is no bound.

    There is none for this machine itself, whose lab has thousands of people behind one address. All users of a
    proxy on it that the operator did not name have one address, too: it bounds those who have nothing else to be
    known by.
    """
    address = address_of(scope)
    if not is_local(address):
        return network_of(address)
    return "" if named or not by_proxy(scope) else network_of(address) or "local socket"


def network_of(address: str) -> str:
    """Return what counts as one address: of IPv6 the first 64 bits, which one customer has."""
    if ":" not in address:
        return address
    try:
        found = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return found.packed[:8].hex()
