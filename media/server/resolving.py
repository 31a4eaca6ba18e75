"""What a handler needs beside its parameters - gates, callers, services - resolved in one walk.

FastAPI resolves each dependency in a call of its own, with its parameters, anew wherever it is needed, and only
then looks whether it is known already: that was a third of a short request. Here those that need nothing but the
request are put in order once, each once, and awaited one after the other. They also come before the body is looked
at, so whoever is refused costs least. The document of the API is made of the same declarations as before.
"""

import functools
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, request_response

_RESOLVED: Final = "spaces.resolved"
"""Where a request keeps what was resolved for it."""
_REQUEST: Final = "request_of_resolving"
"""The name by which a handler that does not ask for the request gets it."""

Resolve = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Step:
    """One dependency: what it is called with, by the names of its arguments."""

    call: Resolve
    request: str | None
    earlier: tuple[tuple[str, int], ...]
    """Arguments that are results of steps before."""


class Plan:
    """The dependencies of one handler that need nothing but the request, in order."""

    def __init__(self, dependant: Dependant) -> None:
        """Take what can be resolved here; the rest is left for FastAPI in :attr:`left`."""
        self.steps: list[Step] = []
        self.given: list[tuple[str, int]] = []
        """The arguments of the handler."""
        self.left: list[Dependant] = []
        self._known: dict[Any, int] = {}
        for each in dependant.dependencies:
            if not _is_plain(each):
                self.left.append(each)
                continue
            number = self._take(each)
            if each.name is not None:
                self.given.append((each.name, number))

    def _take(self, dependant: Dependant) -> int:
        if dependant.call in self._known:
            return self._known[dependant.call]
        earlier = [(each.name, self._take(each)) for each in dependant.dependencies]
        named = tuple((name, number) for name, number in earlier if name is not None)
        assert dependant.call is not None
        asks = dependant.request_param_name or dependant.http_connection_param_name
        self.steps.append(Step(dependant.call, asks, named))
        self._known[dependant.call] = len(self.steps) - 1
        return len(self.steps) - 1

    async def resolve(self, request: Request) -> list[Any]:
        """Await every step.

        :raises Exception: what a gate refuses with
        """
        results: list[Any] = []
        for step in self.steps:
            arguments = {name: results[number] for name, number in step.earlier}
            if step.request is not None:
                arguments[step.request] = request
            results.append(await step.call(**arguments))
        return results


def shorten(route: APIRoute) -> None:
    """Have a route resolve so; one of another kind, or with a handler that blocks, stays as it is."""
    full, handler = route.dependant, route.endpoint
    plan = Plan(full)
    if type(route) is not APIRoute or not plan.steps or not inspect.iscoroutinefunction(handler):
        return
    name, asked = full.request_param_name or _REQUEST, full.request_param_name is not None

    @functools.wraps(handler)
    async def call(**values: Any) -> Any:
        request: Request = values[name] if asked else values.pop(name)
        results = request.scope[_RESOLVED]
        return await handler(**values, **{argument: results[number] for argument, number in plan.given})

    try:
        route.dependant = replace(full, dependencies=plan.left, call=call, request_param_name=name)
        answer = route.get_route_handler()
    finally:
        route.dependant = full

    async def resolve_and_answer(request: Request) -> Response:
        request.scope[_RESOLVED] = await plan.resolve(request)
        return await answer(request)

    route.app = request_response(resolve_and_answer)


def _is_plain(dependant: Dependant) -> bool:
    """Whether a dependency, and all that it needs, needs nothing but the request, and does not block."""
    parameters = (
        *(dependant.path_params, dependant.query_params, dependant.header_params),
        *(dependant.cookie_params, dependant.body_params),
    )
    asked = (
        *(dependant.websocket_param_name, dependant.response_param_name, dependant.background_tasks_param_name),
        *(dependant.security_scopes_param_name, dependant.own_oauth_scopes, dependant.parent_oauth_scopes),
        *(dependant.scope, dependant.concurrency),
    )
    awaited = inspect.iscoroutinefunction(dependant.call) or (
        not inspect.isclass(dependant.call)
        and inspect.iscoroutinefunction(getattr(dependant.call, "__call__", None))  # noqa: B004
    )
    return (
        awaited
        and dependant.use_cache
        and not any(parameters)
        and not any(asked)
        and all(map(_is_plain, dependant.dependencies))
    )
