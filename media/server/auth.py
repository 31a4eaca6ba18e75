"""Who is calling: bearer tokens (JWT, RFC 7519) signed with a secret that each installation makes for itself.

There is no default secret and no way to switch the check off. Routes are closed unless they say otherwise:
:func:`caller` is the gate, :func:`admin` the gate for whoever runs the service.
"""

import base64
import math
import os
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import jwt
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import State
from starlette.types import Scope

from media.server.errors import Problem

DEFAULT_TTL: Final = 12 * 3600
"""Seconds that a token lives unless asked otherwise."""
SHORT_TTL: Final = 15 * 60
"""Seconds that one lives that can be renewed."""
TOKENS_SEEN: Final = 50_000
"""Tokens remembered as right: to verify one anew takes as long as a short request."""
NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
"""What people can be called.  No name starts with ``~``, which marks anonymous listeners."""
ME: Final = "me"
"""Stands for the caller in paths, and is therefore nobody's name."""

TOKEN_MAX: Final = 4096
"""Characters of a token; one of this server's has about 200."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)")
_ALGORITHM: Final = "HS256"
_CHALLENGE: Final = 'Bearer realm="spaces"'


class Role(StrEnum):
    """What a token lets its owner do beside what everybody may."""

    REVIEWER = "reviewer"
    """Claims and decides cases of moderation."""
    SENIOR = "senior"
    """The same, and those that were escalated."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request, as the token says."""

    name: str
    admin: bool = False
    until: float = math.inf
    """When the token expires (Unix seconds)."""
    roles: frozenset[Role] = frozenset()

    @property
    def reviews(self) -> bool:
        """Whether they see what others have reported."""
        return self.admin or bool(self.roles)

    @property
    def senior(self) -> bool:
        """Whether they decide what was escalated."""
        return self.admin or Role.SENIOR in self.roles


class Tokens:
    """Makes and checks tokens with one secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._seen: OrderedDict[str, Caller] = OrderedDict()
        """Tokens that were found right, and whom they name."""

    def issue(
        self, name: str, *, admin: bool = False, roles: Collection[Role] = (), ttl: float = DEFAULT_TTL, now: float
    ) -> str:
        """Sign a token for a name, valid for ``ttl`` seconds from ``now`` (Unix seconds)."""
        claims: dict[str, Any] = {"sub": name, "iat": int(now), "exp": int(now + ttl)}
        if admin:
            claims["admin"] = True
        if roles:
            claims["roles"] = sorted(roles)
        return jwt.encode(claims, self._secret, algorithm=_ALGORITHM)

    def check(self, token: str) -> Caller:
        """Return whom a token names.

        :raises Problem: 401, saying whether the token is expired or wrong
        """
        seen = self._seen.get(token)
        if seen is not None and time.time() < seen.until:
            return seen
        who = self._read(token, expired=False)
        self._seen[token] = who
        if len(self._seen) > TOKENS_SEEN:
            self._seen.popitem(last=False)
        return who

    def recognise(self, token: str) -> Caller:
        """Return whom a token names that was right once, though it may have expired since.

        :raises Problem: 401, it never was
        """
        seen = self._seen.get(token)
        return self._read(token, expired=True) if seen is None else seen

    def _read(self, token: str, *, expired: bool) -> Caller:
        options: Any = {"require": ["sub", "exp"], "verify_exp": not expired}
        try:
            if not _is_canonical(token):
                raise ValueError("not as it was issued")
            claims = jwt.decode(token, self._secret, algorithms=[_ALGORITHM], options=options)
            return _caller_of(claims)
        except jwt.ExpiredSignatureError:
            raise _refused("The token has expired; get a new one.") from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
            # of which PyJWT itself lets some pass: it converts claims, and reads a header before it is proven
            raise _refused("The token is not one of this server's; get a new one.") from None

    def look(self, token: str) -> Caller | None:
        """Return whom a token names, None if it is expired or wrong."""
        try:
            return self.check(token)
        except Problem:
            return None


def _is_canonical(token: str) -> bool:
    """Whether a token has three parts in base64url, the last of which can be written in no other way.

    The first two are signed as they are written. The signature is not, and with characters that mean nothing a
    token could have any number of forms, each of which would be remembered.
    """
    match = _TOKEN.fullmatch(token) if len(token) <= TOKEN_MAX else None
    if match is None:
        return False
    signature = base64.urlsafe_b64decode(match[1] + "=" * (-len(match[1]) % 4))
    return base64.urlsafe_b64encode(signature).decode().rstrip("=") == match[1]


def _caller_of(claims: Mapping[str, object]) -> Caller:
    """Return whom claims name.

    :raises ValueError: a claim is not of its type
    """
    name, until, is_admin = claims["sub"], claims["exp"], claims.get("admin", False)
    if not isinstance(until, int | float) or isinstance(until, bool) or not isinstance(is_admin, bool):
        raise ValueError("a claim is not of its type")
    if not isinstance(name, str) or not is_name(name):
        raise ValueError("nobody can have that name")
    return Caller(name, is_admin, float(until), _roles_of(claims.get("roles", [])))


def _roles_of(claim: object) -> frozenset[Role]:
    """Return what a claim says.

    :raises ValueError: it is no list of roles
    """
    if not isinstance(claim, list):
        raise ValueError("a claim is not of its type")
    return frozenset(Role(role) for role in claim)  # pyright: ignore[reportUnknownVariableType]


def is_name(text: str) -> bool:
    """Whether a person can be called that."""
    return re.fullmatch(NAME, text) is not None and text != ME


def _make_secret(path: Path) -> None:
    draft = path.with_name(f"secret.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_hex(32).encode())
        os.link(draft, path)  # fails if another process was first, whose secret then counts
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def load_secret(data: Path) -> bytes:
    """Read the secret of an installation, or make it: 32 random bytes in a file that only its owner can read.

    :raises OSError: there is none, and none can be written
    :raises ValueError: it is too short
    """
    path = data / "secret"
    if not path.exists():  # else nothing is written: the disk may be full, or the folder read-only
        try:
            data.mkdir(parents=True, exist_ok=True)
            _make_secret(path)
        except OSError as error:
            sentence = f"The data folder {data} cannot be written ({error.strerror}); choose another with --data."
            raise OSError(sentence) from error
    secret = path.read_bytes().strip()
    if len(secret) < 32:
        raise ValueError(f"The secret in {path} is too short to be one; delete the file to get a new one.")
    return secret


bearer: Final = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    bearerFormat="JWT",
    description="From `python -m media token --user NAME`, or from `POST /tokens`.",
)
"""Takes the token out of a request's headers."""
_Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


