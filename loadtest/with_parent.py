"""``python with_parent.py PARENT COMMAND…``: become a command that is told to end when its parent has died.

A server or a swarm that a notebook has started must not go on when the notebook's kernel is killed, and who is
killed cannot end it. So the kernel of the operating system does: it sends the signal when the thread that started
the command ends (``PR_SET_PDEATHSIG``, prctl(2), kept over ``execve``). Start it from a thread that lives as long.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def bound(command: list[str]) -> list[str]:
    """Return the command that runs this one with this process for its parent."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def end_with_parent(number: int) -> None:
    """Have this process sent a signal when its parent dies; :raises OSError: the system does not know how."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")


def main() -> None:
    """Become the command, unless the parent has died already."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    end_with_parent(signal.SIGTERM)
    if os.getppid() == parent:
        os.execvp(command[0], command)  # noqa: S606 (the caller's own list)


if __name__ == "__main__":
    main()
