"""The door of the port: who is known by address, and what of theirs is dealt with on the spot.

Between them, 4,000 listeners send 1,600 consent checks and receiver reports a second. For peers who are connected,
one compiled function per batch, without the GIL, answers the first and reads the second, and leaves to Python only
what changes something. It also bounds what anybody can make Python do: a peer's flood costs that peer alone,
strangers are told by the fragment that their checks name and the password these were made with, and whatever else
comes from an address that is nobody's is counted and dropped here, however much it is.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from media.rtc.addresses import find
from media.rtc.consent import ANSWER_SIZE, RIGHT, WRONG, answer, judge, named
from media.rtc.fanout import flush
from media.rtc.inbox import BATCH, FILLED, KNOWN, LOOKED, OPENED, SOUNDS, TURN, Inbox
from media.rtc.mmsg import ADDRESS_SIZE, MSG_TRUNC, Messages
from media.rtc.native import CLOCK_MONOTONIC, SRTP_OK, clock_gettime, srtp_unprotect_rtcp
from media.rtc.peers import Peers
from media.rtc.reception import book, find_block
from media.rtc.sha1 import BLOCK, DIGEST, keyed, scratch
from media.rtc.sound import FORGED, HELD, MALFORMED, TAKEN, take_sound
from media.rtc.words import get32

ANSWERS_MAX = 50
"""Checks of one peer answered in a second; ICE agents pace theirs by 50 ms (RFC 8445 §14.2)."""
HANDED_MAX = 50
"""Datagrams of one peer, its sound apart, left to Python in a second."""
PACKETS_MAX = 500
"""Packets of one speaker in a second; 400 would be the smallest frames that Opus has."""
VISITS_MAX = 20
"""Authentic checks of one peer from addresses not known before, in a second; it has a few candidates."""
ODDITIES_MAX = 10
"""Checks of an unusual form that name one peer and come from such addresses, in a second: anybody who has
overheard its fragment can make some, so they are counted apart."""

CHECKS, REPORTS, DATAGRAMS = 8, 9, 10
"""Places in ``counters``, behind those of :func:`media.rtc.fanout.flush`: int64 each, only ever growing."""
REASONS = {
    11: "STUN not authentic",
    12: "forged or replayed",
    13: "not negotiated",
    14: "too many from one peer",
    15: "no session",
    16: "STUN for no session",
    17: "malformed",
    18: "another stream",
}
"""Why a datagram was dropped, by place in ``counters``."""
_WRONG, _FORGED, _UNASKED, _FLOOD, _STRANGER, _NAMELESS, _MALFORMED, _OTHER = REASONS
_LEFT, _OPENED, _SOUND = -1, -2, -3
_ROOM = 2 * BLOCK


@njit(nogil=True, cache=True)
def _renew(peer: Any, second: Any) -> None:  # pragma: no cover
    """Begin to count anew with each second."""
    if peer.second != second:
        peer.second, peer.answers, peer.handed, peer.packets = second, 0, 0, 0
        peer.visits, peer.oddities = 0, 0


@njit(nogil=True, cache=True)
def _unknown(  # pragma: no cover
    packet: Any, size: Any, fragments: Any, factor: Any, peers: Any, second: Any, schedule: Any, padded: Any
) -> int:
    """A datagram from an address that is nobody's: a check of a known session's, left to Python, or why not."""
    if size < 20 or packet[0] > 3:
        return _STRANGER
    ufrag = named(packet, size)
    slot = find(fragments, factor, ufrag)
    if ufrag == 0 or fragments[slot, 0] == 0:
        return _NAMELESS
    peer = peers[np.int64(fragments[slot, 1])]
    key = peer.key if ufrag == peer.ufrag else peer.second_key
    judged = judge(packet, size, ufrag, key, schedule, padded, padded[_ROOM:])
    if judged == WRONG:
        return _WRONG
    _renew(peer, second)
    if judged == RIGHT:
        peer.visits += 1
        return _LEFT if peer.visits <= VISITS_MAX else _FLOOD
    peer.oddities += 1
    return _LEFT if peer.oddities <= ODDITIES_MAX else _FLOOD


@njit(nogil=True, cache=True)
def _leave(peer: Any, sound: Any, turn: Any) -> int:  # pragma: no cover
    """Python's, with all that this peer sends in this batch from here on, so that it stays in order."""
    peer.turn = turn
    if sound:
        peer.packets += 1
        return _LEFT if peer.packets <= PACKETS_MAX else _FLOOD
    peer.handed += 1
    return _LEFT if peer.handed <= HANDED_MAX else _FLOOD


