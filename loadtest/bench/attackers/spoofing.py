"""A member who has a relay send to somebody else: datagrams with a source that is not theirs.

On loopback nobody needs to forge a source: the victim is another socket, which sends what the attacker would have
sent in its name, and then is silent.
"""

import socket
import time
from dataclasses import dataclass

import httpx

from media.rtc.client import Client
from media.rtc.dtls import Identity
from media.rtc.events import Connected
from media.rtc.sdp import parse_sdp
from media.rtc.stun import (
    BINDING_REQUEST,
    ICE_CONTROLLING,
    PRIORITY,
    USE_CANDIDATE,
    USERNAME,
    Address,
    build_stun,
    is_stun,
)

VICTIM = "127.66.0.1"
PATIENCE = 10.0
"""Seconds for a connection."""
HELLOS = 3
"""How often the beginning of a handshake is sent in the victim's name."""


@dataclass(frozen=True)
class Reflection:
    """What was sent in a victim's name, and what came to it, in bytes."""

    sent: int
    received: int

    @property
    def factor(self) -> float:
        """Bytes out per byte in."""
        return self.received / self.sent


def relay_address(whep: str) -> Address:
    """Where a relay hears, from its answer; the session behind it never begins."""
    return _offer(whep, Identity())[1]


def redirected_media(whep: str, seconds: float) -> Reflection:
    """Connect as a listener, have one check come from the victim, and see what is sent there."""
    attacker, victim = _socket("127.0.0.1"), _socket(VICTIM)
    try:
        client, remote, check = _offer(whep, Identity())
        _connect(attacker, client, remote)
        victim.sendto(check, remote)
        return Reflection(len(check), _receive(victim, seconds))
    finally:
        attacker.close()
        victim.close()


def unproven_handshake(whep: str, seconds: float) -> Reflection:
    """Have a handshake begin from the victim, which answers nothing, and see what is sent there."""
    victim = _socket(VICTIM)
    try:
        client, remote, _ = _offer(whep, Identity())
        check, sent, received = client.outbox[0], 0, 0
        victim.sendto(check, remote)
        sent += len(check)
        victim.settimeout(1.0)
        try:
            answer = victim.recv(2048)  # an attacker knows what it would say
            received += len(answer)
            client.outbox.clear()
            client.receive(answer, time.monotonic())
        except TimeoutError:
            client.outbox.clear()
        for _ in range(HELLOS):
            for datagram in client.outbox:
                victim.sendto(datagram, remote)
                sent += len(datagram)
            received += _receive(victim, seconds / HELLOS)
        return Reflection(sent, received)
    finally:
        victim.close()


def _offer(whep: str, identity: Identity) -> tuple[Client, Address, bytes]:
    """Negotiate; return the client, the relay's address, and one more check."""
    client = Client(identity, "recvonly")
    answer = httpx.post(whep, content=client.offer, headers={"Content-Type": "application/sdp"}, timeout=PATIENCE)
    answer.raise_for_status()
    client.accept(answer.text, time.monotonic())
    assert client.remote is not None
    ours, theirs = parse_sdp(client.offer).audio, parse_sdp(answer.text).audio
    attributes = [
        (USERNAME, f"{theirs.ufrag}:{ours.ufrag}".encode()),
        (PRIORITY, b"\x6e\xff\xff\xff"),
        (ICE_CONTROLLING, bytes(range(8))),
        (USE_CANDIDATE, b""),
    ]
    check = build_stun(BINDING_REQUEST, b"spoofedcheck", attributes, theirs.pwd.encode())
    return client, client.remote, check


def _connect(own: socket.socket, client: Client, remote: Address) -> None:
    """Until the handshake is over; :raises TimeoutError: it is not."""
    deadline, connected = time.monotonic() + PATIENCE, False
    own.settimeout(0.1)
    while not connected:
        for datagram in client.outbox:
            own.sendto(datagram, remote)
        client.outbox.clear()
        now = time.monotonic()
        if now > deadline:
            raise TimeoutError("The relay did not connect a listener within 10 s.")
        try:
            events = client.receive(own.recv(2048), now)
        except TimeoutError:
            events = client.handle_timer(now)
        connected = any(isinstance(event, Connected) for event in events)
    for datagram in client.outbox:
        own.sendto(datagram, remote)
    client.outbox.clear()
    while is_stun(own.recv(2048)):  # sound comes
        continue


def _receive(own: socket.socket, seconds: float) -> int:
    """Bytes that come in so many seconds."""
    total, deadline = 0, time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        own.settimeout(left)
        try:
            total += len(own.recv(2048))
        except TimeoutError:
            break
    return total


def _socket(host: str) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((host, 0))
    return made
