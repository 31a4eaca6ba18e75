"""Bounds of bodies: what a schema lets pass fits them, and they are stated for every route of the document."""

import json
from typing import Annotated, Any

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

from media.server.body_bounds import MAX_BYTES, MAX_DEPTH, MAX_VALUES, SMALLEST, Bound, bound_of
from media.server.json_shape import depth_of, structure_of, values_in
from tests.media.server.service import Service

STAFF_ROUTES = {
    "POST /tokens": 1 << 20,
    "POST /2/moderation/cases/{case_id}/decision": 1 << 18,
    "POST /2/moderation/cases/{case_id}/decision/preview": 1 << 18,
}
"""Bodies of more than 64 KiB, all of them for admins and reviewers, who are asked for before a body is read."""


class Text(BaseModel):
    text: str = Field(max_length=1000)


class Names(BaseModel):
    names: list[Annotated[str, Field(pattern=r"^[a-z0-9_.-]{1,20}$", max_length=20)]] = Field(max_length=1000)
    inner: Text | None = None


class Open(BaseModel):
    text: str


def route(model: Any) -> APIRoute:
    router = APIRouter()

    async def handler(body: Any) -> None: ...

    handler.__annotations__["body"] = model
    router.post("/it")(handler)
    found = router.routes[0]
    assert isinstance(found, APIRoute)
    return found


def test_the_largest_that_fits_is_within_the_bound() -> None:
    for model, largest in (
        (Text, {"text": "😀" * 1000}),
        (Names, {"names": ["a" * 20] * 1000, "inner": {"text": "\x01" * 1000}}),
    ):
        bound = bound_of(route(model))
        for text in (json.dumps(largest), json.dumps(largest, indent=4)):
            structure = structure_of(text.encode())
            assert len(text) <= bound.size and values_in(structure) <= bound.values
            assert depth_of(structure, bound.depth) <= bound.depth
        assert bound.size < 4 * len(json.dumps(largest)), "and not far beyond it"


def test_a_schema_without_an_end_is_refused_with_the_route_and_what_is_missing() -> None:
    with pytest.raises(ValueError, match=r"/it has no end: 'maxLength'"):
        bound_of(route(Open))


async def test_every_route_of_the_document_states_its_bound(service: Service) -> None:
    document = (await service.http.get("/openapi.json")).json()
    large: dict[str, int] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            which = f"{method.upper()} {path}"
            body = operation.get("requestBody")
            if body is None:
                continue
            assert method in ("post", "put", "patch"), f"{which} reads a body that nothing counts"
            assert SMALLEST.size <= body[MAX_BYTES], which
            if body[MAX_BYTES] > 64 * 1024:
                large[which] = body[MAX_BYTES]
            if "application/json" in body["content"]:
                assert 0 < body[MAX_VALUES] < 600 or which in STAFF_ROUTES, which
                assert 0 < body[MAX_DEPTH] <= 10, which
    assert large == STAFF_ROUTES


async def test_every_route_refuses_what_is_beyond_its_bound(service: Service) -> None:
    """Over the whole document: one byte, one value, one level too many, and what happens to others is nothing."""
    document = (await service.http.get("/openapi.json")).json()
    space = (await service.live()).rpartition("/")[2]
    tried = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            body = operation.get("requestBody", {})
            if MAX_VALUES not in body:
                continue
            tried += 1
            address = path.replace("{space_id}", space).replace("{user_id}", "me")
            bound = Bound(body[MAX_BYTES], body[MAX_VALUES], body[MAX_DEPTH])
            for content, status, says in (
                (b'{"a":"' + b"x" * bound.size + b'"}', 413, f"larger than the {bound.size // 1024} KiB"),
                (b"[" + b",".join([b"1"] * bound.values) + b"]", 422, f"more than the {bound.values} values"),
                (b"[" * (bound.depth + 1), 422, f"deeper than the {bound.depth} levels"),
            ):
                headers = {"Content-Type": "application/json"}
                answer = await service.call("root", method.upper(), address, content=content, headers=headers)
                assert answer.status_code == status, (method, path, answer.text)
                assert says in answer.json()["detail"], (method, path)
    assert tried > 15
    assert (await service.ok("ana", "GET", f"/spaces/{space}"))["state"] == "live"
