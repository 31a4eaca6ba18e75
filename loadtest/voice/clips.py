"""Reads the clips, which are already what a speaker sends: Opus packets of 20 ms, each with its level.

``clips.npz`` is a plain numpy archive without pickles. It holds, for each clip of a name NAME,

- ``NAME.packets``  uint8 (bytes,): the packets one after the other,
- ``NAME.sizes``    uint16 (packets,): the length of each,
- ``NAME.levels``   int8 (packets,): the level of each in dBov.

``python -m loadtest.voice.make`` makes it anew.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ARCHIVE = Path(__file__).with_name("clips.npz")

TICK = 0.02
"""Seconds of sound in a packet."""
FRAME = 960
"""The same on RTP's clock of 48 kHz (RFC 7587 §4.1)."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """Speech of one voice without long pauses; whoever plays it cuts it into talk-spurts, and may repeat it."""

    name: str
    packets: tuple[bytes, ...]
    """Opus, 48 kHz, mono, 20 ms each, 32 kbit/s, with in-band FEC for 10 % loss."""
    levels: NDArray[np.int8]
    """Shape (packets,), int8: the level of each packet in dBov, −127 to 0; RFC 6464 sends it negated."""

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.packets) * TICK


@cache
def clips() -> tuple[Clip, ...]:
    """All clips, in the order of their names; read once per process."""
    with np.load(ARCHIVE) as archive:
        names = sorted(key.removesuffix(".packets") for key in archive if key.endswith(".packets"))
        return tuple(
            Clip(
                name,
                _split(archive[f"{name}.packets"], archive[f"{name}.sizes"]),
                archive[f"{name}.levels"],
            )
            for name in names
        )


def _split(packets: NDArray[np.uint8], sizes: NDArray[np.uint16]) -> tuple[bytes, ...]:
    ends = np.cumsum(sizes, dtype=np.int64).tolist()
    whole = packets.tobytes()
    return tuple(whole[start:end] for start, end in zip([0, *ends], ends, strict=False))
