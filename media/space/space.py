"""One Space: what it is, who may do what in it, and what follows.

:class:`Space` is a state machine without I/O and without a clock. Whoever drives it (the server on the wall clock,
a simulation on its own) calls the methods below with ``now``, carries out the events they return, and calls
:meth:`Space.handle_timer` when :meth:`Space.next_timer` is due. A call that raises a
:class:`~media.space.errors.SpaceError` has changed nothing.

In every method ``by`` is the person who acts, or None for enforcement by whoever runs the service, and ``present``
says whether a person the Space does not know by name is one of its listeners: the crowd is a number here, only
the driver knows its faces.
"""

from collections.abc import Sequence

from media.space.errors import BadInputError, CoolDownError, MutedError, NotEligibleError, SeatsFullError
from media.space.events import (
    Asked,
    CohostNamed,
    Connected,
    Disconnected,
    EndReason,
    InvitationDeclined,
    Invited,
    LeaveReason,
    MuteChanged,
    PersonLeft,
    PersonRemoved,
    RequestDenied,
    RequestWithdrawn,
    RevokeReason,
    RightGranted,
    RightRevoked,
    SpaceCanceled,
    SpaceEnded,
    SpaceEvent,
    SpaceScheduled,
    SpaceStarted,
    SpeakPolicyChanged,
)
from media.space.people import Participant, People
from media.space.permissions import Action, Role, check, role_of
from media.space.policy import DEFAULT, Policy, SpeakPolicy
from media.space.states import PERSON, Input, Standing, State, next_standing, next_state

Events = list[SpaceEvent]


