"""The rules that Spaces can go by, over HTTP: those of three dates, and those of whoever runs the service."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from media.server.auth import Admin, Caller, caller
from media.server.errors import Problem
from media.server.routes import SEEN, AccountsHere, SpacesHere, problems
from media.server.schemas import OwnRules
from media.space.errors import BadInputError
from media.space.policy import Policy, find

router: Final = APIRouter(prefix="/policies", tags=["Policies"], dependencies=[Depends(caller)])
of_spaces: Final = APIRouter(prefix="/spaces/{space_id}/policy", tags=["Policies"], dependencies=[*SEEN])


class PolicyOut(BaseModel):
    """The rules of a date, or custom ones; what an admin sends as `policy` of a new Space has these fields."""

    name: str = Field(examples=["2021-08"])
    speaker_seats: int = Field(description="speakers beside host and co-hosts")
    cohost_seats: int
    followers_to_host: int = Field(description="followers that an account needs to host; protected ones never can")
    schedule_window: float = Field(description="seconds that a Space can be scheduled ahead; 0 for not at all")
    schedule_limit: int = Field(description="Spaces that one person can have scheduled at a time")
    topics: int = Field(description="of one Space")
    tickets: int = Field(description="tickets that can be sold for a Space; 0 for none")
    ticket_followers: int = Field(description="followers that it takes to sell them")
    ticket_spaces: int = Field(description="Spaces that it takes to have hosted in the last `ticket_days`")
    ticket_days: int
    pins: int = Field(description="posts that can be pinned at a time")
    queue: int = Field(description="requests to speak that can wait at a time")
    grace: float = Field(description="seconds that a lost connection keeps its role")
    host_grace: float = Field(description="seconds that a Space goes on without host and co-hosts")
    empty_grace: float = Field(description="seconds that it goes on while nobody is connected at all")
    no_show: float = Field(description="seconds after its time before a Space that nobody started is canceled")
    denial_cooldown: float = Field(description="seconds before a denied person can ask again")
    evidence_days: int = Field(description="days that the sound of an ended Space is kept for review")
    appeal_days: int = Field(description="days that it is kept longer when a violation was found")
    default: bool = Field(description="whether new Spaces go by it")

    @classmethod
    def of(cls, policy: Policy, default: str) -> "PolicyOut":
        """Show a policy."""
        shown = {name: getattr(policy, name) for name in Policy.__dataclass_fields__}
        return cls(**shown, default=policy.name == default)


class PolicyList(BaseModel):
    """Every policy that this server knows by name."""

    data: list[PolicyOut]


class ChosenPolicy(BaseModel):
    """The rules that a Space is to go by."""

    model_config = ConfigDict(extra="forbid")

    policy: Annotated[str, Field(max_length=40)] | OwnRules = Field(
        description="a name of `GET /policies`, or rules of your own, as for `POST /spaces`", examples=["2021-05"]
    )


@router.get("", responses=problems())
async def list_policies(request: Request) -> PolicyList:
    """List the rules that Spaces can go by, oldest first, and which one new Spaces do."""
    state = request.app.state
    return PolicyList(data=[PolicyOut.of(p, state.spaces.policy.name) for p in state.policies.values()])


@router.get("/{name}", responses=problems(404))
async def get_policy(
    name: Annotated[str, Path(max_length=64, examples=["2021-05"])], request: Request
) -> PolicyOut:
    """Show one."""
    try:
        policy = find(name, request.app.state.policies)
    except BadInputError as refusal:
        raise Problem(404, "unknown-policy", str(refusal)) from None
    return PolicyOut.of(policy, request.app.state.spaces.policy.name)


def chosen(wanted: str | dict[str, Any] | None, who: Caller, policies: Mapping[str, Policy]) -> dict[str, Policy]:
    """Return the policy that a new Space is to have, as what is said about it; nothing if it is the server's.

    :raises Problem: 403, somebody chooses who is no admin
    :raises BadInputError: there is no such policy, and cannot be
    """
    if wanted is None:
        return {}
    if not who.admin:
        raise Problem(403, "not-admin", "Only an admin's token may choose the policy of a Space.")
    if isinstance(wanted, str):
        return {"policy": find(wanted, policies)}
    return {"policy": Policy.from_mapping(wanted)}


@of_spaces.get("", responses=problems(404))
async def get_policy_of_space(space_id: str, request: Request, spaces: SpacesHere) -> PolicyOut:
    """Show the rules that a Space goes by, also those that were made for it alone."""
    return PolicyOut.of((await spaces.get(space_id)).policy, request.app.state.spaces.policy.name)


@of_spaces.put("", responses=problems(403, 404, 409, 422))
async def choose_policy_of_space(
    space_id: str, body: ChosenPolicy, who: Admin, request: Request, spaces: SpacesHere, accounts: AccountsHere
) -> PolicyOut:
    """Choose the rules of a Space that has not started; admins only.

    What it has already must be possible under them: its host, topics, time and tickets.
    """
    policy = chosen(body.policy, who, request.app.state.policies)["policy"]
    user = await accounts.get((await spaces.get(space_id)).host)
    followers = user.followers_count if user is not None else 0
    space = await spaces.act(space_id, lambda s, now: s.go_by(policy, now, followers=followers))
    return PolicyOut.of(space.policy, request.app.state.spaces.policy.name)
