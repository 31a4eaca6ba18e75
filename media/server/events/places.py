"""How many streams one person, and one address, may have open: each holds a connection for as long as it lasts."""

from collections import Counter
from typing import Final

from media.server.errors import Problem

PER_PERSON: Final = 10
"""Pages that one person may have open."""
PER_ADDRESS: Final = 200
"""Streams from one address: a household, an office, a carrier's translator."""
RETRY: Final = 5
"""Seconds after which one may have ended."""


class Places:
    """Counts open streams."""

    def __init__(self, per_person: int = PER_PERSON, per_address: int = PER_ADDRESS) -> None:
        self._limits = {"person": per_person, "address": per_address}
        self._taken: Counter[tuple[str, str]] = Counter()

    def take(self, person: str | None, address: str) -> list[tuple[str, str]]:
        """Take a place, and return what to give back.

        :param address: of the client; empty where it does not count
        :raises Problem: 429, all are taken
        """
        keys = [(kind, name) for kind, name in (("person", person), ("address", address)) if name]
        for kind, name in keys:
            if self._taken[kind, name] >= self._limits[kind]:
                whose = "of yours" if kind == "person" else "from your address"
                raise Problem(
                    429,
                    "too-many-streams",
                    f"There are {self._limits[kind]} event streams {whose} already; close one first.",
                    headers={"Retry-After": str(RETRY)},
                )
        self._taken.update(keys)
        return keys

    def give(self, keys: list[tuple[str, str]]) -> None:
        """Give a place back."""
        for key in keys:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]
