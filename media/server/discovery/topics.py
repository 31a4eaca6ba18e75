"""Topics that a Space can have: a short list of X's own entities, with X's ids and names.

The ids are those of the context annotations of X API v2, so that clients written for X know them. A host may use
others; those are shown by their ids.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Topic:
    """A subject."""

    id: str
    name: str
    description: str


_ENTRIES: Final = json.loads((Path(__file__).parent / "topics.json").read_text("utf-8"))
TOPICS: Final[Mapping[str, Topic]] = MappingProxyType({entry["id"]: Topic(**entry) for entry in _ENTRIES})
"""Id to topic, in the order in which to show them."""
