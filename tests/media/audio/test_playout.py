"""A speaker heard through good and bad networks, in virtual time."""

import numpy as np
import pytest

from media.audio.opus import FRAME, RATE, Encoder, OpusError, has_fec
from media.audio.playout import Playout
from media.audio.ramps import ENTRY

TICK = FRAME / RATE


def largest_step(sound: np.ndarray) -> float:
    return float(np.abs(np.diff(sound)).max())


def encode(sound: np.ndarray) -> list[bytes]:
    encoder = Encoder()
    return [encoder.encode(sound[i : i + FRAME]) for i in range(0, sound.size - FRAME + 1, FRAME)]


def tone(seconds: float, hertz: float = 440.0, amplitude: float = 0.25) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def uniform(rng: np.random.Generator, share: float):
    return lambda: rng.random() < share


def bursts(rng: np.random.Generator, share: float, mean: float = 3.0):
    """Gilbert-Elliott: everything is lost in the bad state, which lasts ``mean`` packets."""
    bad = False

    def lost() -> bool:
        nonlocal bad
        bad = rng.random() > 1 / mean if bad else rng.random() < share / mean / (1 - share)
        return bad

    return lost


def test_a_clean_line_plays_every_frame_within_a_tick(line, stream) -> None:
    line.play(stream(5.0), 5.0)
    assert line.kinds(0.1) == {"speech": len(line.frames) - 5}
    assert max(line.delays) < TICK + 0.003
    assert line.playout.counters.lost == 0
    assert all(frame.pcm.shape == (FRAME,) and frame.pcm.dtype == np.float32 for frame in line.frames)


def test_the_tone_spoken_is_the_tone_heard(line, stream) -> None:
    packets = stream(3.0)
    for packet, payload in zip(packets, encode(tone(3.0)), strict=True):
        packet.payload = payload
    line.play(packets, 3.0)
    heard = line.heard()[RATE : 2 * RATE]
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(heard.size)))
    assert np.argmax(spectrum) == pytest.approx(440, abs=1)
    assert line.frames[100].level_dbov == pytest.approx(-15.05, abs=1.0)


@pytest.mark.parametrize("phase", [0.0, 0.004, 0.009, 0.0131, 0.019])
def test_one_lost_packet_leaves_no_delay(line, stream, phase: float) -> None:
    line.phase = phase
    line.play(stream(10.0, lambda i: None if i == 250 else 0.03), 10.0)
    assert line.delay(6, 10) == pytest.approx(line.delay(1, 4), abs=1e-6)
    assert line.kinds(1.0)["concealed"] == 1
    assert line.playout.counters.lost == 1


@pytest.mark.parametrize("pattern", [uniform, bursts])
@pytest.mark.parametrize("seed", range(4))
def test_five_percent_loss_costs_one_tick_while_it_lasts_and_nothing_after(
    line, stream, pattern, seed: int
) -> None:
    lost = pattern(np.random.default_rng(seed), 0.05)
    line.phase = 0.003 * seed + 0.001
    line.play(stream(30.0, lambda i: None if 250 < i < 1250 and lost() else 0.03), 30.0)
    before = line.delay(2, 4.5)
    assert max(line.delays) < before + 2 * TICK
    assert line.delay(27, 30) < before + 0.0026
    counters = line.playout.counters
    assert counters.lost > 25
    assert counters.late == counters.discarded == 0
    assert counters.concealed < 2 * counters.lost


