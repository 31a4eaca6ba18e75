"""DTLS 1.2 handshakes for SRTP keys (RFC 5764): datagrams in, datagrams and keys out.

OpenSSL through pyOpenSSL's memory BIOs, with one shared context for all sessions of a process. DTLS 1.3 is left
out on purpose: its record header would hide where one record ends, which :func:`datagrams` needs to know.

Retransmission is ours, by the time passed in, since OpenSSL's timer reads the clock itself: the last flight is
kept and sent again after 0.5 s, 1 s, 2 s ... until the peer moves on (RFC 6347 §4.2.4). Such a copy has the record
numbers of the first, so a peer that had received it drops it as a replay; where OpenSSL's own timer has run out as
well, it makes the flight anew, with numbers of its own. A server's last flight has no timer at all: it is sent
again whenever the client sends its own again.
"""

import datetime
import hashlib
import secrets
from dataclasses import dataclass
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from OpenSSL import SSL
from OpenSSL.crypto import FILETYPE_ASN1, X509, dump_certificate

from media.rtc.certificates import unfit
from media.rtc.goodbye import Farewell
from media.rtc.srtp import PROFILES, Profile

Role = Literal["client", "server"]

HANDSHAKE_TIMEOUT = 15.0
"""Seconds from the first datagram until the handshake is given up."""
FIRST_RETRANSMIT = 0.5
"""Seconds; RFC 6347 recommends 1 s, WebRTC stacks use less since round trips of calls are short."""
NOT_FINISHED = f"DTLS handshake not finished within {HANDSHAKE_TIMEOUT:.0f} s"
UNTRUSTED = "the DTLS certificate is not the one the signalling named"
MTU = 1200
"""Bytes of a DTLS datagram: what passes everywhere with IPv4 and UDP headers around it."""

_DTLS_1_2 = 0xFEFD
_RECORD_HEADER = 13
_HANDSHAKE_RECORDS = (20, 22)
"""First byte of records that belong to a handshake: change cipher spec, and its messages."""
_CIPHERS = b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256"
DIGESTS = {
    "sha-224": hashlib.sha224,
    "sha-256": hashlib.sha256,
    "sha-384": hashlib.sha384,
    "sha-512": hashlib.sha512,
}
"""Hashes of certificates that are trusted, by their names in SDP; SHA-1, MD5 and MD2 are not (RFC 8122 §5)."""


@dataclass(frozen=True)
class Fingerprint:
    """A certificate's digest as SDP carries it (RFC 8122)."""

    algorithm: str
    value: str
    """Upper-case hexadecimal pairs with colons."""


class Identity:
    """A process's certificate and the OpenSSL context made from it; shared by all its sessions."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, secrets.token_hex(8))])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=365))
            .sign(key, hashes.SHA256())
        )
        self.fingerprint = fingerprint(certificate.public_bytes(Encoding.DER), "sha-256")
        context = SSL.Context(SSL.DTLS_METHOD)
        context.set_min_proto_version(_DTLS_1_2)
        context.set_max_proto_version(_DTLS_1_2)
        context.set_options(SSL.OP_NO_TICKET)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, _accept_then_compare)
        context.set_cipher_list(_CIPHERS)
        context.use_certificate(certificate)
        context.use_privatekey(key)
        context.set_tlsext_use_srtp(":".join(PROFILES).encode())
        self.context = context
        self.certificate = certificate.public_bytes(Encoding.PEM)
        self.key = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        """Both as PEM, for the other library (see :mod:`media.rtc.gnutls`)."""


def _accept_then_compare(connection: SSL.Connection, certificate: X509, _: int, depth: int, __: int) -> bool:
    """Certificates are self-signed: trust comes from the fingerprint in the signalling, compared after.

    OpenSSL asks before it verifies anything with the certificate's key.
    """
    reason = unfit(dump_certificate(FILETYPE_ASN1, certificate), depth)
    if reason:
        connection.set_app_data(reason)
    return reason is None


def fingerprint(der: bytes, algorithm: str) -> Fingerprint:
    """The digest of a certificate; :raises KeyError: an algorithm that is not in :data:`DIGESTS`."""
    return Fingerprint(algorithm, DIGESTS[algorithm](der).digest().hex(":").upper())


def trusted(der: bytes, expected: tuple[Fingerprint, ...]) -> bool:
    """Whether any one of the fingerprints is the certificate's: a peer may name several (RFC 8122 §5.1)."""
    named = {wanted.algorithm for wanted in expected if wanted.algorithm in DIGESTS}
    return not {fingerprint(der, algorithm) for algorithm in named}.isdisjoint(expected)


def datagrams(records: bytes) -> list[bytes]:
    """Pack whole DTLS records into datagrams of at most :data:`MTU` bytes."""
    packed: list[bytes] = []
    start = at = 0
    while at + _RECORD_HEADER <= len(records):
        end = at + _RECORD_HEADER + int.from_bytes(records[at + 11 : at + 13], "big")
        if end - start > MTU and at > start:
            packed.append(records[start:at])
            start = at
        at = end
    if at > start:
        packed.append(records[start:at])
    return packed


@dataclass(frozen=True)
class Keys:
    """What the handshake was for; each key is followed by its salt."""

    profile: Profile
    send: bytes
    receive: bytes


