"""What the endpoints under ``/2`` share: refusals in X's shape, and how they are described."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from media.server.compat.answers import InvalidRequestError, XProblem, invalid, refusal
from media.server.compat.numbers import Numbers
from media.server.errors import MEDIA_TYPE, Problem


class XRoute(APIRoute):
    """A route whose refusals are X's."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await handle(request)
            except InvalidRequestError as error:
                return invalid(error)
            except RequestValidationError as error:
                first = error.errors()[0]
                name = str(first["loc"][-1])
                value = str(request.path_params.get(name, ""))
                sentence = f"The `{name}` parameter value [{value}] is not valid"
                return invalid(InvalidRequestError([(name, [value], sentence)]))
            except Problem as problem:
                return refusal(problem)

        return handler


def x_answers(model: Any, *statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the answer and the refusals of an endpoint."""
    refusals = {400: "a parameter that is wrong", 401: "no token, or none of this server", 403: "not allowed"}
    described: dict[int | str, dict[str, Any]] = {200: {"model": model, "description": "X's envelope"}}
    schema = {"$ref": "#/components/schemas/XProblem"}
    for status in sorted({400, 401, 403, *statuses}):
        content = {MEDIA_TYPE: {"schema": schema}}
        described[status] = {"description": refusals[status], "content": content, "model": XProblem}
    return described


async def _numbers(request: Request) -> Numbers:
    return request.app.state.numbers


NumbersHere = Annotated[Numbers, Depends(_numbers)]
