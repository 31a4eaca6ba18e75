"""An engine in a process of its own: what it answers, and how it ends together with who drives it."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from loadtest.engine import control
from loadtest.engine.remote import EngineError, RemoteEngine
from loadtest.lab import Server
from loadtest.venue import Host, Venue
from sim.schema import SCHEMA
from tests.loadtest.engine.mouths import until


@pytest.fixture
def engine() -> Iterator[RemoteEngine]:
    made = RemoteEngine()
    yield made
    made.close()


def alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_people_join_and_leave_and_are_counted_from_afar(venue: Venue) -> None:
    ends: list[int] = []
    engine = RemoteEngine(lambda member, reason: ends.append(member))
    try:
        speaker = engine.join("speaker", venue.whip, venue.speaker_tokens[0], seed=3, continuous=True)
        listener = engine.join("listener", venue.whep)
        assert speaker.keys() == {"member", "signalling_ms", "connect_ms", "first_packet_ms"}
        until(lambda: engine.totals()["received"] > 20)
        row = engine.snapshot()
        assert [*row] == [name for name in SCHEMA["clients"] if name not in ("t", "worker")]
        assert (row["listeners"], row["speakers"]) == (1, 1)
        engine.leave(listener["member"])
        engine.leave(listener["member"])
        assert engine.totals()["members"] == 1
    finally:
        engine.close()
    assert not alive(engine.pid)
    assert ends == []
    with pytest.raises(EngineError, match=r"^The engine is gone"):
        engine.snapshot()
    engine.close()


def test_many_threads_may_ask_at_once_and_each_gets_its_own_answer(venue: Venue, engine: RemoteEngine) -> None:
    members: list[int] = []
    asking = [
        threading.Thread(target=lambda: members.append(engine.join("listener", venue.whep)["member"]))
        for _ in range(8)
    ]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert len(set(members)) == 8 == engine.totals()["members"]


def test_the_end_of_a_space_is_told_from_afar(host: Host, venue: Venue) -> None:
    ends: list[tuple[int, str]] = []
    engine = RemoteEngine(lambda member, reason: ends.append((member, reason)))
    try:
        member = engine.join("listener", venue.whep)["member"]
        host.close()
        until(lambda: len(ends) == 1)
        assert ends[0][0] == member and ends[0][1]
    finally:
        engine.close()
    assert len(ends) == 1


def test_a_join_that_fails_says_why_from_afar(server: Server, engine: RemoteEngine) -> None:
    with pytest.raises(EngineError, match=r"^HTTP 404: "):
        engine.join("listener", f"{server.base}/spaces/nowhere/whep", server.token)
    with pytest.raises(EngineError, match="kind is listener or speaker, not 'heckler'"):
        engine.join("heckler", server.base)
    assert engine.totals()["members"] == 0


def test_an_engine_that_dies_is_one_sentence(engine: RemoteEngine) -> None:
    os.kill(engine.pid, signal.SIGKILL)
    until(lambda: not alive(engine.pid))
    for _ in range(2):
        with pytest.raises(
            EngineError, match=r"^The engine (is gone; see its output above|ended before it answered)\.$"
        ):
            engine.totals()


def test_an_engine_ends_when_who_drives_it_dies() -> None:
    code = """
        import os, sys
        from loadtest.engine.remote import RemoteEngine
        print(RemoteEngine().pid, flush=True)
        os.kill(os.getpid(), 9)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    driver = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=60, check=False)
    assert driver.returncode == -signal.SIGKILL
    until(lambda: not alive(int(driver.stdout)))


