"""Invitation links: secrets that give a role to whoever follows them, a bounded number of times."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from media.space.errors import SeatsFullError, UnknownLinkError
from media.space.events import InvitedAs

LINK_USES: Final = 1_000
"""How often one link can be followed at the most."""
LINKS_EACH: Final = 10
"""Links that one person can have in a Space at a time."""
LINKS_MAX: Final = 200
"""Links to listen, or to the stage, that a Space can have at a time."""


@dataclass(slots=True)
class Link:
    """One invitation link.  Times in seconds."""

    code: str
    role: InvitedAs
    by: str
    made_at: float
    uses: int
    """How often it can still be followed."""


class Links:
    """The links of one Space, oldest first.  Driven by :class:`~media.space.space.Space` only."""

    def __init__(self) -> None:
        self._by_code: dict[str, Link] = {}

    def __iter__(self) -> Iterator[Link]:
        return iter(self._by_code.values())

    def copy(self) -> "Links":
        """Return a second one in the same state."""
        other = Links()
        for link in self:
            other.keep(replace(link))
        return other

    def known(self, code: str) -> Link:
        """Return the link of a code.

        :raises UnknownLinkError: there is none, or it was followed as often as it could be
        """
        link = self._by_code.get(code)
        if link is None or link.uses < 1:
            raise UnknownLinkError("There is no such invitation link (any more); ask for another one.")
        return link

    def add(self, link: Link) -> None:
        """Keep a new one, in the place of those that were followed as often as they could be.

        :raises SeatsFullError: there are enough
        """
        alive = [other for other in self if other.uses > 0]
        if sum(other.by == link.by for other in alive) >= LINKS_EACH:
            raise SeatsFullError(f"{link.by} has {LINKS_EACH} links to this Space already; revoke one first.")
        if sum((other.role == "listener") == (link.role == "listener") for other in alive) >= LINKS_MAX:
            raise SeatsFullError(f"This Space has {LINKS_MAX} such links already; revoke one first.")
        self._by_code = {other.code: other for other in (*alive, link)}

    def keep(self, link: Link) -> None:
        """Take one up again."""
        self._by_code[link.code] = link

    def discard(self, code: str) -> None:
        """Forget a link."""
        self._by_code.pop(code, None)
