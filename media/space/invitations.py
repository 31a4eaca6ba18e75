"""Invitations: to listen, to speak or to be a co-host, by name or by a link that lets in whoever holds it."""

from media.space.errors import (
    BadInputError,
    NoRightError,
    RemovedError,
    SeatsFullError,
    UnknownLinkError,
    WrongStateError,
)
from media.space.events import (
    CohostNamed,
    Events,
    InvitationDeclined,
    InvitationRevoked,
    Invited,
    InvitedAs,
    InvitedBy,
    LinkAccepted,
    LinkMade,
    LinkRevoked,
)
from media.space.links import LINK_USES, Link
from media.space.people import Participant
from media.space.permissions import Action, check
from media.space.queue import Queue
from media.space.states import Input, Standing, next_standing, next_state

INVITED_MAX = 1_000
"""Invitations to the stage of one Space that can be open at a time."""

_RIGHT: dict[InvitedAs, Action] = {
    "listener": Action.INVITE_LISTENERS,
    "speaker": Action.INVITE,
    "cohost": Action.COHOSTS,
}


class Invitations(Queue):
    """The ways to the stage that somebody offers; driven as a :class:`~media.space.space.Space` only."""

    def invite(
        self,
        by: str,
        person: str,
        now: float,
        *,
        role: InvitedAs = "speaker",
        via: InvitedBy = "room",
        present: bool = True,
    ) -> Events:
        """Offer a person a seat, or ask them to come and listen (of which nothing is kept: everyone may).

        :raises WrongStateError: they are here already, waiting, on the stage or invited to it
        :raises SeatsFullError: too many invitations are open
        """
        self._may_invite(Input.INVITE, by, role)
        participant = self.people.look(person, present)
        invited = Invited(now, person, by, role, via)
        if role == "listener":
            next_standing(participant.standing, Input.JOIN, person)
            if participant.connected:
                raise WrongStateError(f"{person} is in this Space already.")
            return [invited]
        next_standing(participant.standing, Input.INVITE, person)
        if self.people.number(Standing.INVITED) >= INVITED_MAX:
            raise SeatsFullError(f"{INVITED_MAX} invitations to this Space are open; take some back first.")
        self.people.enter(participant)
        self.people.move(participant, Input.INVITE)
        participant.denied_until = None
        participant.invited_by, participant.invited_as = by, role
        return self._done(now, [invited])

    def uninvite(self, by: str, person: str, now: float) -> Events:
        """Take an invitation to the stage back; of co-hosts, only the host can."""
        participant = self.people.named.get(person)
        cohost = participant is not None and participant.invited_as == "cohost"
        participant = self._known(Input.UNINVITE, by, Action.COHOSTS if cohost else Action.INVITE, person)
        self.people.move(participant, Input.UNINVITE)
        participant.invited_by = None
        return self._done(now, [InvitationRevoked(now, person, by)], participant)

    def accept(self, person: str, now: float) -> Events:
        """Take the seat that was offered.

        :raises SeatsFullError: none is free; the invitation stays
        """
        next_state(self.state, Input.ACCEPT)
        participant = self.people.known(person)
        next_standing(participant.standing, Input.ACCEPT, person)
        self._need_seat_as(participant.invited_as, "the invitation stays open")
        events: Events = []
        self._seat(participant, Input.ACCEPT, participant.invited_as, now, events)
        return self._done(now, events)

    def decline(self, person: str, now: float) -> Events:
        """Turn an invitation down."""
        next_state(self.state, Input.DECLINE)
        participant = self.people.known(person)
        self.people.move(participant, Input.DECLINE)
        participant.invited_by = None
        return self._done(now, [InvitationDeclined(now, person)], participant)

    def make_link(self, by: str, code: str, role: InvitedAs, now: float, *, uses: int = LINK_USES) -> Events:
        """Make a link that gives ``role`` to whoever follows it, ``uses`` times.

        :param code: the secret part of the link, which the driver has drawn
        :raises SeatsFullError: ``by`` has as many links as one person can have
        """
        self._may_invite(Input.MAKE_LINK, by, role)
        if not 1 <= uses <= LINK_USES:
            raise BadInputError(f"A link can be followed between 1 and {LINK_USES} times, not {uses}.")
        self.links.add(Link(code, role, by, now, uses))
        return [LinkMade(now, by, role)]

    def revoke_link(self, by: str, code: str, now: float) -> Events:
        """Let nobody in by a link any more: whoever made it can, and who could have made it as host or co-host."""
        next_state(self.state, Input.REVOKE_LINK)
        link = self.links.known(code)
        if link.by != by:
            check(self._role(by), Action.INVITE)
            check(self._role(by), _RIGHT[link.role])
        self.links.discard(code)
        return [LinkRevoked(now, by, link.role)]

    def follow_link(self, person: str, code: str, now: float, *, present: bool = True) -> Events:
        """Take what a link gives.

        :raises UnknownLinkError: there is no such link, or whoever made it could not make it any more
        :raises SeatsFullError: no seat is free; the link stays good
        :raises NoEntryError: the Space is locked; an entry policy keeps nobody out who holds a link
        """
        next_state(self.state, Input.FOLLOW_LINK)
        link = self.links.known(code)
        self._check_maker(link)
        participant = self.people.look(person, present)
        self.check_newcomer(person, present=participant.connected, followed=True)
        events: Events = [LinkAccepted(now, person, link.by, link.role)]
        if link.role == "listener":
            next_standing(participant.standing, Input.JOIN, person)
            link.uses -= 1
            return self._done(now, events)
        rises = link.role == "cohost" and participant.standing is Standing.SPEAKER
        if not rises:
            next_standing(participant.standing, Input.FOLLOW_LINK, person)
        self._need_seat_as(link.role, "the link stays good")
        link.uses -= 1
        self.people.enter(participant)
        if rises:
            self.people.move(participant, Input.PROMOTE)
            events.append(CohostNamed(now, person))
        else:
            self._seat(participant, Input.FOLLOW_LINK, link.role, now, events)
        return self._done(now, events)

    def _may_invite(self, happening: Input, by: str, role: InvitedAs) -> None:
        self._may(happening, by, _RIGHT[role])
        next_standing(self.people.standing(by), Input.JOIN, by)  # whoever was removed invites nobody

    def _check_maker(self, link: Link) -> None:
        """Pass if whoever made a link could make it now: nobody gives away a right that they have lost."""
        try:
            self._may_invite(Input.MAKE_LINK, link.by, link.role)
        except (NoRightError, RemovedError):
            raise UnknownLinkError(f"{link.by} can invite nobody any more; ask somebody else.") from None

    def _need_seat_as(self, role: InvitedAs, meanwhile: str) -> None:
        if role == "cohost":
            self._need_cohost_seat()
        else:
            self._need_seat(meanwhile)

    def _seat(self, participant: Participant, how: Input, role: InvitedAs, now: float, events: Events) -> None:
        """Put somebody on the stage, who has the grace time to connect if they are not here."""
        self.people.move(participant, how)
        participant.denied_until = participant.invited_by = None
        participant.lost_at = None if participant.connected else now
        self._grant(participant, now, events, trusted=role == "cohost")
        if role == "cohost":
            self.people.move(participant, Input.PROMOTE)
            events.append(CohostNamed(now, participant.person))
