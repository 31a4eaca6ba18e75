"""What moderation needs of the evidence copies of Spaces; nothing where nothing is recorded."""

from collections.abc import Sequence
from typing import Protocol


class EvidenceGoneError(Exception):
    """The evidence of a Space was erased, or is being erased."""


class Evidence(Protocol):
    """The recordings of a server.  Times in milliseconds since the Space started."""

    async def hold(self, space_id: str, holder: str) -> None:
        """Keep the evidence of a Space, in the name of a case.

        :raises EvidenceGoneError: it was erased
        """
        ...

    async def release(self, space_id: str, holder: str, *, violation: bool) -> None:
        """Let its clock decide again; a violation keeps it longer."""
        ...

    async def audio(self, space_id: str, track: str, start_ms: int, end_ms: int) -> bytes:
        """Return a range of a track as Ogg Opus."""
        ...

    async def spurts(self, space_id: str, start_ms: int, end_ms: int) -> Sequence[tuple[str, int, int]]:
        """Return who spoke from when to when."""
        ...
