"""How a run ends before its time: a signal, or a loss that makes what is still measured worthless.

Locust takes SIGTERM only after a headless shape has ended, and Ctrl-C wherever it is at that moment, which may be
in the middle of a user. Here both, and SIGHUP, take the one way that Locust is made for: its main greenlet gets a
KeyboardInterrupt, once, and ends the run in good order. What is written and told at the end is done in a greenlet
of its own, which Locust, when it kills its own, does not know.
"""

import logging
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import gevent
from locust.runners import MasterRunner, WorkerRunner

from loadtest.with_parent import end_with_parent

logger = logging.getLogger(__name__)

SIGNALS = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}
MASTER_SILENCE = 20.0
"""Seconds without a heartbeat after which a worker ends; the master answers each of its own, one a second."""
PROOF = 2.5
"""Seconds of silence that prove that a master is gone whose worker was told to end."""
DRAIN = 1.0
"""Seconds in which a heartbeat may still be read that a master sent before it was killed."""
DYING = 2.0
"""Seconds that a killed master may take: the signal comes with the end of one of its threads, not of the last."""
FINISH_TIMEOUT = 60.0
"""Seconds that the end of a run may take: last rows of workers, the record, the end of the Space."""


class Stopping:
    """Why one process's run ends early, and the greenlet that ends it."""

    def __init__(self, environment: Any, web_ui: Any) -> None:
        self.completed = False
        """The run has come to the end it was made for."""
        self.orphaned = False
        """The master is gone: nobody else ends the Space."""
        self._environment, self._web = environment, web_ui
        self._cause: str | None = None
        self._lost: str | None = None
        self._stopping = self._told = False
        self._finishing: gevent.Greenlet[..., None] | None = None
        for number, name in SIGNALS.items():
            if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
                gevent.signal_handler(number, partial(self._signalled, number, name))
        environment.events.test_start.add_listener(self._begin)
        environment.events.test_stopping.add_listener(self._note)
        environment.events.quitting.add_listener(self.wait)
        if isinstance(environment.runner, WorkerRunner):
            self._follow_master(environment)

    def cut_short(self, ends: bool) -> str | None:
        """Why the run did not come to its end; None if it did, or, unless it ``ends`` by itself, was ended."""
        if self._lost:
            return self._lost
        return (self._cause or "it was stopped by hand") if ends and not self.completed else None

    def lost(self, what: str) -> None:
        """End the run, since what it still measured would be worth nothing."""
        if self._lost is None and not self._stopping:
            logger.error("%s: the run ends here", what)
            self._lost = what
            gevent.spawn(self._interrupt if self._headless else self._environment.runner.stop)

    def finish(self, end: Callable[[], None]) -> None:
        """Do what is done at the end of a run, to its end, even if who called is killed meanwhile."""
        self._finishing = gevent.spawn(end)
        self._finishing.join()

    def wait(self, **_: Any) -> None:
        """Until that is done."""
        if self._finishing and self._finishing is not gevent.getcurrent():
            self._finishing.join(FINISH_TIMEOUT)

    @property
    def _headless(self) -> bool:
        return self._web is None

    def _begin(self, **_: Any) -> None:
        self.completed = self._stopping = self._told = False
        self._cause = self._lost = None

    def _note(self, **_: Any) -> None:
        self._stopping = True

    def _signalled(self, number: int, name: str) -> None:
        """Runs in a greenlet of its own."""
        if self._told or (self._stopping and self._headless):
            return
        self._told = True
        self._cause = self._cause or name
        logger.info("%s: the run ends here", name)
        runner = self._environment.runner
        if isinstance(runner, MasterRunner) and self._headless and runner.shape_greenlet is None:
            runner.quit()  # its workers wait for a run to begin, and it for more of them
            gevent.spawn(_raise, SystemExit(128 + number))
        elif number != signal.SIGTERM or (self._headless and not isinstance(runner, WorkerRunner)):
            self._interrupt()
        # else Locust has a handler of its own by now, which does the rest

    def _interrupt(self) -> None:
        self._told = True
        gevent.spawn(_raise, KeyboardInterrupt())

    def _follow_master(self, environment: Any) -> None:
        """End with the master: at once if it has forked this worker, else when it is silent."""
        self._parent = os.getppid()
        if environment.parsed_options.processes:
            end_with_parent(signal.SIGTERM)
            environment.events.quitting.add_listener(self._look_for_master)
            environment.events.quit.add_listener(_be_deaf)
        gevent.spawn(self._listen_to_master)

    def _listen_to_master(self) -> None:
        while self._silence() < MASTER_SILENCE:
            gevent.sleep(1.0)
        self.orphaned = True
        logger.error("the master has not been heard for %.0f s: this worker ends", MASTER_SILENCE)
        self._interrupt()

    def _look_for_master(self, **_: Any) -> None:
        """Who forked this worker may be the master, or only the one who waits for it to end."""
        runner, looked = self._environment.runner, time.time()
        while os.getppid() == self._parent:
            if not self._told or not runner.greenlet or time.time() > looked + DYING:
                return  # it has asked for the end itself, by a message, which empties the runner, or lives
            gevent.sleep(0.05)
        looked = time.time()
        while not self.orphaned and 0 < (runner.last_heartbeat_timestamp or 0) < looked + DRAIN:
            gevent.sleep(0.1)
            self.orphaned = self._silence() >= PROOF

    def _silence(self) -> float:
        """Seconds since the master's last heartbeat; 0 before the first."""
        last = self._environment.runner.last_heartbeat_timestamp
        return time.time() - last if last else 0.0


def _be_deaf(**_: Any) -> None:
    """All is done; the master that ends a moment later would interrupt the interpreter's own end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _raise(error: BaseException) -> None:
    """In the main greenlet, from another one, and without the traceback that gevent prints of those."""
    gevent.get_hub().handle_system_error(type(error), error)
