"""Plain values into typed, bounded dataclasses, with every mistake named.

A dataclass says by its annotations what a file must hold: ``Share`` is a number between 0 and 1, ``Count`` a
whole number of 0 or more. Nothing has a default here: a key that is missing is a mistake like one too many.
"""

import math
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, cast, get_args, get_origin, get_type_hints

from sim.tomllines import Key

Where = Callable[[Sequence[Key]], str]
"""Says in which file and on which line a key stands, as the beginning of a sentence."""
T = TypeVar("T")


class ScenarioError(ValueError):
    """A scenario that cannot be used; the message is one sentence that names the key and the line."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The numbers a field may hold: ``low`` to ``high``, ``low`` itself excluded where ``above`` is set."""

    low: float
    high: float = math.inf
    above: bool = False

    def describe(self) -> str:
        """Return the rule in words."""
        if self.high < math.inf:
            most = f"{self.high:,.0f}" if self.high >= 1_000 else f"{self.high:g}"
            return (
                f"more than {self.low:g} and at most {most}" if self.above else f"between {self.low:g} and {most}"
            )
        return f"more than {self.low:g}" if self.above else f"{self.low:g} or more"

    def admit(self, value: float) -> bool:
        """Return True if ``value`` is finite and within the bounds."""
        return (
            math.isfinite(value) and (value > self.low if self.above else value >= self.low) and value <= self.high
        )


Share = Annotated[float, Bounds(0, 1)]
Amount = Annotated[float, Bounds(0)]
Positive = Annotated[float, Bounds(0, above=True)]
Count = Annotated[int, Bounds(0, 10_000_000_000)]
"""More people than there are is a slip of the finger."""
Spread = Annotated[float, Bounds(0, 3)]


def build(cls: type[T], tree: Mapping[str, Any], path: tuple[Key, ...], where: Where) -> T:
    """Build the dataclass ``cls`` from ``tree``; raise ScenarioError for what does not fit its annotations.

    ``path`` is where ``tree`` stands in its file, and ``where(path)`` says so in words (or says nothing).
    """
    hints = get_type_hints(cls, include_extras=True)
    for key in tree:
        if key not in hints:
            known = ", ".join(hint for hint in hints if hint != "name")
            raise ScenarioError(f"{where((*path, key))}unknown key {_dotted((*path, key))}; known here: {known}")
    for key in hints:
        if key not in tree:
            raise ScenarioError(f"{where(path)}the key {_dotted((*path, key))} is missing")
    return cls(**{key: _value(hint, tree[key], (*path, key), where) for key, hint in hints.items()})


def _value(hint: Any, value: Any, path: tuple[Key, ...], where: Where) -> Any:
    if get_origin(hint) is Annotated:
        kind, bounds = get_args(hint)
        return _number(kind, bounds, value, path, where)
    if get_origin(hint) is tuple:
        return _tagged(get_args(hint)[0], value, path, where)
    expected = "a text" if hint is str else "a table"
    if not isinstance(value, str if hint is str else Mapping):
        raise ScenarioError(f"{where(path)}{_dotted(path)} is {value!r}; it must be {expected}")
    return value if hint is str else build(hint, cast(Mapping[str, Any], value), path, where)


def _number(kind: type, bounds: Bounds, value: Any, path: tuple[Key, ...], where: Where) -> int | float:
    allowed: type | types.UnionType = int if kind is int else int | float
    if isinstance(value, bool) or not isinstance(value, allowed):
        expected = "a whole number" if kind is int else "a number"
        raise ScenarioError(f"{where(path)}{_dotted(path)} is {value!r}; it must be {expected}")
    if not bounds.admit(value):
        raise ScenarioError(f"{where(path)}{_dotted(path)} is {value:g}; it must be {bounds.describe()}")
    return kind(value)


def _tagged(union: Any, value: Any, path: tuple[Key, ...], where: Where) -> tuple[Any, ...]:
    """Build a list of tables, each of the member of ``union`` that its key ``kind`` names in lower case."""
    kinds = {cls.__name__.lower(): cls for cls in get_args(union)}
    if not isinstance(value, list | tuple):
        raise ScenarioError(
            f"{where(path)}{_dotted(path)} is {value!r}; it must be a list of tables [[{_dotted(path)}]]"
        )
    built: list[Any] = []
    for index, entry in enumerate(cast(Sequence[Any], value)):
        here = (*path, index)
        kind = cast(Mapping[str, Any], entry).get("kind") if isinstance(entry, Mapping) else None
        if not isinstance(kind, str) or kind not in kinds:
            at = where((*here, "kind")) if kind is not None else where(here)
            raise ScenarioError(
                f"{at}{_dotted((*here, 'kind'))} is {kind!r}; it must be one of {', '.join(kinds)}"
            )
        built.append(build(kinds[kind], entry, here, where))
    return tuple(built)


def _dotted(path: Sequence[Key]) -> str:
    dotted = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return dotted.removeprefix(".")
