"""The one form in which benchmarks report."""

import socket

import pytest

from loadtest.bench.floor import bare_sendmmsg
from loadtest.bench.result import Result, Target


def test_each_target_is_judged_by_its_own_comparison():
    targets = [Target("a", "<=", 8.0), Target("a", "<", 8.0), Target("b", ">=", 4000), Target("c", "==", 0)]
    result = Result("x", ["cmd"], {"a": 8.0, "b": 3999, "c": 0}, targets)
    assert [each["ok"] for each in result.judged()] == [True, False, False, True]


def test_a_target_that_names_no_figure_is_a_mistake_and_not_a_pass():
    with pytest.raises(KeyError):
        Result("x", ["cmd"], {"a": 1}, [Target("b", "<=", 1)]).judged()


def test_the_floor_reaches_every_socket_with_packets_of_the_asked_size():
    receivers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(5)]
    try:
        for receiver in receivers:
            receiver.bind(("127.0.0.1", 0))
            receiver.setblocking(False)
        cost = bare_sendmmsg([receiver.getsockname() for receiver in receivers], 120, 0.1)
        assert cost > 0
        for receiver in receivers:
            assert len(receiver.recv(2048)) == 120
    finally:
        for receiver in receivers:
            receiver.close()
