"""Refresh tokens: each works once, theft ends the family, the store knows hashes alone; on every database."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from media.server.auth import Role
from media.server.tables import REFRESH_TOKENS
from tests.media.server.service import Service, running


@pytest.fixture
async def service(tmp_path: Path, database: str) -> AsyncIterator[Service]:
    async with running(tmp_path, database=database) as one:
        yield one


async def sign_in(service: Service, name: str = "ben", **more: Any) -> str:
    body = {"users": [name], "refresh": True, **more}
    return (await service.ok("root", "POST", "/tokens", json=body))["data"][0]["refresh_token"]


async def renew(service: Service, token: str) -> httpx.Response:
    return await service.call(None, "POST", "/tokens/refresh", json={"refresh_token": token})


async def test_a_token_is_renewed_for_15_minutes(service: Service) -> None:
    fresh = (await renew(service, await sign_in(service, admin=True))).json()
    claims = service.app.state.tokens.check(fresh["token"])
    assert (fresh["user_id"], claims.name, claims.admin) == ("ben", "ben", True)
    service.clock.ahead = 29 * 86_400
    assert (await renew(service, fresh["refresh_token"])).status_code == 200
    plain = (await service.ok("root", "POST", "/tokens", json={"users": ["ben"]}))["data"][0]
    assert plain["refresh_token"] is None


async def test_a_token_that_comes_twice_ends_its_family_and_no_other(service: Service) -> None:
    stolen, other = await sign_in(service), await sign_in(service)
    heir = (await renew(service, stolen)).json()["refresh_token"]
    again = await renew(service, stolen)
    assert (again.status_code, again.json()["type"]) == (401, "urn:spaces-lab:problem:bad-refresh-token")
    assert "used before" in again.json()["detail"]
    assert (await renew(service, heir)).status_code == 401
    assert (await renew(service, other)).status_code == 200


async def test_of_many_at_a_time_one_is_first(service: Service) -> None:
    token = await sign_in(service)
    answers = await asyncio.gather(*(renew(service, token) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 5
    heir = next(answer.json()["refresh_token"] for answer in answers if answer.is_success)
    assert (await renew(service, heir)).status_code == 401, "the others were reuse"


async def test_expired_unknown_and_ended_tokens(service: Service) -> None:
    token = await sign_in(service)
    for wrong in ("nonsense", "\0", "x" * 200):
        assert (await renew(service, wrong)).status_code == 401
    ended = await sign_in(service)
    for _ in range(2):
        answer = await service.call(None, "POST", "/tokens/revoke", json={"refresh_token": ended})
        assert answer.status_code == 204
    assert (await renew(service, ended)).status_code == 401
    service.clock.ahead = 31 * 86_400
    assert (await renew(service, token)).status_code == 401
    await sign_in(service, "cem")  # which forgets what has expired
    async with service.app.state.spaces.store.database.connect() as connection:
        rows = (await connection.execute(sa.select(REFRESH_TOKENS))).all()
    assert [row.user_id for row in rows] == ["cem"]


async def test_the_store_knows_no_token_and_a_suspended_person_renews_none(service: Service) -> None:
    token = await sign_in(service)
    async with service.app.state.spaces.store.database.connect() as connection:
        assert token not in str((await connection.execute(sa.select(REFRESH_TOKENS))).all())
    await service.ok("root", "PUT", "/users/ben/suspension", json={})
    refused = await renew(service, token)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:spaces-lab:problem:suspended")
    await service.ok("root", "DELETE", "/users/ben/suspension")
    assert (await renew(service, token)).status_code == 200, "the refusal did not use it up"


async def test_roles_come_back_with_a_renewed_token(service: Service) -> None:
    body = {"users": ["ana"], "roles": ["senior", "reviewer"], "refresh": True}
    made = (await service.ok("root", "POST", "/tokens", json=body))["data"][0]
    renewed = await service.ok(None, "POST", "/tokens/refresh", json={"refresh_token": made["refresh_token"]})
    for token in (made["token"], renewed["token"]):
        who = service.app.state.tokens.check(token)
        assert who.roles == {Role.REVIEWER, Role.SENIOR} and who.reviews and who.senior and not who.admin
    refused = await service.call("root", "POST", "/tokens", json=body | {"roles": ["king"]})
    assert refused.status_code == 422
