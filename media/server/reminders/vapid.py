"""The key by which push services know this installation (VAPID, RFC 8292): made once, in a file of its owner's."""

import base64
import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02

LIFE: Final = 12 * 3600
"""Seconds that a signature is good for; RFC 8292 allows 24 hours."""


class Vapid:
    """Signs for push services."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, contact: str) -> None:
        """Take the key, and the ``mailto:`` or ``https:`` address of whoever runs this."""
        self._vapid = Vapid02(key)
        self._contact = contact
        point = key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        self.public_key = base64.urlsafe_b64encode(point).decode().rstrip("=")
        """As ``PushManager.subscribe`` takes it for ``applicationServerKey``."""

    def sign(self, origin: str, now: float) -> dict[str, str]:
        """Return the headers of a request to the push service at ``origin``; ``now`` in Unix seconds."""
        return self._vapid.sign({"aud": origin, "exp": int(now) + LIFE, "sub": self._contact})


def load_key(data: Path) -> ec.EllipticCurvePrivateKey:
    """Read the key of an installation, or make it: a file that only its owner can read.

    :raises ValueError: the file holds no key of the right kind
    """
    data.mkdir(parents=True, exist_ok=True)
    path = data / "vapid.pem"
    if not path.exists():
        fresh = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        draft = data / f"vapid.{os.getpid()}.{secrets.token_hex(4)}"
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(fresh)
            os.link(draft, path)  # fails if another process was first, whose key then counts
        except FileExistsError:
            pass
        finally:
            draft.unlink(missing_ok=True)
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError(
            f"{path} holds no P-256 key; delete the file to get a new one, and people subscribe again."
        )
    return key
