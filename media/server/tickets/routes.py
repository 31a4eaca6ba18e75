"""Tickets over HTTP: offering, buying, who has one, and what it earns."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from media.server.auth import Named
from media.server.errors import Problem
from media.server.paging import Paged
from media.server.profiles import PageMeta
from media.server.routes import SEEN, GuardHere, SpacesHere, problems
from media.server.schemas import NewOffer
from media.server.tickets.box_office import BoxOffice
from media.server.tickets.rows import OfferRow
from media.server.tickets.shapes import NewPurchase, OfferOut, Payouts, TicketList, TicketOut
from media.space.permissions import Action, check, role_of
from media.space.sale import sold as sold_already
from media.space.space import Events, Space
from media.space.states import Input, next_state
from media.space.tickets import Offer

router: Final = APIRouter(tags=["Tickets"], dependencies=[*SEEN])


async def _office(request: Request) -> BoxOffice:
    return request.app.state.box_office


OfficeHere = Annotated[BoxOffice, Depends(_office)]
_Id = Annotated[
    str,
    Path(
        max_length=32,
        pattern=r"^[0-9a-f]+$",
        description="of a purchase",
        examples=["5f0c3a1e9b7d4c2f8a6e1d0b3c5f7a90"],
    ),
]


@router.put("/spaces/{space_id}/tickets", responses=problems(403, 404, 409, 422))
async def offer_tickets(
    space_id: str, body: NewOffer, who: Named, spaces: SpacesHere, office: OfficeHere
) -> OfferOut:
    """Sell tickets to a Space that has not started: only its host can, who is 18 or older (`PATCH /users/me`).

    Under the default policy that takes 1,000 followers and three Spaces in 30 days, and 403 says what is missing.
    Once one is sold the price stays, and there cannot be fewer than are sold; a scheduled Space keeps its time.
    Host, co-hosts and invited speakers need no ticket. If the Space is canceled, or ended by the house, all are
    refunded; one that took place is not, however it ended.
    """
    office.payments  # noqa: B018 - refuses where there is none
    space = await spaces.get(space_id)
    seller = await office.seller(space.host, space.policy)
    sold = await office.till.offer_of(space_id)

    def step(space: Space, now: float) -> Events:
        offer = Offer(body.price_cents, body.quantity)
        return space.sell_tickets(who.name, offer, now, seller=seller, taken=sold.taken if sold else 0)

    async def beside(connection: AsyncConnection) -> None:
        await office.till.offer(space_id, space.host, body.price_cents, body.quantity, connection)

    await spaces.act(space_id, step, beside)
    return OfferOut.of(await _known(office, space_id), space.state)


@router.get("/spaces/{space_id}/tickets", responses=problems(404))
async def show_tickets(space_id: str, spaces: SpacesHere, office: OfficeHere) -> OfferOut:
    """Show what a ticket costs and how many are left; 404 if the Space takes none."""
    space = await spaces.get(space_id)
    return OfferOut.of(await _known(office, space_id), space.state)


@router.delete("/spaces/{space_id}/tickets", status_code=204, responses=problems(403, 404, 409))
async def withdraw_tickets(space_id: str, who: Named, spaces: SpacesHere, office: OfficeHere) -> None:
    """Take no tickets after all, while none is sold or being paid for; only the host can."""
    space = await spaces.get(space_id)
    check(role_of(space.people.standing(who.name)), Action.TICKETS)
    next_state(space.state, Input.SELL)

    async def beside(connection: AsyncConnection) -> None:
        if taken := await office.till.withdraw(space_id, connection):
            raise sold_already(taken)

    await spaces.act(space_id, lambda s, now: s.withdraw_tickets(who.name, now), beside)


@router.post("/spaces/{space_id}/tickets/purchases", status_code=201, responses=problems(403, 404, 409, 422))
async def buy_ticket(
    space_id: str,
    body: NewPurchase,
    who: Named,
    spaces: SpacesHere,
    guard: GuardHere,
    office: OfficeHere,
    response: Response,
) -> TicketOut:
    """Buy a ticket: one is kept for ten minutes, while the payment is under way (`pending`).

    What becomes of it (`paid`, `declined`, `expired`) is told as event `ticket` on `GET /users/me/events`, and
    shown at the `Location`. One for each person.
    """
    space = await spaces.get(space_id)
    await guard.know(space.host)
    guard.check_entry(space, who.name)
    ticket = await office.buy(space, who.name, body.payment_method)
    response.headers["Location"] = f"/users/me/tickets/{ticket.id}"
    return TicketOut.of(ticket)


@router.get("/users/me/tickets", responses=problems(422))
async def my_tickets(who: Named, page: Paged, office: OfficeHere) -> TicketList:
    """List what one has bought, newest first."""
    found = await office.till.of_user(who.name, page.after_time(), page.limit)
    shown, following = page.cut(found, [f"{ticket.created_at!r} {ticket.id}" for ticket in found])
    data = [TicketOut.of(ticket) for ticket in shown]
    return TicketList(data=data, meta=PageMeta(result_count=len(data), next_token=following))


@router.get("/users/me/tickets/{ticket_id}", responses=problems(404, 422))
async def my_ticket(ticket_id: _Id, who: Named, office: OfficeHere) -> TicketOut:
    """Show what has become of a purchase."""
    ticket = await office.till.get(ticket_id)
    if ticket is None or ticket.user_id != who.name:
        raise Problem(404, "unknown-ticket", "You have bought no ticket of this id.")
    return TicketOut.of(ticket)


@router.get("/spaces/{space_id}/tickets/buyers", responses=problems(403, 404, 422))
async def buyers(space_id: str, who: Named, page: Paged, spaces: SpacesHere, office: OfficeHere) -> TicketList:
    """List who holds a ticket; the host can, and admins."""
    space = await spaces.get(space_id)
    if not who.admin:
        check(role_of(space.people.standing(who.name)), Action.TICKETS)
    found = await office.till.buyers(space_id, page.after(), page.limit)
    shown, following = page.cut(found, [ticket.user_id for ticket in found])
    data = [TicketOut.of(ticket) for ticket in shown]
    return TicketList(data=data, meta=PageMeta(result_count=len(data), next_token=following))


@router.get("/users/me/payouts", responses=problems(422))
async def payouts(who: Named, page: Paged, office: OfficeHere) -> Payouts:
    """Show what one earns by tickets: 97 % of what the store leaves, and 80 % from 50,000 USD on."""
    found = await office.till.accounts(who.name, page.after(), page.limit)
    shown, following = page.cut(found, [account.space_id for account in found])
    earned = await office.till.earned(who.name)
    return Payouts.of(shown, earned, following, payments=office.open_for_sale)


async def _known(office: BoxOffice, space_id: str) -> OfferRow:
    offer = await office.till.offer_of(space_id)
    if offer is None:
        raise Problem(404, "no-tickets", "This Space takes no ticket; come in.")
    return offer
