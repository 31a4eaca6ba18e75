"""SRTP: what one end protects the other reads once, and nothing else is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtc.rtcp import build_bye, build_receiver_report
from media.rtc.rtp import RtpPacket, build_rtp
from media.rtc.srtp import AES128_CM_SHA1_80, AES_128_GCM, PROFILES, REPLAY_WINDOW, Profile, SrtpContext, SrtpError

profiles = pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)


def packet(sequence: int, payload: bytes = b"sound") -> bytes:
    """One packet of stream 7."""
    return build_rtp(RtpPacket(111, sequence & 0xFFFF, 960 * sequence & 0xFFFF_FFFF, 7, payload))


def contexts(profile: Profile = AES_128_GCM, salt: int = 0) -> tuple[SrtpContext, SrtpContext]:
    """Sender and receiver of stream 7."""
    key = bytes(range(salt, salt + profile.key_length + profile.salt_length))
    return SrtpContext(profile, key, ssrc=7), SrtpContext(profile, key)


@profiles
def test_protected_packet_is_read_by_the_other_end(profile: Profile):
    sender, receiver = contexts(profile)
    protected = sender.protect(packet(1))
    assert b"sound" not in protected
    assert protected[:12] == packet(1)[:12]
    assert receiver.unprotect(protected) == packet(1)


@profiles
def test_protected_report_is_read_by_the_other_end(profile: Profile):
    sender, receiver = contexts(profile)
    report = build_receiver_report(7, (), "name") + build_bye(7)
    assert receiver.unprotect_rtcp(sender.protect_rtcp(report)) == report


@profiles
def test_replay_is_refused(profile: Profile):
    sender, receiver = contexts(profile)
    protected, report = sender.protect(packet(1)), sender.protect_rtcp(build_receiver_report(7, (), "name"))
    receiver.unprotect(protected)
    receiver.unprotect_rtcp(report)
    with pytest.raises(SrtpError):
        receiver.unprotect(protected)
    with pytest.raises(SrtpError):
        receiver.unprotect_rtcp(report)


def test_late_packet_is_taken_within_the_window_and_refused_behind_it():
    sender, receiver = contexts()
    protected = [sender.protect(packet(sequence)) for sequence in range(REPLAY_WINDOW + 2)]
    receiver.unprotect(protected[-1])
    receiver.unprotect(protected[2])
    with pytest.raises(SrtpError):
        receiver.unprotect(protected[0])


@profiles
def test_every_changed_byte_is_refused(profile: Profile):
    sender, receiver = contexts(profile)
    protected = sender.protect(packet(1))
    for at in range(len(protected)):
        forged = protected[:at] + bytes([protected[at] ^ 1]) + protected[at + 1 :]
        with pytest.raises(SrtpError):
            receiver.unprotect(forged)
    assert receiver.unprotect(protected) == packet(1), "forgeries must not move the replay window"


@profiles
def test_every_truncation_is_refused(profile: Profile):
    sender, receiver = contexts(profile)
    protected, report = sender.protect(packet(1)), sender.protect_rtcp(build_receiver_report(7, (), "name"))
    for size in range(len(protected)):
        with pytest.raises(SrtpError):
            receiver.unprotect(protected[:size])
    for size in range(len(report)):
        with pytest.raises(SrtpError):
            receiver.unprotect_rtcp(report[:size])


def test_packet_under_another_key_is_refused():
    sender, _ = contexts()
    _, receiver = contexts(salt=1)
    with pytest.raises(SrtpError):
        receiver.unprotect(sender.protect(packet(1)))


@profiles
def test_sequence_wraps_around_without_loss(profile: Profile):
    sender, receiver = contexts(profile)
    for sequence in range(65_000, 66_200):
        assert receiver.unprotect(sender.protect(packet(sequence))) == packet(sequence)


def test_sender_context_takes_no_other_stream():
    sender, _ = contexts()
    with pytest.raises(SrtpError):
        sender.protect(build_rtp(RtpPacket(111, 1, 1, 8, b"")))


@pytest.mark.parametrize("profile", [AES_128_GCM, AES128_CM_SHA1_80])
def test_key_of_the_wrong_length_is_refused(profile: Profile):
    for length in (0, 27, 29, 31, 64):
        with pytest.raises(SrtpError, match="bytes of key and salt"):
            SrtpContext(profile, bytes(length))


def test_closed_context_refuses_instead_of_crashing():
    sender, receiver = contexts()
    protected = sender.protect(packet(1))
    for context in (sender, receiver):
        context.close()
        context.close()
        assert context.address == 0
    for call in (sender.protect, sender.protect_rtcp, receiver.unprotect, receiver.unprotect_rtcp):
        with pytest.raises(SrtpError, match="closed"):
            call(protected)


def test_keying_material_is_split_as_rfc_5764_says():
    for profile in PROFILES.values():
        key, salt = profile.key_length, profile.salt_length
        material = b"C" * key + b"S" * key + b"c" * salt + b"s" * salt
        assert len(material) == profile.keying_length
        assert profile.split(material) == (b"C" * key + b"c" * salt, b"S" * key + b"s" * salt)


@given(st.binary(max_size=100))
def test_junk_raises_nothing_but_srtp_error(data: bytes):
    _, receiver = contexts()
    for unprotect in (receiver.unprotect, receiver.unprotect_rtcp):
        with pytest.raises(SrtpError):
            unprotect(data)
