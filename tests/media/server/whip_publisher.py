"""FFmpeg's WHIP muxer, in a process of its own: it holds the interpreter's lock while it waits for an answer.

Arguments: address of the endpoint, bearer token, hertz and seconds of the tone. Everything else is as FFmpeg does
it by default, its certificate included.
"""

import sys
import time

import av
import numpy as np

RATE, FRAME = 48_000, 960


def publish(url: str, token: str, hertz: float, seconds: float) -> None:
    """Speak a tone in real time."""
    options = {"authorization": token}
    with av.open(url, "w", format="whip", options=options) as out:
        stream = out.add_stream("libopus", rate=RATE, layout="stereo")
        start = time.monotonic()
        for number in range(round(seconds * RATE / FRAME)):
            n = np.arange(number * FRAME, (number + 1) * FRAME)
            mono = 0.3 * np.sin(2 * np.pi * hertz * n / RATE)
            interleaved = np.repeat(mono, 2).astype(np.float32).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(interleaved, format="flt", layout="stereo")
            frame.sample_rate, frame.pts = RATE, number * FRAME
            for packet in stream.encode(frame):
                out.mux(packet)
            time.sleep(max(0.0, start + number * FRAME / RATE - time.monotonic()))


if __name__ == "__main__":
    endpoint, bearer, tone, duration = sys.argv[1:]
    publish(endpoint, bearer, float(tone), float(duration))
