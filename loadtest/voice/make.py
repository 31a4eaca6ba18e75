"""Makes the clips from text: ``python -m loadtest.voice.make`` (needs espeak-ng: ``apt-get install espeak-ng``).

Synthetic voices are free to ship, speak for as long as wanted, and come out the same every time. What espeak-ng
says is freed of pauses, brought to the nominal level of speech and encoded as a browser would.
"""

import io
import shutil
import subprocess
import sys
import wave
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from loadtest.voice.clips import ARCHIVE
from media.audio.levels import level_dbov
from media.audio.opus import FRAME, RATE, Encoder, Pcm

NOMINAL_DBOV = -26.0
"""Active speech level to which test speech is brought (ITU-T P.56 level, as used throughout the P series)."""

PAUSE_DBOV = -50.0
LONGEST_PAUSE = 4
"""Frames (80 ms) below ``PAUSE_DBOV`` that are kept in a row; stops within words are shorter."""

SCRIPT = {
    # name: (espeak-ng voice, words per minute, text)
    "anna": (
        "en-us+f3",
        165,
        "Welcome everyone, and thank you for coming tonight. We have three guests on stage, and a long list of "
        "questions from the people listening. If you would like to speak, ask for the microphone, and one of the "
        "hosts will bring you up. Please keep it short, so that everybody gets a turn.",
    ),
    "bruce": (
        "en-gb-scotland+m3",
        160,
        "I have been thinking about this for a while. When a room grows from a hundred people to ten thousand, "
        "nothing about the conversation changes, but everything behind it does. The number of speakers stays the "
        "same, and only the crowd gets larger. That is why it is worth measuring.",
    ),
    "clara": (
        "en-gb-x-rp+f2",
        170,
        "Could I add something here? Most of us never say a word, and that is quite all right. We join late, we "
        "leave early, we listen on the train with one ear. What we notice is when the sound stops, or when "
        "somebody talks over somebody else because the line is slow.",
    ),
    "david": (
        "en-us+m7",
        150,
        "Let me give you the numbers from last week. The room was announced at noon, and by five past twelve half "
        "of them had arrived. The others came over the following hour, as the link went around. The peak was "
        "much higher than the average, and it lasted for about ten minutes.",
    ),
    "ella": (
        "en-029+f4",
        165,
        "What I love about talking is that you hear a person think. You hear them laugh, and pause, and change "
        "their mind. A written message is finished before you see it. A voice is not, and that is why we all "
        "stayed until two in the morning, arguing about football and the weather.",
    ),
    "frank": (
        "en-gb-x-gbclan+m1",
        155,
        "Just a quick reminder before we go on. This conversation is being recorded, and you can listen to it "
        "again for thirty days. If somebody behaves badly, report them, and a moderator will have a look. Right, "
        "who wants to go next? The lady with the green picture has been waiting longest.",
    ),
}


def say(voice: str, speed: int, text: str) -> tuple[NDArray[np.float64], int]:
    """What espeak-ng says: sound of shape (samples,), full scale ±1.0, and its sample rate in Hz."""
    program = shutil.which("espeak-ng")
    if program is None:
        raise SystemExit("espeak-ng is missing: install it with apt-get install espeak-ng")
    command = [program, "-v", voice, "-s", str(speed), "--stdout", text]
    spoken = subprocess.run(command, check=True, capture_output=True).stdout  # noqa: S603 - our own texts
    with wave.open(io.BytesIO(spoken)) as file:
        rate, sound = file.getframerate(), file.readframes(-1)
    samples = np.frombuffer(sound[: len(sound) // 2 * 2], "<i2")
    return samples / 32_768, rate


def prepare(sound: NDArray[np.float64], rate: int) -> list[Pcm]:
    """Frames of 20 ms at 48 kHz and nominal level, without the pauses."""
    wide = resample_poly(sound, RATE // np.gcd(RATE, rate), rate // np.gcd(RATE, rate))
    wide = wide[: wide.size // FRAME * FRAME].astype(np.float32).reshape(-1, FRAME)
    powers = np.mean(wide.astype(np.float64) ** 2, axis=1)
    active = powers[powers > powers.max() * 1e-3]
    wide *= np.float32(10 ** (NOMINAL_DBOV / 20) / np.sqrt(active.mean()))
    frames: list[Pcm] = []
    pause = 0
    for frame in wide:
        pause = pause + 1 if level_dbov(frame) < PAUSE_DBOV else 0
        if pause <= LONGEST_PAUSE and (frames or not pause):
            frames.append(frame)
    return frames


def encode(frames: list[Pcm]) -> dict[str, NDArray[Any]]:
    """The three arrays of a clip, see ``loadtest.voice.clips``."""
    encoder = Encoder(bitrate=32_000, complexity=10, expected_loss=0.1)
    packets = [encoder.encode(frame) for frame in frames]
    return {
        "packets": np.frombuffer(b"".join(packets), np.uint8),
        "sizes": np.array([len(packet) for packet in packets], np.uint16),
        "levels": np.array([round(level_dbov(frame)) for frame in frames], np.int8),
    }


def main() -> None:
    """Make the archive and say what is in it."""
    arrays: dict[str, Any] = {}
    for name, (voice, speed, text) in SCRIPT.items():
        frames = prepare(*say(voice, speed, text))
        arrays |= {f"{name}.{key}": value for key, value in encode(frames).items()}
        print(f"{name}: {voice}, {len(frames) * FRAME / RATE:.1f} s")
    np.savez(ARCHIVE, **arrays)
    print(f"{ARCHIVE.name}: {ARCHIVE.stat().st_size:,} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
