"""Dependencies in one walk: what FastAPI would do with them, and each once."""

from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import BaseModel

from media.server.directory import Directory
from media.server.resolving import Plan

calls: list[str] = []
bearer = HTTPBearer(auto_error=False)


async def caller(request: Request, credentials: Annotated[Any, Depends(bearer)]) -> str:
    calls.append("caller")
    if credentials is None:
        raise HTTPException(401, "no token")
    return credentials.credentials


async def gate(request: Request, who: Annotated[str, Depends(caller)]) -> None:
    calls.append("gate")
    if request.path_params.get("number") == "13":
        raise HTTPException(404, "nothing there")


async def page(who: Annotated[str, Depends(caller)], size: int = 10) -> str:
    calls.append("page")
    return f"{who}/{size}"


def blocking(request: Request) -> str:
    calls.append("blocking")
    return request.url.path


class Body(BaseModel):
    text: str


router = APIRouter(dependencies=[Depends(gate)])
Who = Annotated[str, Depends(caller)]


@router.post("/things/{number}")
async def plain(number: int, body: Body, who: Who) -> list[Any]:
    return [number, body.text, who]


@router.get("/things/{number}")
async def mixed(
    request: Request,
    number: int,
    who: Who,
    own: Annotated[str, Depends(page)],
    at: Annotated[str, Depends(blocking)],
) -> list[Any]:
    return [number, who, own, at, request.method]


@router.get("/blocking")
def blocked(who: Who) -> str:
    return who


def app(directory: bool) -> FastAPI:
    made = FastAPI()
    if directory:
        found = Directory()
        made.router.routes.append(found)
        made.router.routes += found.take_up(router.routes)
    else:
        made.include_router(router)
    return made


REQUESTS = [
    ("POST", "/things/7", "lea", {"text": "hello"}, 200),
    ("POST", "/things/7", None, {"text": "hello"}, 401),
    ("POST", "/things/13", "lea", {"text": "hello"}, 404),
    ("POST", "/things/13", "lea", {"text": 1}, 404),
    ("POST", "/things/x", "lea", {"text": 1}, 422),
    ("GET", "/things/7", "lea", None, 200),
    ("GET", "/things/7?size=3", "lea", None, 200),
    ("GET", "/things/7?size=x", "lea", None, 422),
    ("GET", "/things/7?size=x", None, None, 401),
    ("HEAD", "/things/7", "lea", None, 200),
    ("PUT", "/things/7", "lea", None, 405),
    ("GET", "/blocking", "lea", None, 200),
]


async def answered(served: FastAPI, method: str, path: str, who: str | None, body: Any) -> httpx.Response:
    calls.clear()
    headers = {} if who is None else {"Authorization": f"Bearer {who}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://x") as client:
        return await client.request(method, path, headers=headers, json=body)


@pytest.mark.parametrize(("method", "path", "who", "body", "status"), REQUESTS)
async def test_the_answers_are_those_of_fastapi(
    method: str, path: str, who: str | None, body: Any, status: int
) -> None:
    short = await answered(app(True), method, path, who, body)
    assert short.status_code == status
    if method != "HEAD":  # which FastAPI does not answer
        long = await answered(app(False), method, path, who, body)
        assert (short.status_code, short.content) == (long.status_code, long.content)


async def test_each_is_resolved_once_in_order() -> None:
    assert (await answered(app(True), "POST", "/things/7", "lea", {"text": "hello"})).json() == [7, "hello", "lea"]
    assert calls == ["caller", "gate"]


async def test_whoever_is_refused_is_so_before_the_body_is_looked_at() -> None:
    refused = await answered(app(True), "POST", "/things/7", None, None)
    assert refused.status_code == 401 and calls == ["caller"]


def test_what_takes_parameters_or_blocks_is_left_to_fastapi() -> None:
    (route,) = (each for each in router.routes if isinstance(each, APIRoute) and each.endpoint is mixed)
    plan = Plan(route.dependant)
    assert [step.call for step in plan.steps] == [bearer, caller, gate]
    assert [each.call for each in plan.left] == [page, blocking]
    assert [name for name, _ in plan.given] == ["who"]


def test_the_document_is_made_of_the_whole_declaration() -> None:
    app(True)
    document = FastAPI(routes=router.routes).openapi()["paths"]["/things/{number}"]["get"]
    assert document["security"] == [{"HTTPBearer": []}]
    assert [each["name"] for each in document["parameters"]] == ["number", "size"]
