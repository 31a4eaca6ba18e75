"""Receiver reports in native code: how each listener is served (RFC 3550 §6.4).

Reads decrypted compound packets of known peers; what is malformed or says goodbye is left to
:func:`media.rtc.rtcp.parse_rtcp` and the session.
"""

from typing import Any

import numpy as np
from numba import njit

from media.rtc.rtcp import BYE, RECEIVER_REPORT, SENDER_REPORT
from media.rtc.words import get16, get32

ROUND_TRIP_MAX = 60.0
"""Seconds; a report that claims more is not believed in this."""


@njit(nogil=True, cache=True)
def find_block(data: Any, size: Any, ssrc: Any) -> Any:  # pragma: no cover
    """Where in a compound the report on the stream ``ssrc`` stands; 0 if nowhere, -1 if it needs the session."""
    at = found = 0
    while at < size:
        if size - at < 4 or data[at] >> 6 != 2:
            return -1
        kind = data[at + 1]
        end = at + 4 + 4 * get16(data, at + 2)
        if end > size or kind == BYE:
            return -1
        block = 0
        if kind == SENDER_REPORT:
            block = at + 28
        elif kind == RECEIVER_REPORT:
            block = at + 8
        if block:
            count = np.int64(data[at] & 0x1F)
            if block + 24 * count > end:
                return -1
            for _ in range(count):
                if get32(data, block) == ssrc:
                    found = block
                block += 24
        at = end
    return found


@njit(nogil=True, cache=True)
def round_trip(last: int, delay: int, now: int) -> float:  # pragma: no cover
    """Seconds (RFC 3550 §6.4.1), NaN if unknown; all three in 1/65536 s, modulo 2^32.

    ``last`` is the sender report's time as the reporter repeats it, 0 if it has none, ``delay`` how long it held
    it, ``now`` the middle 32 bits of the NTP time.
    """
    if last == 0:
        return np.nan
    ticks = (now - last - delay) & 0xFFFFFFFF
    if ticks >= 0x80000000:
        return 0.0  # by no more than the two clocks' grain
    seconds = ticks / 65536.0
    return seconds if seconds <= ROUND_TRIP_MAX else np.nan


@njit(nogil=True, cache=True)
def book(data: Any, at: Any, peer: Any, now: float, ntp: int) -> None:  # pragma: no cover
    """Note the report block at ``at`` in the peer's record (:data:`media.rtc.door.PEER`)."""
    lost = get32(data, at + 4) & 0xFFFFFF
    peer.fraction = data[at + 4] / 256.0
    peer.lost = lost - 0x1000000 if lost >= 0x800000 else lost
    peer.highest = get32(data, at + 8)
    peer.jitter = get32(data, at + 12) / 48000.0
    trip = round_trip(get32(data, at + 16), get32(data, at + 20), ntp)
    if not np.isnan(trip):
        peer.round_trip = trip
    peer.reported = now
    peer.reports += 1
