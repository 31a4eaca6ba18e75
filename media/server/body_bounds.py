"""Bounds of a request body, derived from the schema that the body must fit.

A schema says how long a text and how many entries a list may have at the most, so it says how large a body that
fits can be. What is larger is refused before it is parsed; nobody has to choose a limit for a new route.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi.routing import APIRoute
from pydantic import TypeAdapter

MAX_BYTES: Final = "x-max-bytes"
MAX_VALUES: Final = "x-max-values"
MAX_DEPTH: Final = "x-max-depth"
"""Members of a ``requestBody`` in the OpenAPI document; a route may state the first in its ``openapi_extra``."""

SDP_LIMIT: Final = 64 * 1024
"""Bytes of an offer; a browser's is below 8 KiB."""

_ESCAPED: Final = 12
"""Bytes of one character that JSON writes as two escaped surrogates."""
_SCALAR: Final = 64
"""Bytes of a number, a time or a literal, with room to spare."""
_INDENT: Final = 16
"""Bytes of white space around a value in JSON that is laid out for people."""
_UNKNOWN: Final = 32
"""Values beyond those of the schema, which validation can name instead of refusing the body unseen."""
_NESTED: Final = 4
"""Levels beyond those of the schema."""
_FREE_ENTRY: Final = (256, 8, 4)
"""Bytes, values and depth of an entry of an object whose entries the schema leaves open."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The most that a body may be."""

    size: int
    """Bytes."""
    values: int
    """Objects, arrays, and what is in them."""
    depth: int
    """Levels of objects and arrays."""


SMALLEST: Final = Bound(4096, 1 + _UNKNOWN, 1 + _NESTED)
"""Bound of a body that no schema describes."""


def bound_of(route: APIRoute) -> Bound:
    """Return the bound of a route's body.

    :raises ValueError: its schema has a text, a list or an object without an end
    """
    declared: int | None = (route.openapi_extra or {}).get("requestBody", {}).get(MAX_BYTES)
    if declared is not None:
        return Bound(declared, SMALLEST.values, SMALLEST.depth)
    if route.body_field is None:
        return SMALLEST
    body: Any = route.body_field.field_info.annotation
    schema: dict[str, Any] = TypeAdapter(body).json_schema()
    try:
        size, values, depth = _measure(schema, schema.get("$defs", {}))
    except KeyError as missing:
        raise ValueError(f"The body of {route.path} has no end: {missing} is not said somewhere.") from None
    needed = max(SMALLEST.size, size + _INDENT * values)
    return Bound(1 << (needed - 1).bit_length(), values + _UNKNOWN, depth + _NESTED)


def _measure(schema: Mapping[str, Any], known: Mapping[str, Any]) -> tuple[int, int, int]:
    """Return bytes, values and depth of the largest that fits a schema."""
    if "$ref" in schema:
        return _measure(known[schema["$ref"].rpartition("/")[2]], known)
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema and "type" not in schema:
            sizes, values, depths = zip(*(_measure(each, known) for each in schema[key]), strict=True)
            return max(sizes), max(values), max(depths)
    if "enum" in schema or "const" in schema:
        return max(len(str(each)) for each in schema.get("enum", [schema.get("const")])) + 2, 1, 0
    match schema["type"]:
        case "string":
            return _text(schema), 1, 0
        case "array":
            size, values, depth = _measure(schema["items"], known)
            return (size + 1) * schema["maxItems"] + 2, values * schema["maxItems"] + 1, depth + 1
        case "object" if "properties" in schema:
            parts = {name: _measure(each, known) for name, each in schema["properties"].items()}
            size = sum(len(name) + 4 + part[0] for name, part in parts.items())
            return (
                size + 2,
                sum(part[1] for part in parts.values()) + 1,
                max((part[2] for part in parts.values()), default=0) + 1,
            )
        case "object":
            size, values, depth = _FREE_ENTRY
            return size * schema["maxProperties"], values * schema["maxProperties"] + 1, depth + 1
        case _:
            return _SCALAR, 1, 0


def _text(schema: Mapping[str, Any]) -> int:
    if schema.get("format") == "date-time":
        return _SCALAR
    return schema["maxLength"] * (1 if _is_ascii(schema.get("pattern", ".")) else _ESCAPED) + 2


def _is_ascii(pattern: str) -> bool:
    """Whether all that a pattern lets pass is ASCII, which nobody escapes: its classes list what they take."""
    bare = re.sub(r"\[[^^\]][^\]]*\]", "", pattern)
    return bare.isascii() and not re.search(r"\[\^|\\[WSD]|\\w|\.", bare)
