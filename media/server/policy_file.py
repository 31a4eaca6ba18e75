"""Rules of one's own, read from a TOML file; one that is wrong is refused with the line at which it is."""

import re
import tomllib
from pathlib import Path
from typing import Any

from media.space.errors import BadInputError
from media.space.policy import Policy


def read_policy(path: Path) -> Policy:
    """Read the rules that a file holds.

    :raises BadInputError: there is no such file, or which line of it is wrong and why
    """
    try:
        text = path.read_text()
        said = tomllib.loads(text)
    except OSError as error:
        raise BadInputError(f"The policy {str(path)!r} cannot be read: {error.strerror}.") from None
    except ValueError as error:  # neither UTF-8 nor TOML otherwise; TOML says at which line
        raise BadInputError(f"The policy {str(path)!r} is no TOML: {error}.") from None
    try:
        return Policy.from_mapping(said)
    except BadInputError as refusal:
        where = _line(text, _culprit(said))
        at = f"{path}, line {where}" if where else str(path)
        raise BadInputError(f"{at}: {refusal}") from None


def _culprit(said: dict[str, Any]) -> str:
    """Return the first field without which the rest would do no better or worse: the one that is refused."""
    for number, field in enumerate(said, 1):
        try:
            Policy.from_mapping({"name": "x"} | dict(list(said.items())[:number]))
        except BadInputError:
            return field
    return "name"


def _line(text: str, field: str) -> int | None:
    """Return at which line (from 1) a field stands."""
    named = re.compile(rf"\s*\[*\s*[\"']?{re.escape(field)}[\"']?\s*[]=.]")
    return next((number for number, line in enumerate(text.splitlines(), 1) if named.match(line)), None)
