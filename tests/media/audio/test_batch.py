"""A batch gives what encoders give one by one."""

import numpy as np
import pytest

from media.audio.batch import Batch
from media.audio.opus import FRAME, Encoder, OpusError
from tests.media.audio.conftest import voice

ROW = 1_344


@pytest.mark.parametrize("encoders", [1, 3, 150])
def test_packets_are_those_of_single_encodes(encoders: int) -> None:
    batch, packets = Batch(), np.zeros((encoders + 5, ROW), np.uint8)
    said = voice(1.0).reshape(-1, FRAME)
    batched, single = ([Encoder(fec=n % 2 > 0) for n in range(encoders)] for _ in range(2))
    for tick in range(5):
        frames = [said[(tick + 7 * n) % len(said)] for n in range(encoders)]
        for n, frame in enumerate(frames):
            batch.add(batched[n], frame, encoders + 4 - n)
        rows, sizes = batch.run(packets)
        assert rows.tolist() == [encoders + 4 - n for n in range(encoders)]
        for n, frame in enumerate(frames):
            assert packets[rows[n], : sizes[n]].tobytes() == single[n].encode(frame)


def test_a_batch_is_empty_after_it_was_run() -> None:
    batch, encoder, packets = Batch(), Encoder(), np.zeros((1, ROW), np.uint8)
    batch.add(encoder, np.zeros(FRAME, np.float32), 0)
    assert batch.run(packets)[1][0] > 0
    packets[:] = 7
    rows, sizes = batch.run(packets)
    assert (rows.size, sizes.size) == (0, 0)
    assert (packets == 7).all()


def test_a_closed_encoder_is_refused_and_leaves_the_batch_as_it_was() -> None:
    batch, encoder = Batch(), Encoder()
    encoder.close()
    with pytest.raises(OpusError, match="closed"):
        batch.add(encoder, np.zeros(FRAME, np.float32), 0)
    assert batch.run(np.zeros((1, ROW), np.uint8))[0].size == 0
