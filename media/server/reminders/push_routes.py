"""Web Push over HTTP: the key to subscribe with, and the browsers that have."""

import hashlib
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Request, Response

from media.server.auth import Named, caller
from media.server.errors import Problem
from media.server.reminders.endpoint import fault_of
from media.server.reminders.outbox import Outbox, Subscription
from media.server.reminders.shapes import NewPushSubscription, PushKey, PushSubscriptionList, PushSubscriptionOut
from media.server.routes import SpacesHere, problems

router: Final = APIRouter(tags=["Reminders"], dependencies=[Depends(caller)])


async def _outbox(request: Request) -> Outbox:
    return request.app.state.outbox


OutboxHere = Annotated[Outbox, Depends(_outbox)]
_Id = Annotated[str, Path(max_length=32, pattern=r"^[0-9a-f]+$", examples=["4f1c9a2be07d4c55a1b3d2e6f7089abc"])]


@router.get("/push/key", responses=problems())
async def push_key(request: Request) -> PushKey:
    """Show the key of this server, which a browser needs to subscribe."""
    return PushKey(public_key=request.app.state.vapid.public_key)


@router.post("/users/me/push-subscriptions", status_code=201, responses=problems(403, 422))
async def subscribe(
    body: NewPushSubscription,
    who: Named,
    request: Request,
    outbox: OutboxHere,
    spaces: SpacesHere,
    response: Response,
) -> PushSubscriptionOut:
    """Get one's reminders in a browser, by Web Push, also when no page is open.

    The endpoint is `https`, and not in a private network. A person has ten at most, and a further one takes the
    place of the oldest; one that the push service knows no more is forgotten. An endpoint that another user has
    subscribed becomes the caller's only with the keys of the browser that it belongs to, else 403.
    """
    if fault := fault_of(body.endpoint, request.app.state.push_private):
        raise Problem(422, "bad-endpoint", f"Nothing can be pushed there: {fault}.")
    number = hashlib.sha256(body.endpoint.encode()).hexdigest()[:32]
    keys = body.keys
    subscription = Subscription(number, who.name, body.endpoint, keys.p256dh, keys.auth, spaces.clock())
    if not await outbox.subscribe(subscription):
        raise Problem(403, "not-owner", "This endpoint is another user's; subscribe with the keys of its browser.")
    response.headers["Location"] = f"/users/me/push-subscriptions/{number}"
    return PushSubscriptionOut.of(subscription)


@router.get("/users/me/push-subscriptions", responses=problems())
async def list_subscriptions(who: Named, outbox: OutboxHere) -> PushSubscriptionList:
    """List the browsers that get one's reminders, newest first."""
    return PushSubscriptionList(data=[PushSubscriptionOut.of(s) for s in await outbox.of_user(who.name)])


@router.get("/users/me/push-subscriptions/{subscription_id}", responses=problems(404, 422))
async def get_subscription(subscription_id: _Id, who: Named, outbox: OutboxHere) -> PushSubscriptionOut:
    """Show one of them."""
    for subscription in await outbox.of_user(who.name):
        if subscription.id == subscription_id:
            return PushSubscriptionOut.of(subscription)
    raise _unknown()


@router.delete("/users/me/push-subscriptions", status_code=204, responses=problems())
async def unsubscribe_all(who: Named, outbox: OutboxHere) -> None:
    """Get reminders in no browser any more."""
    await outbox.unsubscribe(who.name)


@router.delete("/users/me/push-subscriptions/{subscription_id}", status_code=204, responses=problems(404, 422))
async def unsubscribe(subscription_id: _Id, who: Named, outbox: OutboxHere) -> None:
    """Get reminders in one browser less."""
    if not await outbox.unsubscribe(who.name, subscription_id):
        raise _unknown()


def _unknown() -> Problem:
    return Problem(404, "unknown-subscription", "You have no push subscription of this id.")