DRIVER = """
    import os, sys
    from loadtest.engine.remote import RemoteEngine
    engine = RemoteEngine()
    engine.will(*sys.argv[1:3])
    if sys.argv[3] == "closes":
        engine.close()
    os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize(("how", "state"), [("closes", "live"), ("dies", "ended")])
def test_an_engine_does_what_its_driver_has_left_undone(
    server: Server, venue: Venue, how: str, state: str
) -> None:
    command = [sys.executable, "-c", textwrap.dedent(DRIVER), venue.end, venue.host_token, how]
    subprocess.run(command, timeout=60, check=False)

    def found() -> str:
        url, headers = f"{server.base}/spaces/{venue.space}", {"Authorization": f"Bearer {server.token}"}
        return str(httpx.get(url, headers=headers).json()["state"])

    until(lambda: found() == state)


def test_an_engine_whose_driver_died_before_it_connected_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "loadtest.engine", "--socket", str(tmp_path / "control"), "--parent", "1"]
    assert subprocess.run(command, timeout=60, check=False).returncode == 0


def test_the_end_of_an_engine_is_told_to_who_drives_it() -> None:
    told: list[str] = []
    engine = RemoteEngine(lost=told.append)
    os.kill(engine.pid, signal.SIGKILL)
    until(lambda: bool(told))
    engine.close()
    assert told == ["the engine ended by itself (killed by SIGKILL)"]


def test_an_engine_without_a_place_for_its_socket_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "loadtest.engine", "--socket", str(tmp_path / "no" / "control")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Cannot serve ") and done.stderr.count("\n") == 1


class Line:
    """The raw control socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    async def ask(self, request: bytes) -> dict[str, Any]:
        self.writer.write(request + b"\n")
        return await self.answer()

    async def answer(self) -> dict[str, Any]:
        return json.loads(await asyncio.wait_for(self._reader.readline(), 20.0))


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    """Connected to an engine in this process, which ends when the line is closed."""
    path = str(tmp_path / "control")
    serving = asyncio.create_task(control.serve(path))
    while not Path(path).exists():
        await asyncio.sleep(0.01)
    made = Line(*await asyncio.open_unix_connection(path))
    assert await made.answer() == {"ready": True}
    yield made
    made.writer.close()
    await asyncio.wait_for(serving, 20.0)


@pytest.mark.parametrize(
    ("request_", "number"),
    [
        (b"hello", None),
        (b"[1, 2]", None),
        (b'"join"', None),
        (b"{}", None),
        (b'{"do": "totals"}', None),
        (b'{"id": 1}', 1),
        (b'{"id": 2, "do": "dance"}', 2),
        (b'{"id": 3, "do": ["join"]}', 3),
        (b'{"id": 4, "do": "join"}', 4),
        (b'{"id": 5, "do": "leave"}', 5),
        (b"\xff\xfe", None),
    ],
    ids=lambda value: value.decode(errors="replace") if isinstance(value, bytes) else None,
)
async def test_what_is_no_request_is_answered_with_an_error(
    line: Line, request_: bytes, number: int | None
) -> None:
    answer = await line.ask(request_)
    assert answer["id"] == number
    assert answer["error"].startswith("this is no request the engine knows: ")
    assert (await line.ask(b'{"id": 9, "do": "totals"}'))["result"]["members"] == 0


async def test_a_request_that_fails_unexpectedly_is_answered_too(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> dict[str, int]:
        raise RuntimeError("the ears are full")

    monkeypatch.setattr(control.Engine, "totals", broken)
    answer = await line.ask(b'{"id": 1, "do": "totals"}')
    assert answer == {"id": 1, "error": "the engine failed at this: RuntimeError('the ears are full')"}


async def test_hanging_up_in_the_middle_of_joins_leaves_no_task_behind(tmp_path: Path, venue: Venue) -> None:
    before = asyncio.all_tasks()
    path = str(tmp_path / "control")
    serving = asyncio.create_task(control.serve(path))
    while not Path(path).exists():
        await asyncio.sleep(0.01)
    line = Line(*await asyncio.open_unix_connection(path))
    await line.answer()
    for number in range(4):
        join = {"id": number, "do": "join", "kind": "listener", "url": venue.whep}
        line.writer.write(json.dumps(join).encode() + b"\n")
    line.writer.write_eof()
    await asyncio.wait_for(serving, 20.0)
    line.writer.close()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() <= before


async def test_a_driver_killed_with_unread_answers_leaves_its_will_to_the_engine(
    tmp_path: Path, server: Server, venue: Venue
) -> None:
    path = str(tmp_path / "control")
    serving = asyncio.create_task(control.serve(path))
    while not Path(path).exists():
        await asyncio.sleep(0.01)
    with socket.socket(socket.AF_UNIX) as driver:
        driver.connect(path)
        will = {"id": 1, "do": "will", "url": venue.end, "token": venue.host_token}
        driver.sendall(json.dumps(will).encode() + b"\n")
        while b'"id": 1,' not in await asyncio.to_thread(driver.recv, 1 << 16, socket.MSG_PEEK):
            await asyncio.sleep(0.01)
    # closed with the answer unread, which resets the connection
    await asyncio.wait_for(serving, 20.0)
    headers = {"Authorization": f"Bearer {server.token}"}
    assert httpx.get(f"{server.base}/spaces/{venue.space}", headers=headers).json()["state"] == "ended"
