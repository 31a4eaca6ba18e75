"""Examples made of JSON schemas: what a field says of itself, else what its name or its format suggests."""

from collections.abc import Mapping
from typing import Any, Final

_BY_NAME: Final[Mapping[str, Any]] = {
    "id": "1DXxyRYNejbKM",
    "space_id": "1DXxyRYNejbKM",
    "user_id": "ana",
    "creator_id": "ana",
    "username": "ana",
    "name": "Ana",
    "title": "What we learned from the launch",
    "lang": "en",
    "host_ids": ["ana"],
    "speaker_ids": ["ana", "ben"],
    "invited_user_ids": ["cem"],
    "topic_ids": ["product"],
    "refresh_token": "kq1vXnqTt0iWq7zHk2m8q0yX7nq0c4b1",
    "next_token": None,
    "ended_at": None,
}
_BY_FORMAT: Final[Mapping[str, str]] = {
    "date-time": "2021-08-05T17:00:00Z",
    "date": "2021-08-05",
    "uri": "https://spaces.example/",
    "uuid": "8e03978e-40d5-43dd-bc93-6894a57f9324",
}
_DEEP: Final = 8
"""Levels after which nothing more is shown."""


def example_of(schema: Mapping[str, Any], components: Mapping[str, Any], name: str = "", depth: int = 0) -> Any:
    """Return a value that fits a schema; ``name`` is that of the field it is for."""
    if "$ref" in schema:
        target = str(schema["$ref"]).rpartition("/")[2]
        return example_of(components["schemas"][target], components, name, depth)
    for said in ("example", "const", "default"):
        if schema.get(said) not in (None, [], "", 0, False):
            return schema[said]
    for some in ("examples", "enum"):
        if schema.get(some):
            return schema[some][0]
    choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if choices and "properties" not in schema:
        if _BY_NAME.get(name, "") is None and {"type": "null"} in choices:
            return None
        return example_of(choices[0], components, name, depth + 1)
    return _plain(schema, components, name, depth)


def _plain(schema: Mapping[str, Any], components: Mapping[str, Any], name: str, depth: int) -> Any:
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        fields: Mapping[str, Any] = {} if depth > _DEEP else schema.get("properties", {})
        return {field: example_of(each, components, field, depth + 1) for field, each in fields.items()}
    if kind == "array":
        known = _BY_NAME.get(name)
        items = schema.get("items", {})
        if isinstance(known, list) and "examples" not in items:
            return known
        return [example_of(items, components, name.removesuffix("s"), depth + 1)]
    if kind == "integer" or kind == "number":
        return schema.get("minimum", 0)
    if kind == "boolean":
        return schema.get("default", False)
    if kind == "null":
        return None
    known = _BY_NAME.get(name)
    return known if isinstance(known, str) else _BY_FORMAT.get(str(schema.get("format")), name or "text")
