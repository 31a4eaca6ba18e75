"""Tokens over HTTP, for admins: one call for one name or for a whole swarm."""

from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter, Depends, Request

from media.server.auth import Tokens, admin
from media.server.routes import problems
from media.server.schemas import NewTokens, TokenList, TokenOut

router: Final = APIRouter(tags=["Tokens"], dependencies=[Depends(admin)])


@router.post("/tokens", status_code=201, responses=problems(403, 422))
async def make_tokens(body: NewTokens, request: Request) -> TokenList:
    """Make a token for each name, up to 10,000 at a time; admins only."""
    tokens: Tokens = request.app.state.tokens
    now = request.app.state.spaces.clock()
    expires_at = datetime.fromtimestamp(int(now + body.ttl_seconds), UTC)
    return TokenList(
        data=[
            TokenOut(
                user_id=name,
                token=tokens.issue(name, admin=body.admin, ttl=body.ttl_seconds, now=now),
                expires_at=expires_at,
            )
            for name in body.users
        ]
    )
