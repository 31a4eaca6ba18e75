"""A network of its own for this process and what it starts: Janus gathers no loopback candidates.

Linux network namespaces: nothing in there can be reached from outside, and it is gone when the process ends. What
is sent to :data:`HOST` from within takes the way of loopback, so it costs what loopback costs.
"""

import ctypes
import os
import subprocess

from loadtest.bench.rivals.stage import program
from loadtest.lab import LabError

HOST = "192.0.2.1"
"""TEST-NET-1 (RFC 5737)."""
INTERFACE = "peers0"
_CLONE_NEWNET = 0x4000_0000
_COMMANDS = (
    "link set lo up",
    f"link add {INTERFACE} type veth peer name peers1",
    f"addr add {HOST}/24 dev {INTERFACE}",
    f"link set {INTERFACE} up",
    "link set peers1 up",
)


def move_there() -> None:
    """Leave the machine's network for good; threads and processes started from now on are there too.

    :raises LabError: this process may not
    """
    ip = program("ip", "apt-get install -y iproute2")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET):
        reason = os.strerror(ctypes.get_errno())
        raise LabError(
            f"A network namespace cannot be made ({reason}): be root, or put `unshare --map-root-user` in front."
        )
    for command in _COMMANDS:
        done = subprocess.run([ip, *command.split()], capture_output=True, text=True)  # noqa: S603 (our own list)
        if done.returncode:
            raise LabError(f"ip {command} failed in a new network namespace: {done.stderr.strip()}.")
