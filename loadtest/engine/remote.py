"""An engine in a process of its own, driven by blocking calls: from a Locust worker, a notebook or a test.

Only the standard library, and nothing that minds being monkey-patched: in a Locust worker the waiting and the
reading thread are greenlets, elsewhere they are threads.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

START_TIMEOUT = 60.0
"""Seconds for the engine to come up; the first start on a machine compiles its kernel."""
CALL_TIMEOUT = 60.0
GONE = "The engine is gone; see its output above."


class EngineError(RuntimeError):
    """What the engine answered instead of a result, or that it is gone."""


class RemoteEngine:
    """Starts ``python -m loadtest.engine`` and talks to it. Safe to call from many threads or greenlets at once.

    ``ended`` is called, on the reading thread, with a member and a reason when the relay ended its session;
    ``lost`` with one sentence, when the engine has ended by itself.
    """

    def __init__(
        self, ended: Callable[[int, str], None] | None = None, lost: Callable[[str], None] | None = None
    ) -> None:
        self._ended, self._lost = ended, lost
        self._folder = tempfile.TemporaryDirectory(prefix="spaces-engine-")
        path = str(Path(self._folder.name) / "control")
        command = [sys.executable, "-m", "loadtest.engine", "--socket", path]
        command += ["--parent", str(os.getpid())]
        self._process = subprocess.Popen(command, start_new_session=True)  # noqa: S603 (our own interpreter)
        try:
            self._socket = self._connect(path)
        except BaseException:
            self._process.kill()
            self._process.wait()
            self._folder.cleanup()
            raise
        self._file = self._socket.makefile("rb")
        self._lock = threading.Lock()
        self._next = 0
        self._waiting: dict[int, tuple[threading.Event, dict[str, Any]]] = {}
        self._gone = False
        self._file.readline()  # ready
        self._reader = threading.Thread(target=self._read, name="engine-reader", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The engine's process."""
        return self._process.pid

    def join(
        self, kind: str, url: str, token: str | None = None, *, seed: int = 0, continuous: bool = False
    ) -> dict[str, Any]:
        """See :meth:`loadtest.engine.engine.Engine.join`; returns ``member`` and the timings in ms.

        :raises EngineError: the join failed; the message says where and why
        """
        return self._call("join", kind=kind, url=url, token=token, seed=seed, continuous=continuous)

    def leave(self, member: int) -> None:
        """End a session; one that has ended already is no error."""
        self._call("leave", member=member)

    def snapshot(self) -> dict[str, Any]:
        """What happened since the last call: a row of ``clients.parquet`` without ``t`` and ``worker``."""
        return self._call("snapshot")

    def totals(self) -> dict[str, int]:
        """Packets expected, received and rejected since the start, and the members there are."""
        return self._call("totals")

    def tune(self) -> None:
        """Get ready for :meth:`listen_in`, before load runs."""
        self._call("tune")

    def listen_in(self, whip: str, token: str, whep: str, ears: int) -> None:
        """See :meth:`loadtest.engine.engine.Engine.listen_in`; :raises EngineError: a probe could not join."""
        self._call("listen in", whip=whip, token=token, whep=whep, ears=ears)

    def heard(self) -> list[dict[str, Any]]:
        """What probes heard since the last call; see :meth:`loadtest.engine.engine.Engine.heard`."""
        return self._call("heard")

    def will(self, url: str, token: str) -> None:
        """Have the engine POST to ``url`` if this process ends, or hangs up, without :meth:`close`."""
        self._call("will", url=url, token=token)

    def close(self) -> None:
        """Let everyone leave and end the process; one that has died already is no error."""
        with suppress(EngineError):
            self._call("goodbye")
        with self._lock:
            self._gone = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        try:
            self._process.wait(CALL_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._file.close()
        self._socket.close()
        self._folder.cleanup()

    def _call(self, do: str, **arguments: Any) -> Any:
        done, reply = threading.Event(), dict[str, Any]()
        with self._lock:
            if self._gone:
                raise EngineError(GONE)
            self._next += 1
            number = self._next
            self._waiting[number] = (done, reply)
            try:
                self._socket.sendall(json.dumps({"id": number, "do": do, **arguments}).encode() + b"\n")
            except OSError as error:
                del self._waiting[number]
                raise EngineError(GONE) from error
        if not done.wait(CALL_TIMEOUT):
            raise EngineError(f"The engine did not answer {do!r} within {CALL_TIMEOUT:.0f} s.")
        if "error" in reply:
            raise EngineError(reply["error"])
        return reply["result"]

    def _read(self) -> None:
        with suppress(OSError):
            for line in self._file:
                if line.endswith(b"\n"):  # an engine that was killed may leave half a line
                    self._take(json.loads(line))
        with self._lock:
            lost, self._gone = not self._gone, True
            waiting, self._waiting = self._waiting, {}
        if lost and self._lost:
            self._lost(f"the engine ended by itself ({_status(self._process.wait())})")
        for done, reply in waiting.values():
            reply["error"] = "The engine ended before it answered."
            done.set()

    def _take(self, message: dict[str, Any]) -> None:
        if "ended" in message:
            if self._ended:
                self._ended(message["ended"], message["reason"])
            return
        done, reply = self._waiting.pop(message["id"])
        reply.update(message)
        done.set()

    def _connect(self, path: str) -> socket.socket:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise EngineError(
                    f"The engine ended with status {self._process.returncode}; see its output above."
                )
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.connect(path)
            except OSError:
                connection.close()
                time.sleep(0.05)
            else:
                return connection
        raise EngineError(f"The engine did not come up within {START_TIMEOUT:.0f} s.")


def _status(code: int) -> str:
    """How a process ended."""
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"status {code}"
