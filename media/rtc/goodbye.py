"""What is kept of a finished handshake: enough to understand the peer's goodbye.

After the handshake only one record of an association is still expected: the alert that ends it. Its key is 16 or
32 bytes, so OpenSSL's state, with its buffers, goes and the key stays.
"""

import hmac
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

_ALERT = 21
_HEADER = 13
_CLOSE_NOTIFY, _FATAL = 0, 2
_TAG = 16
_GCM, _CHACHA = (16, 4), (32, 12)
"""Bytes of a cipher's key and of the part of its nonce that the handshake made."""


class Farewell:
    """Recognises the peer's close_notify or fatal alert (RFC 5246 §7.2, RFC 6347 §4.1)."""

    __slots__ = ("_of_client", "_secret", "_seed", "_sizes")

    def __init__(self, secret: bytes, seed: bytes, sizes: tuple[int, int], of_client: bool) -> None:
        self._secret, self._seed, self._sizes = secret, seed, sizes
        self._of_client = of_client

    @classmethod
    def of(cls, connection: Any, peer_is_client: bool) -> "Farewell | None":
        """Of a ``SSL.Connection`` whose handshake is done; None with a cipher that is not one of ours."""
        name = connection.get_cipher_name() or ""
        if name.endswith("AES128-GCM-SHA256"):
            sizes = _GCM
        elif name.endswith("CHACHA20-POLY1305"):
            sizes = _CHACHA
        else:
            return None
        seed = b"key expansion" + connection.server_random() + connection.client_random()
        return cls(connection.master_key(), seed, sizes, peer_is_client)

    def heard(self, datagram: bytes) -> bool:
        """True if an authentic alert in it ends the association; whatever else it holds is ignored."""
        at = 0
        while at + _HEADER <= len(datagram):
            end = at + _HEADER + int.from_bytes(datagram[at + 11 : at + 13], "big")
            if datagram[at] == _ALERT and end <= len(datagram) and self._ends(datagram[at:end]):
                return True
            at = end
        return False

    def _ends(self, record: bytes) -> bool:
        number, body = record[3:11], record[_HEADER:]
        explicit = 8 if self._sizes == _GCM else 0
        size = len(body) - _TAG - explicit
        if size != 2:
            return False
        key, iv = self._keys()
        if explicit:
            nonce, body, cipher = iv + body[:8], body[8:], AESGCM
        else:
            nonce = bytes(one ^ other for one, other in zip(iv, bytes(4) + number, strict=True))
            cipher = ChaCha20Poly1305
        associated = number + record[:3] + size.to_bytes(2, "big")
        try:
            level, description = cipher(key).decrypt(nonce, body, associated)
        except InvalidTag:
            return False
        return description == _CLOSE_NOTIFY or level == _FATAL

    def _keys(self) -> tuple[bytes, bytes]:
        """The peer's key and implicit nonce: worked out when there is something to read, which is once at most."""
        key, iv = self._sizes
        block = _expand(self._secret, self._seed, 2 * (key + iv))
        keys, ivs = block[: 2 * key], block[2 * key :]
        return (keys[:key], ivs[:iv]) if self._of_client else (keys[key:], ivs[iv:])


def _expand(secret: bytes, seed: bytes, length: int) -> bytes:
    """TLS 1.2's pseudo-random function with SHA-256 (RFC 5246 §5)."""
    made, link = b"", seed
    while len(made) < length:
        link = hmac.digest(secret, link, "sha256")
        made += hmac.digest(secret, link + seed, "sha256")
    return made[:length]
