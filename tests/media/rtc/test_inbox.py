"""The inbox: many datagrams a system call, none mistaken for another."""

import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.relay.port import ask_for_arrivals
from media.rtc.inbox import BATCH, DATAGRAM_MAX, Inbox, address_of, key_of, waited


@pytest.fixture
def port() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.setblocking(False)
        yield made


@pytest.fixture
def peers() -> Iterator[list[socket.socket]]:
    made = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
    for peer in made:
        peer.bind(("127.0.0.1", 0))
    yield made
    for peer in made:
        peer.close()


def drain(inbox: Inbox, port: socket.socket) -> list[tuple[bytes, int]]:
    """All that waits."""
    taken = []
    while inbox.fill(port.fileno()):
        while inbox:
            taken.append(inbox.pop()[:2])
    return taken


def test_datagrams_come_in_order_with_their_sources(port: socket.socket, peers: list[socket.socket]):
    sent = []
    for number in range(10):
        peer = peers[number % 3]
        peer.sendto(b"datagram %d" % number, port.getsockname())
        sent.append((b"datagram %d" % number, peer.getsockname()))
    assert [(data, address_of(key)) for data, key in drain(Inbox(), port)] == sent


def test_more_than_a_batch_takes_several_turns(port: socket.socket, peers: list[socket.socket]):
    port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    for number in range(2 * BATCH + 5):
        peers[0].sendto(number.to_bytes(2, "big"), port.getsockname())
    inbox = Inbox()
    assert inbox.fill(port.fileno()) == len(inbox) == BATCH
    first = [inbox.pop()[0] for _ in range(BATCH)]
    rest = [data for data, _ in drain(inbox, port)]
    assert first + rest == [number.to_bytes(2, "big") for number in range(2 * BATCH + 5)]
    assert not inbox


def test_shorter_datagram_shows_nothing_of_the_longer_one_before(port: socket.socket, peers: list[socket.socket]):
    inbox = Inbox()
    for data in (b"x" * 1000, b"y", b"", b"z" * 20):
        peers[0].sendto(data, port.getsockname())
        assert [taken for taken, _ in drain(inbox, port)] == [data]


def test_oversize_datagrams_are_counted_and_come_as_nothing(port: socket.socket, peers: list[socket.socket]):
    for size in (DATAGRAM_MAX, DATAGRAM_MAX + 1, 60_000, 5):
        peers[0].sendto(bytes(size), port.getsockname())
    inbox = Inbox()
    taken = drain(inbox, port)
    assert [len(data) for data, _ in taken] == [DATAGRAM_MAX, 0, 0, 5]
    assert [key for _, key in taken[1:3]] == [0, 0], "from no session"
    assert inbox.truncated == 2


def test_arrival_is_when_it_came_and_not_when_it_was_read(port: socket.socket, peers: list[socket.socket]):
    ask_for_arrivals(port)
    inbox, waited = Inbox(), 0.05
    inbox.warm()
    before = time.monotonic()
    peers[0].sendto(b"x", port.getsockname())
    after = time.monotonic()
    time.sleep(waited)
    assert drain(inbox, port)[0][0] == b"x"
    assert before - 0.001 <= inbox.arrival <= after + 0.001 + max(0.0, time.monotonic() - after - waited)
    assert inbox.arrival < time.monotonic() - 0.9 * waited


def test_without_a_stamp_it_is_when_it_was_read(port: socket.socket, peers: list[socket.socket]):
    inbox = Inbox()
    inbox.warm()
    peers[0].sendto(b"x", port.getsockname())
    time.sleep(0.02)
    before = time.monotonic()
    drain(inbox, port)
    assert before <= inbox.arrival <= time.monotonic()


@pytest.mark.parametrize("step", [-3600, -1, 3, 3600])
def test_a_wall_clock_that_was_set_meanwhile_is_not_believed(step: int):
    stamp = np.array([1_700_000_000, 999_000_000])
    assert waited(stamp + np.array([1, -998_000_000]), stamp) == 1_000_000_000 - 998_000_000
    assert waited(stamp + np.array([step, 0]), stamp) == 0


def test_nothing_waiting_and_no_socket_are_no_error(port: socket.socket):
    inbox = Inbox()
    inbox.warm()
    assert inbox.fill(port.fileno()) == inbox.fill(-1) == len(inbox) == 0


@given(st.ip_addresses(v=4).map(str), st.integers(0, 65535))
def test_keys_and_addresses_are_inverse(host: str, number: int):
    key = key_of((host, number))
    assert address_of(key) == (host, number)
    assert 0 <= key < 1 << 64


def test_key_is_what_the_system_writes(port: socket.socket, peers: list[socket.socket]):
    peers[1].sendto(b"x", port.getsockname())
    [(_, key)] = drain(Inbox(), port)
    assert key == key_of(peers[1].getsockname())
