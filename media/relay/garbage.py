"""Garbage collection where it does not make a tick late: right after one, when 20 ms remain until the next.

Python collects whenever enough objects were made, which may be in the middle of a fan-out and may walk everything
that lives. Here the young are walked after every fiftieth tick, and those that live on are moved to where no
collection looks again. Only in a relay without sessions is everything walked: then nobody is waiting, and whatever
cycles ended sessions left are found.
"""

import gc

INTERVAL = 50
"""Ticks between two collections of the young: 1 s."""


class Sweeper:
    """Takes garbage collection over for this process; called after every tick by the media thread."""

    def __init__(self) -> None:
        self._ticks = 0
        self._used = False
        gc.disable()

    def start(self) -> None:
        """What lives now lives as long as the process."""
        gc.collect()
        gc.freeze()

    def after_tick(self, sessions: int) -> None:
        """Collect if it is time to; ``sessions``: how many there are now."""
        self._ticks += 1
        if self._ticks % INTERVAL:
            return
        if sessions:
            self._used = True
            gc.collect(1)
            gc.freeze()
        elif self._used:
            self._used = False
            gc.unfreeze()
            gc.collect()
            gc.freeze()
