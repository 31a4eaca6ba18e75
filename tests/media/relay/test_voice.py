"""One participant's sound on its way into the mix: on ramps, undecoded where nobody hears it, never too much."""

import numpy as np
import pytest

from media.audio.opus import FRAME, RATE, Encoder
from media.audio.playout import Frame
from media.relay.voice import SOUND_SAVED, Voice
from media.rtc.rtp import RtpPacket
from tests.media.audio.conftest import voice

TICK = FRAME / RATE


def bend(sound: np.ndarray) -> float:
    """Largest second difference: what a click is."""
    return float(np.abs(np.diff(sound, 2)).max())


def test_voice_comes_and_goes_without_a_click():
    own, n = Voice(), np.arange(60 * FRAME)
    sound = (0.004 * np.sin(2 * np.pi * 300 * n / RATE + 1.0)).astype(np.float32)
    sound[20 * FRAME : 30 * FRAME] *= 10
    mixed = []
    for tick in range(60):
        pcm = sound[tick * FRAME : (tick + 1) * FRAME]
        level = -30.0 if 20 <= tick < 30 else -55.0
        heard = own.hear(Frame(pcm, level, "speech", None))
        mixed.append(np.zeros(FRAME, np.float32) if heard is None else heard)
    switches = [t for t in range(1, 60) if mixed[t].any() != mixed[t - 1].any()]
    assert switches == [20, 46], "in with the first loud frame, out 300 ms after the last and a fade"
    heard = np.concatenate(mixed)
    cut = np.concatenate([np.zeros(480, np.float32), sound[20 * FRAME : 21 * FRAME]])
    assert bend(heard[20 * FRAME - 480 : 21 * FRAME]) < 0.02 * bend(cut)
    cut = np.concatenate([sound[44 * FRAME : 45 * FRAME], np.zeros(480, np.float32)])
    assert bend(heard[44 * FRAME : 47 * FRAME]) < 0.05 * bend(cut)


class Decoder:
    """Counts what is decoded."""

    def __init__(self, real) -> None:
        self.decoded, self._real = 0, real

    def __getattr__(self, name: str):
        self.decoded += name == "decode"
        return getattr(self._real, name)


@pytest.mark.parametrize("offered", [True, False])
def test_open_microphone_in_a_quiet_room_is_decoded_only_where_it_does_not_say_so(offered: bool):
    own, encoder = Voice(), Encoder()
    decoder = own.playout._decoder = Decoder(own.playout._decoder)
    said = np.concatenate([0.001 * voice(2.0), voice(1.0)]).astype(np.float32)
    heard = []
    for tick in range(150):
        level = -60.0 if tick < 100 else -15.0
        payload = encoder.encode(said[tick * FRAME : (tick + 1) * FRAME])
        packet = RtpPacket(111, tick, tick * FRAME, 1, payload)
        assert own.put(packet, tick * TICK, None, level if offered else None) is None
        pcm = own.hear(own.playout.pull(tick * TICK + 0.005))
        heard.append(np.zeros(FRAME, np.float32) if pcm is None else pcm)
        if tick == 99:
            assert decoder.decoded == (0 if offered else 100)
    assert not np.concatenate(heard[:100]).any()
    loud = np.concatenate(heard[101:])
    assert np.abs(loud).max() > 0.1
    assert bend(loud[:FRAME]) <= 1.2 * bend(loud[FRAME:])
    assert own.playout.counters.lost == 0


def test_ten_times_too_many_packets_are_dropped_before_they_are_read():
    own, reasons = Voice(), []
    for n in range(5_000):
        packet = RtpPacket(111, n & 0xFFFF, n * FRAME, 1, bytes([31 << 3]) + b"x" * 40)
        reasons.append(own.put(packet, n * TICK / 10, None, None))
        if n % 10 == 9:
            own.playout.buffer.next(n * TICK / 10, FRAME)
    taken = reasons.count(None) * TICK
    assert taken <= SOUND_SAVED + 1.5 * 10.0 + TICK, "of 100 s of sound in 10 s"
    assert set(reasons) == {None, "too many packets"}


def test_speaker_s_own_pace_is_never_too_much():
    for samples, config in ((120, 28), (480, 30), (960, 31), (2880, 11)):
        own = Voice()
        for n in range(10 * RATE // samples):
            packet = RtpPacket(111, n & 0xFFFF, n * samples, 1, bytes([config << 3]) + b"x" * 10)
            assert own.put(packet, n * samples / RATE, None, None) is None
