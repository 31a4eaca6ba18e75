"""What the users of one worker share: the engine, the venue, the timetable, and what is reported to the master."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import gevent
import httpx
from gevent.event import AsyncResult
from locust.env import Environment

from loadtest.engine.remote import EngineError, RemoteEngine
from loadtest.programme import Programme
from loadtest.recorder import REPORTED
from loadtest.timetable import Timetable
from loadtest.venue import Venue

SNAPSHOT_INTERVAL = 1.0
HTTP_TIMEOUT = 30.0
UNHEARD_MS = 1000.0
"""What a chirp that was not heard counts for; later than that none is looked for."""


Rows = dict[str, list[dict[str, Any]]]


def no_rows() -> Rows:
    """Return rows of each table that workers report, of which there are none yet."""
    return {table: [] for table in REPORTED}


class Crew:
    """One worker's side of a run."""

    def __init__(
        self, environment: Environment, programme: Programme, name: str, lost: Callable[[str], None]
    ) -> None:
        """Start the engine; ``lost`` is called with a sentence if it ends by itself."""
        self._environment = environment
        self.programme = programme
        self.timetable: Timetable | None = None
        """Arrivals of this worker, if the run follows a scenario; from :meth:`begin` on."""
        self._name, self._worker, self._workers = name, 0, 1
        self._on_end: dict[int, Callable[[], None]] = {}
        self._ended_early: set[int] = set()
        self._packed = False
        self._next_entry = 0.0
        self.engine = RemoteEngine(self._ended, lost)
        try:
            if programme.probes:
                self.engine.tune()
        except BaseException:  # also where the run was stopped meanwhile
            self.engine.close()
            raise
        self._http = httpx.Client(timeout=HTTP_TIMEOUT)
        self._venue: AsyncResult[Venue] = AsyncResult()
        self._entrusted: Venue | None = None
        self._numbers = Counter[str]()
        self.listeners = 0
        """Listeners on this worker at the last look."""
        self.started = 0.0
        """Unix time at which the run began."""
        self._rows = no_rows()
        self._probing: gevent.Greenlet[..., None] | None = None
        self._listens_in = False
        self._watch = gevent.spawn(self._snapshots)

    def begin(self, venue: Venue, started: float, worker: int, workers: int) -> None:
        """The doors are open; this is worker number ``worker`` of ``workers``."""
        self.started = started
        self._worker, self._workers = worker, workers
        if self.programme.schedule:
            self.timetable = Timetable(self.programme.schedule, worker, workers)
        self._venue.set(venue)
        if worker == 0 and self.programme.probes:
            self._probing = gevent.spawn(self._probe, venue)

    def entrust(self, venue: Venue) -> None:
        """Have the engine end the Space if this process is killed."""
        self._entrusted = venue
        with suppress(EngineError):  # who is gone has said so
            self.engine.will(venue.end, venue.host_token)

    def wait_for_venue(self) -> Venue:
        """Where to go; waits until the doors are open."""
        venue = self._venue.get()
        assert venue is not None
        return venue

    def wait_for_turn(self) -> None:
        """Let listeners who would all come now in one after the other, evenly over each second.

        Locust makes the users of a whole second at once. Their handshakes would hold up the engine, which then
        lags because of how Locust counts and not because of how many people come.
        """
        now = time.monotonic()
        turn = max(now, self._next_entry)
        options: Any = self._environment.parsed_options
        rate = self.programme.join_rate if self.programme.steps else options.spawn_rate or 1.0
        self._next_entry = turn + self._workers / rate
        gevent.sleep(turn - now)

    def next_number(self, kind: str) -> int:
        """Return a number from 0 that nobody else of this kind has on any worker."""
        number = self._worker + self._numbers[kind] * self._workers
        self._numbers[kind] += 1
        return number

    def next_speaker(self, venue: Venue) -> tuple[str | None, int]:
        """A token nobody on this worker has, and the seed of what they say; None when all are taken."""
        number = self.next_number("speaker")
        token = venue.speaker_tokens[number] if number < len(venue.speaker_tokens) else None
        return token, self.programme.seed * 100 + number

    def ask_to_speak(self, venue: Venue, token: str) -> bool:
        """Ask for the right to speak, as all but the host must; True once it is granted."""
        if token in venue.speaker_tokens[:1]:
            return True
        begun = time.perf_counter()
        error: Exception | None = None
        try:
            response = self._http.post(venue.requests(), headers={"Authorization": f"Bearer {token}"})
            if response.is_error or response.json()["status"] != "granted":
                error = EngineError(f"HTTP {response.status_code}: {response.text[:300]}")
        except httpx.HTTPError as failure:
            error = failure
        self._fire("HTTP", "request to speak", 1e3 * (time.perf_counter() - begun), error)
        return error is None

    def joined(self, kind: str, timings: dict[str, float]) -> None:
        """Book a join, step by step, in Locust's statistics and in the record."""
        if self._packed:
            return
        self._fire("WHEP" if kind == "listener" else "WHIP", "offer and answer", timings["signalling_ms"])
        self._fire("ICE+DTLS", f"{kind} connect", timings["connect_ms"])
        self._fire("RTP", f"{kind} first packet", timings["first_packet_ms"])
        began = time.time() - 1e-3 * timings["first_packet_ms"]
        self._rows["joins"].append({"t": began, "kind": kind, **timings, "ok": True, "error": None})

    def join_failed(self, kind: str, error: EngineError) -> None:
        """Book a join that came to nothing."""
        if self._packed:
            return
        self._fire("WHEP" if kind == "listener" else "WHIP", "join", 0.0, error)
        timings = dict.fromkeys(("signalling_ms", "connect_ms", "first_packet_ms"))
        self._rows["joins"].append({"t": time.time(), "kind": kind, **timings, "ok": False, "error": str(error)})

    def thrown_out(self, kind: str) -> None:
        """Book a session that the relay ended."""
        if not self._packed:
            self._fire("RTP", f"{kind} stay", 0.0, EngineError("the relay ended the session"))

    def on_end(self, member: int, callback: Callable[[], None]) -> None:
        """Call back when the relay ends this member's session."""
        if member in self._ended_early:
            callback()
        else:
            self._on_end[member] = callback

    def leave(self, member: int) -> None:
        """End a member's session; a crew that has packed up has done so already."""
        self._on_end.pop(member, None)
        try:
            self.engine.leave(member)
        except EngineError:
            return

    def book(self, table: str, row: dict[str, Any]) -> None:
        """Book a row with Unix times, unless the run is over."""
        if not self._packed:
            self._rows[table].append(row)

    def take_report(self) -> Rows:
        """Rows since the last call, with Unix times; for the master."""
        report, self._rows = self._rows, no_rows()
        return report

    def pack_up(self) -> Rows:
        """The last rows. What comes after them (the Space ends, and everyone with it) is no part of the run."""
        self._watch.kill()
        self._packed = True
        return self.take_report()

    def end_space(self) -> None:
        """End the Space, in place of a master that is gone."""
        if self._entrusted:
            headers = {"Authorization": f"Bearer {self._entrusted.host_token}"}
            with suppress(httpx.HTTPError):
                self._http.post(self._entrusted.end, headers=headers)

    def close(self) -> None:
        """Let everyone leave and end the engine."""
        self._watch.kill()
        if self._probing:
            self._probing.kill()
        self.engine.close()
        self._http.close()

    def _ended(self, member: int, reason: str) -> None:
        callback = self._on_end.pop(member, None)
        if callback:
            callback()
        else:
            self._ended_early.add(member)

    def _snapshots(self) -> None:
        while True:
            gevent.sleep(SNAPSHOT_INTERVAL)
            self._snapshot()

    def _snapshot(self) -> None:
        try:
            row = self.engine.snapshot()
        except EngineError:
            return
        self.listeners = int(row["listeners"])
        if self.started:
            self._rows["clients"].append({"t": time.time(), "worker": self._name, **row})
        if self._listens_in:
            self._listen_in()

    def _probe(self, venue: Venue) -> None:
        """Bring the probes in: one who speaks, and those who listen."""
        if not self.ask_to_speak(venue, venue.probe_token):
            return
        try:
            self.engine.listen_in(venue.whip, venue.probe_token, venue.whep, self.programme.probes)
        except EngineError as error:
            self._fire("PROBE", "join", 0.0, error)
        else:
            self._listens_in = True

    def _listen_in(self) -> None:
        """Book what probes have heard; a chirp that was not heard counts as one second."""
        try:
            rows = self.engine.heard()
        except EngineError as error:
            self._listens_in = False
            self._fire("PROBE", "stay", 0.0, error)
            return
        for row in rows:
            delay = row["mouth_to_ear_ms"]
            error = EngineError("a chirp was not heard") if delay is None else None
            self._fire("PROBE", "mouth to ear", UNHEARD_MS if delay is None else delay, error)
            self._rows["probes"].append({"worker": self._name, **row})

    def _fire(self, kind: str, name: str, milliseconds: float, error: Exception | None = None) -> None:
        self._environment.events.request.fire(
            request_type=kind,
            name=name,
            response_time=milliseconds,
            response_length=0,
            exception=error,
            context={},
        )
