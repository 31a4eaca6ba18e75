"""``python -m media`` as a process of its own, with the real relay."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from media.server.auth import issue_from

START = 300
"""Seconds; the kernels are compiled when they are not in the cache yet."""


def media(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "media", *map(str, arguments)]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(media(*arguments), capture_output=True, text=True, timeout=START, check=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A server on free ports; ready when made, unless asked not to wait for that."""

    def __init__(self, data: Path, *more: str, wait: bool = True, log: Path | None = None) -> None:
        self.data, self.port, self.udp_port = data, free_port(), free_port()
        self.log = (log or data / "log").open("w+")
        self.base = f"http://127.0.0.1:{self.port}"
        ports = ("--port", str(self.port), "--udp-port", str(self.udp_port))
        self._command = media("--data", data, *ports, *more)
        self._start(wait)

    def _start(self, wait: bool) -> None:
        self.process = subprocess.Popen(self._command, stderr=self.log)
        self.http = httpx.Client(base_url=self.base, timeout=START)
        if wait:
            self.wait_until_ready()

    def kill_and_start_again(self) -> None:
        """End it by SIGKILL, which it cannot prepare for, and start it anew on the same ports and data."""
        self.end(signal.SIGKILL)
        self._start(wait=True)

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.said()
            try:
                if self.http.get("/healthz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"not ready after {START} s: {self.said()}")

    def listens(self) -> bool:
        """Whether the TCP port is taken, which comes before the kernels are loaded."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def token(self, name: str) -> str:
        return issue_from(self.data, name, is_admin=False, ttl=600)

    def admin_token(self) -> str:
        return issue_from(self.data, "root", is_admin=True, ttl=600)

    def call(self, token: str, method: str, path: str, **more: Any) -> Any:
        response = self.http.request(method, path, headers={"Authorization": f"Bearer {token}"}, **more)
        assert response.is_success, response.text
        return response.json() if response.content else None

    def live(self, host: str) -> str:
        """Make a live Space; return its path."""
        token = self.token(host)
        path = f"/spaces/{self.call(token, 'POST', '/spaces', json={})['id']}"
        self.call(token, "POST", f"{path}/start")
        return path

    def relays(self) -> list[int]:
        """Process ids of its relays, in the order in which they were started."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in children if b"media.relay" in Path(f"/proc/{child}/cmdline").read_bytes()]

    def metrics(self) -> str:
        return self.http.get("/metrics").text

    def end(self, number: signal.Signals) -> int:
        self.http.close()
        self.process.send_signal(number)
        return self.process.wait(timeout=START)  # a start that is under way is gone through first

    def said(self) -> str:
        self.log.seek(0)
        return self.log.read()

    def put_away(self) -> None:
        """Whatever the test did with it, nothing is left."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.http.close()
        self.log.close()
