"""Sizes as people write them: ``10G`` on a card's box, ``16G`` of memory.

Decimal prefixes throughout (k, M, G, T are 10³, 10⁶, 10⁹, 10¹², BIPM, The International System of Units, 9th ed.,
2019, table 7), as makers of cards write them; ``Ki``, ``Mi``, ``Gi``, ``Ti`` are powers of 1,024 (IEC 80000-13).
"""

import math
import re

_PREFIXES = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_BINARY = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}
_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<prefix>[KMGT]i|[kKMGT]?)(?P<unit>bit/s|bps|B|)")


class FleetError(ValueError):
    """A fleet that there cannot be; the message is one sentence that names the flag and what to do."""


def parse_rate(text: str, flag: str = "--nic") -> float:
    """Mbit/s of a card, from ``10G``, ``2.5 Gbit/s`` or ``940M``; :raises FleetError: it is no such rate."""
    return _parse(text, flag, ("", "bit/s", "bps"), "a rate in bits a second such as 10G or 2.5G") / 1e6


def parse_bytes(text: str, flag: str = "--memory") -> float:
    """Bytes, from ``16G``, ``512MB`` or ``16Gi``; :raises FleetError: it is no such size."""
    return _parse(text, flag, ("", "B"), "a size in bytes such as 16G or 512M")


def parse_count(text: str, flag: str) -> int:
    """A whole number of 1 or more; :raises FleetError: it is none."""
    if not text.isdecimal() or int(text) < 1:
        raise FleetError(f"{flag} is {text!r}; give a whole number of 1 or more")
    return int(text)


def _parse(text: str, flag: str, units: tuple[str, ...], wanted: str) -> float:
    found = _SIZE.fullmatch(text.strip())
    if found is None or found["unit"] not in units:
        raise FleetError(f"{flag} is {text!r}; give {wanted}")
    value = float(found["number"]) * (_PREFIXES | _BINARY)[found["prefix"]]
    if not 0 < value < math.inf:
        raise FleetError(f"{flag} is {text!r}; it must be more than 0")
    return value
