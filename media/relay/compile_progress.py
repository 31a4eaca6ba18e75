"""How far a relay is with compiling its kernels, for whoever waits for the server to start."""

import logging
import sys
import time
from collections.abc import Callable

from tqdm import tqdm

logger = logging.getLogger(__name__)

INTERVAL = 5.0
"""Seconds between two lines of the log."""


class CompileProgress:
    """A bar on a terminal, else lines in the log; nothing at all if nothing is compiled."""

    def __init__(
        self, name: str, terminal: bool | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``name`` is the relay's; ``terminal``: whether standard error is one."""
        self._name = name
        self._terminal = sys.stderr.isatty() if terminal is None else terminal
        self._clock = clock
        self._bar: tqdm | None = None  # pyright: ignore[reportMissingTypeArgument]
        self._told = float("-inf")
        self._begun = False

    def show(self, number: int, total: int, kernel: str) -> None:
        """The ``number``-th kernel of ``total`` is being compiled."""
        if not self._begun:
            self._begun = True
            logger.info(
                "%s compiles its kernels; that takes a minute or more, and only the first start does", self._name
            )
        if self._terminal:
            if self._bar is None:
                self._bar = tqdm(total=total, desc=f"{self._name}: compiling", unit="kernel")
            self._bar.set_postfix_str(kernel, refresh=False)
            self._bar.update(number - self._bar.n)
        elif self._clock() - self._told >= INTERVAL:
            self._told = self._clock()
            logger.info("%s compiles kernel %d of %d: %s", self._name, number, total, kernel)

    def close(self) -> None:
        """It is ready, or has ended."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
