import gc
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.audio import libopus
from media.audio.opus import FRAME, RATE, Decoder, Encoder, OpusError, has_fec, is_dtx, packet_samples


def tone(hertz: float, seconds: float, amplitude: float = 0.25) -> np.ndarray:
    n = np.arange(int(seconds * RATE))
    return (amplitude * np.sin(2 * np.pi * hertz * n / RATE)).astype(np.float32)


def voice(seconds: float, seed: int = 1) -> np.ndarray:
    """Pulses at a drifting pitch through two resonances: enough like a vowel that libopus adds FEC to it."""
    n = np.arange(int(seconds * RATE))
    pitch = 120 + 20 * np.sin(2 * np.pi * 1.3 * n / RATE)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    sound = sum(np.sin(k * phase) / k for k in range(1, 25))
    noise = np.random.default_rng(seed).standard_normal(n.size)
    return (0.15 * sound + 0.002 * noise).astype(np.float32)


def frames(sound: np.ndarray, samples: int = FRAME) -> list[np.ndarray]:
    return [sound[i : i + samples] for i in range(0, sound.size - samples + 1, samples)]


def peak_hertz(sound: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size)))
    return float(np.argmax(spectrum)) * RATE / sound.size


@pytest.mark.parametrize("hertz", [220.0, 440.0, 1_000.0, 3_000.0])
@pytest.mark.parametrize("samples", [480, 960, 2_880])
def test_tone_in_is_tone_out(hertz: float, samples: int) -> None:
    encoder, decoder = Encoder(), Decoder()
    heard = np.concatenate([decoder.decode(encoder.encode(f)) for f in frames(tone(hertz, 1.2), samples)])
    steady = heard[RATE // 5 : RATE // 5 + RATE]
    assert steady.dtype == np.float32
    assert peak_hertz(steady) == pytest.approx(hertz, abs=1.0)
    assert np.sqrt(np.mean(steady**2)) == pytest.approx(0.25 / np.sqrt(2), rel=0.15)


def test_int16_scale_is_not_assumed_and_any_array_form_is_taken() -> None:
    encoder = Encoder()
    strided = np.zeros((960, 2))[:, 0]
    assert packet_samples(encoder.encode(strided)) == 960
    assert packet_samples(encoder.encode([0.0] * 480)) == 480


@pytest.mark.parametrize("shape", [(0,), (959,), (961,), (5_761,), (960, 1), (1, 960), ()])
def test_frames_opus_does_not_have_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(OpusError, match=r"2\.5 to 120 ms"):
        Encoder().encode(np.zeros(shape))


def test_settings_are_checked_and_take_effect() -> None:
    encoder = Encoder(bitrate=32_000)
    sound = frames(voice(1.0))
    rich = sum(len(encoder.encode(f)) for f in sound)
    encoder.bitrate = 12_000
    poor = sum(len(encoder.encode(f)) for f in sound)
    assert poor < 0.6 * rich
    assert encoder.bitrate == 12_000
    encoder.expected_loss = 0.2
    assert encoder.expected_loss == 0.2
    with pytest.raises(OpusError, match="bitrate"):
        encoder.bitrate = 100
    with pytest.raises(OpusError, match="between 0 and 1"):
        encoder.expected_loss = 5
    with pytest.raises(OpusError, match="complexity to 11"):
        encoder.complexity = 11
    assert (encoder.bitrate, encoder.complexity, encoder.expected_loss) == (12_000, 6, 0.2)


def test_only_a_filtered_encoder_takes_rumble_away() -> None:
    power = {}
    for filtered in (True, False):
        encoder, decoder = Encoder(fec=False, filtered=filtered), Decoder()
        heard = np.concatenate([decoder.decode(encoder.encode(f)) for f in frames(tone(25.0, 1.0))])
        power[filtered] = float(np.mean(heard[RATE // 2 :] ** 2))
    assert power[False] > 0.02
    assert power[True] < 0.5 * power[False]


@pytest.mark.parametrize("filtered", [True, False])
def test_fec_brings_back_the_lost_frame_better_than_concealment(filtered: bool) -> None:
    encoder = Encoder(bitrate=32_000, expected_loss=0.2, filtered=filtered)
    plain, sound = Decoder(), frames(voice(2.0))
    packets = [encoder.encode(f) for f in sound]
    assert sum(map(has_fec, packets)) > 30
    by_fec, by_guess = Decoder(), Decoder()
    error_fec = error_guess = 0.0
    for i, packet in enumerate(packets[:-1]):
        truth = plain.decode(packet)
        if i > 10 and i % 5 == 0 and has_fec(packets[i + 1]):
            error_fec += float(np.sum((by_fec.decode_fec(packets[i + 1], FRAME) - truth) ** 2))
            error_guess += float(np.sum((by_guess.conceal(FRAME) - truth) ** 2))
        else:
            by_fec.decode(packet)
            by_guess.decode(packet)
    assert 0 < error_fec < 0.5 * error_guess


def test_no_fec_where_none_was_asked_for() -> None:
    encoder = Encoder(fec=False)
    assert not any(has_fec(encoder.encode(f)) for f in frames(voice(1.0)))


def test_dtx_stops_sending_in_silence() -> None:
    encoder = Encoder(dtx=True)
    for f in frames(voice(0.5)):
        assert not is_dtx(encoder.encode(f))
    quiet = [encoder.encode(np.zeros(FRAME)) for _ in range(100)]
    assert sum(map(is_dtx, quiet)) > 70


def test_stereo_packets_become_mono() -> None:
    import av

    codec = av.CodecContext.create("libopus", "w")
    assert isinstance(codec, av.AudioCodecContext)
    codec.sample_rate, codec.layout, codec.format = RATE, "stereo", av.AudioFormat("s16")
    decoder, heard = Decoder(), []
    for i, f in enumerate(frames(tone(700, 1.0))):
        both = np.repeat((f * 32767).astype(np.int16), 2)[None, :]
        frame = av.AudioFrame.from_ndarray(both, format="s16", layout="stereo")
        frame.sample_rate, frame.pts = RATE, i * FRAME
        heard += [decoder.decode(bytes(packet)) for packet in codec.encode(frame)]
    sound = np.concatenate(heard)
    assert peak_hertz(sound[-RATE // 2 :]) == pytest.approx(700, abs=2)


# Vectors made by hand from RFC 6716 §3.1 and §3.2: TOC = config << 3 | stereo << 2 | code.
@pytest.mark.parametrize(
    ("packet", "samples"),
    [
        (bytes([1 << 3]) + b"x" * 10, 960),
        (bytes([3 << 3]), 2_880),
        (bytes([12 << 3]), 480),
        (bytes([16 << 3]), 120),
        (bytes([31 << 3 | 4]) + b"x", 960),
        (bytes([31 << 3 | 1]) + b"xxyy", 1_920),
        (bytes([31 << 3 | 2, 2]) + b"xxy", 1_920),
        (bytes([31 << 3 | 2, 252, 1]) + b"x" * 256 + b"y", 1_920),
        (bytes([3 << 3 | 3, 2]) + b"xxyy", 5_760),
        (bytes([16 << 3 | 3, 48]) + b"x" * 48, 5_760),
        (bytes([31 << 3 | 3, 0x80 | 3, 1, 2]) + b"xyyzzz", 2_880),
        (bytes([31 << 3 | 3, 0x40 | 2, 3]) + b"xy" + bytes(3), 1_920),
        (bytes([31 << 3 | 3, 0x40 | 1, 255, 1]) + b"x" + bytes(255), 960),
    ],
)
def test_duration_from_the_first_bytes(packet: bytes, samples: int) -> None:
    assert packet_samples(packet) == samples


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        bytes([31 << 3]) + bytes(1_276),
        bytes([31 << 3 | 1]) + b"xxy",
        bytes([31 << 3 | 2]),
        bytes([31 << 3 | 2, 9]) + b"x",
        bytes([31 << 3 | 2, 253]),
        bytes([31 << 3 | 3]),
        bytes([31 << 3 | 3, 0]),
        bytes([31 << 3 | 3, 7]) + b"x" * 7,
        bytes([3 << 3 | 3, 3]) + b"xyz",
        bytes([31 << 3 | 3, 2]) + b"xyz",
        bytes([31 << 3 | 3, 0x80 | 3, 1, 9]) + b"xyz",
        bytes([31 << 3 | 3, 0x40 | 1, 9]) + b"x",
        bytes([31 << 3 | 3, 0x40 | 1, 255]),
    ],
)
def test_inconsistent_packets_are_refused(packet: bytes) -> None:
    with pytest.raises(OpusError):
        packet_samples(packet)
    assert not has_fec(packet)


@given(st.binary(max_size=80))
def test_junk_is_decoded_or_refused_and_agrees_with_its_claimed_duration(payload: bytes) -> None:
    decoder = Decoder()
    has_fec(payload)
    try:
        samples = packet_samples(payload)
    except OpusError:
        with pytest.raises(OpusError):
            decoder.decode(payload)
        return
    heard = decoder.decode(payload)
    assert heard.size == samples
    assert np.isfinite(heard).all()
    assert decoder.decode_fec(payload, FRAME).size == FRAME


@given(st.integers(0, 60), st.binary(min_size=1, max_size=8), st.integers(0, 200))
def test_damaged_packets_never_do_worse_than_raise(position: int, damage: bytes, cut: int) -> None:
    encoder, decoder = Encoder(), Decoder()
    for f in frames(voice(0.1)):
        good = encoder.encode(f)
        decoder.decode(good)
        bad = (good[:position] + damage + good[position + len(damage) :])[: cut or None]
        try:
            heard = decoder.decode(bad)
        except OpusError:
            continue
        assert np.isfinite(heard).all()


@pytest.mark.parametrize("samples", [0, 60, 121, 5_880, -120])
def test_concealment_of_lengths_opus_does_not_have_is_refused(samples: int) -> None:
    decoder = Decoder()
    with pytest.raises(OpusError, match="multiples of 120"):
        decoder.conceal(samples)
    with pytest.raises(OpusError, match="multiples of 120"):
        decoder.decode_fec(Encoder().encode(np.zeros(FRAME)), samples)


def test_reset_forgets_the_past() -> None:
    encoder, decoder, fresh = Encoder(), Decoder(), Decoder()
    packets = [encoder.encode(f) for f in frames(voice(0.4))]
    for packet in packets:
        decoder.decode(packet)
    decoder.reset()
    assert np.array_equal(decoder.decode(packets[5]), fresh.decode(packets[5]))


def test_closed_objects_say_so_and_close_twice() -> None:
    encoder, decoder = Encoder(), Decoder()
    packet = encoder.encode(np.zeros(FRAME))
    for thing in (encoder, decoder):
        thing.close()
        thing.close()
        with pytest.raises(OpusError, match="closed"):
            thing.reset()
    with pytest.raises(OpusError, match="closed"):
        encoder.encode(np.zeros(FRAME))
    with pytest.raises(OpusError, match="closed"):
        encoder.bitrate = 20_000
    with pytest.raises(OpusError, match="closed"):
        decoder.decode(packet)


def test_state_is_freed_with_its_object() -> None:
    decoder = Decoder()
    gone = weakref.ref(decoder)
    del decoder
    gc.collect()
    assert gone() is None


def test_a_library_that_is_not_opus_is_passed_over(tmp_path) -> None:
    junk = tmp_path / "libopus.so"
    junk.write_bytes(b"not a library")
    good = next(libopus.candidates())
    _, version = libopus.load(iter([str(junk), good]))
    assert version.startswith("libopus")
    with pytest.raises(ImportError, match="no working libopus: install PyAV"):
        libopus.load(iter([str(junk)]))
    with pytest.raises(ImportError, match="none was found"):
        libopus.load(iter([]))
