"""A UDP path between one client and a relay that loses what a test says."""

import asyncio
import re
from collections.abc import Callable

from media.rtc.stun import Address

Loses = Callable[[int, bytes], bool]
"""Whether the n-th RTP datagram of one direction (counted from 0) is lost."""


def is_rtp(datagram: bytes) -> bool:
    """Sound, as against STUN, DTLS and reports."""
    return len(datagram) > 12 and 128 <= datagram[0] < 192 and not 192 <= datagram[1] <= 223


class _End(asyncio.DatagramProtocol):
    def __init__(self, take: Callable[[bytes, Address], None]) -> None:
        self._take = take

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._take(data, addr)


class Wire:
    """Stands where the answer says that the relay is; the client cannot tell."""

    def __init__(self, relay: Address) -> None:
        self._relay = relay
        self._client: Address | None = None
        self._numbers = {"up": 0, "down": 0}
        self.up: Loses = lambda *_: False
        self.down: Loses = lambda *_: False
        self.cut = False
        """Nothing gets through any more."""
        self.lost = 0

    async def open(self) -> None:
        """Bind both ends."""
        loop = asyncio.get_running_loop()
        local = ("127.0.0.1", 0)
        self._near, _ = await loop.create_datagram_endpoint(lambda: _End(self._from_client), local_addr=local)
        self._far, _ = await loop.create_datagram_endpoint(lambda: _End(self._from_relay), local_addr=local)

    def close(self) -> None:
        """Free both ports."""
        self._near.close()
        self._far.close()

    def in_place_of_the_relay(self, answer: str) -> str:
        """The answer with this wire's port for the relay's."""
        near: Address = self._near.get_extra_info("sockname")
        return re.sub(rf"\b{self._relay[1]}\b", str(near[1]), answer)

    def _from_client(self, data: bytes, source: Address) -> None:
        self._client = source
        if self._passes("up", data, self.up):
            self._far.sendto(data, self._relay)

    def _from_relay(self, data: bytes, _: Address) -> None:
        if self._client and self._passes("down", data, self.down):
            self._near.sendto(data, self._client)

    def _passes(self, way: str, data: bytes, loses: Loses) -> bool:
        if self.cut:
            return False
        if not is_rtp(data):
            return True
        number = self._numbers[way]
        self._numbers[way] += 1
        lost = loses(number, data)
        self.lost += lost
        return not lost
