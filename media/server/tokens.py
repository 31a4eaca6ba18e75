"""Tokens over HTTP: made by admins, for one name or a whole swarm, and renewed with refresh tokens."""

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request

from media.server.auth import DEFAULT_TTL, SHORT_TTL, Caller, Tokens, admin
from media.server.grants import Grants
from media.server.routes import GuardHere, problems
from media.server.schemas import NewTokens, RefreshToken, TokenList, TokenOut

router: Final = APIRouter(tags=["Tokens"], dependencies=[Depends(admin)])
opening: Final = APIRouter(tags=["Tokens"])
"""Open to everyone: the refresh token is what lets in."""


async def _grants(request: Request) -> Grants:
    return request.app.state.grants


GrantsHere = Annotated[Grants, Depends(_grants)]


@router.post("/tokens", status_code=201, responses=problems(403, 422))
async def make_tokens(body: NewTokens, request: Request, grants: GrantsHere) -> TokenList:
    """Make a token for each name, up to 10,000 at a time; admins only.

    With `refresh` they live for 15 minutes, and each comes with a refresh token that renews it.
    """
    ttl = body.ttl_seconds or (SHORT_TTL if body.refresh else DEFAULT_TTL)
    whose = [Caller(name, body.admin, roles=frozenset(body.roles)) for name in body.users]
    fresh = await grants.begin(whose, request.app.state.spaces.clock()) if body.refresh else [None] * len(whose)
    return TokenList(data=[_make(request, who, ttl, token) for who, token in zip(whose, fresh, strict=True)])


@opening.post("/tokens/refresh", responses=problems(403, 422))
async def refresh_token(body: RefreshToken, request: Request, grants: GrantsHere, guard: GuardHere) -> TokenOut:
    """Renew a token: gives a new one for 15 minutes, and the next refresh token.

    Each refresh token works once. If one comes again it was stolen, and all that came of it are void.
    """
    if owner := await grants.owner(body.refresh_token):
        guard.check_account(owner)  # whose token is not used up by being refused
    who, fresh = await grants.renew(body.refresh_token, request.app.state.spaces.clock())
    guard.check_account(who.name)
    return _make(request, who, SHORT_TTL, fresh)


@opening.post("/tokens/revoke", status_code=204, responses=problems(422))
async def revoke_token(body: RefreshToken, grants: GrantsHere) -> None:
    """Sign out: a refresh token and all that came of it are void; the token in use runs out by itself."""
    await grants.end(body.refresh_token)


def _make(request: Request, who: Caller, ttl: float, refresh: str | None) -> TokenOut:
    tokens: Tokens = request.app.state.tokens
    now = request.app.state.spaces.clock()
    return TokenOut(
        user_id=who.name,
        token=tokens.issue(who.name, admin=who.admin, roles=who.roles, ttl=ttl, now=now),
        expires_at=datetime.fromtimestamp(int(now + ttl), UTC),
        refresh_token=refresh,
    )
