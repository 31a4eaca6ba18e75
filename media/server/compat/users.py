"""Users as X API v2 answers for them: by id, by username, and oneself."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Request, Response

from media.server.accounts import Accounts, User
from media.server.auth import Named, caller, is_name
from media.server.compat import parameters as p
from media.server.compat.answers import OneUser, SomeUsers, answer, not_found
from media.server.compat.numbers import Numbers
from media.server.compat.routes import NumbersHere, XRoute, x_answers
from media.server.compat.show import Showing, whoever
from media.server.routes import AccountsHere

router: Final = APIRouter(prefix="/2/users", tags=["X API v2"], dependencies=[Depends(caller)], route_class=XRoute)
_SHOWN: Final = (p.USER_FIELDS, p.USER_EXPANSIONS, p.POST_FIELDS, p.POST_FIELDS_TOO)
_ONE: Final = p.Asked(*_SHOWN)
_SOME: Final = p.Asked(p.USERS, *_SHOWN)
_BY_NAMES: Final = p.Asked(p.USERNAMES, *_SHOWN)

Number = Annotated[
    str, Path(alias="id", pattern=r"^[0-9]{1,19}$", description="of a user", examples=["2244994945"])
]
Handle = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", description="the handle", examples=["ana"])
]


@router.get("", responses=x_answers(SomeUsers), openapi_extra=_SOME.document())
async def find_users_by_ids(request: Request, accounts: AccountsHere, numbers: NumbersHere) -> Response:
    """Look users up by their ids."""
    wanted = _SOME.read(request.query_params)
    found = {number: await _by_number(accounts, numbers, number) for number in wanted["ids"]}
    data = await Showing(accounts, numbers, wanted).users([user for user in found.values() if user])
    errors = [not_found("user", "ids", number) for number, user in found.items() if user is None]
    return answer(data, includes={}, errors=errors, meta=None)


@router.get("/by", responses=x_answers(SomeUsers), openapi_extra=_BY_NAMES.document())
async def find_users_by_usernames(request: Request, accounts: AccountsHere, numbers: NumbersHere) -> Response:
    """Look users up by their usernames, in upper or lower case."""
    wanted = _BY_NAMES.read(request.query_params)
    found = {name: await accounts.named(name) for name in wanted["usernames"]}
    data = await Showing(accounts, numbers, wanted).users([user for user in found.values() if user])
    errors = [not_found("user", "usernames", name) for name, user in found.items() if user is None]
    return answer(data, includes={}, errors=errors, meta=None)


@router.get("/by/username/{username}", responses=x_answers(OneUser), openapi_extra=_ONE.document())
async def find_user_by_username(
    username: Handle, request: Request, accounts: AccountsHere, numbers: NumbersHere
) -> Response:
    """Look a user up by the username, in upper or lower case."""
    wanted = _ONE.read(request.query_params)
    return await _one(Showing(accounts, numbers, wanted), await accounts.named(username), "username", username)


@router.get("/me", responses=x_answers(OneUser), openapi_extra=_ONE.document())
async def find_my_user(request: Request, who: Named, accounts: AccountsHere, numbers: NumbersHere) -> Response:
    """Show the caller."""
    wanted = _ONE.read(request.query_params)
    me = (await whoever(accounts, [who.name]))[0]
    return await _one(Showing(accounts, numbers, wanted), me, "id", who.name)


@router.get("/{id}", responses=x_answers(OneUser), openapi_extra=_ONE.document())
async def find_user_by_id(
    number: Number, request: Request, accounts: AccountsHere, numbers: NumbersHere
) -> Response:
    """Look a user up by the id."""
    wanted = _ONE.read(request.query_params)
    user = await _by_number(accounts, numbers, number)
    return await _one(Showing(accounts, numbers, wanted), user, "id", number)


async def _one(showing: Showing, user: User | None, parameter: str, value: str) -> Response:
    if user is None:
        return answer(None, includes={}, errors=[not_found("user", parameter, value)], meta=None)
    return answer((await showing.users([user]))[0], includes={}, errors=[], meta=None)


async def _by_number(accounts: Accounts, numbers: Numbers, number: str) -> User | None:
    """Whom a number stands for: a user, or somebody without a profile who was shown before."""
    person = (await numbers.people([int(number)])).get(int(number))
    if person is None or not is_name(person):
        return None
    user = await accounts.get(person)
    return user or (None if person == number else User(person, person, person, 0.0))
