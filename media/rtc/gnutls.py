"""The client's role in DTLS with GnuTLS, for publishers whose certificate OpenSSL 4 does not take.

FFmpeg built with GnuTLS, as Debian's and the one in PyAV's wheel are, offers ``setup:passive`` and makes itself a
certificate on the curve P-224. OpenSSL 4 has that curve for signatures and not in its TLS, and ends the handshake
with "wrong curve". So where the relay has to be the client, it uses GnuTLS if it finds it: in the folder
``av.libs`` of PyAV's wheel, or the system's. Otherwise :class:`media.rtc.dtls.Handshake` does it, for all others.

GnuTLS has no AES-GCM for SRTP; a publisher that knows nothing but GCM would not be understood, and there is none.
"""

import ctypes
import ctypes.util
from collections.abc import Callable
from ctypes import CFUNCTYPE, POINTER, byref, c_char_p, c_int, c_size_t, c_ssize_t, c_uint, c_void_p
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from media.rtc.certificates import unfit
from media.rtc.dtls import (
    FIRST_RETRANSMIT,
    HANDSHAKE_TIMEOUT,
    MTU,
    NOT_FINISHED,
    UNTRUSTED,
    Fingerprint,
    Handshake,
    Identity,
    Keys,
    trusted,
)
from media.rtc.srtp import AES128_CM_SHA1_80

_CLIENT_OF_DATAGRAMS = 2 | 4 | 8
"""GNUTLS_CLIENT, GNUTLS_DATAGRAM, GNUTLS_NONBLOCK."""
_PRIORITIES = b"NORMAL:-VERS-ALL:+VERS-DTLS1.2"
_CERTIFICATES, _PEM, _SHUT_WRITE, _EAGAIN = 1, 1, 1, 11
_RETRANSMIT_MS = round(900 * FIRST_RETRANSMIT)
"""GnuTLS's own timer reads the clock; a little shorter than ours, it has run out whenever ours has."""
_KEYS_SIZE = 2 * (16 + 14)


class _Datum(ctypes.Structure):
    _fields_ = (("data", c_void_p), ("size", c_uint))


def _datum(data: bytes) -> _Datum:
    """What GnuTLS takes for bytes; they must outlive the call."""
    return _Datum(ctypes.cast(c_char_p(data), c_void_p), len(data))


_Transfer = CFUNCTYPE(c_ssize_t, c_void_p, c_void_p, c_size_t)
_Wait = CFUNCTYPE(c_int, c_void_p, c_uint)
_Verify = CFUNCTYPE(c_int, c_void_p)

_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "init": (c_int, [c_void_p, c_uint]),
    "deinit": (None, [c_void_p]),
    "priority_set_direct": (c_int, [c_void_p, c_char_p, c_void_p]),
    "certificate_allocate_credentials": (c_int, [c_void_p]),
    "certificate_free_credentials": (None, [c_void_p]),
    "certificate_set_x509_key_mem": (c_int, [c_void_p, c_void_p, c_void_p, c_int]),
    "credentials_set": (c_int, [c_void_p, c_int, c_void_p]),
    "srtp_set_profile_direct": (c_int, [c_void_p, c_char_p, c_void_p]),
    "srtp_get_keys": (c_int, [c_void_p, c_void_p, c_uint, c_void_p, c_void_p, c_void_p, c_void_p]),
    "transport_set_push_function": (None, [c_void_p, _Transfer]),
    "transport_set_pull_function": (None, [c_void_p, _Transfer]),
    "transport_set_pull_timeout_function": (None, [c_void_p, _Wait]),
    "transport_set_errno": (None, [c_void_p, c_int]),
    "dtls_set_mtu": (None, [c_void_p, c_uint]),
    "dtls_set_timeouts": (None, [c_void_p, c_uint, c_uint]),
    "handshake": (c_int, [c_void_p]),
    "certificate_set_verify_function": (None, [c_void_p, _Verify]),
    "certificate_get_peers": (POINTER(_Datum), [c_void_p, c_void_p]),
    "record_recv": (c_ssize_t, [c_void_p, c_void_p, c_size_t]),
    "bye": (c_int, [c_void_p, c_int]),
    "error_is_fatal": (c_int, [c_int]),
    "strerror": (c_char_p, [c_int]),
}


