"""Many frames encoded in one native call: a relay of many rooms has hundreds to encode in a tick of 20 ms.

One by one, with Python in between, each finds the caches full of something else. The packets are written where
they are wanted, so none of them is ever a Python object. Decoding is one native call as well, among all else that
is done for a speaker (``media.relay.hearing``), and has only its foreign function here.
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
llvm.add_symbol("opus_decode_float", ctypes.cast(LIBRARY.opus_decode_float, ctypes.c_void_p).value)
opus_decode_float = types.ExternalFunction(
    "opus_decode_float",
    types.int32(types.uintp, types.uintp, types.int32, types.uintp, types.int32, types.int32),
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
    """What is to be encoded in a tick. Driven by the media thread: ``add`` for each frame, then ``run``.

    A kernel may add frames as well: it takes the next of the rows that it had reserved, and counts them.
    """

    def __init__(self) -> None:
        self.count: NDArray[np.int64] = np.zeros(1, np.int64)
        """How many frames there are, in ``count[0]``."""
        self.states: NDArray[np.uint64] = np.zeros(64, np.uint64)
        """Of each frame's encoder the address of its state."""
        self.places: NDArray[np.int64] = np.zeros(64, np.int64)
        self.frames: NDArray[np.float32] = np.zeros((64, FRAME), np.float32)
        """Shape (at least ``count``, 960), full scale ±1.0; they stay as they are until the next is added."""
        self._sizes = np.zeros(64, np.int32)
        self._encoders: list[Encoder] = []

    def reserve(self, frames: int) -> None:
        """See to it that so many more can be added."""
        while len(self.states) < self.count[0] + frames:
            self.states, self.places = np.tile(self.states, 2), np.tile(self.places, 2)
            self.frames, self._sizes = np.tile(self.frames, (2, 1)), np.tile(self._sizes, 2)

    def add(self, encoder: Encoder, pcm: Pcm, place: int) -> None:
        """Have ``pcm``, shape (960,), encoded into a row of the table that ``run`` will be given.

        The encoder must neither be closed nor used otherwise until then. Raises ``OpusError`` if it is closed.
        """
        self.reserve(1)
        job = int(self.count[0])
        self.states[job], self.places[job] = encoder.state, place
        self.frames[job] = pcm
        self._encoders.append(encoder)
        self.count[0] = job + 1

    def run(self, packets: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Encode everything into ``packets``, shape (rows, at least 1,275); returns rows and sizes in bytes.

        A size is negative where libopus refused. Both arrays are valid until the next ``add``.
        """
        count = int(self.count[0])
        encode_all(count, self.states, self.frames, self.places, packets, self._sizes)
        self.count[0] = 0
        self._encoders.clear()
        return self.places[:count], self._sizes[:count]
