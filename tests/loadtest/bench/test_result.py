"""The one form in which benchmarks report."""

import json
import socket
import subprocess
import sys

import pytest

from loadtest.bench.__main__ import BENCHES
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


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        (
            ["fanout", "--listeners", "20", "--seconds", "1", "--rounds", "1", "--ptime", "60"],
            {"us_per_packet", "floor_us_per_packet", "listeners", "lost_packets", "tick_late_p99_ms"},
        ),
        (
            ["join", "--joins", "10", "--flood", "40", "--storm", "20", "--there", "5"],
            {"join_cpu_ms", "joins_per_s", "first_packet_p99_ms", "tick_late_max_ms"},
        ),
        (
            ["memory", "--first", "5", "--more", "10", "--rounds", "1", "--settle", "0.1"],
            {"kb_per_listener", "listeners"},
        ),
        (
            ["relays", "--relays", "2", "--listeners", "6", "--seconds", "0.5"],
            {
                "us_per_packet_2",
                "lost_packets",
                "link_packets_lost",
                "interrupted",
                "sound_again_max_s",
                "relay_back_s",
            },
        ),
        (
            ["seal", "--contexts", "100", "--packets", "200", "--rounds", "1"],
            {"unlike_packets", "ours_hot_ns", "libsrtp_crowd_ns", "cold_ratio"},
        ),
        (
            ["delay", "--minutes", "0.1", "--storm", "2", "--pairs", "1"],
            {"relay_p50_ms", "relay_p99_ms", "mouth_to_ear_p95_ms", "recovery_s", "growth_ms", "disturbed"},
        ),
    ],
)
def test_the_last_line_of_a_benchmark_is_one_json_object_with_its_keys(arguments, keys):
    command = [sys.executable, "-m", "loadtest.bench", *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert set(found) == {"bench", "machine", "versions", "command", "figures", "targets"}
    assert keys <= set(found["figures"])
    assert {each["figure"] for each in found["targets"]} <= set(found["figures"])


def test_without_a_name_the_benchmarks_are_listed_with_a_line_each():
    done = subprocess.run([sys.executable, "-m", "loadtest.bench"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(BENCHES)
    assert all(len(line.split()) > 3 for line in done.stdout.splitlines())
