"""The shapes of the rules of entry, in requests and in Spaces as they are shown."""

from typing import Any, Final

from pydantic import BaseModel, Field

from media.server.input import Flag, Input, Whole
from media.space.entry import RATE_MAX
from media.space.policy import EntryPolicy

ENTRY_FIELDS: Final = ("entry_policy", "locked", "entry_rate", "mute_on_entry")
"""Those of :meth:`media.space.entry.Entry.set_entry`."""


class EntryRules(Input):
    """Who comes in; what is not named, or null, is as it was, or for a new Space as its host's settings say."""

    entry_policy: EntryPolicy | None = Field(
        None,
        description="who may come in and ask to speak: `everyone`, or people the host is `following`; whoever is "
        "in, or invited to speak, is not concerned",
    )
    locked: Flag | None = Field(
        None, description="whether nobody new comes in; whoever is in stays, and is let in again after a drop"
    )
    entry_rate: Whole | None = Field(
        None,
        ge=0,
        le=RATE_MAX,
        examples=[60],
        description="slow entry: listeners who are let in a minute, 0 for as many as come; whoever has to wait is "
        "told until when (429 with `Retry-After`), and their turn is kept for 15 seconds",
    )
    mute_on_entry: Flag | None = Field(
        None,
        description="whether whoever gets the right to speak is muted until host or a co-host lifts it",
    )

    def entry(self) -> dict[str, Any]:
        """Return the rules that are named."""
        named = {name: getattr(self, name) for name in ENTRY_FIELDS}
        return {name: value for name, value in named.items() if value is not None}


class EntryOut(BaseModel):
    """The rules of entry of a Space."""

    entry_policy: EntryPolicy = Field(EntryPolicy.EVERYONE, description="who may come in and ask to speak")
    locked: bool = Field(False, description="whether nobody new comes in")
    entry_rate: int = Field(0, description="listeners who are let in a minute; 0 for as many as come")
    mute_on_entry: bool = Field(False, description="whether new speakers are muted until an admin lifts it")
