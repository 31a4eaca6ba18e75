"""Where a push may go: browsers name the address, so it must not lead into the networks behind this server.

Checked twice: the address when somebody subscribes, and what its name stands for when a message is sent, at the
moment of connecting, so that a name that changes its mind in between gains nothing.
"""

import ipaddress
import re
from typing import Final

from yarl import URL

ENDPOINT_MAX: Final = 1024
"""Characters of an endpoint's address."""
_TRANSLATED: Final = [
    ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
]
"""IPv6 addresses that stand for IPv4 ones, which may be private: NAT64, 6to4, Teredo."""

_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)


def is_public(address: str) -> bool:
    """Whether an IP address is one of the Internet's, and of a single host."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    if mapped is not None:
        ip = mapped
    if any(ip in network for network in _TRANSLATED if network.version == ip.version):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def fault_of(endpoint: str, private: bool) -> str | None:
    """Say why a push cannot go to an address; None if it can, as far as the address itself tells.

    :param private: whether private networks are allowed
    """
    if len(endpoint) > ENDPOINT_MAX or not endpoint.isascii() or not endpoint.isprintable():
        return f"the endpoint is an address of up to {ENDPOINT_MAX} plain characters"
    if "\\" in endpoint or " " in endpoint:
        return "the endpoint has characters that no address has"
    try:
        url = URL(endpoint)
        host, _ = url.host, url.port
    except ValueError:
        return "the endpoint is no address"
    if url.scheme != "https" or not host:
        return "the endpoint must begin with https://, as those of all push services do"
    if url.user is not None or url.password is not None or url.fragment:
        return "the endpoint must have neither a user nor a fragment"
    try:
        public = is_public(host)
    except ValueError:
        name = host.rstrip(".")
        if _NUMBER.fullmatch(name.rpartition(".")[2]):  # as the URL standard tells names from addresses
            return "the endpoint has an address that is not written as addresses are"
        public = not (name == "localhost" or name.endswith((".localhost", ".local", ".internal")))
    return None if public or private else "the endpoint leads into a private network"
