"""The address of this server in what people are given to pass on.

Whoever calls says in the Host header what they think the address is, and could have others sent to a place of
their own by it. It is believed only of this machine's own names for itself; who serves under a name says so with
``--public-url``, and else the address of the socket is told that was called.
"""

import ipaddress
from typing import Final

from fastapi import Request

_PORTS: Final = {"http": 80, "https": 443}


def base_of(request: Request) -> str:
    """Return the address of this server, with a slash at its end."""
    configured: str = request.app.state.public_url
    if configured:
        return configured
    called, (host, port) = request.base_url, request.scope["server"]
    if _is_this_machine(called.hostname or "") and _is_this_machine(host):
        return f"{called.scheme}://{called.netloc}/"
    shown = f"[{host}]" if ":" in host else host
    where = shown if port in (None, _PORTS.get(called.scheme)) else f"{shown}:{port}"
    return f"{called.scheme}://{where}/"


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
