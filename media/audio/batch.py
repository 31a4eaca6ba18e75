"""Many frames encoded in one native call: a relay of many rooms has hundreds to encode in a tick of 20 ms.

One by one, with Python in between, each finds the caches full of something else. The packets are written where
they are wanted, so none of them is ever a Python object.
"""

import ctypes
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from media.audio.libopus import LIBRARY
from media.audio.opus import FRAME, MAX_PACKET_BYTES, Encoder, Pcm

llvm.add_symbol("opus_encode_float", ctypes.cast(LIBRARY.opus_encode_float, ctypes.c_void_p).value)
opus_encode_float = types.ExternalFunction(
    "opus_encode_float", types.int32(types.uintp, types.uintp, types.int32, types.uintp, types.int32)
)


@njit(nogil=True, cache=True)
def encode_all(  # pragma: no cover
    count: int, states: Any, frames: Any, places: Any, packets: Any, sizes: Any
) -> None:
    """Encode ``frames[:count]`` into ``packets[places]``; sizes in bytes, or libopus' negative error codes."""
    for job in range(count):
        sizes[job] = opus_encode_float(
            states[job],
            frames.ctypes.data + job * FRAME * 4,
            FRAME,
            packets.ctypes.data + places[job] * packets.shape[1],
            MAX_PACKET_BYTES,
        )


class Batch:
    """What is to be encoded in a tick. Driven by the media thread: ``add`` for each frame, then ``run``."""

    def __init__(self) -> None:
        self._count = 0
        self._encoders: list[Encoder] = []
        self._states = np.zeros(64, np.uint64)
        self._places = np.zeros(64, np.int64)
        self._frames = np.zeros((64, FRAME), np.float32)
        self._sizes = np.zeros(64, np.int32)

    def add(self, encoder: Encoder, pcm: Pcm, place: int) -> None:
        """Have ``pcm``, shape (960,), encoded into a row of the table that ``run`` will be given.

        The encoder must neither be closed nor used otherwise until then. Raises ``OpusError`` if it is closed.
        """
        job = self._count
        if job == len(self._states):
            for name in ("_states", "_places", "_frames", "_sizes"):
                table = getattr(self, name)
                setattr(self, name, np.concatenate((table, np.zeros_like(table))))
        self._states[job], self._places[job] = encoder.state, place
        self._frames[job] = pcm
        self._encoders.append(encoder)
        self._count = job + 1

    def run(self, packets: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Encode everything into ``packets``, shape (rows, at least 1,275); returns rows and sizes in bytes.

        A size is negative where libopus refused. Both arrays are valid until the next ``add``.
        """
        count, self._count = self._count, 0
        encode_all(count, self._states, self._frames, self._places, packets, self._sizes)
        self._encoders.clear()
        return self._places[:count], self._sizes[:count]
