"""A network of its own for this process and what it starts.

libnice and Firefox gather no candidates on loopback, so the trials go over an interface that is none: one end of a
veth pair, which nothing outside reaches and which is gone with the process.
"""

import ctypes
import os
import subprocess

HOST = "192.0.2.1"
"""TEST-NET-1 (RFC 5737)."""
_CLONE_NEWNET = 0x4000_0000
_COMMANDS = (
    "link set lo up",
    "link add trial0 type veth peer name trial1",
    f"addr add {HOST}/24 dev trial0",
    "link set trial0 up",
    "link set trial1 up",
)


def enter() -> None:
    """Leave the machine's network for good; needs root, or to be root of a user namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    for command in _COMMANDS:
        subprocess.run(["ip", *command.split()], check=True)
