"""What is shown in a Space beside the sound: pinned and shared posts, messages, and reactions."""

from typing import Final

from media.space.errors import BadInputError, CoolDownError, SeatsFullError, WrongStateError
from media.space.events import Events, MessageSent, PostPinned, PostShared, PostUnpinned
from media.space.notes import MESSAGES_S, Message
from media.space.permissions import Action, Role, check
from media.space.presence import Presence
from media.space.reactions import Reaction, reaction
from media.space.states import Input, next_standing

POST_ID_MAX: Final = 64
TEXT_MAX: Final = 280
"""Characters of a message."""
TAPS_MAX: Final = 10
"""Reactions of one kind that somebody can send at once: what a thumb does in a second."""


class Board(Presence):
    """What people show each other; driven as a :class:`~media.space.space.Space` only."""

    @property
    def pins(self) -> list[str]:
        """Ids of the pinned posts, newest first."""
        return [shown.post_id for shown in self.notes.pins]

    def pin(self, by: str, post_id: str, now: float) -> Events:
        """Let a post stand above the Space; pinning it again changes nothing.

        :raises SeatsFullError: as many as the policy allows are pinned
        """
        self._may(Input.PIN, by, Action.PIN)
        _check_post(post_id)
        if any(shown.post_id == post_id for shown in self.notes.pins):
            return []
        if len(self.notes.pins) >= self.policy.pins:
            raise SeatsFullError(f"A Space has at most {self.policy.pins} pinned posts; unpin one first.")
        self.notes.pins.insert(0, self.notes.show(post_id, by, now))
        return self._done(now, [PostPinned(now, by, post_id)])

    def unpin(self, by: str, post_id: str, now: float) -> Events:
        """Take a pinned post down: host and co-hosts any, speakers what they pinned themselves."""
        self._may(Input.UNPIN, by, Action.PIN)
        for shown in self.notes.pins:
            if shown.post_id == post_id:
                if shown.by != by and self._role(by) is Role.SPEAKER:
                    check(Role.SPEAKER, Action.ADMIT)
                self.notes.pins.remove(shown)
                return self._done(now, [PostUnpinned(now, by, post_id)])
        return []

    def share(self, by: str, post_id: str, now: float) -> Events:
        """Show a post to everyone who is here."""
        self._may(Input.SHARE, by, Action.SHARE_POST)
        _check_post(post_id)
        self.notes.shared.append(self.notes.show(post_id, by, now))
        return self._done(now, [PostShared(now, by, post_id)])

    def say(self, person: str, text: str, now: float, *, present: bool = True) -> Events:
        """Write to everyone who is here.

        :raises BadInputError: nothing is written, or too much, or what cannot be shown
        :raises CoolDownError: so much is being written that nobody could read it
        """
        self._may(Input.SAY, person, Action.MESSAGE)
        self._need_presence(person, Input.SAY, present)
        if not text.strip() or len(text) > TEXT_MAX or not text.replace("\n", "").isprintable():
            raise BadInputError(f"A message is one to {TEXT_MAX} characters that can be shown.")
        notes = self.notes
        if len(notes.lately) == MESSAGES_S and notes.lately[0] > now - 1.0:
            retry_at = notes.lately[0] + 1.0
            raise CoolDownError(
                f"This Space takes {MESSAGES_S} messages a second; send it again in a moment.", retry_at=retry_at
            )
        notes.message_count += 1
        notes.lately.append(now)
        notes.messages.append(Message(notes.message_count, person, text, now))
        return self._done(now, [MessageSent(now, person, notes.message_count, text)])

    def check_reaction(self, person: str, kind: str, present: bool = True) -> Reaction:
        """Return the reaction of that name if the person may react with it now.

        :raises SpaceError: why not
        """
        self._may(Input.REACT, person, Action.REACT)
        self._need_presence(person, Input.REACT, present)
        return reaction(kind)

    def react(self, person: str, kind: str, *, count: int = 1, present: bool = True) -> None:
        """Count reactions.  It is no event: whoever tells the crowd takes sums from ``reactions``."""
        found = self.check_reaction(person, kind, present)
        if not 0 < count <= TAPS_MAX:
            raise BadInputError(f"Nobody reacts {count} times in a moment; send 1 to {TAPS_MAX}.")
        self.reactions.add(found, count)

    def _need_presence(self, person: str, happening: Input, present: bool) -> None:
        participant = self.people.named.get(person)
        if participant is not None:
            next_standing(participant.standing, Input.JOIN, person)
            present = participant.connected
        if not present:
            raise WrongStateError(f"{person} is not connected to this Space, and so cannot {happening} it.")


def _check_post(post_id: str) -> None:
    if not (
        0 < len(post_id) <= POST_ID_MAX and post_id.isascii() and post_id.isprintable() and " " not in post_id
    ):
        raise BadInputError(f"{post_id!r} cannot be the id of a post.")
