"""Who is where: from the source of a datagram to a place in a table, inside kernels."""

import secrets
from typing import Any

import numpy as np
from numba import njit

FIRST_SIZE = 256
"""Slots at first; doubled whenever half of them are taken."""


@njit(nogil=True, cache=True, inline="always")
def _slot(address: Any, factor: Any, size: int) -> Any:  # pragma: no cover
    return np.int64((address * factor) >> np.uint64(32)) & (size - 1)


@njit(nogil=True, cache=True)
def find(slots: Any, factor: Any, address: Any) -> Any:  # pragma: no cover
    """The slot of an address, or the empty one where its search ends.

    ``slots``: uint64[size, 2] of address (0: empty) and place; size is a power of two. ``factor``: uint64, odd and
    secret, so that nobody can choose addresses that fall together.
    """
    index = _slot(address, factor, slots.shape[0])
    while slots[index, 0] != 0 and slots[index, 0] != address:
        index = (index + 1) & (slots.shape[0] - 1)
    return index


@njit(nogil=True, cache=True)
def _put(slots: Any, factor: Any, address: Any, place: int) -> bool:  # pragma: no cover
    """Enter or change an address; True if it is new."""
    index = find(slots, factor, address)
    new = slots[index, 0] == 0
    slots[index, 0], slots[index, 1] = address, place
    return new


@njit(nogil=True, cache=True)
def _remove(slots: Any, factor: Any, address: Any) -> None:  # pragma: no cover
    """Empty a slot; those behind it that could not be found any more move up."""
    size = slots.shape[0]
    hole = find(slots, factor, address)
    index = hole
    while True:
        index = (index + 1) & (size - 1)
        if slots[index, 0] == 0:
            break
        home = _slot(slots[index, 0], factor, size)
        if ((index - home) & (size - 1)) >= ((index - hole) & (size - 1)):
            slots[hole] = slots[index]
            hole = index
    slots[hole] = 0


class AddressTable:
    """Open addressing with linear probing. An address is the first 8 bytes of its ``sockaddr_in``, never 0."""

    def __init__(self) -> None:
        self.slots = np.zeros((FIRST_SIZE, 2), np.uint64)
        self.factor = np.uint64(secrets.randbits(64) | 1)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def get(self, address: int) -> int:
        """The place of an address, -1 if it has none."""
        index = find(self.slots, self.factor, np.uint64(address))
        return int(self.slots[index, 1]) if self.slots[index, 0] else -1

    def put(self, address: int, place: int) -> None:
        """Enter an address, or give it another place."""
        if 2 * self._count >= len(self.slots):
            old, self.slots = self.slots, np.zeros((2 * len(self.slots), 2), np.uint64)
            for entry, at in old[old[:, 0] != 0]:
                _put(self.slots, self.factor, entry, int(at))
        self._count += _put(self.slots, self.factor, np.uint64(address), place)

    def remove(self, address: int) -> None:
        """Forget an address; one that is not there is no error."""
        if self.get(address) >= 0:
            _remove(self.slots, self.factor, np.uint64(address))
            self._count -= 1
