import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from loadtest.voice import clips, make
from loadtest.voice.clips import ARCHIVE
from media.audio.levels import level_dbov
from media.audio.opus import FRAME, RATE, Decoder, has_fec, packet_samples


def test_several_voices_in_a_small_archive() -> None:
    names = [clip.name for clip in clips()]
    assert names == sorted(make.SCRIPT)
    assert ARCHIVE.stat().st_size < 1_500_000
    assert all(8 < clip.seconds < 30 for clip in clips())


@pytest.mark.parametrize("clip", clips(), ids=lambda clip: clip.name)
def test_packets_are_what_a_speaker_sends(clip) -> None:
    assert clip.levels.shape == (len(clip.packets),)
    assert clip.levels.dtype == np.int8
    assert clip.levels.min() >= -127
    assert clip.levels.max() < -10
    assert {packet_samples(packet) for packet in clip.packets} == {FRAME}
    assert not any(packet[0] & 4 for packet in clip.packets), "mono"
    bits = 8 * sum(map(len, clip.packets)) / clip.seconds
    assert bits == pytest.approx(32_000, rel=0.1)
    assert np.mean([has_fec(packet) for packet in clip.packets]) > 0.8


@pytest.mark.parametrize("clip", clips(), ids=lambda clip: clip.name)
def test_levels_are_those_of_the_sound(clip) -> None:
    decoder = Decoder()
    heard = np.concatenate([decoder.decode(packet) for packet in clip.packets])
    heard = heard[312:]  # the encoder looks ahead 6.5 ms
    levels = np.array([level_dbov(heard[i : i + FRAME]) for i in range(0, heard.size - FRAME + 1, FRAME)])
    loud = clip.levels[: levels.size] > -40
    assert np.median(np.abs(levels - clip.levels[: levels.size])[loud]) < 1.0
    active = 10 * np.log10(np.mean(10 ** (levels[loud] / 10)))
    assert active == pytest.approx(make.NOMINAL_DBOV, abs=1.5)


@pytest.mark.parametrize("clip", clips(), ids=lambda clip: clip.name)
def test_speech_has_no_long_pause(clip) -> None:
    quiet = "".join("q" if level < make.PAUSE_DBOV - 1 else "." for level in clip.levels)
    assert "q" * (make.LONGEST_PAUSE + 1) not in quiet
    assert quiet.count("q") < 0.15 * len(quiet)


def test_reading_needs_nothing_but_numpy() -> None:
    code = "import sys, loadtest.voice as v; v.clips(); print([m for m in sys.modules if m.startswith('media')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ast.literal_eval(done.stdout) == []


def test_pauses_are_cut_and_level_is_nominal() -> None:
    rate = 22_050
    n = np.arange(rate)
    burst = 0.01 * np.sin(2 * np.pi * 300 * n / rate)
    sound = np.concatenate((np.zeros(rate), burst, np.zeros(rate), burst))
    frames = make.prepare(sound, rate)
    assert all(frame.shape == (FRAME,) and frame.dtype == np.float32 for frame in frames)
    assert len(frames) * FRAME / RATE == pytest.approx(2 + make.LONGEST_PAUSE * 0.02, abs=0.08)
    assert level_dbov(frames[20]) == pytest.approx(make.NOMINAL_DBOV, abs=0.3)
    arrays = make.encode(frames)
    assert arrays["sizes"].sum() == arrays["packets"].size
    assert arrays["levels"].size == len(frames)


def test_a_machine_without_espeak_is_told_what_to_install(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="apt-get install espeak-ng"):
        make.say("en-us", 160, "hello")
