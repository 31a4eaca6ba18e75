"""The one who leads a run: has the Space made, keeps the record, and closes both at the end."""

import logging
import time
from collections.abc import Callable
from itertools import count
from typing import Any

import gevent
import httpx
from locust.runners import STATE_MISSING, MasterRunner

from loadtest.programme import Programme
from loadtest.recorder import Recorder, hearsay
from loadtest.status import EXIT_INVALID
from loadtest.venue import Host, Venue, VenueError
from sim.run import Run, RunWriter

logger = logging.getLogger(__name__)

PACK_UP_TIMEOUT = 15.0
"""Seconds that workers have to send their last rows."""
CHECKPOINT_INTERVAL = 5
"""Seconds of the record that are lost if this process is killed."""


class Leader:
    """Opens the Space at the start of a run, writes its record, and closes the Space at the end."""

    def __init__(self, environment: Any) -> None:
        self._environment = environment
        self._host: Host | None = None
        self._programme: Programme = environment.programme
        self._sampling: gevent.Greenlet[..., None] | None = None
        self._awaited: set[str] = set()
        self._packed: set[str] = set()
        self._workers: frozenset[str] = frozenset()
        self._watching: gevent.Greenlet[..., None] | None = None

    def prepare(self, workers: list[str]) -> None:
        """Make the Space, while these workers get ready; :raises VenueError: the server would not have it."""
        self._awaited, self._workers = set(workers), frozenset(workers)
        self._watching = gevent.spawn(self._watch_workers)
        options = self._environment.parsed_options
        if not self._environment.host:
            raise VenueError("Say where the server is: -H http://127.0.0.1:8080")
        if not options.token:
            raise VenueError(
                "The swarm needs an admin token to open a Space: pass --token or SPACES_TOKEN,"
                " made with `python -m media token --user swarm --admin`."
            )
        self._host = Host(self._environment.host, options.token)
        self._venue = self._host.prepare(
            f"Load: {self._programme.scenario.title}", self._programme.speakers, probe=self._programme.probes > 0
        )

    def ready(self, worker: str) -> bool:
        """This worker's engine is up; True if it is the last one that was waited for."""
        if worker not in self._awaited:
            return False
        self._awaited.remove(worker)
        return not self._awaited

    def begin(self, entrust: Callable[[Venue], None]) -> tuple[Venue, float]:
        """Start the Space and the record, and with it the run's time.

        The end of the Space is entrusted to the engines before it is live: whoever is killed later, it is ended.

        :raises VenueError: the server would not have it
        :raises RunError, OSError: the record cannot be kept
        """
        options = self._environment.parsed_options
        assert self._host is not None
        entrust(self._venue)
        self._host.start()
        self._recorder = Recorder(self._programme, options.runs, options.run_id, self._venue.base, self._tiers())
        self._sampling = gevent.spawn(self._sample)
        return self._venue, self._recorder.started

    @property
    def began(self) -> bool:
        """There is a record."""
        return self._sampling is not None

    def give_up(self) -> None:
        """End the Space of a run that did not begin, if there is one."""
        self._stop_watching()
        self._close_space()

    def record_nothing(self, cut_short: str) -> None:
        """Leave the record of a run that was stopped before it began: no rows, and why."""
        options = self._environment.parsed_options
        try:
            writer = RunWriter(
                options.runs,
                source="measured",
                scenario=self._programme.scenario,
                seed=self._programme.seed,
                tiers=self._tiers(),
                run_id=options.run_id or None,
            )
            self._tell(writer.finish(cut_short=cut_short))
        except OSError as error:
            logger.error("the run was stopped before it began, and its record cannot be kept: %s", error)

    def book(self, rows: dict[str, list[dict[str, Any]]]) -> None:
        """Take rows of a worker into the record."""
        self._recorder.book(rows)

    def worker_packed(self, worker: str) -> None:
        """A worker has sent its last rows."""
        self._packed.add(worker)

    def wait_for_workers(self) -> None:
        """Until every worker that is still there has sent its last rows, or it takes too long."""
        deadline = time.monotonic() + PACK_UP_TIMEOUT
        while self._present() - self._packed:
            if time.monotonic() > deadline:
                logger.warning("a worker did not send its last rows within %.0f s", PACK_UP_TIMEOUT)
                return
            gevent.sleep(0.05)

    def finish(self, cut_short: str | None) -> None:
        """Write the record, say what it is worth, and end the Space."""
        assert self._sampling is not None
        self._sampling.kill()
        self._stop_watching()
        run = self._recorder.finish(cut_short)
        self._close_space()
        if self._programme.probes:
            logger.info("probes: %s", hearsay(run.probes))
        self._tell(run)

    def _tell(self, run: Run) -> None:
        if run.verdict.valid:
            logger.info("record of the run: %s (valid)", run.folder)
        else:
            logger.error("record of the run: %s is INVALID: %s", run.folder, "; ".join(run.verdict.reasons))
            self._environment.process_exit_code = EXIT_INVALID

    def _close_space(self) -> None:
        """End the Space; a server that is gone has none."""
        if self._host:
            try:
                self._host.close()
            except httpx.HTTPError as error:
                logger.warning("the Space could not be ended: %s", error)

    def _tiers(self) -> dict[str, int]:
        options = self._environment.parsed_options
        listeners = options.listeners if self._programme.schedule else options.num_users or 1
        if self._programme.steps:
            listeners = max(self._programme.steps.listeners)
        probes = self._programme.probes + (self._programme.probes > 0)
        return {"light": listeners + self._programme.speakers, "probe": probes, "browser": 0}

    def _present(self) -> set[str]:
        """Workers of this run that are there."""
        runner = self._environment.runner
        clients = runner.clients.all if isinstance(runner, MasterRunner) else ()
        return {client.id for client in clients if client.state != STATE_MISSING} & self._workers

    def _watch_workers(self) -> None:
        while not (missing := self._workers - self._present()):
            gevent.sleep(1.0)
        self._environment.stopping.lost(f"worker {min(missing)} was lost")

    def _stop_watching(self) -> None:
        if self._watching:
            self._watching.kill()

    def _sample(self) -> None:
        for second in count(1):
            gevent.sleep(1.0)
            try:
                self._recorder.sample()
            except httpx.HTTPError as error:
                logger.warning("the relay's metrics could not be read: %s", error)
            if second % CHECKPOINT_INTERVAL == 0:
                if self._environment.crew:  # workers send their rows by themselves
                    self.book(self._environment.crew.take_report())
                self._recorder.checkpoint()
