"""The languages that somebody reads, from the Accept-Language header (RFC 9110 section 12.5.4)."""

import re
from typing import Final

_Q: Final = r"(?:\s*;\s*q=(0(?:\.\d{1,3})?|1(?:\.0{1,3})?))?"
_RANGE: Final = re.compile(rf"(\*|[A-Za-z]{{1,8}})(?:-[A-Za-z0-9]{{1,8}})*{_Q}")
_MANY: Final = 32


def languages(header: str) -> dict[str, float]:
    """Return primary language tags in lower case with their q; what is malformed is left out."""
    found: dict[str, float] = {}
    for part in header.split(",", _MANY)[:_MANY]:
        if match := _RANGE.fullmatch(part.strip()):
            tag, q = match[1].lower(), float(match[2] or 1)
            found[tag] = max(found.get(tag, 0.0), q)
    return found
