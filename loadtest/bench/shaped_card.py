"""A slow network card: loopback in a network namespace of one's own, shaped by a token bucket (tc-tbf(8)).

The whole card is shaped, so what the speakers send and HTTP share it; beside a crowd both are small. Packets are
counted as on Ethernet, header included.
"""

import subprocess
from collections.abc import Generator
from contextlib import contextmanager

from loadtest.bench.rivals.stage import program
from loadtest.lab import LabError

MTU = 1500
"""As on Ethernet; loopback's own 64 KiB would not fit through a small bucket."""
BURST = "32k"
"""Bytes that the bucket holds: more than a timer's tick lets through at 10 Mbit/s."""
LATENCY = "60ms"
"""Of the queue; three ticks of the relay, each of which is sent at once."""


@contextmanager
def shaped(mbit_s: float | None) -> Generator[None]:
    """Let loopback carry no more than this, in the namespace of this process; None for no limit.

    :raises LabError: this kernel or user cannot
    """
    if mbit_s is None:
        yield
        return
    _run("ip", "link", "set", "lo", "mtu", str(MTU))
    shape = ("rate", f"{mbit_s:g}mbit", "burst", BURST, "latency", LATENCY)
    _run("tc", "qdisc", "add", "dev", "lo", "root", "tbf", *shape)
    try:
        yield
    finally:
        _run("tc", "qdisc", "del", "dev", "lo", "root")


def _run(name: str, *arguments: str) -> None:
    command = [program(name, "apt-get install -y iproute2"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (our own list)
    if done.returncode:
        raise LabError(f"{name} {' '.join(arguments)} failed: {done.stderr.strip()}.")