def _load() -> dict[str, Callable[..., Any]] | None:
    av = find_spec("av")
    wheel = Path(av.origin).parents[1] / "av.libs" if av and av.origin else Path()
    found = [*map(str, wheel.glob("libgnutls*.so*")), ctypes.util.find_library("gnutls")]
    for name in filter(None, found):
        try:
            library = ctypes.CDLL(name)
            functions = {short: getattr(library, f"gnutls_{short}") for short in _FUNCTIONS}
        except (OSError, AttributeError):
            continue
        for short, (result, arguments) in _FUNCTIONS.items():
            functions[short].restype, functions[short].argtypes = result, arguments
        return functions
    return None


_gnutls = _load()


def dtls_client(
    identity: Identity, expected: tuple[Fingerprint, ...], now: float
) -> "Handshake | GnuTlsHandshake":
    """The client's end of a handshake with a peer of any make."""
    if _gnutls is None:
        return Handshake(identity, "client", expected, now)
    return GnuTlsHandshake(_gnutls, identity, expected, now)


class GnuTlsHandshake:
    """One DTLS association as the client; driven like :class:`media.rtc.dtls.Handshake`."""

    def __init__(
        self,
        gnutls: dict[str, Callable[..., Any]],
        identity: Identity,
        expected: tuple[Fingerprint, ...],
        now: float,
    ) -> None:
        self._call, self._expected = gnutls, expected
        self._inbox: list[bytes] = []
        self._outbox: list[bytes] = []
        self._flight: list[bytes] = []
        self._deadline = now + HANDSHAKE_TIMEOUT
        self._retransmit_after, self._retransmit_at = FIRST_RETRANSMIT, now + FIRST_RETRANSMIT
        self.keys: Keys | None = None
        self.failure: str | None = None
        self.closed = False
        self._session: c_void_p | None = c_void_p()
        self._credentials = c_void_p()
        self._callbacks = self._transport()
        self._unfit: list[str] = []
        """Why the peer's certificate was refused, if it was."""
        self._judge = self._examiner()
        error = c_char_p()
        certificate, key = _datum(identity.certificate), _datum(identity.key)
        for name, *arguments in (
            ("init", byref(self._session), _CLIENT_OF_DATAGRAMS),
            ("priority_set_direct", self._session, _PRIORITIES, byref(error)),
            ("certificate_allocate_credentials", byref(self._credentials)),
            ("certificate_set_x509_key_mem", self._credentials, byref(certificate), byref(key), _PEM),
            ("certificate_set_verify_function", self._credentials, self._judge),
            ("credentials_set", self._session, _CERTIFICATES, self._credentials),
            ("srtp_set_profile_direct", self._session, b"SRTP_AES128_CM_HMAC_SHA1_80", byref(error)),
            ("transport_set_push_function", self._session, self._callbacks[0]),
            ("transport_set_pull_function", self._session, self._callbacks[1]),
            ("transport_set_pull_timeout_function", self._session, self._callbacks[2]),
            ("dtls_set_mtu", self._session, MTU),
            ("dtls_set_timeouts", self._session, _RETRANSMIT_MS, round(1000 * HANDSHAKE_TIMEOUT)),
        ):
            if status := gnutls[name](*arguments):
                raise RuntimeError(f"gnutls_{name} failed: {self._reason(status)}")

    @property
    def next_timer(self) -> float | None:
        """When :meth:`handle_timer` is due; None once there is nothing to wait for."""
        return None if self.keys or self.failure else min(self._deadline, self._retransmit_at)

    def start(self, now: float) -> list[bytes]:
        """The first flight."""
        return self._advance(now)

    def receive(self, datagram: bytes, now: float) -> list[bytes]:
        """Take in one datagram."""
        if self._session is None or self.failure or self.closed or not datagram:
            return []
        self._inbox.append(datagram)
        if self.keys is None:
            return self._advance(now)
        buffer = ctypes.create_string_buffer(MTU)
        self.closed = self._call["record_recv"](self._session, buffer, MTU) == 0
        self._inbox.clear()
        return self._drain()

    def handle_timer(self, now: float) -> list[bytes]:
        """Send the last flight again, made anew if GnuTLS's own timer agrees, or give up."""
        if self._session is None or self.keys or self.failure:
            return []
        if now >= self._deadline:
            self.failure = NOT_FINISHED
            return []
        if now < self._retransmit_at:
            return []
        after = 2 * self._retransmit_after
        again = self._advance(now) or self._flight
        self._retransmit_after, self._retransmit_at = after, now + after
        return again

    def release(self) -> None:
        """Give GnuTLS's memory back."""
        if self._session is not None:
            self._call["deinit"](self._session)
            self._call["certificate_free_credentials"](self._credentials)
            self._session = None

    def close(self) -> list[bytes]:
        """Say goodbye (close_notify)."""
        if self._session is None or self.keys is None:
            return []
        self._call["bye"](self._session, _SHUT_WRITE)
        return self._drain()

    def _transport(self) -> tuple[Any, Any, Any]:
        """What GnuTLS calls to send and receive; it must live as long as the session."""
        inbox, outbox, session, call = self._inbox, self._outbox, self._session, self._call

        def push(_: Any, data: int, size: int) -> int:
            outbox.append(ctypes.string_at(data, size))
            return size

        def pull(_: Any, data: int, size: int) -> int:
            if not inbox:
                call["transport_set_errno"](session, _EAGAIN)
                return -1
            datagram = inbox.pop(0)[:size]
            ctypes.memmove(data, datagram, len(datagram))
            return len(datagram)

        def wait(_: Any, __: int) -> int:
            return int(bool(inbox))

        return _Transfer(push), _Transfer(pull), _Wait(wait)

    def _advance(self, now: float) -> list[bytes]:
        status = self._call["handshake"](self._session)
        if status == 0:
            self._finish()
        elif self._call["error_is_fatal"](status):
            self.failure = f"DTLS handshake failed: {[*self._unfit, self._reason(status)][0]}"
        self._inbox.clear()
        flight = self._drain()
        if flight:
            self._flight = flight
            self._retransmit_after, self._retransmit_at = FIRST_RETRANSMIT, now + FIRST_RETRANSMIT
        return flight

    def _examiner(self) -> Any:
        """What GnuTLS calls before it verifies anything with the peer's key; not 0 ends the handshake."""
        refused, session, call = self._unfit, self._session, self._call

        def examine(_: Any) -> int:
            count = c_uint()
            chain = call["certificate_get_peers"](session, byref(count))
            reason = unfit(ctypes.string_at(chain[0].data, chain[0].size) if count.value else b"")
            refused.extend([reason] if reason else [])
            return len(refused)

        return _Verify(examine)

    def _finish(self) -> None:
        count = c_uint()
        chain = self._call["certificate_get_peers"](self._session, byref(count))
        if not count.value or not trusted(ctypes.string_at(chain[0].data, chain[0].size), self._expected):
            self.failure = UNTRUSTED
            return
        material = ctypes.create_string_buffer(_KEYS_SIZE)
        parts = [_Datum() for _ in range(4)]
        size = self._call["srtp_get_keys"](self._session, material, _KEYS_SIZE, *map(byref, parts))
        if size != _KEYS_SIZE:
            self.failure = f"no SRTP profile in common; offer {AES128_CM_SHA1_80.name}"
            return
        key, salt, peer_key, peer_salt = (ctypes.string_at(part.data, part.size) for part in parts)
        self.keys = Keys(AES128_CM_SHA1_80, key + salt, peer_key + peer_salt)

    def _drain(self) -> list[bytes]:
        sent = [*self._outbox]
        self._outbox.clear()
        return sent

    def _reason(self, status: int) -> str:
        return self._call["strerror"](status).decode()
