"""Handshakes in memory: every datagram lost once, the wrong peer, the silent peer."""

import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from OpenSSL import SSL

from media.rtc.dtls import (
    DIGESTS,
    HANDSHAKE_TIMEOUT,
    MTU,
    Fingerprint,
    Handshake,
    Identity,
    datagrams,
    fingerprint,
)
from tests.media.rtc.pair import identity


class Association:
    """A client's and a server's handshake on a wire that loses chosen datagrams, in virtual time."""

    def __init__(
        self,
        lost: Callable[[str, int], bool] = lambda *_: False,
        server_expects: tuple[Fingerprint, ...] | None = None,
        client_identity: Identity | None = None,
    ) -> None:
        self.now = 0.0
        client = client_identity or identity(1)
        self.client = Handshake(client, "client", (identity(0).fingerprint,), self.now)
        expected = (client.fingerprint,) if server_expects is None else server_expects
        self.server = Handshake(identity(0), "server", expected, self.now)
        self.sent = {"client": 0, "server": 0}
        self._lost = lost

    def run(self, seconds: float) -> None:
        """Shake hands, waiting for timers as long as ``seconds`` allow."""
        end = self.now + seconds
        if self.sent["client"] == 0:
            self._bring("client", self.client.start(self.now))
        while timers := [
            t for t in (self.client.next_timer, self.server.next_timer) if t is not None and t <= end
        ]:
            self.now = min(timers)
            self._bring("client", self.client.handle_timer(self.now))
            self._bring("server", self.server.handle_timer(self.now))
        self.now = end

    def _bring(self, sender: str, packets: list[bytes]) -> None:
        for packet in packets:
            number = self.sent[sender]
            self.sent[sender] += 1
            if self._lost(sender, number):
                continue
            if sender == "client":
                self._bring("server", self.server.receive(packet, self.now))
            else:
                self._bring("client", self.client.receive(packet, self.now))

    def assert_agreed(self) -> None:
        """Both ends have the same keys, each way."""
        client, server = self.client.keys, self.server.keys
        assert client and server
        assert client.profile is server.profile
        assert (client.send, client.receive) == (server.receive, server.send)
        assert client.send != client.receive


def test_without_loss_both_ends_agree_at_once():
    association = Association()
    association.run(0.0)
    association.assert_agreed()
    assert association.client.keys and association.client.keys.profile.name == "SRTP_AEAD_AES_128_GCM"
    assert association.client.next_timer is association.server.next_timer is None


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("sender", ["client", "server"])
def test_each_lost_datagram_costs_one_retransmission(sender: str, number: int):
    association = Association(lambda who, n: (who, n) == (sender, number))
    association.run(1.0)
    association.assert_agreed()


def test_lost_last_flight_of_the_server_is_sent_again_each_time_the_client_asks():
    association = Association(lambda who, n: who == "server" and 1 <= n <= 3)
    association.run(0.0)
    assert association.server.keys and not association.client.keys
    association.run(5.0)
    association.assert_agreed()


@pytest.mark.parametrize("seed", range(12))
def test_recovers_from_a_third_of_all_datagrams_lost(seed: int):
    association = Association(lambda who, n: (n * 7 + seed * 5 + (who == "server") * 3) % 12 < 4)
    association.run(HANDSHAKE_TIMEOUT - 0.1)
    association.assert_agreed()


def test_retransmissions_double_their_interval():
    client = Handshake(identity(1), "client", (identity(0).fingerprint,), 0.0)
    client.start(0.0)
    due = []
    while client.failure is None:
        assert client.next_timer is not None
        due.append(client.next_timer)
        client.handle_timer(client.next_timer)
    assert due == [0.5, 1.5, 3.5, 7.5, HANDSHAKE_TIMEOUT]


def test_silent_peer_is_given_up_in_time():
    association = Association(lambda *_: True)
    association.run(HANDSHAKE_TIMEOUT - 0.01)
    assert association.client.failure is association.server.failure is None
    association.run(0.02)
    assert association.client.failure == association.server.failure == "DTLS handshake not finished within 15 s"
    assert association.client.handle_timer(99.0) == association.client.receive(b"\x16" * 40, 99.0) == []


def test_finished_peer_that_drops_replays_is_reached_by_a_flight_made_anew():
    """OpenSSL as the server, as in FFmpeg: it ignores copies, so its own last flight comes only for a new one."""
    client = Handshake(identity(1), "client", (identity(0).fingerprint,), 0.0)
    server = SSL.Connection(identity(0).context, None)
    server.set_accept_state()
    for packet in client.start(0.0):
        server.bio_write(packet)
    with pytest.raises(SSL.WantReadError):
        server.do_handshake()
    for packet in [p for flight in datagrams(server.bio_read(1 << 16)) for p in client.receive(flight, 0.0)]:
        server.bio_write(packet)
    server.do_handshake()
    server.bio_read(1 << 16)  # the server's last flight is lost
    time.sleep(1.05)  # OpenSSL's timer reads the clock
    for packet in client.handle_timer(1.5):
        server.bio_write(packet)
    with pytest.raises(SSL.WantReadError):
        server.recv(MTU)
    for packet in datagrams(server.bio_read(1 << 16)):
        client.receive(packet, 1.5)
    assert client.keys


def test_other_certificate_than_the_signalled_one_is_refused():
    association = Association(server_expects=(Fingerprint("sha-256", "00:" * 31 + "00"),))
    association.run(1.0)
    assert association.server.failure == "the DTLS certificate is not the one the signalling named"
    assert association.server.keys is None


