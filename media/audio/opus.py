"""Opus with everything a relay needs and PyAV does not give: mono, FEC, loss concealment, DTX, bitrate.

Sound is float32 mono at 48 kHz, full scale ±1.0, in and out. It is the codec's own form, so no conversion is
paid for, a sum of voices cannot wrap around, and numpy and BLAS are at their fastest on it.

Encoder and decoder state live in memory that Python owns, so they are freed with their object, or at once
by ``close``; libopus keeps nothing else. An object belongs to one thread at a time.
"""

import ctypes

import numpy as np
from numpy.typing import ArrayLike, NDArray

from media.audio import libopus
from media.audio.libopus import LIBRARY, VERSION, check
from media.audio.packet import MAX_SAMPLES, RATE, OpusError, has_fec, is_dtx, packet_samples

__all__ = [
    "FRAME",
    "MAX_SAMPLES",
    "RATE",
    "VERSION",
    "Decoder",
    "Encoder",
    "OpusError",
    "Pcm",
    "has_fec",
    "is_dtx",
    "packet_samples",
]

FRAME = 960
"""Samples in a tick of 20 ms."""

Pcm = NDArray[np.float32]
"""Mono sound at 48 kHz, shape (samples,), float32, full scale ±1.0."""

MAX_PACKET_BYTES = 1_275
"""Bytes an encoder may fill: the longest frame (RFC 6716 §3.2.1)."""
_ENCODABLE = frozenset((120, 240, 480, 960, 1_920, 2_880, 3_840, 4_800, 5_760))
_encoder_ctl = LIBRARY.opus_encoder_ctl
_decoder_ctl = LIBRARY.opus_decoder_ctl
_encode_float = LIBRARY.opus_encode_float
_decode_float = LIBRARY.opus_decode_float


class Encoder:
    """One stream of speech into packets; driven once per tick by whoever sends it.

    ``bitrate`` is in bit/s (6,000 to 510,000), ``complexity`` 0 to 10, ``expected_loss`` a share (0 to 1) that
    decides how much of the bitrate goes into FEC. All three may be changed while running, for example from
    receiver reports.

    ``fec`` decides between two codecs. Only SILK carries spare copies; without them CELT says the same at the same
    bitrate, sounds no worse, and costs a fifth (``python -m loadtest.bench codec``). It may be switched while
    running: libopus bridges the change with a redundant frame.

    ``filtered`` takes rumble out of a microphone's sound; a mix of voices that were filtered has none.
    """

    def __init__(
        self,
        bitrate: int = 32_000,
        complexity: int = 6,
        fec: bool = True,
        dtx: bool = False,
        expected_loss: float = 0.05,
        filtered: bool = True,
    ) -> None:
        self._memory = ctypes.create_string_buffer(LIBRARY.opus_encoder_get_size(1))
        self._state = ctypes.addressof(self._memory)
        application = libopus.APPLICATION_VOIP if filtered else libopus.APPLICATION_AUDIO
        check(LIBRARY.opus_encoder_init(self._state, RATE, 1, application), "make an encoder")
        self._pcm = np.zeros(MAX_SAMPLES, np.float32)
        self._pcm_address: int = self._pcm.ctypes.data
        self._packet = ctypes.create_string_buffer(MAX_PACKET_BYTES)
        self._packet_address = ctypes.addressof(self._packet)
        self._set(libopus.SET_DTX, int(dtx), "switch DTX")
        self.bitrate = bitrate
        self.complexity = complexity
        self.expected_loss = expected_loss
        self.fec = fec

    def _set(self, request: int, value: int, what: str) -> None:
        if not self._state:
            raise OpusError("the encoder is closed")
        check(_encoder_ctl(self._state, request, ctypes.c_int(value)), what)

    @property
    def bitrate(self) -> int:
        """Bits per second, FEC included."""
        return self._bitrate

    @bitrate.setter
    def bitrate(self, value: int) -> None:
        if not 6_000 <= value <= 510_000:
            raise OpusError(f"an Opus bitrate lies between 6,000 and 510,000 bit/s, not {value}")
        self._set(libopus.SET_BITRATE, value, f"set the bitrate to {value}")
        self._bitrate = value

    @property
    def complexity(self) -> int:
        """0 (cheapest) to 10 (best)."""
        return self._complexity

    @complexity.setter
    def complexity(self, value: int) -> None:
        self._set(libopus.SET_COMPLEXITY, value, f"set the complexity to {value}, use 0 to 10")
        self._complexity = value

    @property
    def fec(self) -> bool:
        """Whether packets carry spare copies of those before them (SILK or hybrid), or not (CELT)."""
        return self._fec

    @fec.setter
    def fec(self, value: bool) -> None:
        self._set(libopus.SET_INBAND_FEC, int(value), "switch FEC")
        self._set(libopus.SET_SIGNAL, libopus.SIGNAL_VOICE if value else libopus.SIGNAL_MUSIC, "choose the codec")
        self._fec = value

    @property
    def expected_loss(self) -> float:
        """Share of packets expected to be lost, 0 to 1."""
        return self._expected_loss

    @expected_loss.setter
    def expected_loss(self, value: float) -> None:
        if not 0 <= value <= 1:
            raise OpusError(f"an expected loss lies between 0 and 1, not {value}")
        self._set(libopus.SET_PACKET_LOSS_PERC, round(100 * value), "set the expected loss")
        self._expected_loss = value

    @property
    def state(self) -> int:
        """Address of libopus' encoder, for :class:`media.audio.batch.Batch`."""
        if not self._state:
            raise OpusError("the encoder is closed")
        return self._state

    def encode(self, pcm: ArrayLike) -> bytes:
        """The packet of one frame of sound, shape (960,) or another Opus length from 2.5 to 120 ms.

        With DTX, packets of one or two bytes (``is_dtx``) stand for a pause and need not be sent. Raises
        ``OpusError`` for another length, another shape, or a closed encoder.
        """
        sound = np.asarray(pcm)
        samples = sound.shape[0] if sound.ndim == 1 else -1
        if samples not in _ENCODABLE:
            raise OpusError(f"an Opus frame is one row of 2.5 to 120 ms of samples, not of shape {sound.shape}")
        if not self._state:
            raise OpusError("the encoder is closed")
        self._pcm[:samples] = sound
        size = _encode_float(self._state, self._pcm_address, samples, self._packet_address, MAX_PACKET_BYTES)
        if size < 0:
            check(size, "encode")
        return ctypes.string_at(self._packet_address, size)

    def reset(self) -> None:
        """Forget all sound so far, as if newly made; the settings stay."""
        self._set(libopus.RESET_STATE, 0, "reset the encoder")

    def close(self) -> None:
        """Free the codec's memory now; may be called again."""
        self._state = 0
        self._memory = None


