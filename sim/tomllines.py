"""On which line of a TOML file a key stands.

``tomllib`` says what a file holds and not where. A scenario with a mistake in it should name the line, so the
line is found by asking ``tomllib`` again: a statement begins right after the longest prefix that still
parses without it. No second TOML grammar is needed, so quoted keys, dotted keys, inline tables and values
over several lines are all found.
"""

import tomllib
from collections.abc import Sequence
from typing import Any, cast

Key = str | int
"""A table key, or the index into an array."""


def line_of(text: str, path: Sequence[Key]) -> int | None:
    """Return the line (from 1) where the statement that first defines ``path`` begins, or None.

    ``text`` must be valid TOML. A scenario is some eighty lines, so parsing every prefix costs milliseconds.
    """
    lines = text.splitlines(keepends=True)
    last_good = 0
    for count in range(1, len(lines) + 1):
        try:
            tree = tomllib.loads("".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            continue
        if _holds(tree, path):
            return last_good + 1
        last_good = count
    return None


def _holds(tree: Any, path: Sequence[Key]) -> bool:
    for key in path:
        if isinstance(tree, dict) and key in tree:
            tree = cast(dict[Key, Any], tree)[key]
        elif isinstance(tree, list) and isinstance(key, int) and key < len(cast(list[Any], tree)):
            tree = cast(list[Any], tree)[key]
        else:
            return False
    return True