@pytest.mark.parametrize("expected", [(), (Fingerprint("md5", "00"),)], ids=["none", "unknown algorithm"])
def test_no_fingerprint_that_can_be_checked_is_refused(expected: tuple[Fingerprint, ...]):
    association = Association(server_expects=expected)
    association.run(1.0)
    assert association.server.keys is None
    assert association.server.failure


def fingerprints_of(certificate: Identity, *algorithms: str) -> tuple[Fingerprint, ...]:
    """Its digests, as signalling would name them."""
    der = x509.load_pem_x509_certificate(certificate.certificate).public_bytes(Encoding.DER)
    return tuple(fingerprint(der, algorithm) for algorithm in algorithms)


@pytest.mark.parametrize("algorithm", DIGESTS)
def test_any_one_of_several_fingerprints_is_enough(algorithm: str):
    mine, other = fingerprints_of(identity(1), algorithm), fingerprints_of(identity(0), *DIGESTS)
    for expected in (mine + other, other + mine, (Fingerprint("sha-1", "00"), *mine)):
        association = Association(server_expects=expected)
        association.run(1.0)
        association.assert_agreed()


def test_many_fingerprints_of_which_none_is_right_are_refused():
    der = fingerprints_of(identity(1), "sha-256")[0].value
    wrong = [Fingerprint("sha-512", der), Fingerprint("sha-256", der[::-1]), Fingerprint("sha-1", der)]
    association = Association(server_expects=(*wrong, *fingerprints_of(identity(0), *DIGESTS)))
    association.run(1.0)
    assert association.server.keys is None
    assert association.server.failure == "the DTLS certificate is not the one the signalling named"


def test_peer_without_a_common_profile_is_told_which_to_offer():
    other = Identity()
    other.context.set_tlsext_use_srtp(b"SRTP_AES128_CM_SHA1_32")
    association = Association(client_identity=other)
    association.run(1.0)
    assert association.server.keys is None
    assert association.server.failure
    assert "SRTP_AEAD_AES_128_GCM" in association.server.failure


def test_peer_with_only_the_older_profile_gets_it():
    other = Identity()
    other.context.set_tlsext_use_srtp(b"SRTP_AES128_CM_SHA1_80")
    association = Association(client_identity=other)
    association.run(1.0)
    association.assert_agreed()
    assert association.server.keys and association.server.keys.profile.name == "SRTP_AES128_CM_SHA1_80"


def test_peer_without_a_certificate_is_refused():
    anonymous = Identity()
    anonymous.context = SSL.Context(SSL.DTLS_METHOD)
    anonymous.context.set_tlsext_use_srtp(b"SRTP_AEAD_AES_128_GCM")
    association = Association(client_identity=anonymous)
    association.run(1.0)
    assert association.server.keys is None
    assert association.server.failure and "DTLS handshake failed" in association.server.failure


def test_goodbye_closes_the_other_end():
    association = Association()
    association.run(0.0)
    for packet in association.client.close():
        association.server.receive(packet, 0.0)
    assert association.server.closed


def test_released_handshake_keeps_its_keys_its_last_flight_and_one_goodbye():
    association = Association()
    association.run(0.0)
    association.server.release()
    association.assert_agreed()
    flight = association.server.receive(b"\x16" * 400, 1.0)
    assert flight and sum(map(len, flight)) <= 400
    assert association.server.receive(b"\x16" * 20, 1.0) == association.server.handle_timer(99.0) == []
    assert not association.server.closed
    for packet in association.server.close():
        association.client.receive(packet, 2.0)
    assert association.client.closed
    assert association.server.close() == []


@given(st.binary(max_size=300), st.booleans())
def test_junk_neither_raises_nor_ends_a_finished_association(junk: bytes, as_record: bool):
    association = _finished()
    record = b"\x16\xfe\xfd" + bytes(8) + len(junk).to_bytes(2, "big") + junk if as_record else junk
    answer = association.server.receive(record, 1.0)
    assert sum(map(len, answer)) <= len(record)
    assert not association.server.closed and not association.server.failure


@given(st.binary(max_size=300))
def test_junk_before_the_handshake_does_not_stop_it(junk: bytes):
    association = Association()
    association.server.receive(junk, 0.0)
    assert association.server.failure is None
    association.run(2.0)
    association.assert_agreed()


def test_large_flight_is_packed_into_datagrams_that_pass_everywhere():
    sizes: list[int] = []
    association = Association(lambda *_: False)
    bring = association.server.receive

    def watched(packet: bytes, now: float) -> list[bytes]:
        answer = bring(packet, now)
        sizes.extend(map(len, answer))
        return answer

    association.server.receive = watched  # type: ignore[method-assign]
    association.run(0.0)
    assert sizes and max(sizes) <= MTU


def _record(size: int) -> bytes:
    return b"\x16\xfe\xfd" + bytes(8) + size.to_bytes(2, "big") + b"x" * size


@given(st.lists(st.integers(0, MTU - 13), max_size=20))
def test_packing_keeps_records_whole_and_in_order(sizes: list[int]):
    records = [_record(size) for size in sizes]
    packed = datagrams(b"".join(records))
    assert b"".join(packed) == b"".join(records)
    assert all(0 < len(datagram) <= MTU for datagram in packed)
    assert all(len(first) + 13 + int.from_bytes(second[11:13], "big") > MTU for first, second in pairwise(packed))


def test_record_larger_than_a_datagram_travels_alone():
    big = _record(3000)
    assert datagrams(_record(5) + big + _record(6)) == [_record(5), big, _record(6)]


_done: list[Association] = []


def _finished() -> Association:
    if not _done:
        _done.append(Association())
        _done[0].run(0.0)
    return _done[0]
