"""Tickets on sale: who may sell them, and what of it can be changed once somebody has bought one."""

from media.space.board import Board
from media.space.errors import NotEligibleError, WrongStateError
from media.space.events import Events, TicketsOffered, TicketsWithdrawn
from media.space.permissions import Action
from media.space.states import Input
from media.space.tickets import Offer, Seller


def sold(taken: int) -> WrongStateError:
    """Return why tickets cannot be taken off sale any more."""
    return WrongStateError(f"{taken} tickets are sold or reserved already; cancel the Space to refund them.")


class Sale(Board):
    """What it costs to come in; driven as a :class:`~media.space.space.Space` only."""

    def sell_tickets(self, by: str, offer: Offer, now: float, *, seller: Seller, taken: int = 0) -> Events:
        """Let only those in who buy a ticket, or change how many there are.

        :param taken: tickets that are sold or reserved
        :raises NotEligibleError: the host may not sell tickets, and what is missing
        :raises BadInputError: the price or the number cannot be
        """
        self._may(Input.SELL, by, Action.TICKETS)
        if not self.policy.tickets:
            raise NotEligibleError(f"There are no tickets under the rules of {self.policy.name}.")
        if missing := seller.missing(self.policy):
            raise NotEligibleError(f"To sell tickets a host needs {'; '.join(missing)}.")
        offer.check(self.policy)
        if taken and self.tickets is not None and offer.price != self.tickets.price:
            raise WrongStateError("The price of tickets cannot change once one is sold.")
        if offer.quantity < taken:
            raise WrongStateError(f"{taken} tickets are sold or reserved already; there cannot be fewer.")
        if offer == self.tickets:
            return []
        self.tickets = offer
        return [TicketsOffered(now, offer.price, offer.quantity)]

    def withdraw_tickets(self, by: str, now: float, *, taken: int = 0) -> Events:
        """Let everybody in again, while no ticket is sold."""
        self._may(Input.SELL, by, Action.TICKETS)
        if taken:
            raise sold(taken)
        if self.tickets is None:
            return []
        self.tickets = None
        return [TicketsWithdrawn(now)]
