"""What happens around a run, hung onto Locust's events: open the doors, keep the record, judge the generator.

The one process that leads (the master, or the only one) opens the Space and writes the record; each process with
users has a crew. Workers say when their engines are up ("ready"); then the run begins: the leader tells the crews
which Space is theirs to end if it is killed ("entrust"), starts it, and tells them where it is ("doors"). At the
end it asks for their last rows ("pack up"). A worker whose engine ends says so ("lost"), and the run ends.
"""

import logging
import sys
from functools import partial
from typing import Any

import gevent
import httpx
from locust import events
from locust.env import Environment
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from loadtest.crew import Crew, no_rows
from loadtest.engine.remote import EngineError
from loadtest.leader import Leader
from loadtest.options import add_options
from loadtest.programme import Programme
from loadtest.stopping import Stopping
from loadtest.users import Speaker
from loadtest.venue import Venue, VenueError
from sim.run import RunError
from sim.scenario import ScenarioError

logger = logging.getLogger(__name__)

READY, ENTRUST, DOORS = "spaces-ready", "spaces-entrust", "spaces-doors"
PACK_UP, ROWS, LOST = "spaces-pack-up", "spaces-rows", "spaces-lost"


def _init(environment: Any, web_ui: Any, **_: Any) -> None:
    """Read the flags in every process; a wrong one ends it at once, with one sentence."""
    try:
        environment.programme = Programme.of(environment.parsed_options)
    except (ValueError, ScenarioError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    speakers = environment.programme.speakers
    Speaker.fixed_count = speakers
    if speakers == 0:
        environment.user_classes = [each for each in environment.user_classes if each is not Speaker]
    environment.leader = environment.crew = None
    environment.doors_open = False
    environment.stopping = Stopping(environment, web_ui)
    runner = environment.runner
    if isinstance(runner, WorkerRunner):
        runner.register_message(ENTRUST, _entrusted)
        runner.register_message(DOORS, _doors_opened)
        runner.register_message(PACK_UP, _pack_up)
    elif isinstance(runner, MasterRunner):
        runner.register_message(READY, _worker_ready)
        runner.register_message(ROWS, _rows_arrived)
        runner.register_message(LOST, _engine_lost_afar)


def _test_start(environment: Any, **_: Any) -> None:
    runner = environment.runner
    if not isinstance(runner, WorkerRunner):
        environment.leader = Leader(environment)
    if not isinstance(runner, MasterRunner):
        try:
            environment.crew = Crew(
                environment, environment.programme, _name(runner), partial(_engine_lost, environment)
            )
        except EngineError as error:
            if isinstance(runner, WorkerRunner):
                runner.send_message(READY, {"error": str(error)})
            else:
                _give_up(environment, error)
            return
    if isinstance(runner, WorkerRunner):
        runner.send_message(READY, {"error": None})
        return
    try:
        environment.leader.prepare(
            [client.id for client in runner.clients.all] if environment.crew is None else []
        )
    except (VenueError, httpx.HTTPError) as error:
        _give_up(environment, error)
        return
    if environment.crew:
        _open_doors(environment)


def _worker_ready(environment: Any, msg: Any, **_: Any) -> None:
    leader = environment.leader
    if leader is None:
        return
    if msg.data["error"]:
        _give_up(environment, msg.data["error"])
    elif leader.ready(msg.node_id):
        _open_doors(environment)


def _open_doors(environment: Any) -> None:
    runner = environment.runner
    try:
        venue, started = environment.leader.begin(partial(_entrust, environment))
    except (VenueError, httpx.HTTPError, RunError, OSError) as error:
        _give_up(environment, error)
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


def _entrust(environment: Any, venue: Venue) -> None:
    """Tell the crews which Space to end if who leads is killed."""
    runner = environment.runner
    if isinstance(runner, MasterRunner):
        for client in runner.clients.all:
            runner.send_message(ENTRUST, {"venue": venue.to_json()}, client.id)
    else:
        environment.crew.entrust(venue)


def _entrusted(environment: Any, msg: Any, **_: Any) -> None:
    if environment.crew:
        environment.crew.entrust(Venue.from_json(msg.data["venue"]))


def _test_stop(environment: Any, **_: Any) -> None:
    environment.doors_open = False
    environment.stopping.finish(partial(_end, environment))


def _end(environment: Any) -> None:
    runner, leader = environment.runner, environment.leader
    if isinstance(runner, WorkerRunner):
        if environment.crew:
            runner.send_message(ROWS, {"rows": environment.crew.pack_up(), "last": False})
            if environment.stopping.orphaned:
                environment.crew.end_space()
        _close_crew(environment)
        return
    if leader is None:
        return
    environment.leader = None
    options = environment.parsed_options
    cut_short = environment.stopping.cut_short(environment.programme.ends or bool(options.run_time))
    if not leader.began:
        leader.give_up()
        leader.record_nothing(cut_short or "it was stopped before it began")
    elif isinstance(runner, MasterRunner):
        environment.last_leader = leader
        runner.send_message(PACK_UP)
        leader.wait_for_workers()
        environment.last_leader = None
        leader.finish(cut_short)
    else:
        leader.book(environment.crew.pack_up())
        leader.finish(cut_short)
    _close_crew(environment)


def _engine_lost(environment: Any, how: str) -> None:
    """The engine of this process has ended by itself."""
    if isinstance(environment.runner, WorkerRunner):
        environment.runner.send_message(LOST, {"how": how})
    else:
        environment.stopping.lost(how)


def _engine_lost_afar(environment: Any, msg: Any, **_: Any) -> None:
    environment.stopping.lost(f"worker {msg.node_id}: {msg.data['how']}")


def _give_up(environment: Any, why: object) -> None:
    """End a run that could not begin, without a record."""
    logger.error("%s", why)
    leader, environment.leader = environment.leader, None
    if leader:
        leader.give_up()
    environment.process_exit_code = 1
    _close_crew(environment)
    gevent.spawn_later(0.1, environment.runner.quit)


def _close_crew(environment: Any) -> None:
    crew, environment.crew = environment.crew, None
    if crew:
        crew.close()


def _doors_opened(environment: Any, msg: Any, **_: Any) -> None:
    doors = msg.data
    if environment.crew:
        venue = Venue.from_json(doors["venue"])
        environment.crew.begin(venue, doors["started"], doors["worker"], doors["workers"])


def _pack_up(environment: Any, msg: Any, **_: Any) -> None:
    rows = environment.crew.pack_up() if environment.crew else no_rows()
    environment.runner.send_message(ROWS, {"rows": rows, "last": True})


def _rows_arrived(environment: Any, msg: Any, **_: Any) -> None:
    leader = environment.leader or getattr(environment, "last_leader", None)
    if leader:
        leader.book(msg.data["rows"])
        if msg.data["last"]:
            leader.worker_packed(msg.node_id)


def _report_to_master(environment: Any) -> Any:
    def report(client_id: str, data: dict[str, Any]) -> None:
        if environment.crew:
            data["spaces"] = environment.crew.take_report()

    return report


def _worker_report(environment: Any) -> Any:
    def report(client_id: str, data: dict[str, Any]) -> None:
        leader = environment.leader
        if leader and leader.began and "spaces" in data:  # crews have no rows before the run begins
            leader.book(data["spaces"])

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
