"""The shape of JSON text, counted without parsing it.

Parsing makes an object of each value, and validation an error of each that is wrong: both cost a hundred times the
bytes that say it. What is too much must therefore be known before.
"""

import re
from typing import Final

_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""A string; one without an end goes to the end of the text, so that each byte is looked at once."""
_STRUCTURE: Final = b"{}[],"
_OTHERS: Final = bytes(set(range(256)) - set(_STRUCTURE))


def structure_of(text: bytes) -> bytes:
    """Return the brackets and commas of a text that are not in strings."""
    return _STRING.sub(b"", text).translate(None, _OTHERS)


def values_in(structure: bytes) -> int:
    """Count objects, arrays and what is in them, at the most."""
    return 1 + structure.count(b",") + structure.count(b"[") + structure.count(b"{")


def depth_of(structure: bytes, most: int) -> int:
    """Count the levels of brackets; more than ``most`` are not told apart."""
    depth = deepest = 0
    for byte in structure:
        if byte in b"{[":
            depth += 1
            deepest = max(deepest, depth)
            if deepest > most:
                break
        elif byte in b"}]":
            depth -= 1
    return deepest
