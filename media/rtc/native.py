"""The C functions that compiled kernels call: libsrtp by address, the system calls by name.

numba caches a kernel on disk only if it does not hold raw pointers. So libsrtp's functions, which live inside
pylibsrtp's extension module, are registered with LLVM under their names and declared as external functions;
the system calls resolve from the process itself. pylibsrtp's binding is private: what we use of it is checked
here, on import, by one protect and unprotect.
"""

import struct
import sys
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from pylibsrtp import _binding  # pyright: ignore[reportPrivateUsage]

if not (sys.platform == "linux" and sys.byteorder == "little" and struct.calcsize("P") == 8):
    raise ImportError("the relay needs 64-bit little-endian Linux: its kernels lay out Linux's mmsghdr by hand")

ffi = _binding.ffi
lib = _binding.lib

for _name in ("srtp_protect", "srtp_unprotect", "srtp_protect_rtcp", "srtp_unprotect_rtcp"):
    llvm.add_symbol(_name, int(ffi.cast("uintptr_t", ffi.addressof(lib, _name))))

_srtp_call = types.int32(types.uintp, types.uintp, types.uintp)
srtp_protect = types.ExternalFunction("srtp_protect", _srtp_call)
srtp_unprotect = types.ExternalFunction("srtp_unprotect", _srtp_call)
srtp_protect_rtcp = types.ExternalFunction("srtp_protect_rtcp", _srtp_call)
srtp_unprotect_rtcp = types.ExternalFunction("srtp_unprotect_rtcp", _srtp_call)

sendmmsg = types.ExternalFunction("sendmmsg", types.int32(types.int32, types.uintp, types.uint32, types.int32))
recvmmsg = types.ExternalFunction(
    "recvmmsg", types.int32(types.int32, types.uintp, types.uint32, types.int32, types.uintp)
)
recv = types.ExternalFunction("recv", types.int64(types.int32, types.uintp, types.uint64, types.int32))
write = types.ExternalFunction("write", types.int64(types.int32, types.uintp, types.uint64))
poll = types.ExternalFunction("poll", types.int32(types.uintp, types.uint64, types.int32))
epoll_wait = types.ExternalFunction("epoll_wait", types.int32(types.int32, types.uintp, types.int32, types.int32))
usleep = types.ExternalFunction("usleep", types.int32(types.uint32))
clock_gettime = types.ExternalFunction("clock_gettime", types.int32(types.int32, types.uintp))
errno_location = types.ExternalFunction("__errno_location", types.uintp())

SRTP_OK: int = lib.srtp_err_status_ok
SRTP_TRAILER_MAX = 16 + 4
"""Bytes that protection may add: a GCM tag of 16, and for RTCP the 4-byte index (RFC 7714)."""

MSG_DONTWAIT = 0x40
EINTR, EAGAIN = 4, 11
CLOCK_REALTIME, CLOCK_MONOTONIC = 0, 1


@intrinsic
def _load_int32(context: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(builder.inttoptr(arguments[0], ir.IntType(32).as_pointer()))

    return types.int32(types.uintp), generate


@njit(nogil=True, cache=True)
def errno() -> int:  # pragma: no cover
    """The calling thread's errno, inside a kernel."""
    return _load_int32(errno_location())  # pyright: ignore[reportCallIssue]
