"""A compiler's code is dropped from memory, and compiles as before when it is called again."""

from pathlib import Path

from numba import njit

from media.relay.compiler_pages import _code, give_back_compiler

MAPS = """\
7f0000000000-7f0000300000 r--p 00000000 08:01 12 /x/llvmlite/binding/libllvmlite.so
7f0000300000-7f0005300000 r-xp 00300000 08:01 12 /x/llvmlite/binding/libllvmlite.so
7f0005300000-7f0009500000 r--p 05300000 08:01 12 /x/llvmlite/binding/libllvmlite.so
7f0009500000-7f0009600000 rw-p 09500000 08:01 12 /x/llvmlite/binding/libllvmlite.so
7f0010000000-7f0010100000 r-xp 00000000 08:01 13 /lib/libc.so.6
7f0020000000-7f0020100000 rw-p 00000000 00:00 0
"""


def resident() -> int:
    """Bytes of the compiler's code in memory."""
    total, inside = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        first = line.split()[0]
        if "-" in first and not first.endswith(":"):
            inside = "r-xp" in line and line.endswith("libllvmlite.so")
        elif inside and first == "Rss:":
            total += int(line.split()[1]) * 1024
    return total


def test_only_code_of_the_compiler_is_named():
    assert _code(MAPS) == [(0x7F0000300000, 0x7F0005300000)]


def test_code_is_dropped_and_compiles_again():
    def double(value: int) -> int:
        return 2 * value

    assert njit(double)(4) == 8
    before = resident()
    assert give_back_compiler() > before > 0
    assert resident() < before / 4
    assert njit(double)(4) == 8, "compiled by code that was read again"
