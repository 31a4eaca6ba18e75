"""The OpenAPI document is worth reading: everything in it has a name, a sentence, an example and its refusals."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from media.server.document import TAGS
from tests.media.server.service import Service, running

PROBLEM = "application/problem+json"
BY_SERVICES = {"/healthz", "/metrics"}
"""What answers also while the server starts, as often as it is asked."""
Document = dict[str, Any]


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with running(tmp_path) as one:
        yield one


@pytest.fixture
async def document(service: Service) -> Document:
    return (await service.http.get("/openapi.json")).json()


def operations(document: Document) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", path, operation


def resolve(document: Document, part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        target: Any = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        part = target
    return part


def faults(document: Document, schema: dict[str, Any], example: Any) -> list[str]:
    """What does not fit."""
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "components": document["components"],
    }
    return [str(error) for error in jsonschema_rs.validator_for(whole).iter_errors(example)]


async def test_it_is_made_once_and_sent_again_only_when_it_has_changed(service: Service) -> None:
    first = await service.http.get("/openapi.json")
    assert first.headers["Content-Type"] == "application/json" and first.json()["openapi"]
    service.app.openapi = None  # nobody makes it anew
    again = await service.http.get("/openapi.json")
    assert again.content == first.content and again.headers["ETag"] == first.headers["ETag"]
    for tag, status in ((first.headers["ETag"], 304), (f'"x", {first.headers["ETag"]}', 304), ('"x"', 200)):
        known = await service.http.get("/openapi.json", headers={"If-None-Match": tag})
        assert known.status_code == status and bool(known.content) is (status == 200)


async def test_the_frame(document: Document) -> None:
    assert document["openapi"].startswith("3.1") and document["servers"][0]["url"] == "/"
    assert len(document["info"]["description"]) > 300 and "contact" not in document["info"]
    assert [tag["name"] for tag in document["tags"]] == list(TAGS) and all(
        t["description"] for t in document["tags"]
    )
    scheme = document["components"]["securitySchemes"]["token"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer") and scheme["description"]
    assert "ValidationError" not in document["components"]["schemas"]


async def test_every_operation_has_a_name_a_sentence_and_a_tag(document: Document) -> None:
    names: list[str] = []
    for which, _, operation in operations(document):
        names.append(operation["operationId"])
        assert re.fullmatch(r"[a-z][a-zA-Z0-9]{2,40}", names[-1]), which
        assert 6 < len(operation["summary"]) < 160 and not operation["summary"].endswith("."), which
        assert operation["description"].startswith(operation["summary"]), which
        assert operation["tags"] and set(operation["tags"]) <= set(TAGS), which
        assert "security" in operation, which
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)


async def test_every_parameter_is_explained_and_shown(document: Document) -> None:
    for which, path, operation in operations(document):
        known = set(re.findall(r"{(\w+)}", path))
        for given in operation.get("parameters", []):
            parameter = resolve(document, given)
            about = (which, parameter["name"])
            assert parameter["description"], about
            known.discard(parameter["name"])
            if parameter["in"] == "path":
                assert "example" in parameter, about
            if "example" in parameter:
                assert not faults(document, parameter["schema"], parameter["example"]), about
        assert not known, which


async def test_every_refusal_is_declared_and_a_problem(document: Document) -> None:
    for which, path, operation in operations(document):
        answers = operation["responses"]
        expected = {"500"} if path in BY_SERVICES else {"429", "500", "503"}
        expected |= {"401", "403"} if {"token": []} in operation["security"] else set()
        expected |= {"413", "415"} if "requestBody" in operation else set()
        assert expected <= set(answers), (which, sorted(expected - set(answers)))
        assert any(status < "300" for status in answers), which
        for status, answer in answers.items():
            answer = resolve(document, answer)
            assert answer["description"], (which, status)
            if status >= "400" and path not in BY_SERVICES:
                assert list(answer["content"]) == [PROBLEM], (which, status)


async def test_every_body_has_an_example_that_fits(document: Document) -> None:
    for which, _, operation in operations(document):
        bodies = [operation.get("requestBody", {})]
        bodies += [answer for status, answer in operation["responses"].items() if status < "300"]
        for body in bodies:
            media = body.get("content", {}).get("application/json")
            if media is not None:
                examples = (
                    [media["example"]] if "example" in media else [e["value"] for e in media["examples"].values()]
                )
                assert examples, which
                for example in examples:
                    assert not faults(document, media["schema"], example), (which, example)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "slug"),
    [
        ("GET", "/nowhere", {}, 404, "not-found"),
        ("PUT", "/spaces", {}, 405, "method-not-allowed"),
        ("POST", "/spaces", {"content": b" " * (1 << 20) + b"{}"}, 413, "content-too-large"),
        ("POST", "/spaces", {"content": b"title=x", "headers": {"Content-Type": "text/plain"}}, 415, "not-json"),
        ("POST", "/spaces", {"content": b'{"title": "x"}'}, 415, "not-json"),
        ("POST", "/spaces", {"json": {"title": 7}}, 422, "bad-input"),
        ("POST", "/spaces", {"content": b"{", "headers": {"Content-Type": "application/json"}}, 422, "bad-input"),
        ("POST", "/spaces", {}, 422, "bad-input"),
    ],
)
async def test_whatever_is_refused_is_a_problem(
    service: Service, method: str, path: str, body: Any, status: int, slug: str
) -> None:
    response = await service.call("ana", method, path, **body)
    assert (response.status_code, response.headers["Content-Type"]) == (status, PROBLEM), response.text
    assert response.json()["type"] == f"urn:spaces-lab:problem:{slug}" and response.json()["status"] == status


async def test_a_space_can_have_the_topics_that_the_document_allows_and_no_more(
    service: Service, document: Document
) -> None:
    most = document["components"]["schemas"]["NewSpace"]["properties"]["topic_ids"]["maxItems"]
    topics = [f"t{number}" for number in range(most + 1)]
    space = await service.ok("ana", "POST", "/spaces", json={"topic_ids": topics[:most]})
    assert space["topic_ids"] == topics[:most]
    refused = await service.call("ana", "PATCH", f"/spaces/{space['id']}", json={"topic_ids": topics})
    assert refused.status_code == 422 and refused.json()["detail"].startswith(f"A Space has at most {most} topics")