@njit(nogil=True, cache=True)
def _check(  # pragma: no cover
    packet: Any, source: Any, size: Any, peer: Any, now: float, turn: int, reply: Any, schedule: Any, padded: Any
) -> int:
    """What looks like STUN: answered in ``reply`` (:data:`CHECKS`), left to Python, or dropped."""
    digest = padded[_ROOM:]
    judged = judge(packet, size, peer.ufrag, peer.key, schedule, padded, digest)
    if judged == WRONG:
        return _WRONG
    if judged != RIGHT:
        return _leave(peer, False, turn)
    peer.consent = now
    peer.answers += 1
    if peer.answers > ANSWERS_MAX:
        return _FLOOD
    answer(packet, source, peer.key, schedule, padded, digest, reply)
    return CHECKS


@njit(nogil=True, cache=True)
def _report(  # pragma: no cover
    packet: Any, header: Any, peer: Any, now: float, ntp: int, turn: int, length: Any
) -> int:
    """Protected RTCP: read (:data:`REPORTS`), left to Python as it came or opened, or dropped."""
    if get32(packet, 4) != peer.reporter:
        return _leave(peer, False, turn)
    length[0] = header.length
    if srtp_unprotect_rtcp(peer.srtp, packet.ctypes.data, length.ctypes.data) != SRTP_OK:
        return _FORGED
    peer.heard = now
    block = find_block(packet, length[0], peer.ssrc)
    if block > 0:
        book(packet, block, peer, now, ntp)
    if block >= 0 and not peer.talks:  # a speaker's own clock and counts are for the session
        return REPORTS
    header.length = length[0]
    return _OPENED if _leave(peer, False, turn) == _LEFT else _FLOOD


@njit(nogil=True, cache=True)
def _hear(  # pragma: no cover
    packet: Any, size: Any, peer: Any, uplink: Any, arrival: float, turn: int, length: Any, row: Any
) -> int:
    """Sound of a peer who may send some: taken into ``row``, left to Python, or dropped."""
    if peer.turn == turn or peer.voice < 0 or get32(packet, 8) != peer.source:
        return _leave(peer, True, turn)
    peer.packets += 1
    if peer.packets > PACKETS_MAX:
        return _FLOOD
    found = take_sound(packet, size, peer, uplink, arrival, length, row)
    if found == TAKEN:
        return _SOUND
    if found == HELD:
        return _OTHER
    return _FORGED if found == FORGED else _MALFORMED if found == MALFORMED else _UNASKED


@njit(nogil=True, cache=True)
def _known(  # pragma: no cover
    packet: Any,
    header: Any,
    source: Any,
    peer: Any,
    now: float,
    ntp: int,
    turn: int,
    reply: Any,
    schedule: Any,
    padded: Any,
    length: Any,
    uplink: Any,
    arrival: float,
    row: Any,
) -> int:
    """One datagram of a peer."""
    size = np.int64(header.length)
    _renew(peer, np.int64(now))
    if peer.linked:
        return _LEFT
    media = size >= 12 and 128 <= packet[0] <= 191
    reports = media and 192 <= packet[1] <= 223
    if not peer.up or source != peer.address:
        return _leave(peer, media and not reports, turn)
    if media and not reports:
        if not peer.talks:
            return _UNASKED
        if header.flags & MSG_TRUNC:
            return _leave(peer, True, turn)
        return _hear(packet, size, peer, uplink, arrival, turn, length, row)
    if peer.turn == turn or size == 0 or header.flags & MSG_TRUNC:
        return _leave(peer, False, turn)
    if reports:
        return _report(packet, header, peer, now, ntp, turn, length)
    if packet[0] < 4:
        return _check(packet, source, size, peer, now, turn, reply, schedule, padded)
    return _leave(peer, False, turn)


