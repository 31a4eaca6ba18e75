"""The speaker queue: asking and being answered, and who need not wait.

First come, first served as far as the Space itself gives seats away; host and co-hosts choose whom they like.
"""

from media.space.entry import Entry
from media.space.errors import CoolDownError, SeatsFullError
from media.space.events import (
    Asked,
    Events,
    RequestDenied,
    RequestWithdrawn,
    SpeakPolicyChanged,
)
from media.space.people import Participant
from media.space.permissions import Action, check
from media.space.policy import SpeakPolicy
from media.space.states import Input, Standing, State, next_standing, next_state


class Queue(Entry):
    """The way to the stage that begins with a question; driven as a :class:`~media.space.space.Space` only."""

    def set_speak_policy(self, by: str, speak_policy: SpeakPolicy, now: float) -> Events:
        """Choose who gets a seat without being approved; those already waiting benefit."""
        self._may(Input.SPEAK_POLICY, by, Action.SPEAK_POLICY)
        self.speak_policy = speak_policy
        return self._done(now, [SpeakPolicyChanged(now, speak_policy)])

    def ask(self, person: str, now: float, *, present: bool = True, followed: bool = False) -> Events:
        """Ask to speak: a seat at once where the speak policy says so and one is free, else a place in the queue.

        :param followed: whether the host follows the person
        :raises CoolDownError: denied less than ``policy.denial_cooldown`` ago
        :raises SeatsFullError: too many wait already
        :raises NoEntryError: the rules of entry keep the person out
        """
        check(self._role(person), Action.ASK)
        next_state(self.state, Input.ASK)
        participant = self.people.look(person, present)
        next_standing(participant.standing, Input.ASK, person)
        self._check_asker(person, present=participant.connected, followed=followed)
        if participant.denied_until is not None and now < participant.denied_until:
            wait = participant.denied_until - now
            raise CoolDownError(
                f"The request of {person} was denied; ask again in {wait:.0f} s.",
                retry_at=participant.denied_until,
            )
        if self.people.number(Standing.REQUESTED) >= self.policy.queue:
            raise SeatsFullError(f"{self.policy.queue} people wait to speak here already; ask again later.")
        self.people.enter(participant)
        self.people.move(participant, Input.ASK)
        participant.turn = self.people.next_turn()
        participant.asked_at = now
        participant.followed = followed
        participant.lost_at = None if participant.connected else now
        return self._done(now, [Asked(now, person)])

    def withdraw(self, person: str, now: float) -> Events:
        """Take a request back."""
        next_state(self.state, Input.WITHDRAW)
        participant = self.people.known(person)
        self.people.move(participant, Input.WITHDRAW)
        participant.stop_waiting()
        return self._done(now, [RequestWithdrawn(now, person)], participant)

    def approve(self, by: str, person: str, now: float) -> Events:
        """Give a waiting person a seat.

        :raises SeatsFullError: none is free; the request stays in the queue
        """
        participant = self._known(Input.APPROVE, by, Action.ADMIT, person)
        next_standing(participant.standing, Input.APPROVE, person)
        self._need_seat(f"the request of {person} stays in the queue")
        events: Events = []
        self.people.move(participant, Input.APPROVE)
        self._grant(participant, now, events)
        return self._done(now, events)

    def deny(self, by: str, person: str, now: float) -> Events:
        """Answer a request with no; the person may ask again after ``policy.denial_cooldown``."""
        participant = self._known(Input.DENY, by, Action.ADMIT, person)
        self.people.move(participant, Input.DENY)
        participant.stop_waiting()
        participant.denied_until = now + self.policy.denial_cooldown
        return self._done(now, [RequestDenied(now, person, by, participant.denied_until)], participant)

    def _done(self, now: float, events: Events, settled: Participant | None = None) -> Events:
        """See to it that no seat is free while someone waits who is entitled to it."""
        super()._done(now, events, settled)
        people = self.people
        if self.state is State.LIVE and self.free_seats > 0 and self.speak_policy is not SpeakPolicy.INVITED:
            for waiting in people.queue:
                if self.free_seats > 0 and self._entitled(waiting):
                    people.move(waiting, Input.APPROVE)
                    self._grant(waiting, now, events)
        self.waiting.note(people.answered, people.number(Standing.REQUESTED), now)
        people.answered.clear()
        return events

    def _entitled(self, waiting: Participant) -> bool:
        if self.speak_policy is SpeakPolicy.EVERYONE:
            return True
        return self.speak_policy is SpeakPolicy.FOLLOWING and waiting.followed
