"""A relay that is still starting ends with the process that started it, whatever ended that.

A relay that serves sees the end of its socket of commands, and takes leave of its sessions. One that is loading or
compiling its kernels looks at no socket, for minutes maybe, and would keep the UDP port from the next server. So
the kernel of the operating system kills it (``PR_SET_PDEATHSIG``, prctl(2)).
"""

import ctypes
import signal

_PR_SET_PDEATHSIG = 1


def die_with_parent(whether: bool) -> None:
    """Have this process killed when the thread that started it ends, or no longer.

    :raises OSError: the system does not know how
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL if whether else 0, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
