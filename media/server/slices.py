"""Long computations in slices, between which the event loop serves everyone else.

A thread would not do: it holds the interpreter for 5 ms at a time, as often as it likes. Here one slice runs at a
time, whoever asks for it, and each time only after all that was waiting for the loop has had its turn. So however
many people search, nobody else waits longer than one slice.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

SLICE: Final = 0.005
"""Seconds of a slice; one element more may come on top."""

Element = TypeVar("Element")
Result = TypeVar("Result")


class Slices:
    """Shared by all that computes at length on one event loop."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """Take a clock in seconds."""
        self._clock = clock
        self._turn = asyncio.Lock()

    async def map(self, function: Callable[[Element], Result], elements: Iterable[Element]) -> list[Result]:
        """Apply a function to each element, in order; each call must take far less than a slice."""
        results: list[Result] = []
        waiting = iter(elements)
        while True:
            async with self._turn:
                until = self._clock() + SLICE
                for element in waiting:
                    results.append(function(element))
                    if self._clock() >= until:
                        break
                else:
                    return results
                await asyncio.sleep(0)
