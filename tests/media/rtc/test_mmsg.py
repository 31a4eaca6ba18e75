"""The layout of ``sendmmsg``'s structures, held against what the C compiler's rules make of their declarations."""

import ctypes
import gc

import numpy as np

from media.rtc.mmsg import IOVEC, MMSGHDR, Messages, places


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class Msghdr(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_size", ctypes.c_uint32),
        ("iov", ctypes.POINTER(Iovec)),
        ("iov_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_size", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    ]


class Mmsghdr(ctypes.Structure):
    _fields_ = [("header", Msghdr), ("length", ctypes.c_uint)]


def layout(structure: type[ctypes.Structure]) -> dict[str, tuple[int, int]]:
    return {
        name: (getattr(structure, name).offset, getattr(structure, name).size) for name, _ in structure._fields_
    }


def laid_out(kind: np.dtype) -> dict[str, tuple[int, int]]:
    assert kind.fields is not None
    return {name: (field[1], field[0].itemsize) for name, field in kind.fields.items()}


def test_every_field_is_where_c_has_it() -> None:
    assert laid_out(IOVEC) == layout(Iovec) and IOVEC.itemsize == ctypes.sizeof(Iovec)
    length = (Mmsghdr.length.offset, Mmsghdr.length.size)
    assert laid_out(MMSGHDR) == layout(Msghdr) | {"length": length}
    assert MMSGHDR.itemsize == ctypes.sizeof(Mmsghdr)


def test_each_message_has_its_own_row_of_everything() -> None:
    buffers, addresses = np.arange(3 * 40, dtype=np.uint8).reshape(3, 40), np.zeros((3, 2), np.uint64)
    controls = np.zeros((3, 32), np.uint8)
    messages = Messages(buffers, 10, addresses, controls)
    headers = (Mmsghdr * 3).from_buffer(messages.headers)
    for index in range(3):
        header = headers[index].header
        assert (header.name, header.control) == (places(addresses)[index], places(controls)[index])
        assert header.iov_count == 1
        held = ctypes.string_at(header.iov[0].base, header.iov[0].length)
        assert held == bytes(range(40 * index, 40 * index + 10))


def test_what_the_addresses_point_to_lives_as_long() -> None:
    messages = Messages(np.full((2, 100_000), 7, np.uint8), 100_000)
    gc.collect()
    base = int(messages.iovecs["base"][1])
    assert ctypes.string_at(base, 100_000) == b"\x07" * 100_000
