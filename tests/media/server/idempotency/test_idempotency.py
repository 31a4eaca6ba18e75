"""Repeated requests with a key: done once, answered the same, on every database and after a restart."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from media.server.idempotency import keys
from media.server.idempotency.tables import IDEMPOTENCY_KEYS
from tests.media.server.service import Service, located, running

KEY = '"8e03978e-40d5-43dd-bc93-6894a57f9324"'


@pytest.fixture
async def service(tmp_path: Path, database: str) -> AsyncIterator[Service]:
    async with running(tmp_path, database=database) as one:
        yield one


async def post(service: Service, name: str, body: Any, key: str = KEY, path: str = "/spaces") -> httpx.Response:
    return await service.call(name, "POST", path, json=body, headers={"Idempotency-Key": key})


def slug(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["detail"].endswith(".")
    return response.status_code, response.json()["type"].rpartition(":")[2]


async def count(service: Service) -> int:
    return len(service.app.state.spaces.in_memory)


async def test_the_same_again_is_done_once_and_answered_the_same(service: Service) -> None:
    first = await post(service, "ana", {"title": "one"})
    again = await post(service, "ana", {"title": "one"})
    assert first.status_code == again.status_code == 201 and again.json() == first.json()
    assert located(again) == located(first)
    assert again.headers["Content-Type"] == "application/json"
    assert again.headers["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first.headers
    assert await count(service) == 1
    assert (await post(service, "ana", {"title": "one"}, KEY.strip('"'))).json() == first.json(), "quoted or not"
    assert (await post(service, "ana", {"title": "one"}, "another")).json() != first.json()


async def test_a_key_is_one_caller_s_and_one_request_s(service: Service) -> None:
    path = located(await post(service, "ana", {"title": "one"}))
    assert (await post(service, "ben", {"title": "one"})).json()["creator_id"] == "ben"
    assert slug(await post(service, "ana", {"title": "two"})) == (422, "key-reused")
    assert slug(await post(service, "ana", {"title": "one"}, path=f"{path}/start")) == (422, "key-reused")
    assert await count(service) == 2


async def test_what_was_refused_may_be_tried_again(service: Service) -> None:
    path = await service.live()
    for _ in range(2):
        assert slug(await post(service, "ben", None, path=f"{path}/start")) == (403, "no-right")
    assert slug(await post(service, "ana", {"title": 1})) == (422, "bad-input")
    assert (await post(service, "ana", {"title": "1"})).status_code == 201
    broken = await service.call("ana", "POST", "/spaces", content=b"{", headers={"Idempotency-Key": "k"})
    assert slug(broken) == (415, "not-json")


async def test_while_the_first_is_at_work_the_second_is_told_to_wait(service: Service) -> None:
    answers = await asyncio.gather(*(post(service, "ana", {"title": "one"}) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    waiting = next(answer for answer in answers if answer.status_code == 409)
    assert slug(waiting) == (409, "still-at-work") and waiting.headers["Retry-After"] == "1"
    assert await count(service) == 1


@pytest.mark.parametrize("key", ["", "é", "a b", '"', '"a"b"', "x" * 256, "\x01"])
async def test_keys_that_cannot_be(service: Service, key: str) -> None:
    headers = {"Idempotency-Key": key.encode("latin-1")}
    response = await service.call("ana", "POST", "/spaces", json={}, headers=headers)
    assert slug(response) == (400, "bad-key")
    assert await count(service) == 0


async def test_callers_whom_no_gate_lets_pass_are_told_so(service: Service) -> None:
    await post(service, "ana", {"title": "one"})
    body, headers = {"title": "one"}, {"Idempotency-Key": KEY, "Authorization": "Bearer nonsense"}
    assert slug(await service.http.post("/spaces", json=body, headers=headers)) == (401, "bad-token")
    assert slug(await service.call(None, "POST", "/spaces", json=body, headers={"Idempotency-Key": KEY}))[0] == 401
    await service.ok("root", "PUT", "/users/ana/suspension", json={})
    assert slug(await post(service, "ana", {"title": "one"})) == (403, "suspended")


async def test_answers_outlive_the_server_and_a_day(tmp_path: Path, database: str) -> None:
    async with running(tmp_path, database=database) as service:
        first = await post(service, "ana", {"title": "one"})
        tokens = await post(service, "root", {"users": ["ben"]}, path="/tokens")
        async with service.app.state.spaces.store.database.connect() as connection:
            kept = (await connection.execute(sa.select(IDEMPOTENCY_KEYS.c.answer))).scalars().all()
        assert len(kept) == 2 and not any(tokens.json()["data"][0]["token"].encode() in each for each in kept)
    async with running(tmp_path, database=database) as service:
        again = await post(service, "ana", {"title": "one"})
        assert again.json() == first.json() and again.headers["Idempotent-Replayed"] == "true"
        assert (await post(service, "root", {"users": ["ben"]}, path="/tokens")).json() == tokens.json()
        service.clock.ahead = keys.KEPT + 1
        assert "Idempotent-Replayed" not in (await post(service, "ana", {"title": "one"})).headers
        async with service.app.state.spaces.store.database.connect() as connection:
            left = (await connection.execute(sa.select(IDEMPOTENCY_KEYS.c.caller))).scalars().all()
        assert left == ["ana"], "what has expired is forgotten"


async def test_what_began_and_was_not_answered_is_not_done_again(service: Service) -> None:
    engine = service.app.state.spaces.store.database
    await post(service, "ana", {"title": "one"})
    async with engine.begin() as connection:  # as if the server had been killed before it wrote the answer
        await connection.execute(sa.update(IDEMPOTENCY_KEYS).values(answer=None))
    assert slug(await post(service, "ana", {"title": "one"})) == (409, "outcome-unknown")
    assert await count(service) == 1


async def test_one_caller_cannot_fill_the_store(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "MOST", 5)
    for number in range(9):
        service.clock.ahead = float(number)
        await post(service, "ana", {}, f"k{number}")
    service.clock.ahead = 120.0
    await post(service, "ben", {}, "b")
    async with service.app.state.spaces.store.database.connect() as connection:
        left = (await connection.execute(sa.select(IDEMPOTENCY_KEYS.c.key))).scalars().all()
    assert sorted(left) == ["b", "k4", "k5", "k6", "k7", "k8"]
