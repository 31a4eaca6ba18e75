"""The microphones on the stage: two mutes each, everyone's at once, and the hands of those who want to be next."""

from collections.abc import Collection

from media.space.errors import MutedError
from media.space.events import Events, HandLowered, HandRaised, MuteChanged
from media.space.people import Participant
from media.space.permissions import Action, reaches
from media.space.stage import Stage
from media.space.states import Input


class Microphones(Stage):
    """Who of the stage is silent, and by whose wish; driven as a :class:`~media.space.space.Space` only."""

    def mute(self, by: str | None, person: str, now: float) -> Events:
        """Silence oneself, or somebody else; these are two flags."""
        participant = self._target(Input.MUTE, by, Action.MUTE_OTHERS, person, Action.MUTE_SELF)
        self.people.move(participant, Input.MUTE)
        if by == person:
            return self._flag(participant, now, by_self=True, by_admin=participant.muted_by_admin)
        return self._flag(participant, now, by_self=participant.muted_by_self, by_admin=True)

    def unmute(self, by: str | None, person: str, now: float) -> Events:
        """Open one's own microphone, or lift an admin's mute from somebody else's (which opens nothing itself).

        :raises MutedError: an admin muted the person, who wants to unmute
        """
        participant = self._target(Input.UNMUTE, by, Action.MUTE_OTHERS, person, Action.MUTE_SELF)
        if by == person and participant.muted_by_admin:
            raise MutedError(f"{person} was muted by an admin, and only an admin can lift that.")
        self.people.move(participant, Input.UNMUTE)
        if by == person:
            events = self._flag(participant, now, by_self=False, by_admin=False)
            return events + (self._hand_down(participant, now) if events else [])
        return self._flag(participant, now, by_self=participant.muted_by_self, by_admin=False)

    def mute_all_but(self, by: str | None, keep: Collection[str], now: float) -> Events:
        """Silence everybody on the stage whom ``by`` can mute, but those of ``keep`` and oneself."""
        self._may(Input.MUTE_ALL, by, Action.MUTE_OTHERS)
        role = self._role(by)
        events: Events = []
        for participant in self.people.stage:
            spared = participant.person == by or participant.person in keep
            if not spared and reaches(role, participant.standing):
                events += self._flag(participant, now, by_self=participant.muted_by_self, by_admin=True)
        return self._done(now, events)

    def lift_mutes(self, by: str | None, now: float) -> Events:
        """Lift the admins' mute from everybody on the stage whom ``by`` can mute, but not from oneself."""
        self._may(Input.LIFT_MUTES, by, Action.MUTE_OTHERS)
        role = self._role(by)
        events: Events = []
        for participant in self.people.stage:
            if participant.person != by and reaches(role, participant.standing):
                events += self._flag(participant, now, by_self=participant.muted_by_self, by_admin=False)
        return self._done(now, events)

    def raise_hand(self, person: str, now: float) -> Events:
        """Show that one wants to be next, until the hand is lowered or one unmutes."""
        participant = self._target(Input.RAISE_HAND, person, Action.RAISE_HAND, person, Action.RAISE_HAND)
        if participant.hand_raised_at is not None:
            return []
        participant.hand_raised_at = now
        return self._done(now, [HandRaised(now, person)])

    def lower_hand(self, by: str | None, person: str, now: float) -> Events:
        """Take a hand down: one's own, or somebody's who has been seen."""
        participant = self._target(Input.LOWER_HAND, by, Action.ADMIT, person, Action.RAISE_HAND)
        return self._done(now, self._hand_down(participant, now))

    def _hand_down(self, participant: Participant, now: float) -> Events:
        if participant.hand_raised_at is None:
            return []
        participant.hand_raised_at = None
        return [HandLowered(now, participant.person)]

    def _flag(self, participant: Participant, now: float, *, by_self: bool, by_admin: bool) -> Events:
        if (by_self, by_admin) == (participant.muted_by_self, participant.muted_by_admin):
            return []
        participant.muted_by_self, participant.muted_by_admin = by_self, by_admin
        return [MuteChanged(now, participant.person, by_self, by_admin)]
