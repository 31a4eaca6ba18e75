"""One encoded mix on its way into the crowd.

What every tick brings is compiled (``speak`` and ``rest`` on a stream's record), so that all rooms' streams are
served by one kernel (:mod:`media.relay.mixing`); the class is for whatever changes.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from media.audio.batch import Batch
from media.audio.opus import FRAME, Encoder, Pcm
from media.audio.speaker import doubled
from media.relay.bundle import CAPTURE_INTERVAL, FRAMES, Bundle
from media.rtc.crowd import Crowd

COMFORT_INTERVAL = 20
"""Ticks between two packets while nobody talks: 400 ms, as Opus itself does in DTX."""

FEC_ON, FEC_OFF = 1.0, 0.5
"""Percent of packets that listeners lose from which on they get spare copies, and below which no longer.

Spare copies need SILK, which costs five times as much to encode (``python -m loadtest.bench codec``).
"""

LOSS_MIN, LOSS_MAX = 0.06, 0.3
"""Shares of packets that encoders with FEC reckon to be lost: never so many that sound suffers for it, and never
so few that there is no room for copies. Up to 5 %, libopus prefers 20 kHz of bandwidth to copies of speech."""

LEAST, FEC_LEAST = 0, 1
"""Complexity without FEC and with it while time is short (``python -m loadtest.bench codec``)."""

STREAM: np.dtype[Any] = np.dtype(
    [
        ("encoder", "u8"),  # address of its state; 0: not made yet
        ("row", "i8"),
        ("rested", "i8"),  # ticks since something was said
        ("capture", "u8"),  # of the last frame; 0: not known
        ("gain", "f4"),  # of the limiter; NaN: that of the room's full mix
        ("silent", "u1"),
        ("marker", "u1"),  # of the last frame
        ("said", "u1"),  # in this tick
        ("bundled", "u1"),
    ],
    align=True,
)
NOTHING, SPEECH, NOISE, END = range(4)
"""What may be ``said``; the last is the first silent tick."""


class Streams:
    """The records of all streams of a relay."""

    def __init__(self) -> None:
        self.records: NDArray[Any] = np.zeros(64, STREAM)
        self.owners: NDArray[np.int64] = np.zeros(64, np.int64)
        """Of each frame that a kernel has put into the batch, whose it is."""
        self.by_place: dict[int, Stream] = {}
        self.bundled: dict[int, Stream] = {}
        """Those that some want in longer packets."""
        self.saving = False
        """Whether to encode as cheaply as can be (:mod:`media.relay.thrift`)."""
        self._free = list(range(63, -1, -1))

    def save(self, saving: bool) -> None:
        """Encode cheaply from now on, or as well as before."""
        self.saving = saving
        for stream in self.by_place.values():
            stream.tune()

    def add(self, stream: "Stream") -> int:
        """A place for it."""
        if not self._free:
            size = len(self.records)
            self.records = doubled(self.records)
            self._free = list(range(2 * size - 1, size - 1, -1))
        place = self._free.pop()
        self.by_place[place] = stream
        return place

    def remove(self, place: int) -> None:
        """It is gone."""
        self.records[place] = np.zeros(1, STREAM)[0]
        del self.by_place[place]
        self.bundled.pop(place, None)
        self._free.append(place)


@njit(nogil=True, cache=True)
def _head(row: Any, timestamp: int, capture: Any, marker: int) -> None:  # pragma: no cover
    """Announce a packet whose size is not known yet."""
    row.timestamp, row.capture, row.marker, row.length = timestamp & 0xFFFF_FFFF, capture, marker, 0


@njit(nogil=True, cache=True)
def speak(stream: Any, rows: Any, timestamp: int, capture: Any) -> None:  # pragma: no cover
    """A frame is sent in this tick, captured at ``capture`` (64-bit NTP; 0: not known); ``rows``: the crowd's."""
    stream.marker = stream.rested > 0  # the first after a pause (RFC 3551 §4.1)
    stream.capture, stream.rested, stream.silent, stream.said = capture, 0, 0, SPEECH
    timely = capture if timestamp // FRAME % CAPTURE_INTERVAL == 0 else np.uint64(0)
    _head(rows[stream.row], timestamp, timely, stream.marker)


@njit(nogil=True, cache=True)
def rest(stream: Any, rows: Any, timestamp: int) -> bool:  # pragma: no cover
    """Nobody is heard in this tick; True if a frame is due, of silence to end with or of comfort noise."""
    due = stream.rested % COMFORT_INTERVAL == 0
    stream.rested += 1
    stream.said = NOTHING
    if due:
        stream.silent, stream.said, stream.capture, stream.marker = 0, NOISE, 0, 0
        _head(rows[stream.row], timestamp, np.uint64(0), 0)
    elif not stream.silent:
        rows[stream.row].length = 0
        stream.silent, stream.said = 1, END
    return due


