"""The people of a Space: a few by name, the crowd as a number.

Someone is an object while there is something to remember about them: a place on the stage, a request, an
invitation, a removal, an admin's mute, a cool-down. Everyone else is counted. That keeps a Space of a million
as small as one of ten.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Final

from media.space.errors import UnknownPersonError
from media.space.events import InvitedAs
from media.space.states import ON_STAGE, Input, Standing, next_standing


@dataclass(slots=True)
class Participant:
    """One person known by name.  Times in seconds."""

    person: str
    standing: Standing
    connected: bool = False
    lost_at: float | None = None
    """Since when a role waits for its connection."""
    turn: int = 0
    """Place in the order of all requests ever made; first come, first served."""
    asked_at: float | None = None
    followed: bool = False
    """Whether the host follows this person, as told with the request."""
    muted_by_self: bool = False
    muted_by_admin: bool = False
    hand_raised_at: float | None = None
    denied_until: float | None = None
    invited_by: str | None = None
    """Who made the invitation that is open."""
    invited_as: InvitedAs = "speaker"
    """What it is to be."""

    @property
    def on_stage(self) -> bool:
        """Whether this person has the right to speak."""
        return self.standing in ON_STAGE

    @property
    def muted(self) -> bool:
        """Whether either flag keeps this person silent."""
        return self.muted_by_self or self.muted_by_admin

    @property
    def hand_raised(self) -> bool:
        """Whether this person wants to be next."""
        return self.hand_raised_at is not None

    def stop_waiting(self) -> None:
        """Neither a request nor a role waits for anything from now on."""
        self.asked_at = None
        self.lost_at = None

    def forgettable(self, now: float) -> bool:
        """Whether nothing about this person needs remembering."""
        return (
            self.standing in (Standing.LISTENER, Standing.OUTSIDE)
            and not self.muted_by_admin
            and (self.denied_until is None or self.denied_until <= now)
        )


_SINCE: Final = ("lost_at", "asked_at", "hand_raised_at", "denied_until")
"""Times of a participant from which or to which something lasts."""
_ALL_OF: Final = attrgetter(*(field.name for field in fields(Participant)))


class People:
    """Everyone in one Space.  Driven by :class:`~media.space.space.Space` only."""

    def __init__(self) -> None:
        self.named: dict[str, Participant] = {}
        self.crowd = 0
        """Listeners who are connected and not in ``named``."""
        self.turns = 0
        self.answered: list[float] = []
        """When those had asked who have ceased to wait since somebody looked here."""
        self._of: dict[Standing, dict[str, Participant]] = {standing: {} for standing in Standing}

    def __iter__(self) -> Iterator[Participant]:
        return iter(self.named.values())

    def shift(self, by: float) -> None:
        """Count on after the clock was set by so many seconds: what lasts, lasts as long as it would have."""
        self.answered = [at + by for at in self.answered]
        for participant in self.around:
            for name in _SINCE:
                if (at := getattr(participant, name)) is not None:
                    setattr(participant, name, at + by)

    def copy(self) -> "People":
        """Return the same people, who can be changed without changing these."""
        other = People()
        other.crowd, other.turns, other.answered = self.crowd, self.turns, list(self.answered)
        for participant in self.named.values():
            # whoever was removed is changed no more, and a raid can leave thousands of them
            removed = participant.standing is Standing.REMOVED
            other.named[participant.person] = participant if removed else Participant(*_ALL_OF(participant))
        for standing, group in self._of.items():
            other._of[standing] = {person: other.named[person] for person in group}
        return other

    @property
    def around(self) -> Iterator[Participant]:
        """Everyone but those who were removed, of whom a raid can leave thousands."""
        return (
            p for standing, group in self._of.items() if standing is not Standing.REMOVED for p in group.values()
        )

    @property
    def count(self) -> int:
        """How many people are connected, named and counted."""
        return self.crowd + sum(p.connected for p in self.around)

    @property
    def stage(self) -> list[Participant]:
        """Those who have the right to speak: host, co-hosts, speakers, each in the order in which they came."""
        return self.with_standing(Standing.HOST, Standing.COHOST, Standing.SPEAKER)

    @property
    def queue(self) -> list[Participant]:
        """Those who wait to speak, longest waiting first."""
        return sorted(self._of[Standing.REQUESTED].values(), key=lambda p: p.turn)

    def with_standing(self, *standings: Standing) -> list[Participant]:
        """Everyone of these standings, each in the order in which they came to it."""
        return [p for standing in standings for p in self._of[standing].values()]

    def number(self, standing: Standing) -> int:
        """How many people are of a standing."""
        return len(self._of[standing])

    def standing(self, person: str) -> Standing:
        """Return the standing of a person; ``outside`` for the crowd, which has no names."""
        participant = self.named.get(person)
        return participant.standing if participant else Standing.OUTSIDE

    def known(self, person: str) -> Participant:
        """Return a person known by name.

        :raises UnknownPersonError: nobody of that name has anything to do with this Space
        """
        try:
            return self.named[person]
        except KeyError:
            raise UnknownPersonError(
                f"{person} is not on the stage of this Space and has neither asked nor been invited to be."
            ) from None

    def look(self, person: str, present: bool) -> Participant:
        """Return the person, or a stand-in for a face in the crowd, which counts nowhere until :meth:`enter`.

        :param present: whether the person, if not known by name, is one of the crowd
        :raises UnknownPersonError: said to be in the crowd, but there is no crowd
        """
        participant = self.named.get(person)
        if participant is not None:
            return participant
        if present and self.crowd == 0:
            raise UnknownPersonError(f"{person} cannot be one of the listeners, because there are none.")
        return Participant(person, Standing.LISTENER if present else Standing.OUTSIDE, connected=present)

    def know(self, participant: Participant) -> None:
        """Have a person by name who was not one of the crowd."""
        self.named[participant.person] = self._of[participant.standing][participant.person] = participant

    def enter(self, participant: Participant) -> None:
        """Remember a person by name from now on."""
        if participant.person not in self.named:
            self.crowd -= participant.connected
            self.know(participant)

    def move(self, participant: Participant, happening: Input) -> None:
        """Change a standing as the table says.  Who comes back to the crowd without a connection is outside."""
        before = participant.standing
        participant.standing = next_standing(before, happening, participant.person)
        if participant.standing is Standing.LISTENER and not participant.connected:
            participant.standing = next_standing(participant.standing, Input.DROP, participant.person)
        if participant.standing is before:
            return
        del self._of[before][participant.person]
        self._of[participant.standing][participant.person] = participant
        if before is Standing.REQUESTED and participant.asked_at is not None:
            self.answered.append(participant.asked_at)

    def settle(self, participant: Participant, now: float) -> None:
        """Forget a person about whom nothing needs remembering; a connected one joins the crowd."""
        if participant.person in self.named and participant.forgettable(now):
            del self.named[participant.person]
            del self._of[participant.standing][participant.person]
            self.crowd += participant.connected

    def next_turn(self) -> int:
        """Return the place of the next request."""
        self.turns += 1
        return self.turns

    def disperse(self) -> None:
        """Disconnect everybody: the Space is over."""
        self.crowd = 0
        for participant in self.named.values():
            participant.connected = False
            participant.lost_at = None
