"""The one who leads a run: has the Space made, keeps the record, and closes both at the end."""

import logging
from contextlib import suppress
from typing import Any

import gevent
import httpx
from gevent.event import Event

from loadtest.programme import Programme
from loadtest.recorder import Recorder, hearsay
from loadtest.status import EXIT_INVALID
from loadtest.venue import Host, Venue, VenueError

logger = logging.getLogger(__name__)

PACK_UP_TIMEOUT = 15.0
"""Seconds that workers have to send their last rows."""


class Leader:
    """Opens the Space at the start of a run, writes its record, and closes the Space at the end."""

    def __init__(self, environment: Any) -> None:
        self._environment = environment
        self._host: Host | None = None
        self._programme: Programme = environment.programme
        self._sampling: gevent.Greenlet | None = None
        self._awaited: set[str] = set()
        self._packed: set[str] = set()
        self._all_packed = Event()

    def prepare(self, workers: list[str]) -> None:
        """Make the Space, while these workers get ready; :raises VenueError: the server would not have it."""
        self._awaited = set(workers)
        options = self._environment.parsed_options
        if not self._environment.host:
            raise VenueError("Say where the server is: -H http://127.0.0.1:8080")
        if not options.token:
            raise VenueError(
                "The swarm needs an admin token to open a Space: pass --token or SPACES_TOKEN,"
                " made with `python -m media token --user swarm --admin`."
            )
        self._host = Host(self._environment.host, options.token)
        self._venue = self._host.open(
            f"Load: {self._programme.scenario.title}", self._programme.speakers, probe=self._programme.probes > 0
        )

    def ready(self, worker: str) -> bool:
        """This worker's engine is up; True if it is the last one that was waited for."""
        if worker not in self._awaited:
            return False
        self._awaited.remove(worker)
        return not self._awaited

    def begin(self) -> tuple[Venue, float]:
        """Begin the record, and with it the run's time; :raises RunError, OSError: it cannot be kept."""
        options = self._environment.parsed_options
        listeners = options.listeners if self._programme.schedule else options.num_users or 1
        if self._programme.steps:
            listeners = max(self._programme.steps.listeners)
        probes = self._programme.probes + (self._programme.probes > 0)
        tiers = {"light": listeners + self._programme.speakers, "probe": probes, "browser": 0}
        self._recorder = Recorder(self._programme, options.runs, options.run_id, self._venue.base, tiers)
        self._sampling = gevent.spawn(self._sample)
        return self._venue, self._recorder.started

    @property
    def began(self) -> bool:
        """There is a record."""
        return self._sampling is not None

    def give_up(self) -> None:
        """End the Space of a run that did not begin, if there is one."""
        if self._host:
            with suppress(httpx.HTTPError):
                self._host.close()

    def book(self, rows: dict[str, list[dict[str, Any]]]) -> None:
        """Take rows of a worker into the record."""
        self._recorder.book(rows["clients"], rows["joins"], rows["probes"])

    def worker_packed(self, worker: str, workers: int) -> None:
        """A worker has sent its last rows."""
        self._packed.add(worker)
        if len(self._packed) >= workers:
            self._all_packed.set()

    def wait_for_workers(self) -> None:
        """Until every worker has sent its last rows, or it takes too long."""
        if not self._all_packed.wait(PACK_UP_TIMEOUT):
            logger.warning("a worker did not send its last rows within %.0f s", PACK_UP_TIMEOUT)

    def finish(self) -> None:
        """Write the record, say what it is worth, and end the Space."""
        assert self._sampling is not None and self._host is not None
        self._sampling.kill()
        self._host.close()
        run = self._recorder.finish()
        if self._programme.probes:
            logger.info("probes: %s", hearsay(run.probes))
        if run.verdict.valid:
            logger.info("record of the run: %s (valid)", run.folder)
        else:
            logger.error("record of the run: %s is INVALID: %s", run.folder, "; ".join(run.verdict.reasons))
            self._environment.process_exit_code = EXIT_INVALID

    def _sample(self) -> None:
        while True:
            gevent.sleep(1.0)
            try:
                self._recorder.sample()
            except httpx.HTTPError as error:
                logger.warning("the relay's metrics could not be read: %s", error)
