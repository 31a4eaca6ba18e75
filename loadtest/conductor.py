"""What happens around a run, hung onto Locust's events: open the doors, keep the record, judge the generator.

The one process that leads (the master, or the only one) opens the Space and writes the record; each process with
users has a crew. The leader tells crews where the Space is ("doors") and asks for their last rows ("pack up").
"""

import logging
import sys
from contextlib import suppress
from typing import Any

import gevent
import httpx
from gevent.event import Event
from locust import events
from locust.env import Environment
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from loadtest.crew import Crew
from loadtest.engine.remote import EngineError
from loadtest.options import add_options
from loadtest.programme import Programme
from loadtest.recorder import Recorder
from loadtest.status import EXIT_INVALID
from loadtest.users import Listener, Speaker
from loadtest.venue import Host, Venue, VenueError
from sim.run import RunError
from sim.scenario import ScenarioError

logger = logging.getLogger(__name__)

DOORS, PACK_UP, ROWS = "spaces-doors", "spaces-pack-up", "spaces-rows"
PACK_UP_TIMEOUT = 15.0
"""Seconds that workers have to send their last rows."""


class Leader:
    """Opens the Space at the start of a run, writes its record, and closes the Space at the end."""

    def __init__(self, environment: Any) -> None:
        self._environment = environment
        self._programme: Programme = environment.programme
        self._packed: set[str] = set()
        self._all_packed = Event()

    def begin(self) -> tuple[Venue, float]:
        """Open the doors; :raises VenueError: the server would not have it."""
        options = self._environment.parsed_options
        if not self._environment.host:
            raise VenueError("Say where the server is: -H http://127.0.0.1:8080")
        if not options.token:
            raise VenueError(
                "The swarm needs an admin token to open a Space: pass --token or SPACES_TOKEN,"
                " made with `python -m media token --user swarm --admin`."
            )
        self._host = Host(self._environment.host, options.token)
        try:
            return self._open()
        except BaseException:
            with suppress(httpx.HTTPError):
                self._host.close()
            raise

    def _open(self) -> tuple[Venue, float]:
        options = self._environment.parsed_options
        venue = self._host.open(f"Load: {self._programme.scenario.title}", self._programme.speakers)
        listeners = options.listeners if self._programme.schedule else options.num_users or 1
        if self._programme.steps:
            listeners = max(self._programme.steps.listeners)
        tiers = {"light": listeners + self._programme.speakers, "probe": 0, "browser": 0}
        self._recorder = Recorder(self._programme, options.runs, options.run_id, venue.base, tiers)
        self._sampling = gevent.spawn(self._sample)
        return venue, self._recorder.started

    def book(self, rows: dict[str, list[dict[str, Any]]]) -> None:
        """Take rows of a worker into the record."""
        self._recorder.book(rows["clients"], rows["joins"])

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
        self._sampling.kill()
        self._host.close()
        run = self._recorder.finish()
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