def bearer_of(scope: Scope) -> str | None:
    """Return the token that a request brings, before any route is found for it."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, token = value.decode("latin-1").partition(" ")
            return token.strip() if scheme.lower() == "bearer" else None
    return None


async def caller(request: Request, credentials: _Credentials) -> Caller:
    """Gate: anybody with a valid token whose account is not suspended."""
    return check_token(request.app.state, None if credentials is None else credentials.credentials)


def check_token(state: State, token: str | None) -> Caller:
    """Return whom a token names.

    :raises Problem: 401, there is none or it is wrong; 403, the account is suspended
    """
    who = check_known(state, token)
    state.guard.check_account(who.name)
    return who


async def account(request: Request, credentials: _Credentials) -> Caller:
    """Gate: anybody with a valid token, though their account is suspended: they may ask why, and complain."""
    return check_known(request.app.state, None if credentials is None else credentials.credentials)


def check_known(state: State, token: str | None) -> Caller:
    """Return whom a token names, suspended or not.

    :raises Problem: 401, there is none or it is wrong
    """
    if token is None:
        raise no_token()
    who: Caller = state.tokens.check(token)
    return who


def check_admin(who: Caller) -> None:
    """Pass whoever runs the service.

    :raises Problem: 403
    """
    if not who.admin:
        raise Problem(403, "not-admin", "Only an admin's token may do this.")


def check_reviewer(who: Caller) -> None:
    """Pass whoever decides about reports.

    :raises Problem: 403
    """
    if not who.reviews:
        raise Problem(403, "not-reviewer", "Only a reviewer's token may do this; ask an admin for one.")


async def caller_or_nobody(request: Request, credentials: _Credentials) -> Caller | None:
    """Gate for what anonymous people may do in places; a wrong token is refused all the same."""
    if credentials is None and "authorization" not in request.headers:
        return None
    return await caller(request, credentials)


async def owner(request: Request, credentials: _Credentials) -> Caller:
    """Gate for what one may do to a session of one's own: a token that has expired since is right, too.

    Who opened it could; that they cannot end it any more would leave a microphone open.
    """
    return check_owner(request.app.state, None if credentials is None else credentials.credentials)


async def owner_or_nobody(request: Request, credentials: _Credentials) -> Caller | None:
    """The same for a session that may be an anonymous listener's."""
    if credentials is None and "authorization" not in request.headers:
        return None
    return await owner(request, credentials)


def check_owner(state: State, token: str | None) -> Caller:
    """Return whom a token names, though it may have expired.

    :raises Problem: 401 it is none, 403 the account is suspended
    """
    if token is None:
        raise no_token()
    who = state.tokens.recognise(token)
    state.guard.check_account(who.name)
    return who


async def admin(who: Annotated[Caller, Depends(caller)]) -> Caller:
    """Gate: whoever runs the service."""
    check_admin(who)
    return who


async def reviewer(who: Annotated[Caller, Depends(caller)]) -> Caller:
    """Gate: whoever decides about reports."""
    check_reviewer(who)
    return who


def issue_from(data: Path, name: str, *, is_admin: bool, ttl: float, roles: Collection[str] = ()) -> str:
    """Make a token on the machine that holds the secret.

    :raises ValueError: the name or the time is none, in one sentence
    """
    if not is_name(name):
        raise ValueError(
            f"{name!r} cannot be a name; use up to 64 letters, digits, '_', '-' and '.', and not 'me'."
        )
    if not 0 < ttl < 1e9:
        raise ValueError(f"A token cannot live for {ttl:g} seconds.")
    named = [Role(role) for role in roles]
    return Tokens(load_secret(data)).issue(name, admin=is_admin, roles=named, ttl=ttl, now=time.time())


def no_token() -> Problem:
    """Return the refusal of somebody without a token."""
    return Problem(
        401,
        "no-token",
        "This needs a token; send it as 'Authorization: Bearer …'.",
        headers={"WWW-Authenticate": _CHALLENGE},
    )


def _refused(sentence: str) -> Problem:
    challenge = f'{_CHALLENGE}, error="invalid_token", error_description="{sentence}"'
    return Problem(401, "bad-token", sentence, headers={"WWW-Authenticate": challenge})


Named = Annotated[Caller, Depends(caller)]
Account = Annotated[Caller, Depends(account)]
NamedOrNobody = Annotated[Caller | None, Depends(caller_or_nobody)]
Owner = Annotated[Caller, Depends(owner)]
OwnerOrNobody = Annotated[Caller | None, Depends(owner_or_nobody)]
Admin = Annotated[Caller, Depends(admin)]
Reviewer = Annotated[Caller, Depends(reviewer)]