def test_with_steady_loss_most_lost_frames_come_back_by_fec(line, stream) -> None:
    rng = np.random.default_rng(5)
    voiced = stream(1.0)
    payloads = [p.payload for p in voiced]
    spare = [payload for payload in payloads if has_fec(payload)]
    packets = stream(30.0, lambda _: None if rng.random() < 0.1 else 0.03)
    for i, packet in enumerate(packets):
        packet.payload = spare[i % len(spare)]
    line.play(packets, 30.0)
    assert line.playout.counters.recovered_by_fec > 0.7 * line.playout.counters.lost


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("jitter", ["uniform", "exponential", "walk"])
def test_after_a_storm_of_thirty_seconds_delay_is_back_within_two(line, stream, jitter: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    wander = 0.0

    def way(i: int) -> float | None:
        nonlocal wander
        if not 250 <= i < 1750:
            return 0.03
        if rng.random() < 0.05:
            return None
        if jitter == "uniform":
            return 0.03 + 0.15 * rng.random()
        if jitter == "exponential":
            return 0.03 + min(0.5, rng.exponential(0.04))
        wander = min(abs(wander + rng.normal(0, 0.015)), 0.25)
        return 0.03 + wander

    line.phase = 0.0031 * seed
    line.play(stream(45.0, way), 45.0)
    before = line.delay(2, 4.5)
    assert line.delay(10, 34) > before + 0.05
    after = line.delays[round((37.0 - line.phase) / TICK) :]
    assert max(after) < before + TICK + 0.003
    assert set(line.kinds(37.5, 45.0)) == {"speech"}
    assert max(line.delays) < 0.3


def test_a_stall_is_caught_up_without_losing_words(line, stream) -> None:
    def way(i: int) -> float:  # 80 ms in which nothing comes, then all at once
        return 0.03 + max(0.0, (254 - i) * TICK) if 250 <= i < 254 else 0.03

    line.play(stream(10.0, way), 10.0)
    assert line.delay(7, 10) < line.delay(1, 4) + 0.0026
    assert line.playout.counters.late <= 3


@pytest.mark.parametrize("stall", [0.3, 1.5, 4.0])
def test_after_a_long_stall_the_newest_sound_is_played(line, stream, stall: float) -> None:
    held = round(stall / TICK)

    def way(i: int) -> float:
        return 0.03 + (250 + held - i) * TICK if 250 <= i < 250 + held else 0.03

    line.play(stream(15.0, way), 15.0)
    assert line.delay(7 + stall, 15) < line.delay(1, 4) + 0.0026
    assert max(line.delays[round((5.1 + stall) / TICK) :]) < 0.5


@pytest.mark.parametrize("drift", [2e-4, -2e-4])
def test_an_hour_at_200_ppm_does_not_grow_the_delay(cheap_line, stream, drift: float) -> None:
    rng = np.random.default_rng(1)
    packets = stream(3600.0, lambda _: 0.03 + 0.005 * rng.random(), drift=drift, fec=False)
    cheap_line.play(packets, 3590.0)
    assert cheap_line.delay(3000, 3590) < 0.045
    assert max(cheap_line.delays[100:]) < 0.06
    slips = 3600 * 2e-4 / TICK
    assert cheap_line.playout.counters.concealed < 2.5 * slips
    assert cheap_line.playout.counters.resets == 0


@pytest.mark.parametrize("samples", [120, 240, 480, 1920, 2880, 5760])
def test_packets_from_2_5_to_120_ms(line, stream, samples: int) -> None:
    encoder, sound = Encoder(), tone(3.0)
    packets = []
    for i in range(sound.size // samples):
        packet = stream(TICK)[0]
        packet.sequence, packet.timestamp = i, i * samples
        packet.payload = encoder.encode(sound[i * samples : (i + 1) * samples])
        packet.arrival = (i + 1) * samples / RATE
        packets.append(packet)
    line.play(packets, 2.9)
    assert set(line.kinds(0.3, 2.9)) == {"speech"}
    heard = line.heard()[RATE : 2 * RATE]
    assert np.argmax(np.abs(np.fft.rfft(heard * np.hanning(RATE)))) == pytest.approx(440, abs=1)
    assert line.playout.counters.lost == 0


def test_made_up_sound_fades_to_silence_within_100_ms(line, stream) -> None:
    line.play(stream(2.0), 3.0)
    last = max(i for i, frame in enumerate(line.frames) if frame.kind == "speech")
    fading = line.frames[last + 1 : last + 8]
    assert [frame.kind for frame in fading] == ["concealed"] * 5 + ["silence"] * 2
    assert fading[0].level_dbov > -30
    assert fading[4].level_dbov < fading[0].level_dbov - 6
    assert not fading[5].pcm.any()
    assert largest_step(line.heard()[(last - 2) * FRAME :]) < 0.3
    assert all(frame.kind == "silence" for frame in line.frames[last + 6 :])


def test_a_pause_of_dtx_is_silence_and_not_loss(line, stream) -> None:
    encoder = Encoder(dtx=True)
    from_voice = [packet.payload for packet in stream(2.0)]
    sound = [*from_voice, *(encoder.encode(np.zeros(FRAME)) for _ in range(100)), *from_voice]
    packets, sequence = [], 0
    for packet, payload in zip(stream(len(sound) * TICK), sound, strict=True):
        if len(payload) <= 2 and (sequence % 20 or packets[-1].payload == payload):
            continue  # a sender keeps quiet, and its sequence numbers go on without a gap
        packet.payload, packet.sequence = payload, sequence
        packets.append(packet)
        sequence += 1
    assert len(packets) < len(sound) - 50
    line.play(packets, 5.8)
    counters = line.playout.counters
    assert (counters.lost, counters.late, counters.resets) == (0, 0, 0)
    assert line.delay(4.5, 5.8) < line.delay(0.5, 1.8) + 0.0026
    assert line.kinds(4.3, 5.8) == {"speech": 75}


class Counting:
    """A decoder that says how often it was asked."""

    def __init__(self, decoder) -> None:
        self.calls = 0
        self._decoder = decoder

    def __getattr__(self, name: str):
        self.calls += name in ("decode", "decode_fec", "conceal")
        return getattr(self._decoder, name)


def test_muting_fades_without_a_click_and_decodes_nothing_meanwhile(line, stream) -> None:
    counting = Counting(line.playout._decoder)
    line.playout._decoder = counting
    packets = stream(8.0)
    for packet, payload in zip(packets, encode(tone(8.0)), strict=True):
        packet.payload = payload
    calls: dict[str, int] = {}

    def switch(now: float) -> None:
        line.playout.muted = 2.0 <= now < 5.0
        if 2.1 <= now < 2.12 or 4.9 <= now < 4.92:
            calls[f"{now:.1f}"] = counting.calls

    line.play(packets, 8.0, switch)
    assert len(set(calls.values())) == 1
    assert line.kinds(2.1, 4.9) == {"silence": 140}
    steady = largest_step(line.heard()[RATE : 2 * RATE - FRAME])
    assert largest_step(line.heard()[RATE:]) < 2.0 * steady
    assert line.playout.counters.lost == 0
    assert line.delay(5.5, 8) == pytest.approx(line.delay(0.5, 1.9), abs=0.0026)
    assert line.kinds(5.2, 7.9) == {"speech": 135}


def test_a_speaker_who_stopped_or_never_spoke_costs_no_decoding(line, stream) -> None:
    counting = Counting(line.playout._decoder)
    line.playout._decoder = counting
    line.play([], 2.0)
    assert counting.calls == 0
    line.play(stream(1.0, start=2.0), 4.0)
    spoken = counting.calls
    line.play([], 10.0)
    assert counting.calls == spoken
    assert line.frames[-1].pcm.flags.writeable is False


def test_sound_returns_from_silence_without_a_click(line, stream) -> None:
    packets = [*stream(2.0), *stream(2.0, start=4.0, sequence=1100, timestamp=5000 + 4 * RATE)]
    line.play(packets, 6.0)
    heard = line.heard()
    start = next(i for i in range(3 * RATE, heard.size) if heard[i] != 0)
    assert np.abs(heard[start : start + ENTRY // 10]).max() < 0.1
    assert line.playout.counters.resets == 0


def test_capture_time_is_that_of_the_first_sample(line, stream) -> None:
    packets = stream(2.0)
    epoch = 3_900_000_000 << 32
    for packet in packets[::25]:
        packet.capture = epoch + round(packet.sent * 2**32)
    line.play(packets, 2.0)
    for i, frame in enumerate(line.frames[10:95], start=10):
        now = line.phase + i * TICK
        captured = (frame.capture - epoch) / 2**32
        assert now - captured == pytest.approx(0.03 + line.delays[i], abs=1e-4)


def test_junk_between_good_packets_is_counted_and_harms_nobody(line, stream) -> None:
    rng = np.random.default_rng(3)
    packets = stream(6.0)
    for packet in packets[::5]:
        packet.payload = rng.bytes(int(rng.integers(0, 200)))
    line.play(packets, 6.1)
    assert line.playout.counters.malformed > 5
    assert np.isfinite(line.heard()).all()
    assert max(line.delays[100:]) < 0.4
    assert line.playout.counters.received == 300


def test_ten_times_too_many_packets_do_not_grow_the_delay(cheap_line, stream) -> None:
    packets = []
    for i in range(5_000):
        packet = stream(TICK, fec=False)[0]
        packet.sequence, packet.timestamp, packet.arrival = i, i * FRAME, 0.03 + i * TICK / 10
        packets.append(packet)
    packets += stream(10.0, sequence=5_000, timestamp=5_000 * FRAME, start=10.0, fec=False)
    cheap_line.play(packets, 20.0)
    assert max(cheap_line.delays) < 1.0
    assert cheap_line.playout.counters.discarded + cheap_line.playout.counters.late > 2_000
    assert set(cheap_line.kinds(13.0, 19.9)) == {"speech"}
    assert cheap_line.delay(13.0, 19.9) < 0.03


def test_a_restart_is_heard_again_at_once(line, stream) -> None:
    second = stream(3.0, sequence=40_000, timestamp=4_000_000_000, start=3.0)
    line.play([*stream(3.0), *second], 6.0)
    assert line.playout.counters.resets == 1
    assert line.kinds(3.2, 5.9) == {"speech": 135}
    assert line.delay(4, 6) == pytest.approx(line.delay(1, 3), abs=0.0026)


def test_a_closed_playout_has_freed_its_decoder() -> None:
    playout = Playout()
    playout.close()
    playout.close()
    for i in range(5):
        playout.put(i, i * FRAME, Encoder().encode(np.zeros(FRAME)), i * TICK)
        assert playout.pull(i * TICK + 0.01).kind == "silence"
    with pytest.raises(OpusError, match="closed"):
        playout._decoder.conceal(FRAME)
