"""The way into the sound of a Space: rights are checked, the relay answers the offer, presence follows the media.

Checked twice, because answering takes time in which a person can be removed or a Space can end: before the offer
goes to the relay and when the answer comes back.
"""

import logging
import secrets
from typing import Final

from media.relay.plane import RELAY_LOST, DataPlane, PlaneEvent, SessionDown, SessionUp
from media.server.auth import Caller, no_token
from media.server.errors import Problem
from media.server.guard import Guard
from media.server.host_tools.entry import EntryGate
from media.server.ptime import NO_LARGE_ROOM, LargeRoom
from media.server.session_bounds import check_address, check_user
from media.server.sessions import Kind, MediaSession, Sessions, Source
from media.server.spaces import Spaces
from media.server.visibility import Visibility
from media.space.errors import NoRightError, SpaceError, WrongStateError
from media.space.space import Space
from media.space.visibility import View, takes_anonymous

log = logging.getLogger(__name__)

ANONYMOUS: Final = "~"
"""First letter of the names of anonymous listeners; no token can carry it."""


class Admission:
    """Driven by the WHIP and WHEP routes and by the events of the plane."""

    def __init__(
        self,
        spaces: Spaces,
        sessions: Sessions,
        plane: DataPlane,
        guard: Guard,
        visibility: Visibility,
        entry: EntryGate,
        large_room: LargeRoom = NO_LARGE_ROOM,
    ) -> None:
        self._spaces = spaces
        self._sessions = sessions
        self._plane = plane
        self._guard = guard
        self._visibility = visibility
        self._entry = entry
        self._large_room = large_room
        plane.subscribe(self.receive)

    async def find(self, space_id: str, who: Caller | None) -> Space:
        """Return a Space to somebody who may know of it; ``who`` is None for an anonymous listener.

        :raises Problem: 404, there is none for them; 403, they are suspended, or its host has blocked them;
            401, it takes no anonymous listeners
        :raises RemovedError: they were removed from it
        """
        if who is None and not takes_anonymous(self._spaces.held(space_id)):
            raise no_token()
        space = await self._spaces.get(space_id)
        await self._guard.know(space.host)
        await self._visibility.check(space, who, View.CARD)
        self._guard.check_entry(space, who and who.name)
        return space

    async def admit(
        self,
        space_id: str,
        who: Caller | None,
        kind: Kind,
        offer: str,
        source: Source = "direct",
        network: str = "",
    ) -> tuple[MediaSession, str]:
        """Answer an offer to speak or to listen; ``who`` is None for an anonymous listener.

        :param network: what counts as the address of the caller; empty if it does not count

        :raises SpaceError: not now, or not this person
        :raises NoEntryError: the rules of entry keep them out
        :raises SlowEntryError: newcomers are let in slowly, and it is not their turn
        :raises Problem: 404 and 403 as :meth:`find`; 402, there is no ticket; 429, too many sessions
        :raises OfferError: the offer cannot be answered
        :raises RelayFullError: no place for one more
        """
        space, person = await self.find(space_id, who), who and who.name
        self._check(space, person, kind)
        if person is None:
            check_address(self._sessions, network)
        else:
            check_user(self._sessions, space_id, person)
        still_open = await self._entry.admit(space, person, network)
        if kind == "whep":
            offer = self._large_room.apply(offer, space.listener_count)
        session = MediaSession(
            id=secrets.token_urlsafe(16),
            space=space_id,
            person=person if person is not None else ANONYMOUS + secrets.token_hex(8),
            kind=kind,
            anonymous=person is None,
            ice=secrets.token_urlsafe(8),
            source=source,
            network=network,
        )
        self._sessions.add(session)
        try:
            answer = await self._plane.add_session(space_id, session.person, session.id, offer)
        except BaseException:
            self._lose(session)
            raise
        try:
            self._check(space, person, kind)
            still_open()
            if self._sessions.get(session.id) is None:
                raise WrongStateError("The connection was ended while it was being made.")
        except (SpaceError, Problem):
            self._lose(session)
            await self._plane.drop_session(session.id)
            raise
        return session, answer

    def _check(self, space: Space, person: str | None, kind: Kind) -> None:
        self._guard.check_entry(space, person)
        check(space, person, kind)
        self._guard.check_ticket(space, person)

    async def end(self, session_id: str, space_id: str, kind: Kind, person: str | None) -> None:
        """End a session for its owner; an anonymous one belongs to whoever knows its address.

        :raises Problem: 404 there is no such session, 410 its relay was lost, 401 or 403 it is somebody else's
        """
        session = self._owned(session_id, space_id, kind, person)
        await self._plane.drop_session(session_id)
        self._lose(session)

    async def rename(self, session_id: str, space_id: str, who: Caller) -> Space:
        """Let the session of an anonymous listener be that of a person; the sound goes on.

        :raises Problem: 404, 410 or 403 as :meth:`end`
        :raises SpaceError: the person cannot be here
        """
        space, person = await self.find(space_id, who), who.name
        session = self._owned(session_id, space_id, "whep", person)
        space.check_entry(person)
        if not session.anonymous:
            return space
        check_user(self._sessions, space_id, person)
        was, came = self._sessions.rename(session, person)
        if was:
            self._spaces.note(space_id, lambda space, now: space.depart(now))
        if came:
            self._spaces.note(space_id, lambda space, now: space.join(person, now))
        await self._plane.rename_session(session_id, person)  # who may speak hears all but themselves
        return space

    async def restart(
        self, session_id: str, space_id: str, kind: Kind, person: str | None, tags: set[str], fragment: str
    ) -> tuple[MediaSession, str]:
        """Answer an SDP fragment for a session's owner; the answer is "" if it asked for no ICE restart.

        ``tags``: entity tags of the ICE session that it is about, without quotation marks; ``*`` for whichever.

        :raises Problem: 404, 410, 401 or 403 as :meth:`end`; 412 another ICE session has begun
        :raises OfferError: the fragment is malformed
        """
        session = self._owned(session_id, space_id, kind, person)
        if not tags & {"*", session.ice}:
            raise Problem(412, "other-ice-session", "If-Match does not name this session's present ICE session.")
        answer = await self._plane.restart_ice(session_id, fragment)
        if answer:
            session.ice = secrets.token_urlsafe(8)
        return session, answer

    def _owned(self, session_id: str, space_id: str, kind: Kind, person: str | None) -> MediaSession:
        session = self._sessions.get(session_id)
        if self._sessions.was_lost(session_id, space_id, kind):
            sentence = f"The relay of this session has ended; join again with a POST to /spaces/{space_id}/{kind}."
            raise Problem(410, "relay-lost", sentence)
        if session is None or (session.space, session.kind) != (space_id, kind):
            raise Problem(404, "unknown-session", "There is no such session; it may have ended already.")
        if not session.anonymous and session.person != person:
            raise Problem(403, "not-owner", "This session belongs to somebody else.")
        return session

    def receive(self, event: PlaneEvent) -> None:
        """Take an event of the plane."""
        match event:
            case SessionUp(session=session_id) if session := self._sessions.get(session_id):
                self._gain(session)
            case SessionDown(session=session_id, reason=reason) if session := self._sessions.get(session_id):
                if reason == RELAY_LOST:
                    self._sessions.note_lost(session)
                if reason != "shutdown":  # the process ends, the Space does not
                    self._lose(session)
            case SessionUp(session=session_id):  # its request was given up while the relay answered
                self._spaces.follow(self._plane.drop_session(session_id))
            case _:
                pass  # a level, or a session that was ended by us and is accounted for

    def _gain(self, session: MediaSession) -> None:
        if not self._sessions.up(session):
            return
        try:
            if session.anonymous:
                self._spaces.note(session.space, lambda space, now: space.arrive(now))
            else:
                self._spaces.note(session.space, lambda space, now: space.join(session.person, now))
        except SpaceError as refusal:
            log.warning("A session came up that may not be: %s", refusal)

    def _lose(self, session: MediaSession) -> None:
        """Forget a session; whoever has no other is not here any more, though a role may wait."""
        if not self._sessions.discard(session):
            return
        try:
            if session.anonymous:
                self._spaces.note(session.space, lambda space, now: space.depart(now))
            else:
                self._entry.note_lost(session.space, session.person)
                self._spaces.note(session.space, lambda space, now: space.drop(session.person, now))
        except SpaceError as refusal:
            log.warning("A session went down in a Space that cannot lose one: %s", refusal)


def check(space: Space, person: str | None, kind: Kind) -> None:
    """Pass if the person may speak (whip) or listen (whep) now.

    :raises SpaceError: why not
    """
    space.check_entry(person)
    if kind == "whip" and (person is None or not space.may_speak(person)):
        raise NoRightError(f"{person} has no right to speak here; ask with POST /spaces/{space.id}/requests.")
