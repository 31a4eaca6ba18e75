"""The sound of known speakers at the door: decrypted, taken apart and noted in one compiled step.

What comes out are rows that say where a payload lies in the inbox and all that its header says of it. Whatever is
new (a stream's first packet, the one after each report) goes through the session before.
"""

from typing import Any

import numpy as np
from numba import njit

from media.rtc.native import SRTP_OK, srtp_unprotect
from media.rtc.rtp import find_extension, locate
from media.rtc.uplink import OTHER, note
from media.rtc.words import get16, get32

SOUND: np.dtype[Any] = np.dtype(
    [
        ("voice", "i8"),  # whose, see media.rtc.peers.PEER
        ("index", "i8"),  # of the datagram in the inbox
        ("start", "i8"),  # of the payload in it
        ("size", "i8"),
        ("ssrc", "i8"),
        ("sequence", "i8"),  # 16 bits
        ("timestamp", "i8"),  # 32 bits
        ("arrival", "f8"),  # s
        ("level", "f8"),  # dBov of RFC 6464; NaN if the packet does not say
        ("capture", "u8"),  # abs-capture-time, if "captured"
        ("captured", "u1"),
    ],
    align=True,
)

TAKEN, FORGED, MALFORMED, UNASKED, HELD = range(5)
"""What :func:`take_sound` says: there is a row, or why there is none. HELD: it is not of the current stream."""


@njit(nogil=True, cache=True)
def take_sound(  # pragma: no cover
    packet: Any, size: Any, peer: Any, uplink: Any, arrival: float, length: Any, row: Any
) -> int:
    """Decrypt the ``size`` bytes of ``packet`` in place and fill ``row``, a record of :data:`SOUND`.

    ``peer`` and ``uplink`` are the sender's records, ``length`` is int32[1].
    """
    length[0] = size
    if srtp_unprotect(peer.srtp, packet.ctypes.data, length.ctypes.data) != SRTP_OK:
        return FORGED
    peer.heard = max(peer.heard, arrival)
    start, end, block, block_end = locate(packet, np.int64(length[0]))
    if start < 0:
        return MALFORMED
    row.sequence, row.timestamp, row.arrival = get16(packet, 2), get32(packet, 4), arrival
    row.ssrc = get32(packet, 8)
    negotiated = packet[1] & 0x7F == peer.payload_type
    if (negotiated or row.ssrc == uplink.ssrc) and note(
        uplink, row.ssrc, row.sequence, row.timestamp, arrival
    ) == OTHER:
        return HELD
    if not negotiated:
        return UNASKED
    row.voice, row.start, row.size = peer.voice, start, end - start
    row.captured, row.capture, row.level = 0, 0, np.nan
    if block and peer.capture_id:
        at, stop = find_extension(packet, block, block_end, peer.capture_id)
        if stop - at >= 8:
            row.captured = 1
            row.capture = np.uint64(get32(packet, at)) << np.uint64(32) | np.uint64(get32(packet, at + 4))
    if block and peer.level_id:
        at, stop = find_extension(packet, block, block_end, peer.level_id)
        if stop > at:
            row.level = -float(packet[at] & 0x7F)
    return TAKEN
