"""The memory of a compiler that has done its work: a quarter of what an idle relay held.

To load kernels, LLVM is mapped into the process (80 MB of code), and most of its code is touched once. Nothing of
it runs after the start; where it is needed all the same, the system reads it from its file again.
"""

import ctypes
from pathlib import Path

_LIBRARY = "libllvmlite.so"
_MADV_DONTNEED = 4
"""asm-generic/mman-common.h. Pages of a file that nobody wrote to are dropped, and found in the file again."""


def give_back_compiler() -> int:
    """Drop the compiler's code from memory; returns how many bytes of address space that were."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    given = 0
    for start, end in _code(Path("/proc/self/maps").read_text()):
        if libc.madvise(start, end - start, _MADV_DONTNEED) == 0:
            given += end - start
    return given


def _code(maps: str) -> list[tuple[int, int]]:
    """Where the library's code is, which alone is never written to: the dynamic linker writes to its data."""
    found: list[tuple[int, int]] = []
    for line in maps.splitlines():
        span, rights, *rest = line.split()
        if rights == "r-xp" and rest[-1].endswith(_LIBRARY):
            start, end = (int(bound, 16) for bound in span.split("-"))
            found.append((start, end))
    return found