@njit(nogil=True, cache=True)
def _speak(records: Any, place: int, rows: Any, timestamp: int, capture: Any) -> None:  # pragma: no cover
    speak(records[place], rows, timestamp, capture)


class Stream:
    """An encoder and its rows in the crowd. Once a tick, ``speak`` or ``rest`` is called on its record.

    What is spoken is encoded when ``batch`` is run, with that of all other streams; those who want longer packets
    get theirs after that, by ``bundle_said``.
    ``complexity`` is libopus' (0 to 10) without FEC, and ``fec_complexity`` with it.
    """

    def __init__(
        self,
        crowd: Crowd,
        batch: Batch,
        complexity: int = 0,
        fec_complexity: int = 6,
        streams: Streams | None = None,
    ) -> None:
        self._crowd, self._batch = crowd, batch
        self._complexity, self._fec_complexity = complexity, fec_complexity
        self._encoder: Encoder | None = None
        self._loss = 0.0
        self._fec = False
        self._bundles: dict[int, list[Bundle]] = {}
        self._all: list[Bundle] = []
        self._turn = 0
        self.row = crowd.new_row()
        """A packet every 20 ms."""
        self._streams = streams = streams or Streams()
        self.place = streams.add(self)
        """Where the record is."""
        record = streams.records[self.place]
        record["row"], record["rested"], record["silent"], record["gain"] = self.row, 1, 1, np.nan

    def row_of(self, frames: int) -> int:
        """A row of packets that last so many ticks, one of :data:`FRAMES`; made when first asked for."""
        if frames == 1:
            return self.row
        if frames not in self._bundles:
            assert frames in FRAMES
            self._bundles[frames] = [Bundle(self._crowd, frames, phase) for phase in range(frames)]
            self._all += self._bundles[frames]
            self._streams.bundled[self.place] = self
        self._turn += 1
        return self._bundles[frames][self._turn % frames].row

    def expect_loss(self, percent: float) -> None:
        """What share of the packets its listeners lose."""
        self._loss = percent
        self._fec = percent >= (FEC_OFF if self._fec else FEC_ON)
        self.tune()

    def prime(self, pcm: Pcm) -> None:
        """Tell the encoder what its listeners heard last, from another stream, so that it goes on from there."""
        self.open().encode(pcm)

    def speak(self, pcm: Pcm, timestamp: int, capture: int | None) -> None:
        """Send one frame in this tick, of which ``capture`` is the capture time (64-bit NTP), if known."""
        self._batch.add(self.open(), pcm, self.row)
        own = self._streams.records
        _speak(own, self.place, self._crowd.rows, timestamp, np.uint64(capture or 0))

    def bundle_said(self, timestamp: int) -> None:
        """Give those who want longer packets what was said, once it is encoded."""
        record = self._streams.records[self.place]
        said = int(record["said"])
        payload = self._crowd.payload(self.row) if said in (SPEECH, NOISE) else b""
        if payload and said == SPEECH:
            self.bundle((payload, int(record["capture"]) or None, bool(record["marker"])), timestamp)
        elif payload:
            for bundle in self._all:
                bundle.add_last(payload, timestamp)
        elif said != NOTHING:
            for bundle in self._all:
                bundle.silence()

    def bundle(self, frame: tuple[bytes, int | None, bool] | None, timestamp: int) -> None:
        """Fill the rows of longer packets with a frame (payload, capture, marker) that ``row`` has already."""
        for bundle in self._all:
            if frame:
                bundle.add(frame[0], timestamp, *frame[1:])
            else:
                bundle.flush()

    def pause(self) -> None:
        """Nobody hears this stream for the time being."""
        self._crowd.silence(self.row)
        for bundle in self._all:
            bundle.silence()
        record = self._streams.records[self.place]
        record["silent"], record["rested"], record["said"], record["gain"] = 1, 1, NOTHING, np.nan

    def close(self) -> None:
        """Return the rows and free the encoder."""
        self._crowd.free_row(self.row)
        for bundle in self._all:
            bundle.close()
        self._streams.remove(self.place)
        if self._encoder:
            self._encoder.close()

    def open(self) -> Encoder:
        """The encoder, made when it is first needed: a Space in which nobody ever spoke has none."""
        if self._encoder is None:
            self._encoder = Encoder(filtered=False)
            self.tune()
            self._streams.records["encoder"][self.place] = self._encoder.state
        return self._encoder

    def tune(self) -> None:
        """Bring the encoder up to date with what is known of losses and of the time that is left."""
        encoder = self._encoder
        if encoder is None:
            return
        encoder.fec = self._fec
        wanted, least = (self._fec_complexity, FEC_LEAST) if self._fec else (self._complexity, LEAST)
        encoder.complexity = min(wanted, least) if self._streams.saving else wanted
        encoder.expected_loss = min(LOSS_MAX, max(LOSS_MIN, self._loss / 100)) if self._fec else 0.0