class Handshake:
    """One DTLS association.

    Drive it with :meth:`start` (client only), :meth:`receive` for each datagram whose first byte is 20..63, and
    :meth:`handle_timer` when :attr:`next_timer` has passed; each returns datagrams to send. ``keys`` is set once
    it is done, ``failure`` (a sentence) if it cannot be, ``closed`` when the peer said goodbye.
    """

    def __init__(self, identity: Identity, role: Role, expected: tuple[Fingerprint, ...], now: float) -> None:
        self._expected = expected
        self._role = role
        self._ssl: SSL.Connection | None = SSL.Connection(identity.context, None)
        self._ssl.set_ciphertext_mtu(MTU)
        if role == "server":
            self._ssl.set_accept_state()
        else:
            self._ssl.set_connect_state()
        self._deadline = now + HANDSHAKE_TIMEOUT
        self._flight: list[bytes] = []
        self._goodbye: list[bytes] = []
        self._farewell: Farewell | None = None
        self._retransmit_after = FIRST_RETRANSMIT
        self._retransmit_at: float | None = None
        self.keys: Keys | None = None
        self.failure: str | None = None
        self.closed = False

    @property
    def next_timer(self) -> float | None:
        """When :meth:`handle_timer` is due, in the caller's time; None once there is nothing to wait for."""
        if self.keys or self.failure:
            return None
        return min(self._deadline, self._retransmit_at) if self._retransmit_at is not None else self._deadline

    def start(self, now: float) -> list[bytes]:
        """The client's first flight."""
        return self._advance(now)

    def receive(self, datagram: bytes, now: float) -> list[bytes]:
        """Take in one datagram; junk is dropped by OpenSSL without a word."""
        if self.failure or self.closed or not datagram:
            return []
        if self._ssl is None:
            self.closed = self._farewell is not None and self._farewell.heard(datagram)
            return [] if self.closed else self._last_flight_again(datagram)
        self._ssl.bio_write(datagram)
        if self.keys is None:
            return self._advance(now)
        try:
            self._ssl.recv(MTU)
        except SSL.ZeroReturnError:
            self.closed = True
        except SSL.Error:
            pass  # WantRead, or a record that failed authentication: neither ends an association
        return self._drain() or self._last_flight_again(datagram)

    def handle_timer(self, now: float) -> list[bytes]:
        """Send the last flight again, or give up."""
        if self._ssl is None or self.keys or self.failure:
            return []
        if now >= self._deadline:
            self.failure = NOT_FINISHED
            return []
        if self._retransmit_at is None or now < self._retransmit_at:
            return []
        self._retransmit_after *= 2
        self._retransmit_at = now + self._retransmit_after
        return self._made_anew() or self._flight

    def release(self) -> None:
        """Give OpenSSL's memory back.

        Kept are our close_notify, made now, for :meth:`close`; what it takes to understand the peer's; and a
        server's last flight, for a client that has lost it and asks again.
        """
        if self._ssl is not None and self.keys is not None:
            self._farewell = Farewell.of(self._ssl, peer_is_client=self._role == "server")
        self._goodbye = self.close()
        self._ssl = None
        if self._role == "client" or self.keys is None:
            self._flight = []

    def close(self) -> list[bytes]:
        """Say goodbye (close_notify), once."""
        if self._ssl is None or self.keys is None:
            goodbye, self._goodbye = self._goodbye, []
            return goodbye
        try:
            self._ssl.shutdown()
        except SSL.Error:
            return []
        return self._drain()

    def _made_anew(self) -> list[bytes]:
        """The last flight with new record numbers, if OpenSSL's timer, which reads the clock, has run out too."""
        assert self._ssl is not None
        try:
            self._ssl.DTLSv1_handle_timeout()
        except SSL.Error:
            return []  # it gives up after twelve; the deadline comes earlier
        return self._drain()

    def _last_flight_again(self, datagram: bytes) -> list[bytes]:
        """What a server answers to a client that repeats its own last flight, never more than that is long."""
        if self._role == "client" or datagram[0] not in _HANDSHAKE_RECORDS:
            return []
        return self._flight if sum(map(len, self._flight)) <= len(datagram) else []

    def _advance(self, now: float) -> list[bytes]:
        assert self._ssl is not None
        try:
            self._ssl.do_handshake()
        except SSL.WantReadError:
            pass
        except SSL.Error as error:
            self.failure = f"DTLS handshake failed: {self._ssl.get_app_data() or _reason(error)}"
            return self._drain()
        else:
            self._finish()
        flight = self._drain()
        if flight:
            self._flight = flight
            self._retransmit_after = FIRST_RETRANSMIT
            self._retransmit_at = now + self._retransmit_after
        return flight

    def _finish(self) -> None:
        assert self._ssl is not None
        certificate = self._ssl.get_peer_certificate()
        if certificate is None or not trusted(dump_certificate(FILETYPE_ASN1, certificate), self._expected):
            self.failure = UNTRUSTED
            return
        profile = PROFILES.get(self._ssl.get_selected_srtp_profile().decode())
        if profile is None:
            self.failure = "no SRTP profile in common; offer " + " or ".join(PROFILES)
            return
        keying = self._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", profile.keying_length)
        client, server = profile.split(keying)
        self.keys = Keys(profile, server, client) if self._role == "server" else Keys(profile, client, server)

    def _drain(self) -> list[bytes]:
        assert self._ssl is not None
        try:
            return datagrams(self._ssl.bio_read(1 << 16))
        except SSL.WantReadError:
            return []


def _reason(error: SSL.Error) -> str:
    details = error.args[0] if error.args else ""
    return details[0][-1] if isinstance(details, list) and details else str(details) or "no reason given"
