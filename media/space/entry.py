"""Who may come into a live Space: the lock, people whom the host follows, slow entry, and mute on entry.

The rules are about newcomers. Whoever is connected, has a seat, waits for one or was invited to one belongs to the
Space and is never kept out by them: a lock puts nobody out, and a lost connection costs nobody the way back.
"""

from typing import Final

from media.space.errors import BadInputError, NoEntryError
from media.space.events import Events, SpaceEdited
from media.space.microphones import Microphones
from media.space.permissions import Action
from media.space.policy import EntryPolicy
from media.space.states import Input, Standing

RATE_MAX: Final = 60_000
"""Listeners a minute; a bound of 1,000 a second is none for one Space."""
BELONGING: Final = frozenset(
    {Standing.HOST, Standing.COHOST, Standing.SPEAKER, Standing.REQUESTED, Standing.INVITED}
)
"""The standings with which somebody is no newcomer."""


class Entry(Microphones):
    """The rules of entry; driven as a :class:`~media.space.space.Space` only."""

    def set_entry(
        self,
        by: str,
        now: float,
        *,
        entry_policy: EntryPolicy | None = None,
        locked: bool | None = None,
        entry_rate: int | None = None,
        mute_on_entry: bool | None = None,
    ) -> Events:
        """Choose who comes in from now on, of which None means as it was.

        :param entry_rate: listeners who are let in a minute; 0 for as many as come
        :raises BadInputError: no such rate
        """
        self._may(Input.ENTRY, by, Action.ENTRY)
        if entry_rate is not None and not 0 <= entry_rate <= RATE_MAX:
            raise BadInputError(f"A Space lets in 0 to {RATE_MAX} listeners a minute, not {entry_rate}.")
        wanted = {
            "entry_policy": entry_policy,
            "locked": locked,
            "entry_rate": entry_rate,
            "mute_on_entry": mute_on_entry,
        }
        changed = {name: v for name, v in wanted.items() if v is not None and v != getattr(self, name)}
        for name, value in changed.items():
            setattr(self, name, value)
        return self._done(now, [SpaceEdited(now, tuple(changed))] if changed else [])

    def is_newcomer(self, person: str | None, *, present: bool) -> bool:
        """Whether the rules of entry are about somebody; None for an anonymous listener.

        :param present: whether they are connected, or were a moment ago
        """
        return not present and (person is None or self.people.standing(person) not in BELONGING)

    def check_newcomer(self, person: str | None, *, present: bool = False, followed: bool = False) -> None:
        """Pass if somebody may come in as far as lock and entry policy go.

        :param followed: whether the host follows the person
        :raises NoEntryError: they may not
        """
        if not self.is_newcomer(person, present=present):
            return
        if self.locked:
            raise NoEntryError("This Space is locked: nobody new comes in until its host or a co-host unlocks it.")
        if self.entry_policy is EntryPolicy.FOLLOWING and not followed:
            raise NoEntryError("Only people whom the host follows, or invites to speak, can come into this Space.")

    def admit(self, key: str, now: float) -> None:
        """Let a newcomer in at the rate of slow entry, or have them wait for their turn.

        :param key: of whom only one waits at a time: a person, or the network of anonymous listeners
        :raises SlowEntryError: their turn comes later, at its ``retry_at``
        """
        if self.entry_rate:
            self.arrivals.admit(key, self.entry_rate, now)

    def _check_asker(self, person: str, *, present: bool, followed: bool) -> None:
        """Pass if the rules of entry let somebody ask to speak, which from outside is a way in.

        :raises NoEntryError: they do not
        """
        self.check_newcomer(person, present=present, followed=followed)
        if not present and self.entry_rate:
            raise NoEntryError("This Space lets people in one after another; join it first, then ask to speak.")
        if self.entry_policy is EntryPolicy.FOLLOWING and not followed:
            raise NoEntryError("Only people whom the host follows can ask to speak here; wait to be invited.")