class Decoder:
    """Packets of one speaker into sound; stereo packets come out as mono.

    Driven by ``media.audio.playout``, in the order of the sequence numbers, one call per packet, lost ones
    included, since each call continues the sound of the one before. No payload can do worse than raise
    ``OpusError``, after which the decoder goes on.
    """

    def __init__(self, rate: int = RATE) -> None:
        """Decode to 48 kHz, or to a lower rate that Opus has: 24, 16, 12 or 8 kHz."""
        self._step = rate // 400
        self._memory = ctypes.create_string_buffer(LIBRARY.opus_decoder_get_size(1))
        self._state = ctypes.addressof(self._memory)
        check(LIBRARY.opus_decoder_init(self._state, rate, 1), "make a decoder")
        self._pcm = np.zeros(MAX_SAMPLES, np.float32)
        self._pcm_address: int = self._pcm.ctypes.data

    @property
    def state(self) -> int:
        """Address of libopus' decoder, for kernels; it is valid until :meth:`close`."""
        return self._state

    def decode(self, payload: bytes) -> Pcm:
        """The sound of a packet, as many samples as ``packet_samples`` says (of 48 kHz)."""
        if not payload:
            raise OpusError("an Opus packet has at least one byte, this one is empty")
        return self._decode(payload, MAX_SAMPLES, 0)

    def decode_fec(self, next_payload: bytes, samples: int) -> Pcm:
        """The last ``samples`` before a packet, from the copy it carries of the packet before it.

        ``samples`` is a multiple of 120 up to 5,760. Whatever of it the copy does not cover is concealed, all
        of it if there is no copy (``has_fec``). The packet itself is decoded afterwards as usual.
        """
        if not next_payload:
            raise OpusError("an Opus packet has at least one byte, this one is empty")
        return self._decode(next_payload, self._concealable(samples), 1)

    def conceal(self, samples: int) -> Pcm:
        """Sound made up from what came before, for packets that are lost; ``samples`` as in ``decode_fec``."""
        return self._decode(None, self._concealable(samples), 0)

    def _decode(self, payload: bytes | None, samples: int, fec: int) -> Pcm:
        if not self._state:
            raise OpusError("the decoder is closed")
        size = 0 if payload is None else len(payload)
        decoded = _decode_float(self._state, payload, size, self._pcm_address, samples, fec)
        if decoded < 0:
            check(decoded, "decode")
        return self._pcm[:decoded].copy()

    def reset(self) -> None:
        """Forget all sound so far, as if newly made."""
        if not self._state:
            raise OpusError("the decoder is closed")
        check(_decoder_ctl(self._state, libopus.RESET_STATE), "reset the decoder")

    def close(self) -> None:
        """Free the codec's memory now; may be called again."""
        self._state = 0
        self._memory = None

    def _concealable(self, samples: int) -> int:
        most = 48 * self._step
        if samples % self._step or not self._step <= samples <= most:
            raise OpusError(f"libopus conceals multiples of {self._step} samples up to {most:,}, not {samples}")
        return samples
