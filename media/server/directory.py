"""Which route a request is for, found by the segments of its path in one walk.

Starlette asks one route after the other, and with a hundred of them that is a fifth of a short request. Here a
literal segment goes before a parameter, wherever the routes stand; other kinds of routes are not taken up.

HEAD is answered as GET is, without the body (RFC 9110 section 9.3.2), by routes that do not know of it.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Message, Receive, Scope, Send

from media.server.resolving import shorten

_NOTHING: Final[tuple[Match, Scope]] = (Match.NONE, {})


class _Node:
    __slots__ = ("by_method", "parameter", "words")

    def __init__(self) -> None:
        self.words: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.by_method: dict[str, tuple[Route, tuple[str, ...]]] = {}
        """Method to route, and to the names of its parameters."""


class Directory(BaseRoute):
    """One route for the router, in which are all those that consist of whole segments."""

    def __init__(self) -> None:
        self.routes: list[BaseRoute] = []
        self._root = _Node()

    def take_up(self, routes: Iterable[BaseRoute]) -> list[BaseRoute]:
        """Take routes up; return those that cannot be."""
        left: list[BaseRoute] = []
        for route in routes:
            if isinstance(route, Route | APIRoute) and _is_plain(route):
                if isinstance(route, APIRoute):
                    shorten(route)
                self.routes.append(route)
                self._add(route)
            else:
                left.append(route)
        return left

    def find(self, method: str, path: str) -> Route | None:
        """Return the route for a method and a path; None if there is none."""
        leaf = _walk(self._root, path.split("/")[1:], 0, [])
        found = leaf and leaf.by_method.get(method)
        return found[0] if found else None

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Find the route, or one that knows the path and not the method."""
        if scope["type"] != "http":
            return _NOTHING
        path: str = scope["path"]
        values: list[str] = []
        leaf = _walk(self._root, path.split("/")[1:], 0, values)
        if leaf is None:
            return _NOTHING
        found = leaf.by_method.get(scope["method"])
        if found is None and scope["method"] == "HEAD":
            found = leaf.by_method.get("GET")
        match = Match.FULL if found else Match.PARTIAL
        route, names = found or next(iter(leaf.by_method.values()))
        parameters = dict(zip(names, values, strict=True))
        return match, {"endpoint": route.endpoint, "path_params": parameters, "route": route}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the route that was found answer."""
        route = scope["route"]
        if scope["method"] in route.methods:
            await route.app(scope, receive, send)
        elif scope["method"] == "HEAD" and "GET" in route.methods:
            await route.app(scope, receive, _without_body(send))
        else:  # which says what it answers
            await route.handle(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        """Return the address of a route by its name."""
        return next(route for route in self.routes if getattr(route, "name", "") == name).url_path_for(
            name, **path_params
        )

    def _add(self, route: Route) -> None:
        node = self._root
        names: list[str] = []
        for segment in route.path.split("/")[1:]:
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.words.setdefault(segment, _Node())
        for method in route.methods or ():
            node.by_method.setdefault(method, (route, tuple(names)))


def methods_of(route: Route) -> set[str]:
    """Return what a route answers, HEAD too if GET."""
    methods = set(route.methods or ())
    return methods | {"HEAD"} if "GET" in methods else methods


def _without_body(send: Send) -> Send:
    async def told(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return told


def _is_plain(route: Route) -> bool:
    converters: Mapping[str, Any] = route.param_convertors
    segments = route.path.split("/")[1:]
    whole = all("{" not in s or (s[0] == "{" and s[-1] == "}" and s.count("{") == 1) for s in segments)
    return whole and all(type(each).__name__ == "StringConvertor" for each in converters.values())


def _walk(node: _Node, segments: list[str], at: int, values: list[str]) -> _Node | None:
    """Return the leaf for the segments from ``at`` on, with the values of parameters on the way."""
    if at == len(segments):
        return node if node.by_method else None
    segment = segments[at]
    word = node.words.get(segment)
    if word is not None:
        leaf = _walk(word, segments, at + 1, values)
        if leaf is not None:
            return leaf
    if node.parameter is None or not segment:
        return None
    values.append(segment)
    leaf = _walk(node.parameter, segments, at + 1, values)
    if leaf is None:
        values.pop()
    return leaf
