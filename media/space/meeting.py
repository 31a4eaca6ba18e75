"""What every input to a Space stands on: its attributes, its people, and who may act.

The rules of a Space stand in files that build on each other, each of which knows only those before it::

    meeting → stage → microphones → entry → queue → invitations → presence → board → sale → space

Each is a class that adds inputs to the one before. After every input the part that took it calls ``_done``, and
each file that has something to keep true extends that.
"""

from collections.abc import Sequence
from copy import copy
from typing import Self

from media.space.arrivals import Arrivals
from media.space.errors import BadInputError, NotEligibleError
from media.space.events import CancelReason, EndReason, Events
from media.space.links import Links
from media.space.notes import Notes
from media.space.people import Participant, People
from media.space.permissions import Action, Role, check, is_anonymous, role_of
from media.space.policy import DEFAULT, EntryPolicy, Policy, SpeakPolicy
from media.space.reactions import Tally
from media.space.states import Input, Standing, State, next_standing, next_state
from media.space.tickets import Offer
from media.space.waiting import Waiting


class Meeting:
    """The attributes of a Space and its people; driven as a :class:`~media.space.space.Space` only."""

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
        removal_ends_anonymous: bool = False,
        is_available_for_replay: bool = False,
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
        self.policy = policy
        check_topics(topic_ids, policy)
        self.id = space_id
        self.host = host
        self.title = title
        self.speak_policy = speak_policy
        self.anonymous_listening = anonymous_listening
        self.removal_ends_anonymous = removal_ends_anonymous
        """Whether anonymous listening ends when somebody is removed, who could go on without a name."""
        self.is_available_for_replay = is_available_for_replay
        """Whether the host wishes that it can be heard again after its end; everybody in it is shown that."""
        self.entry_policy = EntryPolicy.EVERYONE
        self.locked = False
        """Whether nobody new comes in."""
        self.entry_rate = 0
        """Listeners who are let in a minute; 0 for as many as come."""
        self.mute_on_entry = False
        """Whether an admin's mute is set for everyone who gets the right to speak, until an admin lifts it."""
        self.arrivals = Arrivals()
        """Whose turn it is where listeners are let in slowly; nothing of it is kept."""
        self.lang = lang
        self.topic_ids = tuple(topic_ids)
        self.state = State.DRAFT
        self.created_at = now
        self.scheduled_start: float | None = None
        self.started_at: float | None = None
        self.ended_at: float | None = None
        self.end_reason: EndReason | CancelReason | None = None
        """Why it is over."""
        self.tickets: Offer | None = None
        """What it costs to listen."""
        self.subscriber_count = 0
        """People who want, or until it started wanted, to be reminded."""
        self.sequence = 0
        """How often what stands in people's calendars has changed since it was scheduled (RFC 5545, 3.8.7.4)."""
        self.people = People()
        self.people.know(Participant(host, Standing.HOST))
        self.spoke: dict[str, None] = {}
        """Everyone who ever had the right to speak, in order."""
        self.links = Links()
        self.waiting = Waiting()
        self.notes = Notes()
        self.reactions = Tally()
        """What the driver tells the crowd in sums; nothing of it is kept."""
        self.unattended_since: float | None = None
        """Since when neither host nor co-host is connected, while live."""
        self.empty_since: float | None = None
        """Since when nobody at all is connected, while live."""

    def copy(self) -> Self:
        """Return a second Space in the same state, to try inputs on; both count reactions and turns as one."""
        other = copy(self)
        other.people, other.spoke = self.people.copy(), dict(self.spoke)
        other.links, other.waiting, other.notes = self.links.copy(), self.waiting.copy(), self.notes.copy()
        return other

    def shift(self, by: float) -> None:
        """Count on after the clock of ``now`` was set by so many seconds, as if it had always been right.

        Grace times, cool-downs and waits last as long as they would have; appointments, and when something
        happened, stay what they were. Reactions and turns are shifted by whoever drives both a Space and its copy.
        """
        self.people.shift(by)
        self.notes.shift(by)
        for part, name in ((self, "unattended_since"), (self, "empty_since"), (self.waiting, "since")):
            if (at := getattr(part, name)) is not None:
                setattr(part, name, at + by)

    def become(self, other: Self) -> None:
        """Take over the state of a copy, which is used no more."""
        vars(self).update(vars(other))

    def _role(self, by: str | None) -> Role:
        if by is None:
            return Role.ENFORCEMENT
        return Role.ANONYMOUS if is_anonymous(by) else role_of(self.people.standing(by))

    def _may(self, happening: Input, by: str | None, action: Action) -> State:
        """Check the right first and the state after, so that nobody learns the state by trying."""
        check(self._role(by), action)
        return next_state(self.state, happening)

    def _known(self, happening: Input, by: str | None, action: Action, person: str) -> Participant:
        self._may(happening, by, action)
        return self.people.known(person)

    def _target(
        self, happening: Input, by: str | None, action: Action, person: str, own: Action | None = None
    ) -> Participant:
        """Return whom an act is about; acting upon oneself takes the right ``own``, or none."""
        if by == person:
            if own is not None:
                check(self._role(by), own)
            next_state(self.state, happening)
            participant = self.people.known(person)
        else:
            participant = self._known(happening, by, action, person)
            check(self._role(by), action, participant.standing)
        next_standing(participant.standing, happening, person)
        return participant

    def _done(self, now: float, events: Events, settled: Participant | None = None) -> Events:
        """Restore what must hold after every input; ``events`` grows by what follows from that.

        :param settled: a person about whom there may be nothing to remember any more
        """
        if settled is not None:
            self.people.settle(settled, now)
        return events


def check_topics(topic_ids: Sequence[str], policy: Policy) -> None:
    """Pass if a Space can have these topics.

    :raises BadInputError: they are too many
    """
    if len(topic_ids) > policy.topics:
        raise BadInputError(f"A Space has at most {policy.topics} topics, not {len(topic_ids)}.")
