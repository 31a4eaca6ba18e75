"""Presence: who is here, who comes, who goes, who is put out, and roles that wait for a lost connection."""

from media.space.errors import BadInputError, NotEligibleError
from media.space.events import (
    Connected,
    Disconnected,
    Events,
    LeaveReason,
    PersonLeft,
    PersonRemoved,
    SpaceEdited,
)
from media.space.invitations import Invitations
from media.space.people import Participant
from media.space.permissions import Action, check
from media.space.states import PERSON, Input, Standing, next_standing, next_state


class Presence(Invitations):
    """The connections of people; driven as a :class:`~media.space.space.Space` only."""

    @property
    def participant_count(self) -> int:
        """People connected, on the stage and in the crowd."""
        return self.people.count

    @property
    def listener_count(self) -> int:
        """People connected who have no right to speak."""
        return self.people.count - sum(person.connected for person in self.people.stage)

    def check_entry(self, person: str | None) -> None:
        """Pass if the person (None for an anonymous listener) may come in now.

        :raises WrongStateError: the Space is not live
        :raises RemovedError: the person was removed
        :raises NotEligibleError: anonymous listening is not allowed here
        """
        next_state(self.state, Input.JOIN)
        if person is not None:
            next_standing(self.people.standing(person), Input.JOIN, person)
        elif not self.anonymous_listening:
            raise NotEligibleError("This Space takes no anonymous listeners; come with a token.")

    def arrive(self, now: float, count: int = 1) -> Events:
        """Count listeners in, without names."""
        next_state(self.state, Input.ARRIVE)
        if count < 0:
            raise BadInputError(f"{count} listeners cannot arrive.")
        self.people.crowd += count
        return self._done(now, [])

    def depart(self, now: float, count: int = 1) -> Events:
        """Count listeners out, without names."""
        next_state(self.state, Input.DEPART)
        if not 0 <= count <= self.people.crowd:
            raise BadInputError(f"{count} listeners cannot depart from a crowd of {self.people.crowd}.")
        self.people.crowd -= count
        return self._done(now, [])

    def join(self, person: str, now: float) -> Events:
        """Connect a person who was not connected; listeners become part of the crowd."""
        self.check_entry(person)
        participant = self.people.named.get(person)
        if participant is None:
            return self.arrive(now)
        if participant.connected:
            return []
        participant.connected = True
        self.people.move(participant, Input.JOIN)
        participant.lost_at = None
        return self._done(now, [Connected(now, person)], participant)

    def drop(self, person: str, now: float) -> Events:
        """Disconnect a connected person against their will; a role waits for ``policy.grace``."""
        next_state(self.state, Input.DROP)
        participant = self.people.named.get(person)
        if participant is None:
            return self.depart(now)
        if not participant.connected:
            return []
        self.people.move(participant, Input.DROP)
        participant.connected = False
        if (participant.standing, Input.EXPIRE) in PERSON:
            participant.lost_at = now
        return self._done(now, [Disconnected(now, person)], participant)

    def leave(self, person: str, now: float, *, present: bool = True) -> Events:
        """Let a person go who wants to; a role is gone at once."""
        next_state(self.state, Input.LEAVE)
        participant = self.people.look(person, present)
        next_standing(participant.standing, Input.LEAVE, person)
        if person not in self.people.named:
            return self.depart(now)
        events: Events = []
        self._out(participant, Input.LEAVE, "left", now, events)
        return self._done(now, events, participant)

    def remove(self, by: str | None, person: str, now: float, *, present: bool = True) -> Events:
        """Put a person out of this Space for good: by name, as a listener without one is nobody to the Space.

        Where ``removal_ends_anonymous`` is set, nobody listens without a name from then on, until the host allows
        it again.
        """
        self._may(Input.REMOVE, by, Action.REMOVE)
        participant = self.people.look(person, present)
        check(self._role(by), Action.REMOVE, participant.standing)
        next_standing(participant.standing, Input.REMOVE, person)
        self.people.enter(participant)
        events: Events = []
        if participant.on_stage:
            self._silence(participant, "removed", now, events)
        self.people.move(participant, Input.REMOVE)
        self.people.know(Participant(person, participant.standing))  # nothing else about them matters any more
        events.append(PersonRemoved(now, person))
        if self.anonymous_listening and self.removal_ends_anonymous:
            self.anonymous_listening = False
            events.append(SpaceEdited(now, ("anonymous_listening",)))
        return self._done(now, events)

    def restore(self, person: str, now: float, *, present: bool = True) -> Events:
        """Take back what the house decided: whoever was removed may come again, a listener has a seat again.

        :raises SeatsFullError: no seat is free
        """
        self._may(Input.RESTORE, None, Action.REMOVE)
        participant = self.people.look(person, present)
        next_standing(participant.standing, Input.RESTORE, person)
        events: Events = []
        if participant.standing is Standing.REMOVED:
            participant = Participant(person, Standing.REMOVED)  # copies of a Space share those who were removed
            self.people.know(participant)
            self.people.move(participant, Input.RESTORE)
        else:
            self._need_seat(f"{person} goes on listening")
            self.people.enter(participant)
            self._seat(participant, Input.RESTORE, "speaker", now, events)
        return self._done(now, events, participant)

    def _out(self, participant: Participant, how: Input, reason: LeaveReason, now: float, events: Events) -> None:
        """End the part of a named person, who may come back as anybody may."""
        if participant.on_stage:
            self._silence(participant, reason, now, events)
        self.people.move(participant, how)
        participant.stop_waiting()
        participant.connected = False
        self.people.settle(participant, now)
        events.append(PersonLeft(now, participant.person, reason))
