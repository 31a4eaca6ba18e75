"""The qualitative part of a transparency report: what this software does, for whoever runs it to add to."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from media.moderation.agreement import SECOND_SHARE
from media.moderation.annex import QUALITATIVE
from media.moderation.policy import DEFAULT

_TEXTS: Final = (
    "Reports on users and on Spaces are gathered into cases, which reviewers decide by due time and severity. "
    "What the service finds by itself enters the same queue.",
    "A reviewer can warn, mute, take the right to speak, remove from a Space, end a Space, and suspend an "
    "account. Every restriction comes with a statement of reasons, and can be complained about for "
    f"{DEFAULT.appeal_window / 86_400:.0f} days; another reviewer than the first answers.",
    "Automated means order the queue of cases; they take no measure and process no notice to its end.",
    "Accuracy, precision and recall compare what automated means suggested with what reviewers decided. "
    f"{SECOND_SHARE:.0%} of all decisions are read a second time by another reviewer.",
    "To show reviewers first what is likely to break a rule.",
    "People take every decision. Automated means show why they suggest a case, and their agreement with the "
    "decisions is counted.",
)
TEXTS: Final[Mapping[str, str]] = MappingProxyType(dict(zip(QUALITATIVE, _TEXTS, strict=True)))
"""Text of each indicator that applies to every provider."""
