"""What bodies of requests have in common: nothing unknown is taken, and nothing is guessed.

By itself pydantic takes ``1`` and ``"yes"`` for true and ``"5"`` for a number, and the OpenAPI document does not.
"""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _without_point(value: object) -> object:
    """Take ``5.0`` for what it is in JSON Schema, and in JavaScript: 5."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Flag = Annotated[bool, Field(strict=True)]
"""``true`` or ``false``."""
Whole = Annotated[int, Field(strict=True), BeforeValidator(_without_point)]
"""A whole number."""


class Input(BaseModel):
    """The body of a request; a field that it does not have is refused by name."""

    model_config = ConfigDict(extra="forbid")
