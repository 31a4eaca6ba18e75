"""How many different people came, without a list of them: a HyperLogLog sketch under a key of the Space.

A set of salted hashes would do, too, but grows with the crowd and is a list all the same: whoever holds it and
the salt can try names. The sketch holds 4,096 small numbers however many came, and hashes are not in it: of each,
it keeps only how many zeros followed its first 12 bits, where that is the most so far. It is fed hashes that are
keyed by a secret of the Space, which is deleted at its end; from then on not even a guess can be tried.

Flajolet et al., "HyperLogLog" (2007); estimated as in Ertl, "New cardinality estimation algorithms for HyperLogLog
sketches" (2017), algorithm 6, which needs no correction for small or large numbers.
"""

import base64
import hashlib
import math
import zlib
from typing import Final

BITS: Final = 12
"""Of a hash that choose the register."""
REGISTERS: Final = 1 << BITS
ERROR: Final = 1.04 / math.sqrt(REGISTERS)
"""Relative standard error: 1.6 %; of a hundred people, about one."""
_REST: Final = 64 - BITS
_ALPHA: Final = 1 / (2 * math.log(2))


class Sketch:
    """Counts different names."""

    def __init__(self, packed: str = "") -> None:
        """Take what :meth:`pack` returned; nothing for an empty one.

        :raises ValueError: it is no sketch
        """
        self._registers = bytearray(REGISTERS)
        if packed:
            self._registers[:] = zlib.decompress(base64.b64decode(packed, validate=True))
            if len(self._registers) != REGISTERS:
                raise ValueError(f"A sketch has {REGISTERS} registers, not {len(self._registers)}.")

    def add(self, name: str, key: bytes) -> None:
        """Count a name, hashed under a key of 16 bytes or more."""
        digest = hashlib.blake2b(name.encode(), digest_size=8, key=key).digest()
        number = int.from_bytes(digest)
        register, rest = number >> _REST, number & ((1 << _REST) - 1)
        rank = _REST - rest.bit_length() + 1
        if rank > self._registers[register]:
            self._registers[register] = rank

    def merge(self, other: "Sketch") -> None:
        """Count what another has counted under the same key."""
        self._registers[:] = map(max, self._registers, other._registers)

    def estimate(self) -> float:
        """Return about how many different names were counted."""
        counts = [0] * (_REST + 2)
        for rank in self._registers:
            counts[rank] += 1
        if counts[0] == REGISTERS:
            return 0.0
        z = REGISTERS * _tau(1 - counts[_REST + 1] / REGISTERS)
        for rank in range(_REST, 0, -1):
            z = 0.5 * (z + counts[rank])
        z += REGISTERS * _sigma(counts[0] / REGISTERS)
        return _ALPHA * REGISTERS * REGISTERS / z

    def pack(self) -> str:
        """Return it as text: some bytes while few have come, below 4 KB always."""
        return base64.b64encode(zlib.compress(self._registers, 1)).decode()


def _sigma(x: float) -> float:
    if x == 1:
        return math.inf
    y, z, before = 1.0, x, -1.0
    while z != before:
        x, before = x * x, z
        z, y = z + x * y, y + y
    return z


def _tau(x: float) -> float:
    if x in (0.0, 1.0):
        return 0.0
    y, z, before = 1.0, 1 - x, -1.0
    while z != before:
        x, before, y = math.sqrt(x), z, y * 0.5
        z -= (1 - x) ** 2 * y
    return z / 3
