"""Tokens: who gets in, who does not, and that nothing is open by accident."""

import base64
import json
import re
import stat
import string
import time
from pathlib import Path
from typing import Any, Final

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.server.auth import TOKEN_MAX, Tokens, issue_from, load_secret
from media.server.errors import Problem
from tests.media.server.service import SDP, Service, running

OPEN = {
    ("GET", "/metrics"),
    ("GET", "/healthz"),
    ("GET", "/openapi.json"),
    ("GET", "/"),  # the page, of which nothing is anybody's
    ("GET", "/review"),  # likewise: what it shows comes from closed routes
    ("GET", "/web/{name:path}"),
    ("GET", "/s/{space_id}"),  # a link to a Space, for whoever it is sent to
    ("GET", "/oembed"),  # likewise
    ("GET", "/2/users/{user_id}/podcast.xml"),  # for players, which have no token; see replays/test_podcast
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


FAR: Final = 9_000_000_000
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(str(FAR)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(
    st.fixed_dictionaries(
        {"sub": JSON, "exp": JSON}, optional={"admin": JSON, "roles": JSON, "iat": JSON, "nbf": JSON}
    )
)
def test_claims_of_any_type_are_refused_each_time_the_same(claims: dict[str, Any]) -> None:
    """Signed with the secret; a token that is no good must not become good, or an error, when it comes again."""
    secret = b"s" * 32
    tokens, payload = Tokens(secret), json.dumps(claims).encode()
    token = jwt.api_jws.encode(payload, secret)
    for _ in range(3):
        try:
            who = tokens.check(token)
        except Problem as refusal:
            assert refusal.status == 401
        else:
            assert type(claims["sub"]) is str and type(claims["exp"]) in (int, float)
            assert who.admin is claims.get("admin", False)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": str(FAR)},
        {"exp": True},
        {"exp": [FAR]},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"exp": None},
        {"exp": {}},
        {"admin": "true"},
        {"admin": 1},
        {"sub": ["ana"]},
        {"sub": {"ana": 1}},
        {"sub": None},
        {"nbf": "x"},
        {"iat": []},
        {"roles": "senior"},
        {"roles": ["king"]},
        {"roles": [["senior"]]},
        {"roles": {"senior": True}},
    ],
)
async def test_a_claim_of_another_type_is_401_also_the_second_time(
    service: Service, claims: dict[str, Any]
) -> None:
    secret = service.app.state.tokens._secret
    token = jwt.api_jws.encode(json.dumps({"sub": "ana", "exp": FAR} | claims).encode(), secret)
    for _ in range(3):
        response = await service.http.get("/spaces", headers={"Authorization": f"Bearer {token}"})
        assert response.status_code == 401, response.text
        assert response.json()["type"] == "urn:spaces-lab:problem:bad-token"


async def test_a_token_has_one_form_and_no_other_is_remembered(service: Service) -> None:
    tokens: Tokens = service.app.state.tokens
    token = service.token("ana")
    head, payload, signature = token.split(".")
    last = next(c for c in ALPHABET if c != signature[-1] and _bits(c) >> 2 == _bits(signature[-1]) >> 2)
    before = len(tokens._seen)
    for other in (
        *(f"{head}.{payload}.{signature[:20]}{junk}{signature[20:]}" for junk in ("!", " ", "=", "é", ".", "\n")),
        f"{head}.{payload}.{signature}=",
        f"{head}.{payload}.{signature[:-1]}{last}",
        "e" * TOKEN_MAX + "." + payload + "." + signature,
        base64.urlsafe_b64encode(b"[" * 3000).decode() + "." + payload + "." + signature,
        base64.urlsafe_b64encode(b'{"alg":"HS256","a":' + b"[" * 2000).decode() + f".{payload}.{signature}",
    ):
        with pytest.raises(Problem) as refusal:
            tokens.check(other)
        assert refusal.value.status == 401
    assert tokens.check(token).name == "ana" and len(tokens._seen) == before + 1


ALPHABET: Final = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


def _bits(character: str) -> int:
    return ALPHABET.index(character)


async def test_an_expired_token_says_so(service: Service) -> None:
    token = service.app.state.tokens.issue("ana", ttl=10, now=time.time() - 11)
    response = await service.http.get("/spaces", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 401
    assert response.json()["detail"] == "The token has expired; get a new one."


async def test_tokens_for_a_swarm_in_one_call(service: Service) -> None:
    users = [f"listener-{n}" for n in range(3_000)]
    made = await service.ok("root", "POST", "/tokens", json={"users": users, "ttl_seconds": 60})
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


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match=r"folder .*file cannot be written \(.+\); choose another with --data"):
        load_secret(tmp_path / "file")
