"""The stage: its seats, and who gave and took the right to speak."""

from media.space.errors import SeatsFullError
from media.space.events import (
    CohostDropped,
    CohostNamed,
    Events,
    HandLowered,
    MuteChanged,
    RevokeReason,
    RightGranted,
    RightRevoked,
)
from media.space.meeting import Meeting
from media.space.people import Participant
from media.space.permissions import Action
from media.space.states import Input, Standing, State, next_standing


class Stage(Meeting):
    """Those who have the right to speak; driven as a :class:`~media.space.space.Space` only."""

    @property
    def free_seats(self) -> int:
        """Places for speakers that nobody has."""
        return self.policy.speaker_seats - self.people.number(Standing.SPEAKER)

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
        self._need_cohost_seat()
        self.people.move(participant, Input.PROMOTE)
        return self._done(now, [CohostNamed(now, person)])

    def demote(self, by: str, person: str, now: float) -> Events:
        """Make a co-host a speaker again; the host can, and co-hosts themselves.

        :raises SeatsFullError: no speaker's seat is free
        """
        participant = self._target(Input.DEMOTE, by, Action.COHOSTS, person)
        self._need_seat(f"{person} stays a co-host, or can step down from the stage")
        self.people.move(participant, Input.DEMOTE)
        return self._done(now, [CohostDropped(now, person)])

    def step_down(self, by: str | None, person: str, now: float) -> Events:
        """Leave the stage, or take somebody off it; the person goes on listening."""
        reason: RevokeReason = "stepped down" if by == person else "revoked"
        participant = self._target(Input.STEP_DOWN, by, Action.REVOKE, person)
        self.people.move(participant, Input.STEP_DOWN)
        participant.lost_at = None
        events: Events = []
        self._silence(participant, reason, now, events)
        return self._done(now, events, participant)

    def _need_seat(self, meanwhile: str) -> None:
        if self.free_seats <= 0:
            raise SeatsFullError(f"All {self.policy.speaker_seats} seats are taken; {meanwhile}.")

    def _need_cohost_seat(self) -> None:
        if self.people.number(Standing.COHOST) >= self.policy.cohost_seats:
            raise SeatsFullError(f"This Space can have {self.policy.cohost_seats} co-hosts and has them.")

    def _grant(self, participant: Participant, now: float, events: Events, *, trusted: bool = False) -> None:
        """Give the right to speak.  Everyone starts muted, so that no microphone is open by surprise.

        :param trusted: whether mute on entry does not apply, as to the host and to who comes as a co-host
        """
        participant.asked_at = None
        participant.muted_by_self = True
        participant.muted_by_admin = participant.muted_by_admin or (self.mute_on_entry and not trusted)
        self.spoke[participant.person] = None
        events.append(RightGranted(now, participant.person))
        events.append(MuteChanged(now, participant.person, True, participant.muted_by_admin))

    def _silence(self, participant: Participant, reason: RevokeReason, now: float, events: Events) -> None:
        """Take the right to speak; a hand goes down with it."""
        events.append(RightRevoked(now, participant.person, reason))
        if participant.hand_raised_at is not None:
            participant.hand_raised_at = None
            events.append(HandLowered(now, participant.person))
