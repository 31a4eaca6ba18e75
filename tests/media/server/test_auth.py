"""Tokens: who gets in, who does not, and that nothing is open by accident."""

import re
import stat
import time
from pathlib import Path

import jwt
import pytest

from media.server.auth import Tokens, issue_from, load_secret
from media.server.errors import Problem
from tests.media.server.service import SDP, Service, running

OPEN = {
    ("GET", "/metrics"),
    ("GET", "/healthz"),
    ("GET", "/openapi.json"),
    ("GET", "/"),  # the page, of which nothing is anybody's
    ("GET", "/web/{name:path}"),
    ("GET", "/s/{space_id}"),  # a link to a Space, for whoever it is sent to
    ("GET", "/oembed"),  # likewise
    ("POST", "/tokens/refresh"),  # takes a refresh token instead; see test_refresh
    ("POST", "/tokens/revoke"),  # likewise
    ("OPTIONS", "/spaces/{space_id}/whip"),
    ("OPTIONS", "/spaces/{space_id}/whep"),
    ("OPTIONS", "/spaces/{space_id}/whip/{session_id}"),
    ("OPTIONS", "/spaces/{space_id}/whep/{session_id}"),
    ("DELETE", "/spaces/{space_id}/whep/{session_id}"),  # an anonymous listener's own session; see test_whip
    ("PATCH", "/spaces/{space_id}/whep/{session_id}"),  # likewise
}
"""Everything that answers without a token."""


async def test_every_route_is_closed_unless_listed(service: Service) -> None:
    methods: dict[str, set[str]] = service.app.state.methods
    seen = 0
    for path, allowed in methods.items():
        address = re.sub(r"\{\w+\}", "x", path)
        for method in allowed - {"HEAD"}:
            seen += 1
            if (method, path) not in OPEN:
                response = await service.call(None, method, address, json={})
                assert response.status_code == 401, (method, path)
                assert response.headers["WWW-Authenticate"] == 'Bearer realm="spaces"'
    assert seen > 25


async def test_a_session_is_not_deleted_without_its_owners_token(service: Service) -> None:
    path = await service.live()
    location = await service.connect("ben", path)
    assert (await service.call(None, "DELETE", location)).status_code == 403
    assert (await service.call("cem", "DELETE", location)).status_code == 403
    assert len(service.plane.sessions) == 1


@pytest.mark.parametrize(
    "token",
    [
        "nonsense",
        "a.b.c",
        jwt.encode({"sub": "ana", "exp": 9e9}, "x" * 32),
        jwt.encode({"sub": "ana", "exp": 9e9}, None, algorithm="none"),
        "é".encode().decode("latin-1"),
    ],
)
async def test_a_wrong_token(service: Service, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}".encode("latin-1")}
    response = await service.http.get("/spaces", headers=headers)
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer ", "bearer", ""])
async def test_no_token(service: Service, header: str) -> None:
    response = await service.http.get("/spaces", headers={"Authorization": header})
    assert response.status_code == 401
    assert response.json()["detail"].startswith("This needs a token")


@pytest.mark.parametrize(
    "claims",
    [{"sub": "ana"}, {"exp": 9e9}, {"sub": "~ana", "exp": 9e9}, {"sub": "", "exp": 9e9}, {"sub": 7, "exp": 9e9}],
)
def test_a_signature_is_not_enough(claims: dict[str, object]) -> None:
    secret = b"s" * 32
    with pytest.raises(Problem) as refusal:
        Tokens(secret).check(jwt.encode(claims, secret))
    assert refusal.value.status == 401


async def test_an_expired_token_says_so(service: Service) -> None:
    token = service.app.state.tokens.issue("ana", ttl=10, now=time.time() - 11)
    response = await service.http.get("/spaces", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 401
    assert response.json()["detail"] == "The token has expired; get a new one."


async def test_tokens_for_a_swarm_in_one_call(service: Service) -> None:
    users = [f"listener-{n}" for n in range(3_000)]
    started = time.perf_counter()
    made = await service.ok("root", "POST", "/tokens", json={"users": users, "ttl_seconds": 60})
    assert time.perf_counter() - started < 5
    assert [t["user_id"] for t in made["data"]] == users
    token = made["data"][-1]["token"]
    path = await service.live()
    response = await service.http.post(
        f"{path}/whep", content="v=0", headers=SDP | {"Authorization": f"Bearer {token}"}
    )
    assert response.status_code == 201


@pytest.mark.parametrize(
    "body", [{}, {"users": []}, {"users": ["~x"]}, {"users": ["a b"]}, {"users": ["a"], "ttl_seconds": 0}]
)
async def test_tokens_that_cannot_be(service: Service, body: dict[str, object]) -> None:
    assert (await service.call("root", "POST", "/tokens", json=body)).status_code == 422


async def test_only_admins_make_tokens(service: Service) -> None:
    response = await service.call("ana", "POST", "/tokens", json={"users": ["ben"], "admin": True})
    assert (response.status_code, response.json()["type"]) == (403, "urn:spaces-lab:problem:not-admin")


def test_the_secret_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    data = tmp_path / "data"
    first = load_secret(data)
    assert load_secret(data) == first
    assert len(first) == 64
    assert stat.S_IMODE((data / "secret").stat().st_mode) == 0o600
    assert [p.name for p in data.iterdir()] == ["secret"]
    assert load_secret(tmp_path / "other") != first
    (data / "secret").write_text("short")
    with pytest.raises(ValueError, match="too short to be one; delete the file"):
        load_secret(data)


async def test_a_token_from_the_machine_is_accepted(tmp_path: Path) -> None:
    token = issue_from(tmp_path, "ana", is_admin=False, ttl=60)
    async with running(tmp_path) as service:
        response = await service.http.get("/spaces", headers={"Authorization": f"Bearer {token}"})
        assert response.status_code == 200
    for name, ttl in (
        ("", 60.0),
        ("~ana", 60.0),
        ("a b", 60.0),
        ("me", 60.0),
        ("ana", 0.0),
        ("ana", float("nan")),
    ):
        with pytest.raises(ValueError, match="cannot"):
            issue_from(tmp_path, name, is_admin=False, ttl=ttl)
