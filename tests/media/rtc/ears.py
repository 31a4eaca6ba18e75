"""Listeners of a crowd on real loopback sockets, who read what the kernels send with their own keys."""

import socket
from itertools import count

from media.rtc.crowd import Crowd
from media.rtc.rtp import RtpPacket, parse_rtp
from media.rtc.srtp import AES_128_GCM, Profile, SrtpContext
from media.rtc.stun import Address

_numbers = count(1)


class Wire:
    """A sending and a receiving UDP socket on loopback, where what is sent has arrived when the call returns."""

    def __init__(self) -> None:
        self.sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sender.bind(("127.0.0.1", 0))
        self.receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.receiver.bind(("127.0.0.1", 0))
        self.receiver.setblocking(False)

    @property
    def fd(self) -> int:
        """What the kernels send through."""
        return self.sender.fileno()

    @property
    def address(self) -> Address:
        """Where listeners are."""
        return self.receiver.getsockname()

    def take(self) -> list[bytes]:
        """All datagrams that have arrived, in order."""
        taken: list[bytes] = []
        while True:
            try:
                taken.append(self.receiver.recv(4096))
            except BlockingIOError:
                return taken

    def close(self) -> None:
        """Free the ports."""
        self.sender.close()
        self.receiver.close()


class Ear:
    """One listener: keys of its own, a stream of its own."""

    def __init__(self, profile: Profile = AES_128_GCM) -> None:
        number = next(_numbers)
        key = number.to_bytes(profile.key_length + profile.salt_length, "big")
        self.ssrc = number
        self.place = -1
        self.context = SrtpContext(profile, key, self.ssrc)
        self._reader = SrtpContext(profile, key)

    def join(self, crowd: Crowd, address: Address, row: int, payload_type: int = 111, capture_id: int = 0) -> None:
        """Take a place in the crowd."""
        crowd.add(
            *(self, self.context, address),
            ssrc=self.ssrc,
            payload_type=payload_type,
            capture_id=capture_id,
            row=row,
        )

    def read(self, datagram: bytes) -> RtpPacket:
        """The packet inside; :raises SrtpError: it is not for this listener."""
        packet = parse_rtp(self._reader.unprotect(datagram))
        assert packet.ssrc == self.ssrc
        return packet

    def read_rtcp(self, datagram: bytes) -> bytes:
        """The compound inside; :raises SrtpError: it is not for this listener."""
        return self._reader.unprotect_rtcp(datagram)


def ssrc_of(datagram: bytes) -> int:
    """Whose stream a protected RTP packet belongs to."""
    return int.from_bytes(datagram[8:12], "big")
