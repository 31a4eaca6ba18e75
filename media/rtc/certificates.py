"""Which keys a peer's certificate may have, looked at before anything is verified with one.

A signature of an RSA key of 16,384 bits takes 5 ms to verify, in which the media thread serves nobody else, and a
large public exponent makes a small key as dear. Browsers use ECDSA on P-256 or RSA of 2,048 bits.
"""

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

RSA_BITS = (1024, 4096)
"""The shortest and the longest modulus; 4,096 bits take 0.2 ms to verify."""
EXPONENT_BITS = 33
"""The longest public exponent; all that are in use have 17 bits or fewer."""
CURVES = (ec.SECP224R1, ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
CHAIN_MAX = 3
"""Certificates above the peer's own; trust comes from the fingerprint, so one is enough."""

_INSTEAD = f"use ECDSA on P-256, or RSA with at most {RSA_BITS[1]} bits"


def unfit(der: bytes, depth: int = 0) -> str | None:
    """Why a certificate is refused, in one sentence; None if it is not. ``depth`` counts from the peer's own."""
    if depth > CHAIN_MAX:
        return f"more than {CHAIN_MAX} certificates above the peer's own; send the self-signed one alone"
    try:
        key = x509.load_der_x509_certificate(der).public_key()
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        return f"the DTLS certificate cannot be read; {_INSTEAD}"
    if isinstance(key, rsa.RSAPublicKey):
        if not RSA_BITS[0] <= key.key_size <= RSA_BITS[1]:
            return f"the DTLS certificate has an RSA key of {key.key_size} bits; {_INSTEAD}"
        if key.public_numbers().e.bit_length() > EXPONENT_BITS:
            return f"the DTLS certificate has an RSA key with an exponent of too many bits; {_INSTEAD}"
        return None
    if isinstance(key, ec.EllipticCurvePublicKey):
        fits = isinstance(key.curve, CURVES)
        return None if fits else f"the DTLS certificate has a key on the curve {key.curve.name}; {_INSTEAD}"
    if isinstance(key, (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)):
        return None
    return f"the DTLS certificate has a key of an unknown kind; {_INSTEAD}"
