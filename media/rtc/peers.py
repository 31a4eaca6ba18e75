"""The peers of a port as the door knows them: one record each, found by address or by the fragment of a check.

A peer is known from the answer to its offer on, so that whoever may join is told from strangers without Python.
Once it is connected, what comes from the address in use takes the fast path; all else of it is its session's.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from media.rtc.addresses import AddressTable
from media.rtc.consent import packed
from media.rtc.inbox import key_of
from media.rtc.sha1 import keyed
from media.rtc.srtp import SrtpContext
from media.rtc.stun import Address
from media.rtc.uplink import UPLINK

PEER = np.dtype(
    [
        ("address", "u8"),  # family, port and IPv4 address, as in a sockaddr_in; 0: not reachable through the door
        ("srtp", "u8"),  # inbound context
        ("ufrag", "u8"),
        ("second_ufrag", "u8"),  # of an ICE restart that is under way; 0: none
        ("consent", "f8"),  # when the last authentic check came, in the driver's time
        ("heard", "f8"),  # when the last authentic packet of sound or report came
        ("reported", "f8"),  # when the last report came; 0 before the first
        ("second", "i8"),  # the one that answers, handed and packets are counted in
        ("turn", "i8"),  # the batch in which something of this peer was left to Python
        ("reporter", "i8"),  # the SSRC that its reports come from; -1 before the first
        ("key", "u4", 10),  # see media.rtc.sha1.keyed
        ("second_key", "u4", 10),
        ("ssrc", "u4"),  # of the stream it is sent
        ("highest", "u4"),  # extended sequence number
        ("lost", "i4"),  # packets in all
        ("reports", "u4"),
        ("source", "i8"),  # the SSRC of its sound that needs no session; -1: none
        ("voice", "i4"),  # whose that sound is, as the relay counts its speakers; -1: nobody's
        ("payload_type", "u1"),
        ("level_id", "u1"),  # of RFC 6464, as "capture_id" of abs-capture-time: 0 if not negotiated
        ("capture_id", "u1"),
        ("group", "u4"),  # of those who hear the same
        ("fraction", "f4"),  # lost since the report before, 0..1
        ("jitter", "f4"),  # s
        ("round_trip", "f4"),  # s; NaN before it is known
        ("answers", "u4"),
        ("handed", "u4"),
        ("packets", "u4"),
        ("visits", "u4"),  # authentic checks that came from addresses not known
        ("oddities", "u4"),  # those whose authenticity is for the session to find out
        ("up", "u1"),  # connected
        ("talks", "u1"),
        ("linked", "u1"),  # no peer but another relay: all that it sends is Python's
        ("used", "u1"),
    ],
    align=True,
)


class Known(Protocol):
    """What has a record."""

    entry: int
    """Its index, -1 while there is none; kept up to date here."""


class Peers:
    """The records. An address belongs to whoever came through it last."""

    def __init__(self) -> None:
        self.records: NDArray[Any] = np.zeros(64, PEER)
        self.uplinks: NDArray[Any] = np.zeros(64, UPLINK)
        """How each one's sound arrives."""
        self.addresses = AddressTable()
        """Each address of a peer's, whether it takes the fast path there or not."""
        self.fragments = AddressTable()
        self._free = list(range(63, -1, -1))

    def expect(self, holder: Known, *credentials: tuple[str, str]) -> None:
        """Know ``holder`` from now on: checks with one of these fragments and passwords are its."""
        holder.entry = self._new()
        self.change_credentials(holder, *credentials)

    def admit(
        self,
        holder: Known,
        address: Address,
        context: SrtpContext,
        ssrc: int,
        talks: bool,
        now: float,
        group: int = 0,
    ) -> None:
        """``holder`` is connected; ``context``, which is the inbound one, must outlive :meth:`forget`."""
        record = self.records[holder.entry]
        record["srtp"], record["ssrc"], record["talks"] = context.address, ssrc, talks
        record["consent"], record["heard"] = now, now
        record["reporter"], record["round_trip"] = -1, np.nan
        record["source"], record["voice"] = -1, -1
        record["group"], record["up"] = group, True
        self.move(holder, address)

    def link(self, key: int) -> None:
        """Leave all that comes from the address ``key``, which is another relay's, to Python."""
        if self.addresses.get(key) < 0:
            entry = self._new()
            self.records[entry]["linked"], self.records[entry]["address"] = True, key
            self.addresses.put(key, entry)

    def unlink(self, key: int) -> None:
        """No relay is there any more."""
        entry = self.addresses.get(key)
        if entry >= 0 and self.records[entry]["linked"]:
            self.addresses.remove(key)
            self._release(entry)

    def route(self, holder: Known, key: int) -> None:
        """What comes from that address is the peer's."""
        self.addresses.put(key, holder.entry)

    def unroute(self, holder: Known, key: int) -> None:
        """What comes from there is not the peer's, or no longer."""
        if self.addresses.get(key) == holder.entry:
            self.addresses.remove(key)
            if self.records[holder.entry]["address"] == key:
                self.records[holder.entry]["address"] = 0

    def move(self, holder: Known, address: Address) -> None:
        """The peer is sent to, and takes the fast path, at this address from now on."""
        key = key_of(address)
        self.records[holder.entry]["address"] = key
        self.route(holder, key)

    def expel(self, holder: Known) -> None:
        """What comes from the peer is for its session, wherever it comes from."""
        self.records[holder.entry]["address"] = 0

    def vacate(self, key: int) -> None:
        """Whoever came from this address before is not there any more."""
        entry = self.addresses.get(key)
        if entry >= 0:
            self.records[entry]["address"] = 0
            self.addresses.remove(key)

    def change_credentials(self, holder: Known, *credentials: tuple[str, str]) -> None:
        """Take checks with these fragments and passwords, two at most, and no others."""
        record = self.records[holder.entry]
        self._unname(record)
        for (ufrag, password), place in zip(credentials, ("", "second_"), strict=False):
            record[place + "ufrag"], record[place + "key"] = packed(ufrag), keyed(password.encode())
            self.fragments.put(packed(ufrag), holder.entry)

    def forget(self, holder: Known) -> None:
        """The peer is gone; its addresses must have been unrouted."""
        record = self.records[holder.entry]
        self._unname(record)
        self.unroute(holder, int(record["address"]))
        self._release(holder.entry)
        holder.entry = -1

    def trust_reports(self, holder: Known, ssrc: int) -> None:
        """An authentic report came from ``ssrc``: more from there are read at the door."""
        self.records[holder.entry]["reporter"] = ssrc

    def trust_sound(self, holder: Known, ssrc: int, payload_type: int, level_id: int, capture_id: int) -> None:
        """Its session has taken a packet of that stream: more are taken at the door while they are a voice's."""
        record = self.records[holder.entry]
        record["payload_type"], record["level_id"], record["capture_id"] = payload_type, level_id, capture_id
        record["source"] = ssrc

    def distrust_sound(self, holder: Known) -> None:
        """Let its session see the next packet."""
        self.records[holder.entry]["source"] = -1

    def give_voice(self, holder: Known, voice: int) -> None:
        """What the peer says is that voice's from now on; -1: it is left to Python."""
        if holder.entry >= 0:
            self.records[holder.entry]["voice"] = voice

    def last_check(self, holder: Known) -> float:
        """When the last authentic check came through the door."""
        return float(self.records[holder.entry]["consent"])

    def last_heard(self, holder: Known) -> float:
        """When the last authentic sound or report came through the door."""
        return float(self.records[holder.entry]["heard"])

    def _unname(self, record: Any) -> None:
        for name in ("ufrag", "second_ufrag"):
            if record[name]:
                self.fragments.remove(int(record[name]))
            record[name] = 0

    def _release(self, entry: int) -> None:
        self.records[entry] = np.zeros(1, PEER)[0]
        self._free.append(entry)

    def _new(self) -> int:
        if not self._free:
            size = len(self.records)
            records, uplinks = np.zeros(2 * size, PEER), np.zeros(2 * size, UPLINK)
            records[:size], uplinks[:size] = self.records, self.uplinks
            self.records, self.uplinks = records, uplinks
            self._free = list(range(2 * size - 1, size - 1, -1))
        entry = self._free.pop()
        self.records[entry]["used"] = True
        return entry
