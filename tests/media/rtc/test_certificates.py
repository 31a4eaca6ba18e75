"""Keys of peers' certificates: which are refused, and before anything is verified with them."""

import datetime
from collections.abc import Callable
from contextlib import suppress
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from OpenSSL import SSL

from media.rtc import dtls, gnutls
from media.rtc.certificates import unfit
from media.rtc.dtls import Handshake, fingerprint
from media.rtc.srtp import PROFILES
from tests.media.rtc.pair import identity

MODULUS = 16_384
"""Bits of a key that nobody needs to have the other half of."""


@cache
def key_of(kind: str):
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind[3:]))
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(
        {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "bp": ec.BrainpoolP512R1()}[kind]
    )


def certificate(public, signer) -> x509.Certificate:
    """Of that public key, signed by any key at all: nobody verifies that."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "peer")])
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(7)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=9000))
        .sign(signer, algorithm)
    )


def der_of(public) -> bytes:
    return certificate(public, key_of("p256")).public_bytes(Encoding.DER)


def huge(bits: int, exponent: int = 65537) -> rsa.RSAPublicKey:
    """A public key of so many bits, made without looking for primes."""
    return rsa.RSAPublicNumbers(exponent, (1 << bits) - 159).public_key()


@pytest.mark.parametrize("kind", ["rsa2048", "p256", "p384", "ed25519"])
def test_keys_in_use_are_taken(kind: str):
    assert unfit(der_of(key_of(kind).public_key())) is None


def test_largest_rsa_key_is_taken_and_a_larger_one_is_not():
    assert unfit(der_of(huge(4096))) is None
    assert unfit(der_of(huge(4104))) == (
        "the DTLS certificate has an RSA key of 4104 bits; use ECDSA on P-256, or RSA with at most 4096 bits"
    )


def test_other_keys_that_cost_much_are_refused():
    assert "16384 bits" in str(unfit(der_of(huge(MODULUS))))
    assert "exponent of too many bits" in str(unfit(der_of(huge(2048, (1 << 2000) + 1))))
    assert "curve brainpoolP512r1" in str(unfit(der_of(key_of("bp").public_key())))
    assert "more than 3 certificates" in str(unfit(der_of(key_of("p256").public_key()), depth=4))


@given(st.binary(max_size=400) | st.integers(0, 250).map(lambda at: der_of(key_of("p256").public_key())[:at]))
def test_what_is_no_certificate_is_refused(der: bytes):
    assert "cannot be read" in str(unfit(der))


def peer_with(kind: str) -> tuple[SSL.Context, bytes]:
    """A context of a peer's with a self-signed certificate, and that certificate."""
    key = key_of(kind)
    own = certificate(key.public_key(), key)
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
    context.use_certificate(own)
    context.use_privatekey(key)
    context.set_tlsext_use_srtp(":".join(PROFILES).encode())
    return context, own.public_bytes(Encoding.DER)


Make = Callable[..., Handshake]


@pytest.mark.parametrize("kind", ["rsa2048", "rsa4608", "bp"])
@pytest.mark.parametrize("role", ["server", "client", "gnutls client"])
def test_handshake_ends_before_anything_is_verified_with_an_unfit_key(kind: str, role: str, monkeypatch):
    context, der = peer_with(kind)
    expected = (fingerprint(der, "sha-256"),)
    if role == "gnutls client":
        if gnutls._gnutls is None:
            pytest.fail("GnuTLS is in PyAV's wheel")
        relay = gnutls.dtls_client(identity(), expected, 0.0)
    else:
        relay = Handshake(identity(), role, expected, 0.0)
    peer = SSL.Connection(context, None)
    peer.set_ciphertext_mtu(dtls.MTU)
    if role == "server":
        peer.set_connect_state()
    else:
        peer.set_accept_state()
    waiting = relay.start(0.0) if role != "server" else []
    for _ in range(8):
        for datagram in waiting:
            peer.bio_write(datagram)
        with suppress(SSL.Error):
            peer.do_handshake()
        waiting = []
        try:
            records = peer.bio_read(1 << 16)
        except SSL.WantReadError:
            records = b""
        for datagram in dtls.datagrams(records):
            waiting += relay.receive(datagram, 0.0)
    if kind == "rsa2048":
        assert relay.failure is None and relay.keys is not None
        return
    assert relay.keys is None
    if kind == "rsa4608":
        assert "an RSA key of 4608 bits; use ECDSA on P-256" in str(relay.failure)
