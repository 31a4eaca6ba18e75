"""How long a server takes until it is ready, anew and after a kill with live Spaces, and what it holds when idle.

A real `python -m media` each time, on the kernels compiled by the first of them, which is not measured unless
`--cold` asks for it: then that one compiles into an empty folder.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from tqdm.auto import tqdm

from loadtest.bench.result import Target
from loadtest.bench.watch import family
from loadtest.lab import LabError, admin_token, free_port, process

TARGETS = (
    Target("ready_s", "<=", 3.0),
    Target("ready_after_kill_s", "<=", 3.0),
    Target("idle_mb", "<=", 300.0),
)
POLL = 0.01
"""Seconds between two looks at ``/healthz``."""
IDLE = 2.0
"""Seconds after it is ready, until its memory is read."""
EXACT = ("Rss", "Pss")
"""What ``smaps_rollup`` says of a process: resident, and resident with shared pages shared out."""


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="starts of each kind (%(default)s)")
    parser.add_argument("--spaces", type=int, default=20, metavar="N", help="live at the kill (%(default)s)")
    parser.add_argument("--cold", action="store_true", help="measure a start that compiles its kernels, too")


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Medians over the rounds, in seconds and MB of 1,000,000 bytes.

    ``idle_mb`` is the resident memory of server and relay together, ``idle_pss_mb`` the same with the pages that
    they share counted once. ``ready_cpu_s`` is the CPU time of the process that took more of it to become ready:
    what ``ready_s`` is where the machine has nothing else to do.
    """
    return await asyncio.to_thread(_measure, chosen)


def _measure(chosen: argparse.Namespace) -> dict[str, Any]:
    figures: dict[str, Any] = {"rounds": chosen.rounds}
    if chosen.cold:
        with _empty_kernel_folder(), _started() as (_, seconds, _):
            figures["cold_s"] = seconds
    else:
        with _started():
            pass
    fresh, again, cpu, idle = list[float](), list[float](), list[float](), list[dict[str, float]]()
    for _ in tqdm(range(chosen.rounds), desc="starts", file=sys.stderr):
        with tempfile.TemporaryDirectory(prefix="spaces-start-") as folder:
            with _started(folder) as (server, seconds, base):
                fresh.append(seconds)
                cpu.append(max(_cpu_seconds(each) for each in family(server.pid)))
                time.sleep(IDLE)
                idle.append(_held(server.pid))
                _open_spaces(base, folder, chosen.spaces)
                server.kill()
                server.wait()
            with _started(folder) as (_, seconds, base):
                again.append(seconds)
                figures["live_after_kill"] = _live(base, folder)
    return figures | {
        "ready_s": statistics.median(fresh),
        "ready_most_s": max(fresh),
        "ready_cpu_s": statistics.median(cpu),
        "ready_after_kill_s": statistics.median(again),
        "ready_after_kill_most_s": max(again),
        "idle_mb": statistics.median(each["Rss"] for each in idle),
        "idle_pss_mb": statistics.median(each["Pss"] for each in idle),
    }


@contextmanager
def _empty_kernel_folder() -> Generator[None]:
    before = os.environ.get("NUMBA_CACHE_DIR")
    try:
        with tempfile.TemporaryDirectory(prefix="spaces-kernels-") as folder:
            os.environ["NUMBA_CACHE_DIR"] = folder
            yield
    finally:
        del os.environ["NUMBA_CACHE_DIR"]
        if before is not None:
            os.environ["NUMBA_CACHE_DIR"] = before


@contextmanager
def _started(folder: str = "") -> Generator[tuple[Any, float, str]]:
    """A server, ready: its process, the seconds from its start until then, and its address."""
    with tempfile.TemporaryDirectory(prefix="spaces-start-") as own:
        data, port = folder or own, free_port()
        log, base = Path(own) / "server.log", f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "media", "--port", str(port), "--udp-port", str(port), "--data", data]
        begun = time.monotonic()
        with process(command, log) as server, httpx.Client(base_url=base) as http:
            while server.poll() is None:
                try:
                    if http.get("/healthz").is_success:
                        break
                except httpx.TransportError:
                    pass
                time.sleep(POLL)
            else:
                raise LabError(f"The server did not become ready. It said last:\n{log.read_text()[-2000:]}")
            yield server, time.monotonic() - begun, base


def _held(pid: int) -> dict[str, float]:
    """MB that a process and its descendants hold."""
    held: dict[str, float] = dict.fromkeys(EXACT, 0.0)
    for each in family(pid):
        for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in held:
                held[name] += int(value.split()[0]) * 1024 / 1e6
    return held


def _cpu_seconds(pid: int) -> float:
    """Of the process's main thread, which does nearly all of a start."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def _client(base: str, folder: str) -> httpx.Client:
    return httpx.Client(base_url=base, headers={"Authorization": f"Bearer {admin_token(folder)}"}, timeout=30.0)


def _open_spaces(base: str, folder: str, count: int) -> None:
    with _client(base, folder) as http:
        for number in range(count):
            made = http.post("/spaces", json={"title": f"Space {number}"}).raise_for_status().json()
            http.post(f"/spaces/{made['id']}/start").raise_for_status()


def _live(base: str, folder: str) -> int:
    with _client(base, folder) as http:
        found = http.get("/spaces", params={"state": "live"}).raise_for_status().json()
        return len(found["data"])
