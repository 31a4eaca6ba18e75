"""Requests that are refused cost no parsing and no database, and many faults make no long answer."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from media.server.errors import FAULTS_SHOWN
from media.server.idempotency.tables import IDEMPOTENCY_KEYS
from tests.media.server.service import Service, running

KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
JSON = {"Content-Type": "application/json"}


class Statements:
    """Counts what the database is asked."""

    def __init__(self, service: Service) -> None:
        self.count = 0
        engine = service.app.state.grants._engine.engine.sync_engine
        event.listen(engine, "before_cursor_execute", self._note)

    def _note(self, *_: Any) -> None:
        self.count += 1


async def call(
    service: Service, method: str, path: str, headers: dict[str, str]
) -> tuple[int, dict[str, Any], int]:
    """Send an endless body; return status, problem, and how many of its parts were taken."""
    taken = 0
    answer: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += 1
        assert taken < 10_000
        await asyncio.sleep(0)
        return {"type": "http.request", "body": b"x" * 1024, "more_body": True}

    async def send(message: Any) -> None:
        answer.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("spaces", 80),
        "scheme": "http",
        "http_version": "1.1",
        "root_path": "",
        "asgi": {"version": "3.0"},
        "state": {},
    }
    await service.app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in answer[1:])
    return answer[0]["status"], json.loads(body), taken


async def test_every_route_with_a_gate_refuses_strangers_before_their_body(service: Service) -> None:
    document = (await service.http.get("/openapi.json")).json()
    statements, tried = Statements(service), 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if "requestBody" not in operation or operation["security"] != [{"token": []}]:
                continue
            tried += 1
            for token in (None, "Bearer x.y.z", "Basic YTpi", "Bearer " + "e" * 5000):
                headers = JSON | KEY | ({"Authorization": token} if token else {})
                status, problem, taken = await call(service, method.upper(), path, headers)
                assert (status, taken) == (401, 0), (method, path, problem)
    status, problem, taken = await call(
        service, "POST", "/tokens", JSON | {"Authorization": f"Bearer {service.token('ana')}"}
    )
    assert (status, problem["type"], taken) == (403, "urn:spaces-lab:problem:not-admin", 0)
    assert tried > 15 and statements.count == 0


async def test_an_address_that_is_none_takes_four_kibibytes_at_the_most(service: Service) -> None:
    status, _, taken = await call(service, "POST", "/nothing/here", JSON)
    assert status == 404 and taken == 0
    status, _, taken = await call(
        service, "POST", "/nothing/here", JSON | KEY | {"Authorization": f"Bearer {service.token('ana')}"}
    )
    assert status == 413 and taken == 5


async def test_strangers_leave_nothing_in_the_store(service: Service) -> None:
    statements = Statements(service)
    for body in ({}, {"refresh_token": 1}, [1], "x"):
        for path in ("/tokens/refresh", "/tokens/revoke"):
            assert (await service.call(None, "POST", path, json=body, headers=KEY)).status_code == 422
    assert statements.count == 0
    for path, status in (("/tokens/refresh", 401), ("/tokens/revoke", 204)):
        answer = await service.call(None, "POST", path, json={"refresh_token": "x" * 43}, headers=KEY)
        assert answer.status_code == status
    async with service.app.state.grants._engine.engine.connect() as connection:
        assert (await connection.execute(sa.select(IDEMPOTENCY_KEYS))).first() is None


async def test_a_renewal_that_is_repeated_with_its_key_is_answered_as_before(service: Service) -> None:
    given = await service.ok("root", "POST", "/tokens", json={"users": ["ana"], "refresh": True})
    body = {"refresh_token": given["data"][0]["refresh_token"]}
    first, again = [await service.call(None, "POST", "/tokens/refresh", json=body, headers=KEY) for _ in range(2)]
    assert first.status_code == again.status_code == 200 and first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_of_many_faults_some_are_listed_and_all_counted(service: Service) -> None:
    body = {f"unknown_{n}" + "x" * 100: n for n in range(30)}
    answer = await service.call("ana", "POST", "/spaces", json=body)
    problem = answer.json()
    assert answer.status_code == 422 and len(problem["errors"]) == FAULTS_SHOWN
    assert problem["error_count"] == 30 and "(and 29 more, see errors)" in problem["detail"]
    assert all(len(fault["at"]) <= len("body.") + 64 for fault in problem["errors"]) and len(answer.content) < 4096


@pytest.fixture
async def limited(tmp_path: Path) -> AsyncIterator[Service]:
    async with running(tmp_path, rate_limit=1.0) as one:
        yield one


async def test_who_asks_too_often_is_not_read(limited: Service) -> None:
    headers = JSON | {"Authorization": f"Bearer {limited.token('ana')}", "X-Forwarded-For": "203.0.113.9"}
    taken = [await call(limited, "POST", "/spaces", headers) for _ in range(12)]
    assert [(status, parts) for status, _, parts in taken[-2:]] == [(429, 0)] * 2
    assert taken[0][0] == 413
