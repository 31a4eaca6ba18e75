"""Trials of real clients: a server in a network of its own, one client, and aiortc at the other end.

``python -m tests.clients.lab`` reads one trial a line from standard input, as JSON ``[client, role, offer]``, and
answers each with a line: what the listener heard. It ends with its input.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from loadtest.lab import process
from media.server.auth import issue_from
from tests.clients import network
from tests.clients.aiortc_client import Client as Aiortc
from tests.clients.table import CLIENTS, OFFERS, ROLES, Role, Task
from tests.clients.tone import Heard, heard_in, opus_tone
from tests.requirements import unshare

PORT = 21_100
START = 300.0
"""Seconds for a server to become ready; its kernels may have to be compiled."""
TIME = 40.0
"""Seconds a client has for its task."""
TONE = 523.0
SECONDS = 2.5
"""For how long a client speaks or listens once it is connected."""


@dataclass(frozen=True)
class Result:
    """What came of a trial."""

    status: int
    """Exit status of the client."""
    said: str
    """Its last words."""
    heard: Heard

    @property
    def is_heard(self) -> bool:
        """Whether the client did its task, and the tone and nothing else was heard without gaps."""
        heard = self.heard
        there = heard.seconds > 0.5 * SECONDS and heard.share > 0.9 and abs(heard.loudest - TONE) < 3
        return self.status == 0 and there


class Lab:
    """A running server, and the trials in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.base = folder, f"http://{network.HOST}:{PORT}"
        self._trials = 0

    async def trial(self, name: str, role: Role, offer: str) -> Result:
        """One client in a Space of its own; it speaks to aiortc, or listens to it."""
        client, own = CLIENTS[name], OFFERS[offer]
        other: Role = ROLES[1 - ROLES.index(role)]
        self._trials += 1
        sound = self.folder / f"sound-{self._trials}"
        sound.write_bytes(opus_tone(TONE, SECONDS) if role == "speaks" else b"")
        async with httpx.AsyncClient(base_url=self.base) as http:
            space = await self._open_space(http)
            task = self._task(space, role, own.sections, own.bundle, sound)
            far = Aiortc(self._task(space, other, ("audio",), "balanced", sound))
            try:
                await far.connect(http)
                status, said = await _run(client.argv(task))
            finally:
                heard = await far.close(http)
        if role == "listens":
            heard = client.read(sound.read_bytes())
        return Result(status, said, heard_in(heard, TONE))

    async def wait_until_ready(self) -> None:
        """:raises TimeoutError: the server is not ready in time"""
        async with asyncio.timeout(START), httpx.AsyncClient(base_url=self.base) as http:
            while True:
                try:
                    if (await http.get("/healthz")).status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.1)

    def _token(self, role: Role) -> str:
        return issue_from(self.folder, f"{role}-{self._trials}", is_admin=False, ttl=600)

    def _task(self, space: str, role: Role, sections: tuple[str, ...], bundle: str, sound: Path) -> Task:
        place = "whip?muted=false" if role == "speaks" else "whep"
        endpoint = f"{self.base}/spaces/{space}/{place}"
        return Task(role, endpoint, self._token(role), sections, bundle, TONE, SECONDS, str(sound))

    async def _open_space(self, http: httpx.AsyncClient) -> str:
        """A live Space, whose host is who speaks."""
        authorization = {"Authorization": f"Bearer {self._token('speaks')}"}
        made = await http.post("/spaces", json={"title": "Trial"}, headers=authorization)
        space = made.raise_for_status().json()["id"]
        (await http.post(f"/spaces/{space}/start", headers=authorization)).raise_for_status()
        return space


async def _run(argv: list[str]) -> tuple[int, str]:
    """Exit status and last words of a client."""
    pipe = asyncio.subprocess.PIPE
    running = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=pipe,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(TIME):
            said, _ = await running.communicate()
    except TimeoutError:
        os.killpg(running.pid, signal.SIGKILL)
        await running.wait()
        return -1, f"not done after {TIME:g} s"
    return running.returncode or 0, said.decode(errors="replace")[-2000:]


async def _serve(lab: Lab) -> None:
    await lab.wait_until_ready()
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(asdict(await lab.trial(*json.loads(line)))), flush=True)


def main() -> None:
    """Serve trials in a network of its own."""
    network.enter()
    with tempfile.TemporaryDirectory(prefix="spaces-clients-") as name:
        folder = Path(name)
        command = [sys.executable, "-m", "media", "--host", network.HOST, "--port", str(PORT), "--data", name]
        log = folder / "server.log"
        with process(command, log):
            try:
                asyncio.run(_serve(Lab(folder)))
            except TimeoutError:
                sys.exit(f"The server did not become ready. It said last:\n{log.read_text()[-2000:]}")


class Remote:
    """A lab in a process of its own."""

    def __init__(self, running: "subprocess.Popen[str]") -> None:
        self._running = running

    def trial(self, client: str, role: Role, offer: str) -> Result:
        """See :meth:`Lab.trial`."""
        assert self._running.stdin and self._running.stdout
        assert self._running.poll() is None, "The lab has ended; it said why on standard error."
        self._running.stdin.write(json.dumps([client, role, offer]) + "\n")
        self._running.stdin.flush()
        line = self._running.stdout.readline()
        assert line, "The lab has ended; it said why on standard error."
        answer = json.loads(line)
        return Result(answer["status"], answer["said"], Heard(**answer["heard"]))


@contextmanager
def start() -> Iterator[Remote]:
    """Run a lab."""
    command = [*unshare(), sys.executable, "-m", "tests.clients.lab"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        yield Remote(running)


if __name__ == "__main__":
    main()
