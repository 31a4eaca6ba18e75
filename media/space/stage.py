"""The stage: its seats, who gave and took the right to speak, and the two mutes of a microphone."""

from media.space.errors import MutedError, SeatsFullError
from media.space.events import CohostNamed, Events, MuteChanged, RevokeReason, RightGranted, RightRevoked
from media.space.meeting import Meeting
from media.space.people import Participant
from media.space.permissions import Action
from media.space.states import Input, Standing, State, next_standing


class Stage(Meeting):
    """Those who have the right to speak; driven as a :class:`~media.space.space.Space` only."""

    @property
    def free_seats(self) -> int:
        """Places for speakers that nobody has."""
        return self.policy.speaker_seats - len(self.people.with_standing(Standing.SPEAKER))

    def may_speak(self, person: str) -> bool:
        """Whether this person has the right to be heard, muted or not."""
        participant = self.people.named.get(person)
        return self.state is State.LIVE and participant is not None and participant.on_stage

    def promote(self, by: str, person: str, now: float) -> Events:
        """Make a speaker a co-host, which frees a speaker's seat.

        :raises SeatsFullError: the policy allows no further co-host
        """
        participant = self._known(Input.PROMOTE, by, Action.COHOSTS, person)
        next_standing(participant.standing, Input.PROMOTE, person)
        if len(self.people.with_standing(Standing.COHOST)) >= self.policy.cohost_seats:
            raise SeatsFullError(f"This Space can have {self.policy.cohost_seats} co-hosts and has them.")
        self.people.move(participant, Input.PROMOTE)
        return self._done(now, [CohostNamed(now, person)])

    def step_down(self, by: str | None, person: str, now: float) -> Events:
        """Leave the stage, or take somebody off it; the person goes on listening."""
        reason: RevokeReason = "stepped down" if by == person else "revoked"
        participant = self._target(Input.STEP_DOWN, by, Action.REVOKE, person)
        self.people.move(participant, Input.STEP_DOWN)
        participant.lost_at = None
        return self._done(now, [RightRevoked(now, person, reason)], participant)

    def mute(self, by: str | None, person: str, now: float) -> Events:
        """Silence oneself, or somebody else; these are two flags."""
        participant = self._target(Input.MUTE, by, Action.MUTE_OTHERS, person)
        self.people.move(participant, Input.MUTE)
        if by == person:
            return self._flag(participant, now, by_self=True, by_admin=participant.muted_by_admin)
        return self._flag(participant, now, by_self=participant.muted_by_self, by_admin=True)

    def unmute(self, by: str | None, person: str, now: float) -> Events:
        """Open one's own microphone, or lift an admin's mute from somebody else's (which opens nothing itself).

        :raises MutedError: an admin muted the person, who wants to unmute
        """
        participant = self._target(Input.UNMUTE, by, Action.MUTE_OTHERS, person)
        if by == person and participant.muted_by_admin:
            raise MutedError(f"{person} was muted by an admin, and only an admin can lift that.")
        self.people.move(participant, Input.UNMUTE)
        if by == person:
            return self._flag(participant, now, by_self=False, by_admin=False)
        return self._flag(participant, now, by_self=participant.muted_by_self, by_admin=False)

    def _need_seat(self, meanwhile: str) -> None:
        if self.free_seats <= 0:
            raise SeatsFullError(f"All {self.policy.speaker_seats} seats are taken; {meanwhile}.")

    def _grant(self, participant: Participant, now: float, events: Events) -> None:
        """Give the right to speak.  Everyone starts muted, so that no microphone is open by surprise."""
        participant.asked_at = None
        participant.muted_by_self = True
        self.spoke[participant.person] = None
        events.append(RightGranted(now, participant.person))
        events.append(MuteChanged(now, participant.person, True, participant.muted_by_admin))

    def _flag(self, participant: Participant, now: float, *, by_self: bool, by_admin: bool) -> Events:
        if (by_self, by_admin) == (participant.muted_by_self, participant.muted_by_admin):
            return []
        participant.muted_by_self, participant.muted_by_admin = by_self, by_admin
        return [MuteChanged(now, participant.person, by_self, by_admin)]
