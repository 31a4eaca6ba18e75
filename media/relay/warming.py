"""The start of a relay's process until its kernels are there, and what it says of that to its parent.

To load compiled kernels takes a second; to compile them takes minutes, once for each version of them on a machine.
All that time a thread says every second that the process lives, and which kernel is being compiled.
"""

import logging
import os
import sys
import threading
from collections.abc import Callable
from types import TracebackType

from numba.core.dispatcher import Dispatcher
from numba.core.event import Event, Listener, register, unregister

from media.relay.control import Control

logger = logging.getLogger(__name__)

INTERVAL = 1.0
"""Seconds between two signs of life."""
_COMPILE = "numba:compile"


def kernel_count() -> int:
    """Kernels of the modules loaded so far, without those that are only ever part of another."""
    modules = [module for name, module in [*sys.modules.items()] if name.startswith("media.")]
    kernels = {value for module in modules for value in vars(module).values() if isinstance(value, Dispatcher)}
    return sum(kernel.targetoptions.get("inline") != "always" for kernel in kernels)


class _Compiles(Listener):
    """Notes which kernel is compiled, and how many were before it."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.count = 0
        self.name = ""

    def on_start(self, event: Event) -> None:
        """One more."""
        self.name = event.data["dispatcher"].py_func.__name__ if event.data else ""
        self.count += 1

    def on_end(self, event: Event) -> None:
        """Nothing: the next that begins is told."""


class LateCompiles(Listener):
    """Says, before it happens, that a kernel is compiled while the relay runs: it will not answer for seconds.

    That is a fault, since :class:`Warming` is to leave none; but to end the relay for it would make it worse.
    """

    def __init__(self, control: Control) -> None:
        self._control = control
        register(_COMPILE, self)

    def on_start(self, event: Event) -> None:
        """It begins."""
        name = event.data["dispatcher"].py_func.__name__ if event.data else ""
        logger.warning("the kernel %s is compiled while the relay runs; it should have been before", name)
        self._control.say("compiling", 1, 1, name)

    def on_end(self, event: Event) -> None:
        """Whatever is said next says so."""


class Warming:
    """A context in which kernels are loaded or compiled."""

    def __init__(self, control: Control, exit_process: Callable[[int], object] = os._exit) -> None:
        """``exit_process`` is called if the parent goes meanwhile."""
        self._control = control
        self._exit = exit_process
        self._compiles = _Compiles(kernel_count())
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tell, name="warming", daemon=True)

    def __enter__(self) -> None:
        register(_COMPILE, self._compiles)
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        unregister(_COMPILE, self._compiles)
        self._over.set()
        self._thread.join()

    def _tell(self) -> None:
        while not self._over.wait(INTERVAL):
            compiles = self._compiles
            if compiles.count:
                self._control.say("compiling", compiles.count, max(compiles.count, compiles.total), compiles.name)
            else:
                self._control.say("alive")
            if self._control.ended:
                self._exit(0)
