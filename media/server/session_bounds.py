"""How many sessions one user, or one address without a name, may have: each takes a place on a relay.

A device uses one session, or one to speak and one to listen. The bounds leave room for two devices that each come
back before their last connection is known to be lost. Who calls from this machine is a lab, whose listeners
without names all have one address; users are bounded wherever they come from.
"""

from typing import Final

from media.server.errors import Problem
from media.server.sessions import Sessions

PER_SPACE: Final = 8
"""Sessions of one user in one Space."""
PER_USER: Final = 32
"""Sessions of one user in all Spaces."""
PER_ADDRESS: Final = 500
"""Sessions without a name from one address: an office, a campus, a carrier's translator."""
RETRY: Final = 5
"""Seconds after which one may have ended."""


def check_user(sessions: Sessions, space_id: str, person: str) -> None:
    """Pass if a user may have one session more.

    :raises Problem: 429
    """
    if len(sessions.of(space_id, person)) >= PER_SPACE:
        raise _too_many(f"You have {PER_SPACE} connections to this Space already")
    if sessions.number_of(person) >= PER_USER:
        raise _too_many(f"You have {PER_USER} connections to Spaces already")


def check_address(sessions: Sessions, network: str) -> None:
    """Pass if one more may listen without a name from an address; "" is one that does not count.

    :raises Problem: 429
    """
    if network and sessions.number_from(network) >= PER_ADDRESS:
        raise _too_many(f"{PER_ADDRESS} people listen without a name from your address already")


def _too_many(fact: str) -> Problem:
    sentence = f"{fact}; end one with DELETE at its Location, or wait until it is known to be lost."
    return Problem(429, "too-many-sessions", sentence, headers={"Retry-After": str(RETRY)})