@njit(nogil=True, cache=True)
def serve(  # pragma: no cover
    fd: int,
    data: Any,
    addresses: Any,
    headers: Any,
    state: Any,
    queues: Any,
    slots: Any,
    factor: Any,
    fragments: Any,
    fragment_factor: Any,
    peers: Any,
    now: float,
    deadline: int,
    ntp: int,
    replies: Any,
    reply_iovecs: Any,
    reply_headers: Any,
    schedule: Any,
    padded: Any,
    timespec: Any,
    length: Any,
    counters: Any,
    uplinks: Any,
    arrivals: Any,
    mixed: float,
    sounds: Any,
) -> None:
    """Deal with a batch until it ends, or until ``deadline`` (ns, CLOCK_MONOTONIC) has passed.

    The arrays are those of :class:`media.rtc.inbox.Inbox`, :class:`media.rtc.peers.Peers` and :class:`Door`;
    ``now`` is the driver's time in seconds, ``ntp`` the middle 32 bits of the NTP time. Sound that came before
    ``mixed`` has missed a tick, and counts as come now. Answers leave in one ``sendmmsg`` at the end.
    """
    answers = 0
    state[SOUNDS] = 0
    while state[LOOKED] < state[FILLED]:
        clock_gettime(CLOCK_MONOTONIC, timespec.ctypes.data)
        if timespec[0] * 1_000_000_000 + timespec[1] >= deadline:
            break
        index = state[LOOKED]
        state[LOOKED] += 1
        source = addresses[index, 0]
        slot = find(slots, factor, source)
        known = slots[slot, 0] != 0
        place = np.int64(slots[slot, 1])
        if known:
            peer = peers[place]
            arrival = arrivals[index] if arrivals[index] > mixed else now
            verdict = _known(
                *(data[index], headers[index], source, peer, now, ntp, state[TURN]),
                *(replies[answers], schedule, padded, length),
                *(uplinks[place], arrival, sounds[state[SOUNDS]]),
            )
        else:
            size = np.int64(0) if headers[index].flags & MSG_TRUNC else np.int64(headers[index].length)
            verdict = _unknown(
                *(data[index], size, fragments, fragment_factor, peers, np.int64(now), schedule, padded),
            )
        if verdict == _SOUND:
            sounds[state[SOUNDS]].index = index
            state[SOUNDS] += 1
            counters[DATAGRAMS] += 1
            continue
        if verdict < 0:
            queue = 0 if known and (peers[place].up or peers[place].linked) else 1
            queues[queue, state[KNOWN + queue]] = index | (OPENED if verdict == _OPENED else 0)
            state[KNOWN + queue] += 1
            continue
        counters[verdict] += 1
        counters[DATAGRAMS] += 1
        if verdict == CHECKS:
            reply_headers[answers].name = addresses.ctypes.data + ADDRESS_SIZE * index
            answers += 1
    if answers:
        flush(fd, reply_headers, reply_iovecs, answers, counters)


class Door:
    """All that stands between the port and the sessions. Driven by the media thread alone."""

    def __init__(self) -> None:
        self.peers = Peers()
        self.counters: NDArray[np.int64] = np.zeros(24, np.int64)
        self._replies = np.zeros((BATCH, ANSWER_SIZE), np.uint8)
        self._messages = Messages(self._replies, ANSWER_SIZE)
        self._messages.headers["name_size"] = ADDRESS_SIZE
        self._schedule, padded = scratch()
        self._padded = np.concatenate([padded, np.zeros(DIGEST, np.uint8)])
        self._timespec, self._length = np.zeros(2, np.int64), np.zeros(1, np.int32)

    def serve(self, inbox: Inbox, fd: int, now: float, deadline: float, ntp: int, mixed: float = 0.0) -> None:
        """Deal with what ``inbox`` holds, answering through the UDP socket ``fd``.

        ``deadline`` is in seconds of CLOCK_MONOTONIC, ``ntp`` a 64-bit NTP time. Sound of known speakers stands in
        ``inbox.sounds`` and must be heard before anything else is read; if it came before ``mixed`` (s), it counts
        as come at ``now``. What is left is for Python.
        """
        table, fragments = self.peers.addresses, self.peers.fragments
        serve(
            *(fd, inbox.data, inbox.addresses, inbox.headers, inbox.state, inbox.queues),
            *(table.slots, table.factor, fragments.slots, fragments.factor, self.peers.records),
            *(now, int(1e9 * deadline), ntp >> 16 & 0xFFFF_FFFF),
            *(self._replies, self._messages.iovecs, self._messages.headers),
            *(self._schedule, self._padded, self._timespec, self._length, self.counters),
            *(self.peers.uplinks, inbox.arrivals, mixed, inbox.sounds),
        )

    @property
    def checks(self) -> int:
        """Consent checks answered."""
        return int(self.counters[CHECKS])

    @property
    def reports(self) -> int:
        """Compounds of reports read."""
        return int(self.counters[REPORTS])

    def counted(self) -> tuple[int, dict[str, int]]:
        """Datagrams that needed no Python, and those of them that were dropped, by reason."""
        counts = self.counters.tolist()
        return counts[DATAGRAMS], {reason: counts[place] for place, reason in REASONS.items() if counts[place]}

    def warm(self) -> None:
        """Compile or load the kernels now."""
        self.serve(Inbox(), -1, 0.0, 0.0, 0)
        keyed(b"")