def _init(environment: Any, **_: Any) -> None:
    """Read the flags in every process; a wrong one ends it at once, with one sentence."""
    try:
        environment.programme = Programme.of(environment.parsed_options)
    except (ValueError, ScenarioError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    speakers = environment.programme.speakers
    Speaker.fixed_count = speakers
    if speakers == 0:
        environment.user_classes = [Listener]
    environment.leader = environment.crew = environment.doors = None
    environment.doors_open = False
    runner = environment.runner
    if isinstance(runner, WorkerRunner):
        runner.register_message(DOORS, _doors_opened)
        runner.register_message(PACK_UP, _pack_up)
    elif isinstance(runner, MasterRunner):
        runner.register_message(ROWS, _rows_arrived)


def _test_start(environment: Any, **_: Any) -> None:
    runner = environment.runner
    if not isinstance(runner, MasterRunner):
        try:
            environment.crew = Crew(environment, environment.programme, _name(runner))
        except EngineError as error:
            logger.error("%s", error)
            if not isinstance(runner, WorkerRunner):
                _give_up(environment)
            return
    if isinstance(runner, WorkerRunner):
        if environment.doors:
            _enter(environment)
        return
    environment.leader = Leader(environment)
    try:
        venue, started = environment.leader.begin()
    except (VenueError, httpx.HTTPError, RunError, OSError) as error:
        logger.error("%s", error)
        _give_up(environment)
        return
    if isinstance(runner, MasterRunner):
        workers = [client.id for client in runner.clients.all]
        for index, client in enumerate(workers):
            doors = {"venue": venue.to_json(), "started": started, "worker": index, "workers": len(workers)}
            runner.send_message(DOORS, doors, client)
    else:
        environment.crew.begin(venue, started, 0, 1)
    if environment.shape_class:
        environment.shape_class.reset_time()  # compiling and opening the doors is no part of the first step
    environment.doors_open = True


def _test_stop(environment: Any, **_: Any) -> None:
    runner, leader = environment.runner, environment.leader
    environment.doors_open = False
    if isinstance(runner, WorkerRunner):
        if environment.crew:
            runner.send_message(ROWS, {"rows": environment.crew.pack_up(), "last": False})
        _close_crew(environment)
        return
    if leader is None:
        return
    environment.leader = None
    if isinstance(runner, MasterRunner):
        environment.last_leader = leader
        runner.send_message(PACK_UP)
        leader.wait_for_workers()
        environment.last_leader = None
    else:
        leader.book(environment.crew.pack_up())
        _close_crew(environment)
    leader.finish()


def _give_up(environment: Any) -> None:
    """End a run that could not begin, without a record."""
    environment.leader = None
    environment.process_exit_code = 1
    _close_crew(environment)
    gevent.spawn_later(0.1, environment.runner.quit)


def _close_crew(environment: Any) -> None:
    crew, environment.crew = environment.crew, None
    if crew:
        crew.close()


def _enter(environment: Any) -> None:
    doors = environment.doors
    environment.doors = None
    environment.crew.begin(Venue.from_json(doors["venue"]), doors["started"], doors["worker"], doors["workers"])


def _doors_opened(environment: Any, msg: Any, **_: Any) -> None:
    environment.doors = msg.data
    if environment.crew:
        _enter(environment)


def _pack_up(environment: Any, msg: Any, **_: Any) -> None:
    rows = environment.crew.pack_up() if environment.crew else {"clients": [], "joins": []}
    environment.runner.send_message(ROWS, {"rows": rows, "last": True})


def _rows_arrived(environment: Any, msg: Any, **_: Any) -> None:
    leader = environment.leader or getattr(environment, "last_leader", None)
    if leader:
        leader.book(msg.data["rows"])
        if msg.data["last"]:
            leader.worker_packed(msg.node_id, len(environment.runner.clients.all))


def _report_to_master(environment: Any) -> Any:
    def report(client_id: str, data: dict[str, Any]) -> None:
        if environment.crew:
            data["spaces"] = environment.crew.take_report()

    return report


def _worker_report(environment: Any) -> Any:
    def report(client_id: str, data: dict[str, Any]) -> None:
        if environment.leader and "spaces" in data:
            environment.leader.book(data["spaces"])

    return report


def _attach_reports(environment: Environment, **_: Any) -> None:
    if isinstance(environment.runner, WorkerRunner):
        environment.events.report_to_master.add_listener(_report_to_master(environment))
    elif isinstance(environment.runner, MasterRunner):
        environment.events.worker_report.add_listener(_worker_report(environment))


def _name(runner: Any) -> str:
    return "local" if isinstance(runner, LocalRunner) else f"worker-{runner.client_id[-6:]}"


def register() -> None:
    """Hang everything onto Locust's events; called once, by the locustfile."""
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for every look at /metrics
    events.init_command_line_parser.add_listener(add_options)
    events.init.add_listener(_init)
    events.init.add_listener(_attach_reports)
    events.test_start.add_listener(_test_start)
    events.test_stop.add_listener(_test_stop)
