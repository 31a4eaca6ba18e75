"""The relay as DTLS client through GnuTLS, against OpenSSL; for FFmpeg itself see media/server/test_interop.py."""

import time
from collections.abc import Callable

import pytest

from media.rtc import gnutls
from media.rtc.dtls import HANDSHAKE_TIMEOUT, Fingerprint, Handshake
from media.rtc.gnutls import GnuTlsHandshake, dtls_client
from media.rtc.srtp import SrtpContext
from tests.media.rtc.pair import identity


def client(expected: tuple[Fingerprint, ...] | None = None) -> GnuTlsHandshake:
    """The relay's end."""
    made = dtls_client(identity(0), (identity(1).fingerprint,) if expected is None else expected, 0.0)
    assert isinstance(made, GnuTlsHandshake)
    return made


def shake(
    near: GnuTlsHandshake, lost: Callable[[str, int], bool] = lambda *_: False, rounds: int = 3
) -> Handshake:
    """Bring both ends together; for each retransmission real time passes, since GnuTLS reads the clock."""
    far, now = Handshake(identity(1), "server", (identity(0).fingerprint,), 0.0), 0.0
    sent = {"near": 0, "far": 0}

    def bring(sender: str, datagrams: list[bytes]) -> None:
        for datagram in datagrams:
            number, sent[sender] = sent[sender], sent[sender] + 1
            if lost(sender, number):
                continue
            bring(
                *(
                    ("far", far.receive(datagram, now))
                    if sender == "near"
                    else ("near", near.receive(datagram, now))
                )
            )

    bring("near", near.start(now))
    for _ in range(rounds):
        if near.keys or near.failure:
            break
        time.sleep(0.46)
        now = near.next_timer or now
        bring("near", near.handle_timer(now))
    return far


def test_both_ends_have_the_same_keys():
    near = client()
    far = shake(near, rounds=0)
    assert near.keys and far.keys
    assert near.keys.profile is far.keys.profile
    assert (near.keys.send, near.keys.receive) == (far.keys.receive, far.keys.send)
    assert SrtpContext(near.keys.profile, near.keys.receive)
    assert near.next_timer is None
    near.release()


@pytest.mark.parametrize(("sender", "number"), [("near", 0), ("near", 1), ("near", 3), ("far", 0), ("far", 1)])
def test_lost_datagram_is_made_up_for(sender: str, number: int):
    near = client()
    far = shake(near, lambda who, n: (who, n) == (sender, number))
    assert near.keys and far.keys
    near.release()


def test_wrong_fingerprint_is_refused():
    near = client((Fingerprint("sha-256", "00:" * 31 + "00"),))
    shake(near, rounds=0)
    assert near.keys is None
    assert near.failure == "the DTLS certificate is not the one the signalling named"
    near.release()


def test_silent_peer_is_given_up():
    near = client()
    first = near.start(0.0)
    assert near.next_timer == 0.5
    assert near.handle_timer(0.4) == []
    assert near.handle_timer(0.5) == first, "a copy, where GnuTLS's own timer has not run out"
    assert near.next_timer == 1.5
    assert near.handle_timer(HANDSHAKE_TIMEOUT) == []
    assert near.failure == "DTLS handshake not finished within 15 s"
    near.release()


def test_goodbye_is_said_and_heard():
    near = client()
    far = shake(near, rounds=0)
    for datagram in near.close():
        far.receive(datagram, 1.0)
    assert far.closed
    other = client()
    for datagram in shake(other, rounds=0).close():
        other.receive(datagram, 1.0)
    assert other.closed
    for made in (near, other):
        made.release()
        made.release()
        assert made.receive(b"\x16" * 30, 2.0) == made.handle_timer(99.0) == made.close() == []


def test_junk_neither_raises_nor_ends_the_handshake():
    near = client()
    near.start(0.0)
    for junk in (b"", b"\x16", b"\x16\xfe\xfd" + bytes(40), b"\x80" * 200, b"\x14" * 1500):
        near.receive(junk, 0.0)
    assert near.failure is None
    near.release()
    done = client()
    shake(done, rounds=0)
    for junk in (b"\x16", b"\x17\xfe\xfd" + bytes(40), b"\x15" * 30):
        done.receive(junk, 0.0)
    assert done.keys and not done.closed
    done.release()


def test_without_gnutls_openssl_does_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gnutls, "_gnutls", None)
    assert isinstance(dtls_client(identity(0), (), 0.0), Handshake)
