"""A server with several relay processes: one dies, its people are told, the others hear on; nobody is orphaned."""

import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from media.audio.opus import Encoder
from tests.media.relay.sound import strength, tone
from tests.media.server.peer import Peer
from tests.media.server.process import START, Process, run

A = 440.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path, "--relays", "2", "--listeners-per-relay", "2", "--udp-port", "0", wait=False)
    yield process
    process.put_away()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + START
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def number(server: Process, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", server.metrics(), re.MULTILINE)
    assert found, name
    return float(found[1])


def ended(pid: int) -> bool:
    """Whether a process is gone; one that nobody has reaped yet is."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def speech() -> list[bytes]:
    encoder = Encoder()
    return [encoder.encode(tone(A, n)) for n in range(50)]


async def test_a_relay_that_is_killed_takes_only_its_own_listeners_along(server: Process) -> None:
    until(server.relays)
    first = server.relays()[0]
    os.kill(first, signal.SIGSTOP)  # else it might be ready before the app is there to say that it is not
    until(server.listens)
    starting = server.http.get("/healthz")
    assert (starting.status_code, starting.json()) == (503, {"status": "starting"})
    early = server.http.get("/spaces")
    assert (early.status_code, early.headers["Retry-After"]) == (503, "1")
    os.kill(first, signal.SIGCONT)
    server.wait_until_ready()
    path = server.live("ana")
    tokens = {name: server.token(name) for name in ("ana", "lea", "max")}
    ana, lea, max_ = Peer("sendrecv", speech()), Peer("recvonly"), Peer("recvonly")
    await ana.join(f"{server.base}{path}/whip?muted=false", tokens["ana"])
    await lea.join(f"{server.base}{path}/whep", tokens["lea"])
    await max_.join(f"{server.base}{path}/whep", tokens["max"])
    assert ana.client.remote == lea.client.remote != max_.client.remote
    await max_.hear(25)
    home, other = server.relays()
    assert number(server, "spaces_relay_sessions") == 3
    sent = number(server, "spaces_relay_packets_sent_total")

    os.kill(other, signal.SIGKILL)
    until(lambda: number(server, 'spaces_relay_process_restarts_total{relay="1"}') == 1)
    await lea.hear(25)
    assert number(server, "spaces_relay_packets_sent_total") >= sent, "counters never go back"
    gone = server.http.delete(max_.resource, headers={"Authorization": f"Bearer {tokens['max']}"})
    assert (gone.status_code, gone.json()["type"]) == (410, "urn:spaces-lab:problem:relay-lost")
    assert f"join again with a POST to {path}/whep" in gone.json()["detail"]
    again = Peer("recvonly")
    await again.join(f"{server.base}{path}/whep", tokens["max"])
    await again.hear(25)

    os.kill(home, signal.SIGKILL)
    until(lambda: number(server, 'spaces_relay_process_up{relay="0"}') == 1)
    spoken = Peer("sendrecv", speech())
    await spoken.join(f"{server.base}{path}/whip", tokens["ana"])
    heard = len(again.packets)
    await again.hear(25)
    loud = strength(again.sound()[960 * heard :], A)
    assert loud > 0.1, "the same session hears on, from the new home, where the speaker is not muted either"
    assert number(server, "spaces_relay_faults_total") == 0

    relays = server.relays()
    assert server.end(signal.SIGINT) == 0, server.said()
    assert all(map(ended, relays)) and "Traceback" not in server.said()
    assert "relay 0 is lost" in server.said()
    for peer in (ana, lea, max_, again, spoken):
        peer.close()


async def test_a_relay_that_hangs_is_replaced_while_the_server_answers(server: Process) -> None:
    server.wait_until_ready()
    path, lea = server.live("ana"), Peer("recvonly")
    await lea.join(f"{server.base}{path}/whep", server.token("lea"))
    await lea.hear(5)
    os.kill(server.relays()[0], signal.SIGSTOP)
    assert number(server, 'spaces_relay_process_up{relay="0"}') == 1, "it is not known yet"
    assert server.http.get("/healthz").status_code == 200
    until(lambda: number(server, 'spaces_relay_process_restarts_total{relay="0"}') == 1)
    assert "relay 0 has not answered for 1.5 s; its process is killed" in server.said()
    gone = server.http.delete(lea.resource, headers={"Authorization": f"Bearer {server.token('lea')}"})
    assert (gone.status_code, gone.json()["type"]) == (410, "urn:spaces-lab:problem:relay-lost")
    again = Peer("recvonly")
    await again.join(f"{server.base}{path}/whep", server.token("lea"))
    await again.hear(5)
    assert server.end(signal.SIGINT) == 0, server.said()
    for peer in (lea, again):
        peer.close()


def test_a_server_that_is_killed_leaves_no_relay(server: Process) -> None:
    server.wait_until_ready()
    relays = server.relays()
    assert len(relays) == 2
    server.process.kill()
    server.process.wait()
    until(lambda: all(map(ended, relays)))


def test_ports_beyond_the_first_are_the_next_ones_and_a_taken_one_is_named(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        taken = other.getsockname()[1]
        refused = run("--data", tmp_path, "--relays", "2", "--port", "0", "--udp-port", str(taken - 1))
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Cannot use UDP port {taken} ") and refused.stderr.count("\n") == 1


def test_relays_that_still_start_do_not_keep_the_udp_port_of_a_killed_server(tmp_path: Path) -> None:
    server = Process(tmp_path, wait=False)
    try:
        until(server.relays)
        (relay,) = server.relays()
        until(lambda: "llvmlite" in Path(f"/proc/{relay}/maps").read_text())  # its kernels are being loaded
        os.kill(relay, signal.SIGSTOP)  # for as long as that may take
        server.end(signal.SIGKILL)
        until(lambda: ended(relay))
        until(lambda: is_free(server.udp_port))
    finally:
        server.put_away()


def is_free(udp_port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("", udp_port))
        except OSError:
            return False
    return True
