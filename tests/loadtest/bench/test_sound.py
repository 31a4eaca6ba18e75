"""What is scored, against which networks, and that a score says what an ear would."""

import numpy as np
import pytest

from loadtest.bench.quality import find, score
from loadtest.bench.sound import LATEST, LOSSES, PIECE, cases, programme, seeded
from media.audio.opus import RATE

PACKETS = 1_800


def test_every_case_is_there_once():
    networks = cases(LOSSES)
    assert len(networks) == len(set(networks)) == 1 + 2 * 2 * 4
    assert networks[0].loss == 0


@pytest.mark.parametrize("case", cases(LOSSES), ids=str)
def test_a_case_loses_what_it_says(case):
    path = seeded(case, 1, PACKETS)
    for _ in range(PACKETS):
        path.send(0.0)
    assert path.lost / PACKETS == pytest.approx(case.loss, rel=0.02, abs=1.5 / PACKETS)


def test_pieces_are_speech_with_silence_around():
    pieces = programme(2)
    assert [piece.size for piece in pieces] == [PIECE, PIECE]
    for piece in pieces:
        assert not piece[: RATE // 2].any() and not piece[-RATE // 2 :].any()
        assert np.sqrt(np.mean(piece**2)) > 0.01


def test_a_piece_is_found_where_it_was_heard():
    piece = programme(1)[0]
    heard = np.concatenate((np.zeros(4_321, np.float32), piece, np.zeros(9_999, np.float32)))
    assert find(piece, heard) == 4_321


def test_delay_costs_nothing_and_gaps_do():
    piece = programme(1)[0]
    heard = np.concatenate((np.zeros(round(0.09 * RATE), np.float32), piece, np.zeros(RATE, np.float32)))
    gaps = heard.copy()
    for start in range(RATE, PIECE, RATE // 4):
        gaps[start : start + RATE // 16] = 0.0
    whole = score(piece, heard[: PIECE + round(LATEST * RATE)])
    assert whole > 4.2
    assert score(piece, gaps[: PIECE + round(LATEST * RATE)]) < whole - 1.0
