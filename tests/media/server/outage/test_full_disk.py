"""A disk without room under a server with the real relay: refused by name, nothing lost, and found again."""

import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.media.server.process import Process

LIMIT = 4096
"""Bytes of a file beyond which the process may not write: what a full disk is to whoever may not mount one."""


@contextmanager
def by_limit(server: Process) -> Iterator[None]:
    pid = server.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (LIMIT, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def by_filling(server: Process) -> Iterator[None]:
    rest = server.data / "rest"
    with rest.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096):
                pass
        except OSError:
            pass
    try:
        yield
    finally:
        rest.unlink()


Way = Callable[[Process], AbstractContextManager[None]]
WAYS: list[Way] = [by_limit, *([by_filling] if os.geteuid() == 0 else [])]


@pytest.fixture
def folder(tmp_path: Path, way: Way) -> Iterator[Path]:
    """A folder, on a small disk of its own where that is to be filled."""
    if way is by_limit:
        yield tmp_path
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(tmp_path)], check=True)
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


@pytest.mark.parametrize("way", WAYS)
def test_a_full_disk(folder: Path, way: Way) -> None:
    server = Process(folder)
    try:
        path, token = server.live("ana"), server.token("ana")
        with way(server):
            answers = [change(server, token, path, f"{'x' * 50} {number}") for number in range(40)]
            refused = [answer for answer in answers if answer.status_code != 200]
            assert refused, "the disk is full by now"
            for answer in refused:
                assert answer.status_code == 503 and "Retry-After" in answer.headers, answer.text
                assert answer.json()["type"].endswith("store-unavailable")
            kept = [answer.json()["title"] for answer in answers if answer.status_code == 200]
            shown = server.call(token, "GET", path)["title"]
            assert shown == (kept[-1] if kept else "")
            assert server.http.get("/healthz").status_code == 503
        deadline = time.monotonic() + 30
        while server.http.get("/healthz").status_code != 200 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert change(server, token, path, "room again").status_code == 200
        assert "The store is not available" in server.said()
        server.kill_and_start_again()
        assert server.call(token, "GET", path)["title"] == "room again"
    finally:
        server.put_away()


def change(server: Process, token: str, path: str, title: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return server.http.patch(path, headers=headers, json={"title": title})
