"""SRTP contexts: one direction of one session's keys, usable from Python and, by address, from the kernels.

libsrtp through pylibsrtp's private binding, because a kernel needs the address of the C context and because
pylibsrtp's own ``Session`` copies every packet three times. Replay protection stays on (RFC 3711 §3.3.2).
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from pylibsrtp import Error as SrtpError

from media.rtc.native import SRTP_OK, SRTP_TRAILER_MAX, ffi, lib

REPLAY_WINDOW = 128
"""Packets; 2.5 s of a 50 packets/s stream, twice the 64 that RFC 3711 demands."""


@dataclass(frozen=True)
class Profile:
    """One protection profile of DTLS-SRTP (RFC 5764, RFC 7714)."""

    name: str
    libsrtp: int
    key_length: int
    salt_length: int

    @property
    def keying_length(self) -> int:
        """Bytes to export from DTLS: both keys, then both salts."""
        return 2 * (self.key_length + self.salt_length)

    def split(self, keying: bytes) -> tuple[bytes, bytes]:
        """The (DTLS client's, DTLS server's) key followed by salt."""
        key, salt = self.key_length, self.salt_length
        salts = 2 * key
        client = keying[:key] + keying[salts : salts + salt]
        server = keying[key : 2 * key] + keying[salts + salt : salts + 2 * salt]
        return client, server


AES_128_GCM = Profile("SRTP_AEAD_AES_128_GCM", lib.srtp_profile_aead_aes_128_gcm, 16, 12)
AES128_CM_SHA1_80 = Profile("SRTP_AES128_CM_SHA1_80", lib.srtp_profile_aes128_cm_sha1_80, 16, 14)
PROFILES = {profile.name: profile for profile in (AES_128_GCM, AES128_CM_SHA1_80)}
"""In order of preference: GCM is the fastest here, and Chromium and Firefox take it."""


def _check(status: int, doing: str) -> None:
    if status != SRTP_OK:
        raise SrtpError(f"libsrtp failed {doing} (status {status})")


@cache
def _policy(profile: Profile) -> Any:
    """A ``srtp_policy_t`` that lacks key and SSRC, to be copied."""
    policy = ffi.new("srtp_policy_t *")
    rtp, rtcp = ffi.addressof(policy.rtp), ffi.addressof(policy.rtcp)
    _check(lib.srtp_crypto_policy_set_from_profile_for_rtp(rtp, profile.libsrtp), "choosing a profile")
    _check(lib.srtp_crypto_policy_set_from_profile_for_rtcp(rtcp, profile.libsrtp), "choosing a profile")
    policy.window_size = REPLAY_WINDOW
    return policy


def _free(cell: Any) -> None:
    lib.srtp_dealloc(cell[0])


class SrtpContext:
    """The keys and stream state of one direction.

    ``ssrc`` makes an outbound context for that one stream; without it, the context takes any inbound SSRC.
    ``address`` is the ``srtp_t`` for kernels; it is valid until :meth:`close`.
    """

    __slots__ = ("_cell", "_lent", "_master", "address")

    def __init__(self, profile: Profile, key: bytes, ssrc: int | None = None) -> None:
        if len(key) != profile.key_length + profile.salt_length:
            raise SrtpError(
                f"{profile.name} takes {profile.key_length + profile.salt_length} bytes of key and salt"
            )
        policy = ffi.new("srtp_policy_t *", _policy(profile)[0])
        material = ffi.new("unsigned char[]", key)
        policy.key = material
        if ssrc is None:
            policy.ssrc.type = lib.ssrc_any_inbound
        else:
            policy.ssrc.type = lib.ssrc_specific
            policy.ssrc.value = ssrc
        cell = ffi.new("srtp_t *")
        _check(lib.srtp_create(cell, policy), "creating a context")
        self._cell = ffi.gc(cell, _free)
        self.address = int(ffi.cast("uintptr_t", cell[0]))
        self._lent = False
        self._master = key if profile is AES_128_GCM else None

    def lend(self) -> bytes | None:
        """Master key and salt of AES-128-GCM for a kernel that handles RTP from now on; None for other profiles.

        They are lent once, and :meth:`protect` is refused from then on: two senders would use a nonce twice, which
        gives AES-GCM's key away. RTCP, which has keys of its own, still goes through here.
        """
        master, self._master = self._master, None
        self._lent = self._lent or master is not None
        return master

    def close(self) -> None:
        """Free the C context; the address must not be used afterwards."""
        if self.address:
            self.address = 0
            ffi.release(self._cell)

    def protect(self, packet: bytes) -> bytes:
        """An RTP packet, encrypted and authenticated; :raises SrtpError: the stream's keys are lent."""
        if self._lent:
            raise SrtpError("a kernel sends this stream's RTP")
        return self._apply(lib.srtp_protect, packet, SRTP_TRAILER_MAX)

    def unprotect(self, packet: bytes) -> bytes:
        """The RTP packet inside; :raises SrtpError: forged, replayed or truncated."""
        return self._apply(lib.srtp_unprotect, packet, 0)

    def protect_rtcp(self, packet: bytes) -> bytes:
        """A compound RTCP packet, encrypted and authenticated."""
        return self._apply(lib.srtp_protect_rtcp, packet, SRTP_TRAILER_MAX)

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        """The compound RTCP packet inside; :raises SrtpError: forged, replayed or truncated."""
        return self._apply(lib.srtp_unprotect_rtcp, packet, 0)

    def forget(self, ssrc: int) -> None:
        """Free what is kept of an inbound stream; what is sent of it again would be taken as new."""
        if self.address:
            lib.srtp_remove_stream(self._cell[0], int.from_bytes(ssrc.to_bytes(4, "big"), "little"))

    def _apply(self, function: Any, packet: bytes, trailer: int) -> bytes:
        if not self.address:
            raise SrtpError("this SRTP context is closed")
        size = len(packet)
        buffer = ffi.new("char[]", size + trailer)
        ffi.memmove(buffer, packet, size)
        length = ffi.new("int *", size)
        _check(function(self._cell[0], buffer, length), "on a packet")
        return ffi.unpack(buffer, length[0])


def _prove_binding() -> None:
    """Fail on import, not in the middle of a Space, if pylibsrtp's private binding has changed."""
    key = bytes(range(28))
    sender, receiver = SrtpContext(AES_128_GCM, key, ssrc=1), SrtpContext(AES_128_GCM, key)
    packet = bytes.fromhex("80600001000000000000000161")
    if receiver.unprotect(sender.protect(packet)) != packet:
        raise ImportError("pylibsrtp's binding has changed: install the pylibsrtp that requirements.lock names")
    sender.close()
    receiver.close()


_prove_binding()