class Space:
    """A Space and the people in it.  Times are seconds on the clock of ``now``."""

    def __init__(
        self,
        space_id: str,
        host: str,
        now: float,
        *,
        title: str = "",
        policy: Policy = DEFAULT,
        speak_policy: SpeakPolicy = SpeakPolicy.INVITED,
        anonymous_listening: bool = False,
        lang: str = "en",
        topic_ids: Sequence[str] = (),
        followers: int | None = None,
    ) -> None:
        """Make a draft.

        :param followers: how many follow the host; None if that is not known
        :raises NotEligibleError: the policy does not let this account host
        :raises BadInputError: more topics than the policy allows
        """
        if refusal := policy.check_host(followers):
            raise NotEligibleError(refusal)
        if len(topic_ids) > policy.topics:
            raise BadInputError(f"A Space has at most {policy.topics} topics, not {len(topic_ids)}.")
        self.id = space_id
        self.host = host
        self.title = title
        self.policy = policy
        self.speak_policy = speak_policy
        self.anonymous_listening = anonymous_listening
        self.lang = lang
        self.topic_ids = tuple(topic_ids)
        self.state = State.DRAFT
        self.created_at = now
        self.scheduled_start: float | None = None
        self.started_at: float | None = None
        self.ended_at: float | None = None
        self.people = People()
        self.people.named[host] = Participant(host, Standing.HOST)
        self.spoke: dict[str, None] = {}
        """Everyone who ever had the right to speak, in order."""
        self.unattended_since: float | None = None
        """Since when neither host nor co-host is connected, while live."""

    # What it looks like from outside

    @property
    def participant_count(self) -> int:
        """People connected, on the stage and in the crowd."""
        return self.people.count

    @property
    def free_seats(self) -> int:
        """Places for speakers that nobody has."""
        return self.policy.speaker_seats - len(self.people.with_standing(Standing.SPEAKER))

    def may_speak(self, person: str) -> bool:
        """Whether this person has the right to be heard, muted or not."""
        participant = self.people.named.get(person)
        return self.state is State.LIVE and participant is not None and participant.on_stage

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

    # The life of the Space

    def schedule(self, by: str, start: float, now: float) -> Events:
        """Set the time at which it is to start (seconds)."""
        state = self._may(Input.SCHEDULE, by, Action.EDIT)
        if start <= now:
            raise BadInputError("A Space cannot be scheduled for a time that has passed.")
        if start - now > self.policy.schedule_window:
            days = self.policy.schedule_window / 86_400
            raise NotEligibleError(f"A Space can be scheduled at most {days:g} days ahead.")
        self.state = state
        self.scheduled_start = start
        return [SpaceScheduled(now, start)]

    def start(self, by: str, now: float) -> Events:
        """Go live, with the host as the only speaker, muted."""
        self.state = self._may(Input.START, by, Action.EDIT)
        self.started_at = now
        events: Events = [SpaceStarted(now)]
        self._grant(self.people.named[self.host], now, events)
        return self._done(now, events)

    def cancel(self, by: str, now: float) -> Events:
        """Call it off before it started."""
        self.state = self._may(Input.CANCEL, by, Action.EDIT)
        return [SpaceCanceled(now)]

    def end(self, by: str | None, now: float) -> Events:
        """End it for everyone; only the host can, and enforcement."""
        self._may(Input.END, by, Action.END)
        return self._end("host" if by is not None else "enforcement", now)

    def set_speak_policy(self, by: str, speak_policy: SpeakPolicy, now: float) -> Events:
        """Choose who gets a seat without being approved; those already waiting benefit."""
        self._may(Input.SPEAK_POLICY, by, Action.SPEAK_POLICY)
        self.speak_policy = speak_policy
        return self._done(now, [SpeakPolicyChanged(now, speak_policy)])

    # Connections

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

    # The queue and the stage

    def ask(self, person: str, now: float, *, present: bool = True, followed: bool = False) -> Events:
        """Ask to speak: a seat at once where the speak policy says so and one is free, else a place in the queue.

        :param followed: whether the host follows the person
        :raises CoolDownError: denied less than ``policy.denial_cooldown`` ago
        """
        next_state(self.state, Input.ASK)
        participant = self.people.look(person, present)
        next_standing(participant.standing, Input.ASK, person)
        if participant.denied_until is not None and now < participant.denied_until:
            wait = participant.denied_until - now
            raise CoolDownError(
                f"The request of {person} was denied; ask again in {wait:.0f} s.",
                retry_at=participant.denied_until,
            )
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
        self._out_of_queue(participant)
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
        self._out_of_queue(participant)
        participant.denied_until = now + self.policy.denial_cooldown
        return self._done(now, [RequestDenied(now, person, by, participant.denied_until)], participant)

    def invite(self, by: str, person: str, now: float, *, present: bool = True) -> Events:
        """Offer a person a seat."""
        self._may(Input.INVITE, by, Action.INVITE)
        participant = self.people.look(person, present)
        next_standing(participant.standing, Input.INVITE, person)
        self.people.enter(participant)
        self.people.move(participant, Input.INVITE)
        participant.denied_until = None
        return self._done(now, [Invited(now, person, by)])

    def accept(self, person: str, now: float) -> Events:
        """Take the seat that was offered.

        :raises SeatsFullError: none is free; the invitation stays
        """
        next_state(self.state, Input.ACCEPT)
        participant = self.people.known(person)
        next_standing(participant.standing, Input.ACCEPT, person)
        self._need_seat("the invitation stays open")
        events: Events = []
        self.people.move(participant, Input.ACCEPT)
        participant.lost_at = None if participant.connected else now
        self._grant(participant, now, events)
        return self._done(now, events)

    def decline(self, person: str, now: float) -> Events:
        """Turn an invitation down."""
        next_state(self.state, Input.DECLINE)
        participant = self.people.known(person)
        self.people.move(participant, Input.DECLINE)
        return self._done(now, [InvitationDeclined(now, person)], participant)

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

    # Microphones

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

    # The way out

    def remove(self, by: str | None, person: str, now: float, *, present: bool = True) -> Events:
        """Put a person out of this Space for good."""
        self._may(Input.REMOVE, by, Action.REMOVE)
        participant = self.people.look(person, present)
        check(self._role(by), Action.REMOVE, participant.standing)
        next_standing(participant.standing, Input.REMOVE, person)
        self.people.enter(participant)
        events: Events = [RightRevoked(now, person, "removed")] if participant.on_stage else []
        self.people.move(participant, Input.REMOVE)
        self._out_of_queue(participant)
        participant.connected = False
        events.append(PersonRemoved(now, person))
        return self._done(now, events)

    # Time

    def next_timer(self) -> float | None:
        """When :meth:`handle_timer` has something to do (seconds), or None."""
        if self.state is not State.LIVE:
            return None
        times = [p.lost_at + self.policy.grace for p in self.people if p.lost_at is not None]
        times += [p.denied_until for p in self.people if p.denied_until is not None]
        if self.unattended_since is not None:
            times.append(self.unattended_since + self.policy.host_grace)
        return min(times, default=None)

    def handle_timer(self, now: float) -> Events:
        """End what is due: roles that waited too long, cool-downs, a Space without host."""
        if self.state is not State.LIVE:
            return []
        events: Events = []
        for participant in list(self.people):
            if participant.lost_at is not None and now >= participant.lost_at + self.policy.grace:
                self._out(participant, Input.EXPIRE, "connection lost", now, events)
            if participant.denied_until is not None and now >= participant.denied_until:
                participant.denied_until = None
            self.people.settle(participant, now)
        self._done(now, events)
        if self.unattended_since is not None and now >= self.unattended_since + self.policy.host_grace:
            events += self._end("host gone", now)
        return events

    # What the methods above have in common

    def _role(self, by: str | None) -> Role:
        return Role.ENFORCEMENT if by is None else role_of(self.people.standing(by))

    def _may(self, happening: Input, by: str | None, action: Action) -> State:
        """Check the right first and the state after, so that nobody learns the state by trying."""
        check(self._role(by), action)
        return next_state(self.state, happening)

    def _known(self, happening: Input, by: str | None, action: Action, person: str) -> Participant:
        self._may(happening, by, action)
        return self.people.known(person)

    def _target(self, happening: Input, by: str | None, action: Action, person: str) -> Participant:
        """Return whom an act upon oneself or another is about; acting upon oneself needs no right."""
        if by == person:
            next_state(self.state, happening)
            participant = self.people.known(person)
        else:
            participant = self._known(happening, by, action, person)
            check(self._role(by), action, participant.standing)
        next_standing(participant.standing, happening, person)
        return participant

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

    def _out_of_queue(self, participant: Participant) -> None:
        participant.asked_at = None
        participant.lost_at = None

    def _out(self, participant: Participant, how: Input, reason: LeaveReason, now: float, events: Events) -> None:
        """End the part of a named person, who may come back as anybody may."""
        if participant.on_stage:
            events.append(RightRevoked(now, participant.person, reason))
        self.people.move(participant, how)
        self._out_of_queue(participant)
        participant.connected = False
        self.people.settle(participant, now)
        events.append(PersonLeft(now, participant.person, reason))

    def _end(self, reason: EndReason, now: float) -> Events:
        self.state = next_state(self.state, Input.END)
        self.ended_at = now
        self.unattended_since = None
        self.people.disperse()
        return [SpaceEnded(now, reason)]

    def _done(self, now: float, events: Events, settled: Participant | None = None) -> Events:
        """Restore what must hold after every input: forgotten faces, no seat free while one entitled waits."""
        if settled is not None:
            self.people.settle(settled, now)
        if self.state is State.LIVE:
            for waiting in self.people.queue:
                if self.free_seats > 0 and self._entitled(waiting):
                    self.people.move(waiting, Input.APPROVE)
                    self._grant(waiting, now, events)
            attended = any(p.connected for p in self.people.with_standing(Standing.HOST, Standing.COHOST))
            if attended:
                self.unattended_since = None
            elif self.unattended_since is None:
                self.unattended_since = now
        return events

    def _entitled(self, waiting: Participant) -> bool:
        if self.speak_policy is SpeakPolicy.EVERYONE:
            return True
        return self.speak_policy is SpeakPolicy.FOLLOWING and waiting.followed
