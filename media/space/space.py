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

from media.space.errors import BadInputError, NotEligibleError, WrongStateError
from media.space.events import (
    CancelReason,
    EndReason,
    Events,
    SpaceCanceled,
    SpaceEdited,
    SpaceEnded,
    SpaceScheduled,
    SpaceStarted,
    SubscribersChanged,
)
from media.space.meeting import check_topics
from media.space.people import Participant
from media.space.permissions import Action, check
from media.space.policy import Policy
from media.space.sale import Sale
from media.space.states import Input, Standing, State, next_state


class Space(Sale):
    """A Space and the people in it.  Times are seconds on the clock of ``now``.

    Here stands its life, from draft to end; what happens on the way stands in the classes below it (see
    :mod:`media.space.meeting` for their order).
    """

    def schedule(self, by: str, start: float, now: float, *, others: int = 0) -> Events:
        """Set the time at which it is to start (seconds), or another time.

        There is no way back to a draft: a Space that has a time starts or is canceled.

        :param others: how many other Spaces the host has scheduled
        :raises NotEligibleError: too far ahead, or too many at a time
        """
        self._check_time(by, start, now, others)
        return self._set_time(start, now)

    def edit(
        self,
        by: str,
        now: float,
        *,
        title: str | None = None,
        topic_ids: Sequence[str] | None = None,
        anonymous_listening: bool | None = None,
        removal_ends_anonymous: bool | None = None,
        is_available_for_replay: bool | None = None,
        scheduled_start: float | None = None,
        others: int = 0,
    ) -> Events:
        """Change attributes, of which None means as it was: all of them, or none if one cannot be.

        :param others: as for :meth:`schedule`, which a time goes by
        :raises BadInputError: more topics than the policy allows
        :raises WrongStateError: a replay is wished when people may have spoken who did not know of it
        """
        self._may(Input.EDIT, by, Action.EDIT)
        if is_available_for_replay and not self.is_available_for_replay and self.state is State.LIVE:
            raise WrongStateError(
                "A replay has to be wished before the Space starts, so that whoever speaks knows of it; while it "
                "is live it can only be called off."
            )
        if scheduled_start is not None:
            self._check_time(by, scheduled_start, now, others)
        if anonymous_listening is not None or removal_ends_anonymous is not None:
            check(self._role(by), Action.ANONYMOUS_LISTENING)
        if topic_ids is not None:
            check_topics(topic_ids, self.policy)
        wanted = {
            "title": title,
            "topic_ids": None if topic_ids is None else tuple(topic_ids),
            "anonymous_listening": anonymous_listening,
            "removal_ends_anonymous": removal_ends_anonymous,
            "is_available_for_replay": is_available_for_replay,
        }
        changed = {name: v for name, v in wanted.items() if v is not None and v != getattr(self, name)}
        for name, value in changed.items():
            setattr(self, name, value)
        self.sequence += self.state is State.SCHEDULED and "title" in changed
        events: Events = [SpaceEdited(now, tuple(changed))] if changed else []
        return events if scheduled_start is None else events + self._set_time(scheduled_start, now)

    def go_by(self, policy: Policy, now: float, *, followers: int | None = None) -> Events:
        """Let whoever runs the service choose other rules, while it has not started.

        :param followers: how many follow the host; None if that is not known
        :raises SpaceError: it could not be as it is under those rules
        """
        next_state(self.state, Input.GO_BY)
        if refusal := policy.check_host(followers):
            raise NotEligibleError(refusal)
        check_topics(self.topic_ids, policy)
        if self.scheduled_start is not None:
            policy.check_ahead(self.scheduled_start - now)
        if self.tickets is not None:
            self.tickets.check(policy)
        if policy == self.policy:
            return []
        self.policy = policy
        return [SpaceEdited(now, ("policy",))]

    def subscribe(self, now: float, change: int = 1) -> Events:
        """Count people who want to be reminded of it, whom only the driver knows: :mod:`media.space.reminders`."""
        next_state(self.state, Input.REMIND)
        self.subscriber_count = max(0, self.subscriber_count + change)
        return [SubscribersChanged(now, self.subscriber_count)]

    def start(self, by: str, now: float) -> Events:
        """Go live, with the host as the only speaker, muted."""
        self.state = self._may(Input.START, by, Action.EDIT)
        self.started_at = now
        events: Events = [SpaceStarted(now)]
        self._grant(self.people.named[self.host], now, events, trusted=True)
        return self._done(now, events)

    def cancel(self, by: str | None, now: float) -> Events:
        """Call it off before it started; whoever may end it as the house may do that, too."""
        self._may(Input.CANCEL, by, Action.END if by is None else Action.EDIT)
        return self._cancel("enforcement" if by is None else "host", now)

    def end(self, by: str | None, now: float) -> Events:
        """End it for everyone; only the host can, and enforcement."""
        self._may(Input.END, by, Action.END)
        return self._end("host" if by is not None else "enforcement", now)

    def lose_host(self, now: float) -> Events:
        """Let the house take the host out, which ends the Space at once if no co-host is connected."""
        events = self.drop(self.host, now)
        return events if self.unattended_since is None else events + self._end("enforcement", now)

    def next_timer(self) -> float | None:
        """When :meth:`handle_timer` has something to do (seconds), or None."""
        if self.state is State.SCHEDULED and self.scheduled_start is not None:
            return self.scheduled_start + self.policy.no_show
        if self.state is not State.LIVE:
            return None
        times = [p.lost_at + self.policy.grace for p in self.people.around if p.lost_at is not None]
        times += [p.denied_until for p in self.people.around if p.denied_until is not None]
        if self.unattended_since is not None:
            times.append(self.unattended_since + self.policy.host_grace)
        if self.empty_since is not None:
            times.append(self.empty_since + self.policy.empty_grace)
        return min(times, default=None)

    def handle_timer(self, now: float) -> Events:
        """End what is due: roles that waited too long, cool-downs, a Space without host, one never started."""
        due = self.next_timer()
        if self.state is State.SCHEDULED and due is not None and now >= due:
            return self._cancel("not started", now)
        if self.state is not State.LIVE:
            return []
        events: Events = []
        for participant in list(self.people.around):
            if participant.lost_at is not None and now >= participant.lost_at + self.policy.grace:
                self._out(participant, Input.EXPIRE, "connection lost", now, events)
            if participant.denied_until is not None and now >= participant.denied_until:
                participant.denied_until = None
            self.people.settle(participant, now)
        self._done(now, events)
        if self.unattended_since is not None and now >= self.unattended_since + self.policy.host_grace:
            events += self._end("host gone", now)
        elif self.empty_since is not None and now >= self.empty_since + self.policy.empty_grace:
            events += self._end("empty", now)
        return events

    def _check_time(self, by: str, start: float, now: float, others: int) -> None:
        self._may(Input.SCHEDULE, by, Action.EDIT)
        if self.state is State.SCHEDULED and self.tickets is not None:
            raise WrongStateError("A Space with tickets keeps its time; cancel it, which refunds everybody.")
        if start <= now:
            raise BadInputError("A Space cannot be scheduled for a time that has passed.")
        self.policy.check_ahead(start - now)
        if others >= self.policy.schedule_limit:
            raise NotEligibleError(
                f"A person can have {self.policy.schedule_limit} scheduled Spaces at a time; "
                "start or cancel one first."
            )

    def _set_time(self, start: float, now: float) -> Events:
        if start == self.scheduled_start:
            return []
        self.sequence += self.state is State.SCHEDULED
        self.state = next_state(self.state, Input.SCHEDULE)
        self.scheduled_start = start
        return [SpaceScheduled(now, start)]

    def _cancel(self, reason: CancelReason, now: float) -> Events:
        self.state = next_state(self.state, Input.CANCEL)
        self.end_reason = reason
        self.sequence += self.scheduled_start is not None
        return [SpaceCanceled(now, reason)]

    def _end(self, reason: EndReason, now: float) -> Events:
        self.state = next_state(self.state, Input.END)
        self.ended_at = now
        self.end_reason = reason
        self.unattended_since = self.empty_since = None
        self.people.disperse()
        return [SpaceEnded(now, reason)]

    def _done(self, now: float, events: Events, settled: Participant | None = None) -> Events:
        """Note since when a live Space has been without host and co-hosts, and without anybody."""
        super()._done(now, events, settled)
        if self.state is State.LIVE:
            if any(p.connected for p in self.people.with_standing(Standing.HOST, Standing.COHOST)):
                self.unattended_since = None
            elif self.unattended_since is None:
                self.unattended_since = now
            if self.people.crowd or any(p.connected for p in self.people.around):
                self.empty_since = None
            elif self.empty_since is None:
                self.empty_since = now
        return events
