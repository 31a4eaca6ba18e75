"""FFmpeg's WHIP muxer, from PyAV's wheel: it speaks a tone, and a picture where its task has video.

A process of its own: it holds the interpreter's lock while it waits for an answer. The argument is the task as
JSON (see table.py). Everything else is as FFmpeg does it by default, its certificate included.
"""

import json
import sys
import time
from fractions import Fraction
from typing import Any

import av
import numpy as np

RATE, FRAME = 48_000, 960
SIZE, PICTURES = 64, 5
"""Pixels a side, and pictures a second."""


def publish(task: dict[str, Any]) -> None:
    """Speak in real time."""
    with av.open(task["endpoint"], "w", format="whip", options={"authorization": task["token"]}) as out:
        audio = out.add_stream("libopus", rate=RATE, layout="stereo")
        video: Any = None
        if "video" in task["sections"]:
            video = out.add_stream(
                "libx264", rate=PICTURES, options={"profile": "baseline", "tune": "zerolatency"}
            )
            video.width = video.height = SIZE
            video.pix_fmt = "yuv420p"
        start = time.monotonic()
        for number in range(round(task["seconds"] * RATE / FRAME)):
            n = np.arange(number * FRAME, (number + 1) * FRAME)
            mono = 0.3 * np.sin(2 * np.pi * task["hertz"] * n / RATE)
            frame = av.AudioFrame.from_ndarray(
                np.repeat(mono, 2).astype(np.float32).reshape(1, -1), format="flt", layout="stereo"
            )
            frame.sample_rate, frame.pts = RATE, number * FRAME
            packets = audio.encode(frame)
            if video and number % (50 // PICTURES) == 0:
                picture = av.VideoFrame(SIZE, SIZE, "yuv420p")
                picture.pts, picture.time_base = number // (50 // PICTURES), Fraction(1, PICTURES)
                packets += video.encode(picture)
            for packet in packets:
                out.mux(packet)
            time.sleep(max(0.0, start + number * FRAME / RATE - time.monotonic()))


if __name__ == "__main__":
    publish(json.loads(sys.argv[-1]))
