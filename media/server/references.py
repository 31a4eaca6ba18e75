"""Location and Link as references relative to the request, so that they hold wherever a proxy shows this server.

A proxy that strips a path (``location /lab/ { proxy_pass http://relay/; }``) tells nobody that it does. A
reference that starts with the host's root would leave the path out; a relative one (RFC 3986 §4.2, which RFC 9110
allows in both headers) is resolved against the address that the client itself called.
"""

import re
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NAMES: Final = (b"location", b"link")
_TARGET: Final = re.compile(r"(?<=<)/[^>]*")
_END_OF_PATH: Final = re.compile(r"[?#]")


def relative(target: str, path: str) -> str:
    """The reference that leads from a request's path to a path of this server; other addresses as they are."""
    if not target.startswith("/") or target.startswith("//"):
        return target
    end = match.start() if (match := _END_OF_PATH.search(target)) else len(target)
    base, goal = path.split("/")[1:-1], target[:end].split("/")[1:]
    common = 0
    while common < min(len(base), len(goal) - 1) and base[common] == goal[common]:
        common += 1
    steps = [".."] * (len(base) - common) + goal[common:]
    first = "./" if not steps[0] or ":" in steps[0] else ""
    return first + "/".join(steps) + target[end:]


class References:
    """ASGI middleware: routes name paths of this server from its root, callers get them relative to their own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its response with its references made relative."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    (name, _rewritten(name, value, scope) if name in _NAMES else value)
                    for name, value in message.get("headers", ())
                ]
            await send(message)

        await self._app(scope, receive, told)


def _rewritten(name: bytes, value: bytes, scope: Scope) -> bytes:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    path, text = raw.partition(b"?")[0].decode("latin-1"), value.decode("latin-1")
    if name == b"location":
        return relative(text, path).encode("latin-1")
    return _TARGET.sub(lambda found: relative(found[0], path), text).encode("latin-1")
