"""Finds libopus, calls it once to be sure, and gives its functions Python types.

PyAV's Opus is a stereo encoder at one bitrate and a decoder that cannot be told about a lost packet. Its wheel
carries libopus itself, in the folder ``av.libs`` next to ``av``; that is a private path, so what is found there
is tried with an encode and a decode on import, and the system's libopus is the fallback.

The library is called with the GIL held (``PyDLL``). Each call takes 30 to 170 µs, less than it can cost the
media thread to get the GIL back from a busy thread (5 ms, ``sys.getswitchinterval``).
"""

import ctypes
import ctypes.util
from array import array
from collections.abc import Iterator
from importlib.util import find_spec
from math import sin
from pathlib import Path

from media.audio.packet import RATE, OpusError

# Numbers of libopus' opus_defines.h, which are its stable interface.
APPLICATION_VOIP = 2048
"""Favour intelligible speech; the only one of the three applications whose SILK layer carries FEC by default."""
APPLICATION_AUDIO = 2049
"""Favour sound as it is: without the high-pass filter for voices, which costs a tenth of an encode and more."""
SET_BITRATE = 4002
SET_COMPLEXITY = 4010
SET_INBAND_FEC = 4012
SET_PACKET_LOSS_PERC = 4014
SET_DTX = 4016
SET_SIGNAL = 4024
SIGNAL_VOICE = 3001
SIGNAL_MUSIC = 3002
"""At our bitrates the first makes libopus choose SILK or hybrid, the second CELT."""
RESET_STATE = 4028

ERRORS = {
    -1: "bad argument",
    -2: "buffer too small",
    -3: "internal error",
    -4: "invalid packet",
    -5: "unknown request",
    -6: "invalid state",
    -7: "out of memory",
}
"""OPUS_BAD_ARG to OPUS_ALLOC_FAIL."""

_ARGUMENTS: dict[str, list[type]] = {
    "opus_encoder_get_size": [ctypes.c_int],
    "opus_encoder_init": [ctypes.c_void_p, ctypes.c_int32, ctypes.c_int, ctypes.c_int],
    "opus_encode_float": [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_int32],
    "opus_encoder_ctl": [ctypes.c_void_p, ctypes.c_int],  # variadic: the value follows as c_int
    "opus_decoder_get_size": [ctypes.c_int],
    "opus_decoder_init": [ctypes.c_void_p, ctypes.c_int32, ctypes.c_int],
    "opus_decode_float": [
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_int32,
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.c_int,
    ],
    "opus_decoder_ctl": [ctypes.c_void_p, ctypes.c_int],
}


def check(result: int, what: str) -> int:
    """The result, or ``OpusError`` if it is one of libopus' negative error codes."""
    if result < 0:
        raise OpusError(f"libopus could not {what}: {ERRORS.get(result, f'error {result}')}")
    return result


def candidates() -> Iterator[str]:
    """Where libopus may be: PyAV's wheel on Linux, on macOS, then the system."""
    spec = find_spec("av")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        for folder in (package.parent / "av.libs", package / ".dylibs"):
            yield from (str(path) for path in sorted(folder.glob("libopus[-.]*")))
    system = ctypes.util.find_library("opus")
    if system is not None:
        yield system


def load(paths: Iterator[str]) -> tuple[ctypes.PyDLL, str]:
    """The first library of ``paths`` that encodes and decodes a tone, and its version string.

    Raises ``ImportError`` with one sentence if none does.
    """
    tried: list[str] = []
    for path in paths:
        try:
            library = ctypes.PyDLL(path)
            for name, arguments in _ARGUMENTS.items():
                getattr(library, name).argtypes = arguments
            library.opus_get_version_string.restype = ctypes.c_char_p
            _try_out(library)
        except (OSError, AttributeError, OpusError) as error:
            tried.append(f"{path} ({error})")
            continue
        return library, library.opus_get_version_string().decode()
    raise ImportError(
        "no working libopus: install PyAV from its wheel (pip install av), or the system's libopus"
        f" (apt-get install libopus0); tried {', '.join(tried) or 'nothing, none was found'}"
    )


def _try_out(library: ctypes.PyDLL) -> None:
    """Encode and decode 60 ms of a tone; the decoded sound must have about the power it had."""
    encoder = ctypes.create_string_buffer(check(library.opus_encoder_get_size(1), "size an encoder"))
    decoder = ctypes.create_string_buffer(check(library.opus_decoder_get_size(1), "size a decoder"))
    packet = ctypes.create_string_buffer(1_500)
    heard = (ctypes.c_float * 960)()
    check(library.opus_encoder_init(encoder, RATE, 1, APPLICATION_VOIP), "make an encoder")
    check(library.opus_decoder_init(decoder, RATE, 1), "make a decoder")
    check(library.opus_encoder_ctl(encoder, SET_BITRATE, ctypes.c_int(32_000)), "set a bitrate")
    for start in range(0, 2_880, 960):
        said = array("f", (0.25 * sin(0.0576 * (start + n)) for n in range(960)))  # 440 Hz
        size = check(library.opus_encode_float(encoder, said.buffer_info()[0], 960, packet, 1_500), "encode")
        decoded = check(library.opus_decode_float(decoder, packet.raw[:size], size, heard, 960, 0), "decode")
        if decoded != 960:
            raise OpusError(f"libopus decoded {decoded} samples of 960")
    power = sum(sample * sample for sample in heard) / 960
    if not 0.02 < power < 0.05:  # 0.25² / 2 = 0.031
        raise OpusError(f"libopus decoded a tone of power 0.031 to one of {power:.3f}")


LIBRARY, VERSION = load(candidates())
