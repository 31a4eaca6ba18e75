"""The shapes of what hosts set for all of their Spaces."""

from datetime import UTC, datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from media.server.host_tools.store import CarriedRemoval, HostSettings
from media.server.input import Flag, Input, Whole
from media.server.profiles import PageMeta
from media.space.entry import RATE_MAX
from media.space.policy import EntryPolicy


class HostSettingsOut(BaseModel):
    """What holds for all Spaces of a host."""

    carry_removals: bool = Field(
        description="whether whoever is removed from a Space, by host or co-host, is blocked by the host from "
        "then on, and so kept out of every Space of theirs"
    )
    entry_policy: EntryPolicy = Field(description="what a new Space begins with")
    entry_rate: int = Field(description="what a new Space begins with: listeners a minute, 0 for as many as come")
    mute_on_entry: bool = Field(description="what a new Space begins with")

    @classmethod
    def of(cls, settings: HostSettings) -> "HostSettingsOut":
        """Show settings."""
        return cls.model_validate(settings, from_attributes=True)


class HostSettingsChange(Input):
    """What is to be different; what is not named, or null, stays."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    carry_removals: Flag | None = None
    entry_policy: EntryPolicy | None = None
    entry_rate: Whole | None = Field(None, ge=0, le=RATE_MAX, examples=[60])
    mute_on_entry: Flag | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("there is nothing to change; name a field")
        return self

    def changes(self) -> dict[str, Any]:
        """Return the fields that were named."""
        return {name: getattr(self, name) for name in self.model_fields_set if getattr(self, name) is not None}


class CarriedRemovalOut(BaseModel):
    """Somebody on the block list of a host because they were removed from a Space."""

    user_id: str
    space_id: str
    removed_by: str = Field(examples=["ben"], description="host or co-host of that Space")
    removed_at: datetime

    @classmethod
    def of(cls, removal: CarriedRemoval) -> "CarriedRemovalOut":
        """Show a removal."""
        at = datetime.fromtimestamp(removal.at, UTC)
        return cls(
            user_id=removal.user_id, space_id=removal.space_id, removed_by=removal.removed_by, removed_at=at
        )


class CarriedRemovalList(BaseModel):
    """A page of them, newest first."""

    data: list[CarriedRemovalOut]
    meta: PageMeta
