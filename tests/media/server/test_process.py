"""The server as a process of its own, with the real relay: ports, signals, tokens, restart."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

START = 60
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
    def __init__(self, data: Path) -> None:
        self.data, self.port, self.udp_port = data, free_port(), free_port()
        self.log = (data / "log").open("w+")
        ports = ("--port", str(self.port), "--udp-port", str(self.udp_port))
        self.process = subprocess.Popen(media("--data", data, *ports), stderr=self.log)
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}")
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.said()
            try:
                if self.http.get("/healthz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError(f"not ready after {START} s: {self.said()}")

    def call(self, token: str, method: str, path: str, **more: Any) -> Any:
        response = self.http.request(method, path, headers={"Authorization": f"Bearer {token}"}, **more)
        assert response.is_success, response.text
        return response.json()

    def end(self, number: signal.Signals) -> int:
        self.http.close()
        self.process.send_signal(number)
        return self.process.wait(timeout=20)

    def said(self) -> str:
        self.log.seek(0)
        return self.log.read()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path)
    yield process
    if process.process.poll() is None:
        process.process.kill()
        process.process.wait()
    process.log.close()


def test_a_process_from_start_to_restart(server: Process, tmp_path: Path) -> None:
    token = run("token", "--data", tmp_path, "--user", "ana").stdout.strip()
    space = server.call(token, "POST", "/spaces", json={"title": "kept"})
    server.call(token, "POST", f"/spaces/{space['id']}/start")
    deadline = time.monotonic() + 5  # the relay's counters are as old as its last second
    while "\nspaces_relay_rooms 1.0\n" not in server.http.get("/metrics").text:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    bad = server.http.post(
        f"/spaces/{space['id']}/whip",
        content="v=0\r\n",
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"},
    )
    assert (bad.status_code, bad.headers["Content-Type"]) == (400, "application/problem+json")

    elsewhere = str(free_port())
    for ports, protocol in (
        (("--port", str(server.port), "--udp-port", elsewhere), "TCP"),
        (("--port", elsewhere, "--udp-port", str(server.udp_port)), "UDP"),
    ):
        second = run("--data", tmp_path / "second", *ports)
        assert second.returncode == 1
        assert second.stderr.startswith(f"Cannot use {protocol} port ")
        assert second.stderr.count("\n") == 1

    assert server.end(signal.SIGINT) == 0, server.said()
    assert "Traceback" not in server.said()
    again = Process(tmp_path)
    try:
        kept = again.call(token, "GET", f"/spaces/{space['id']}")
        assert (kept["state"], kept["title"], kept["started_at"]) == ("live", "kept", kept["started_at"])
        assert again.end(signal.SIGTERM) == 0, again.said()
    finally:
        if again.process.poll() is None:
            again.process.kill()
            again.process.wait()
        again.log.close()


def test_tokens_on_the_command_line(tmp_path: Path) -> None:
    made = run("--data", tmp_path, "token", "--user", "root", "--admin", "--ttl", "60")
    header, claims, _ = made.stdout.strip().split(".")
    assert made.returncode == 0
    assert json.loads(_base64(header))["alg"] == "HS256"
    payload = json.loads(_base64(claims))
    assert (payload["sub"], payload["admin"], payload["exp"] - payload["iat"]) == ("root", True, 60)
    wrong = run("--data", tmp_path, "token", "--user", "not a name")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr.startswith("'not a name' cannot be a name")


def test_settings_that_cannot_be_end_the_process_with_a_sentence(tmp_path: Path) -> None:
    wrong = subprocess.run(
        media("--data", tmp_path),
        env=os.environ | {"SPACES_PORT": "http"},
        capture_output=True,
        text=True,
        timeout=START,
        check=False,
    )
    assert (wrong.returncode, wrong.stderr.count("\n")) == (1, 1)
    assert "--port is 'http'" in wrong.stderr
    store = run("--data", tmp_path, "--database", "nonsense", "--port", "0")
    assert (store.returncode, store.stderr.count("\n")) == (1, 1), store.stderr
    assert "database URL" in store.stderr


def _base64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
