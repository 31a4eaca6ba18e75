"""The server as a process of its own, with the real relay: ports, signals, tokens, restart."""

import asyncio
import base64
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from media.audio.opus import Encoder
from tests.media.relay.sound import RATE, loudest, tone
from tests.media.server.peer import Peer
from tests.media.server.process import START, Process, free_port, media, run


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path)
    yield process
    process.put_away()


def test_a_process_from_start_to_restart(server: Process, tmp_path: Path) -> None:
    token = run("token", "--data", tmp_path, "--user", "ana").stdout.strip()
    space = server.call(token, "POST", "/spaces", json={"title": "kept"})
    server.call(token, "POST", f"/spaces/{space['id']}/start")
    deadline = time.monotonic() + 30  # the relay's counters are as old as its last second
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
        again.put_away()


@pytest.mark.parametrize("moment", ["imports", "port"])
def test_ctrl_c_during_the_start(tmp_path: Path, moment: str) -> None:
    process = Process(tmp_path, wait=False)
    maps = Path(f"/proc/{process.process.pid}/maps")
    deadline = time.monotonic() + START
    while not ("uvloop" in maps.read_text() if moment == "imports" else process.listens()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert process.end(signal.SIGINT) == 0, process.said()
    assert "Traceback" not in process.said()
    process.put_away()


@pytest.mark.parametrize("kind", ["whip", "whep"])
async def test_sound_goes_on_after_an_ice_restart_on_another_network(server: Process, kind: str) -> None:
    path, ana, lea = server.live("ana"), server.token("ana"), server.token("lea")
    speaker, listener = Peer("sendrecv", [Encoder().encode(tone(450.0, 0))]), Peer("recvonly")
    await speaker.join(f"{server.base}{path}/whip?muted=false", ana)
    await listener.join(f"{server.base}{path}/whep", lea)
    await listener.hear(10)
    walker, token = (speaker, ana) if kind == "whip" else (listener, lea)
    response = await walker.walk(token)
    assert response.headers["ETag"] != walker.tag
    spoken = len(speaker.spoken)
    await listener.hear(50)
    assert len(speaker.spoken) > spoken
    assert loudest(listener.sound()[-RATE // 2 :]) == pytest.approx(450.0, abs=3.0)
    assert "spaces_relay_faults_total 0.0" in server.metrics()
    speaker.close()
    listener.close()


async def test_ctrl_c_ends_sessions_with_a_goodbye(server: Process) -> None:
    path = server.live("ana")
    speaker, listener = Peer("sendrecv", [Encoder().encode(tone(440.0, 0))]), Peer("recvonly")
    await speaker.join(f"{server.base}{path}/whip?muted=false", server.token("ana"))
    await listener.join(f"{server.base}{path}/whep", server.token("lea"))
    await listener.hear(5)
    status = await asyncio.to_thread(server.end, signal.SIGINT)
    assert status == 0, server.said()
    assert "Traceback" not in server.said()
    await asyncio.sleep(0.05)
    assert speaker.goodbye and listener.goodbye
    speaker.close()
    listener.close()


def test_tokens_on_the_command_line(tmp_path: Path) -> None:
    made = run("--data", tmp_path, "token", "--user", "root", "--admin", "--ttl", "60")
    header, claims, _ = made.stdout.strip().split(".")
    assert made.returncode == 0
    assert json.loads(_base64(header))["alg"] == "HS256"
    payload = json.loads(_base64(claims))
    assert (payload["sub"], payload["admin"], payload["exp"] - payload["iat"]) == ("root", True, 60)
    url = run("--data", tmp_path, "--host", "::1", "--port", "9000", "token", "--user", "ana", "--url").stdout
    assert url.startswith("http://[::1]:9000/#token=ey")
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
