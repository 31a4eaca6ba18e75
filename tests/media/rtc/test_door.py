"""The door over real sockets: what it deals with, what it leaves to Python and in which order, what it refuses."""

import socket
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count

import pytest

from media.rtc.door import (
    ANSWERS_MAX,
    CHECKS,
    HANDED_MAX,
    ODDITIES_MAX,
    PACKETS_MAX,
    REPORTS,
    VISITS_MAX,
    Door,
)
from media.rtc.inbox import BATCH, DATAGRAM_MAX, Inbox, key_of
from media.rtc.rtcp import ReportBlock, build_bye, build_receiver_report, parse_rtcp
from media.rtc.rtp import RtpPacket, build_rtp
from media.rtc.srtp import AES_128_GCM, SrtpContext
from media.rtc.stun import (
    BINDING_REQUEST,
    PRIORITY,
    USE_CANDIDATE,
    USERNAME,
    Address,
    build_stun,
    build_success,
    parse_stun,
)

NOW, NTP = 1000.0, 0xE000_0000_0000_0000

_numbers = count(1)


class Guest:
    """A peer with a socket of its own, and what the door needs to know of it."""

    def __init__(self) -> None:
        self.number = next(_numbers)
        self.entry = -1
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.address: Address = self.socket.getsockname()
        self.credentials = (f"{self.number:08x}", f"{self.number:032x}")
        key = self.number.to_bytes(28, "big")
        self.own, self.relays = SrtpContext(AES_128_GCM, key, ssrc=self.number), SrtpContext(AES_128_GCM, key)
        self.ssrc = 0x1000 + self.number
        self._transactions = count()

    def check(self, *, password: str = "", ufrag: str = "", extra: tuple[tuple[int, bytes], ...] = ()) -> bytes:
        """A consent check."""
        attributes = [(USERNAME, f"{ufrag or self.credentials[0]}:me".encode()), (PRIORITY, bytes(4)), *extra]
        secret = (password or self.credentials[1]).encode()
        return build_stun(BINDING_REQUEST, next(self._transactions).to_bytes(12), attributes, secret)

    def report(self, fraction: float = 0.0, goodbye: bool = False) -> bytes:
        """A protected receiver report on what it is sent."""
        block = ReportBlock(self.ssrc, fraction, 3, 70_000, 480, (NTP >> 16) - 0x18000 & 0xFFFF_FFFF, 0x10000)
        compound = build_receiver_report(self.number, (block,), "x") + (build_bye(self.number) if goodbye else b"")
        return self.own.protect_rtcp(compound)

    def packet(self, sequence: int) -> bytes:
        """A protected packet of sound."""
        return self.own.protect(build_rtp(RtpPacket(111, sequence, 0, self.number, b"opus")))

    def heard(self) -> list[bytes]:
        """What came to its socket."""
        taken = []
        while True:
            try:
                taken.append(self.socket.recv(2048))
            except BlockingIOError:
                return taken


class Porch:
    """A door with its inbox and port."""

    def __init__(self) -> None:
        self.door, self.inbox = Door(), Inbox()
        self.port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.port.bind(("127.0.0.1", 0))
        self.guests: list[Guest] = []
        self.dropped = Counter[str]()

    def guest(self, *, talks: bool = False, reports: bool = True) -> Guest:
        """Someone who is connected."""
        guest = Guest()
        self.guests.append(guest)
        peers = self.door.peers
        peers.expect(guest, guest.credentials)
        peers.admit(guest, guest.address, guest.relays, guest.ssrc, talks, 0.0)
        if reports:
            peers.trust_reports(guest, guest.number)
        return guest

    def joining(self) -> Guest:
        """Someone who shakes hands."""
        guest = Guest()
        self.guests.append(guest)
        self.door.peers.expect(guest, guest.credentials)
        self.door.peers.route(guest, key_of(guest.address))
        return guest

    def take(
        self, *sent: tuple[bytes, Guest | Address], now: float = NOW, deadline: float = 1e9
    ) -> list[tuple[bytes, Address, bool]]:
        """Let a batch arrive; returns what is left to Python."""
        keys = [key_of(source.address if isinstance(source, Guest) else source) for _, source in sent]
        names = dict(zip(keys, (source for _, source in sent), strict=True))
        self.inbox.put([(datagram, key) for (datagram, _), key in zip(sent, keys, strict=True)])
        self.door.serve(self.inbox, self.port.fileno(), now, deadline, NTP)
        left = []
        while self.inbox:
            datagram, key, opened = self.inbox.pop()
            left.append((datagram, names[key], opened))
        return left

    def close(self) -> None:
        """Free ports and C state."""
        for guest in self.guests:
            guest.socket.close()
            guest.own.close()
            guest.relays.close()
        self.port.close()


@pytest.fixture
def porch() -> Iterator[Porch]:
    made = Porch()
    yield made
    made.close()


def drops(porch: Porch) -> dict[str, int]:
    """What was dropped since the last call."""
    before, porch.dropped = porch.dropped, Counter(porch.door.counted()[1])
    return dict(porch.dropped - before)


def test_consent_checks_are_answered_and_noted(porch: Porch):
    guests = [porch.guest() for _ in range(3)]
    sent = [(guest.check(extra=((USE_CANDIDATE, b""),)), guest) for guest in guests for _ in range(2)]
    assert porch.take(*sent) == []
    for guest in guests:
        own = [parse_stun(datagram) for datagram, source in sent if source is guest]
        secret = guest.credentials[1].encode()
        assert guest.heard() == [build_success(request, guest.address, secret) for request in own]
        assert porch.door.peers.last_check(guest) == NOW
    assert porch.door.counters[CHECKS] == 6
    assert porch.door.counted() == (6, {})


def test_check_with_another_password_is_dropped_without_an_answer(porch: Porch):
    guest = porch.guest()
    assert porch.take((guest.check(password="x" * 32), guest)) == []
    assert guest.heard() == []
    assert porch.door.peers.last_check(guest) == 0.0
    assert drops(porch) == {"STUN not authentic": 1}


def test_checks_for_the_session_are_left_to_it(porch: Porch):
    guest = porch.guest()
    sent = [guest.check(ufrag="somebody"), guest.check(extra=((0x0014, b"realm"),)), b"\x00\x01", b"\x00"]
    assert [datagram for datagram, *_ in porch.take(*((datagram, guest) for datagram in sent))] == sent
    assert guest.heard() == []


def test_reports_are_read(porch: Porch):
    guest = porch.guest()
    assert porch.take((guest.report(0.25), guest), (guest.report(0.5), guest)) == []
    record = porch.door.peers.records[guest.entry]
    assert (record["fraction"], record["lost"], record["highest"], record["reports"]) == (0.5, 3, 70_000, 2)
    assert (record["jitter"], record["round_trip"], record["reported"]) == (pytest.approx(0.01), 0.5, NOW)
    assert porch.door.counters[REPORTS] == 2


def test_forged_replayed_and_cut_reports_change_nothing(porch: Porch):
    guest = porch.guest()
    good = guest.report()
    porch.take((good, guest))
    forged = good[:-1] + bytes([good[-1] ^ 1])
    assert porch.take((good, guest), (forged, guest), (good[:20], guest)) == []
    assert porch.door.peers.records[guest.entry]["reports"] == 1
    assert drops(porch) == {"forged or replayed": 3}


def test_report_of_an_unknown_source_is_the_session_s(porch: Porch):
    """Each new one costs memory in libsrtp: the session counts them."""
    guest = porch.guest(reports=False)
    report = guest.report()
    assert porch.take((report, guest)) == [(report, guest, False)]
    porch.door.peers.trust_reports(guest, guest.number)
    assert porch.take((guest.report(), guest)) == []


def test_goodbye_is_left_to_the_session_decrypted(porch: Porch):
    guest = porch.guest()
    [(compound, _, opened)] = porch.take((guest.report(goodbye=True), guest))
    assert opened
    assert parse_rtcp(compound).bye == (guest.number,)


def test_report_of_a_speaker_is_read_and_left_to_the_session_as_well(porch: Porch):
    speaker = porch.guest(talks=True)
    [(compound, _, opened)] = porch.take((speaker.report(0.25), speaker))
    assert opened
    assert parse_rtcp(compound).reports[0].fraction_lost == 0.25
    assert porch.door.peers.records[speaker.entry]["fraction"] == 0.25


def test_sound_is_the_session_s_from_speakers_and_dropped_from_listeners(porch: Porch):
    speaker, listener = porch.guest(talks=True), porch.guest()
    first, second = speaker.packet(1), speaker.packet(2)
    assert porch.take((first, speaker), (listener.packet(1), listener), (second, speaker)) == [
        (first, speaker, False),
        (second, speaker, False),
    ]
    assert drops(porch) == {"not negotiated": 1}


def test_what_one_peer_sends_stays_in_order(porch: Porch):
    speaker, listener = porch.guest(talks=True), porch.guest()
    sent = [speaker.packet(1), speaker.check(), speaker.report(), speaker.packet(2)]
    left = porch.take((listener.check(), listener), *((datagram, speaker) for datagram in sent))
    assert [datagram for datagram, *_ in left] == sent
    assert len(listener.heard()) == 1
    assert porch.take((speaker.check(), speaker)) == [], "in the next batch it is as before"


def test_those_who_join_wait_behind_those_who_are_connected(porch: Porch):
    speaker, joining = porch.guest(talks=True), porch.joining()
    sent = [(b"\x16 one", joining), (speaker.packet(1), speaker), (b"\x16 two", joining)]
    assert [datagram for datagram, *_ in porch.take(*sent)] == [sent[1][0], b"\x16 one", b"\x16 two"]


def test_what_the_door_had_no_time_for_is_python_s_in_order(porch: Porch):
    guest, stranger = porch.guest(), STRANGER
    sent = [(b"\x16", stranger), (guest.check(), guest), (b"\x17", stranger)]
    assert porch.take(*sent, deadline=time.monotonic()) == [(*each, False) for each in sent]
    porch.inbox.put([(datagram, key_of(stranger)) for datagram, _ in sent])
    assert porch.inbox.unseen == len(porch.inbox) == 3


STRANGER = ("203.0.113.9", 9)


def test_strangers_are_told_from_those_who_may_join(porch: Porch):
    joining, known = Guest(), Guest()
    porch.guests += [joining, known]
    porch.door.peers.expect(joining, joining.credentials)
    check = joining.check()
    sent = [b"", b"\x16junk", joining.packet(1), bytes(20), known.check(), joining.check(password="x" * 32), check]
    assert porch.take(*((datagram, STRANGER) for datagram in sent)) == [(check, STRANGER, False)]
    assert drops(porch) == {"no session": 3, "STUN for no session": 2, "STUN not authentic": 1}


def test_check_of_an_unusual_form_that_names_a_session_is_left_to_it(porch: Porch):
    joining = Guest()
    porch.guests.append(joining)
    porch.door.peers.expect(joining, joining.credentials)
    odd = joining.check(extra=((0x1234, b"?"),))
    assert len(porch.take((odd, STRANGER), (odd[:-8], STRANGER))) == 2


def test_flood_of_junk_takes_nothing_from_those_who_join_and_those_who_are_connected(porch: Porch):
    speaker, listener, joining = porch.guest(talks=True), porch.guest(), porch.joining()
    visitor = Guest()
    porch.guests.append(visitor)
    porch.door.peers.expect(visitor, visitor.credentials)
    for batch in range(400):
        junk = [(bytes(20), (f"10.{batch % 250}.{index}.1", 4000)) for index in range(BATCH)]
        assert porch.take(*junk) == []
    assert drops(porch) == {"STUN for no session": 400 * BATCH}
    left = porch.take((speaker.packet(1), speaker), (listener.check(), listener), (b"\x16", joining))
    assert len(left) == 2
    assert len(porch.take((visitor.check(), STRANGER))) == 1
    assert len(listener.heard()) == 1


def test_checks_of_one_session_from_ever_new_addresses_are_bounded(porch: Porch):
    visitor = porch.joining()
    sent = [(visitor.check(), (f"10.0.{number}.1", 4000)) for number in range(BATCH)]
    assert len(porch.take(*sent)) == VISITS_MAX
    assert drops(porch) == {"too many from one peer": BATCH - VISITS_MAX}
    assert len(porch.take((visitor.check(), ("10.1.0.1", 4000)), now=NOW + 1)) == 1, "anew with each second"


def test_checks_that_anybody_can_make_who_knows_the_fragment_do_not_count_against_authentic_ones(porch: Porch):
    visitor = porch.joining()
    odd = visitor.check(password="guess", extra=((0x1234, b"?"),))
    for number in range(4):
        left = porch.take(*[(odd, (f"10.0.{number}.1", 4000))] * BATCH)
        assert len(left) == (ODDITIES_MAX if number == 0 else 0)
    assert len(porch.take((visitor.check(), STRANGER))) == 1


def test_checks_with_the_credentials_of_a_restart_find_their_session(porch: Porch):
    guest = Guest()
    porch.guests.append(guest)
    second = ("newfragm", "n" * 32)
    porch.door.peers.expect(guest, guest.credentials, second)
    restarted = guest.check(ufrag=second[0], password=second[1])
    assert len(porch.take((restarted, STRANGER), (guest.check(), STRANGER))) == 2
    porch.door.peers.change_credentials(guest, second)
    assert len(porch.take((restarted, STRANGER), (guest.check(), STRANGER))) == 1
    porch.door.peers.forget(guest)
    assert porch.take((restarted, STRANGER)) == []
    assert len(porch.door.peers.fragments) == 0


def test_address_that_is_not_in_use_takes_no_fast_path(porch: Porch):
    speaker = porch.guest(talks=True)
    porch.door.peers.give_voice(speaker, 0)
    porch.door.peers.trust_sound(speaker, speaker.number, 111, 0, 0)
    porch.door.peers.route(speaker, key_of(STRANGER))
    sent = [speaker.check(), speaker.report(), speaker.packet(1)]
    assert [each for each, *_ in porch.take(*((datagram, STRANGER) for datagram in sent))] == sent
    porch.door.peers.unroute(speaker, key_of(STRANGER))
    assert porch.take((speaker.packet(2), STRANGER)) == []


def test_peer_s_flood_of_checks_costs_it_answers_and_not_its_consent(porch: Porch):
    flooder, other = porch.guest(), porch.guest()
    for _ in range(4):
        porch.take(*[(flooder.check(), flooder)] * 32, (other.check(), other))
    assert len(flooder.heard()) == ANSWERS_MAX
    assert len(other.heard()) == 4
    assert drops(porch) == {"too many from one peer": 4 * 32 - ANSWERS_MAX}
    assert porch.door.peers.last_check(flooder) == NOW


def test_peer_s_flood_of_anything_else_is_bounded(porch: Porch):
    speaker = porch.guest(talks=True)
    for _ in range(12):
        porch.take(*[(b"\x16junk", speaker)] * BATCH)
    assert drops(porch) == {"too many from one peer": 12 * BATCH - HANDED_MAX}
    assert len(porch.take((speaker.packet(1), speaker))) == 1, "sound is counted apart"
    packet = speaker.packet(2)
    for _ in range(12):
        porch.take(*[(packet, speaker)] * BATCH)
    assert drops(porch) == {"too many from one peer": 12 * BATCH + 1 - PACKETS_MAX}


def test_peer_that_moves_is_known_at_its_new_address_only(porch: Porch):
    guest, new = porch.guest(), ("203.0.113.9", 9)
    porch.door.peers.move(guest, new)
    assert len(porch.take((guest.check(), guest))) == 1
    assert porch.take((guest.check(), new)) == []


def test_new_credentials_take_the_place_of_the_old(porch: Porch):
    guest = porch.guest()
    old, guest.credentials = guest.credentials, ("newfragm", "n" * 32)
    porch.door.peers.change_credentials(guest, guest.credentials)
    assert porch.take((guest.check(), guest)) == []
    assert len(porch.take((guest.check(ufrag=old[0], password=old[1]), guest))) == 1


def test_who_left_is_a_stranger_and_their_record_another_s(porch: Porch):
    first = porch.guest()
    porch.take((first.report(0.5), first))
    entry = first.entry
    porch.door.peers.forget(first)
    assert first.entry == -1
    assert porch.take((first.check(), first)) == []
    second = porch.guest()
    assert second.entry == entry
    record = porch.door.peers.records[entry]
    assert (record["reports"], record["fraction"], record["reported"]) == (0, 0.0, 0.0)


def test_address_is_whose_came_through_it_last(porch: Porch):
    first, second = porch.guest(), porch.guest()
    porch.door.peers.move(second, first.address)
    assert porch.take((second.check(), first)) == []
    porch.door.peers.forget(first)
    assert porch.take((second.check(), first)) == [], "what the first leaves behind is not the second's"
    porch.door.peers.vacate(key_of(first.address))
    assert len(porch.take((second.check(), first))) == 1
    porch.door.peers.forget(second)


def test_hundreds_of_guests_are_told_apart(porch: Porch):
    """More than there are records and slots at first."""
    guests = [Guest() for _ in range(300)]
    for number, guest in enumerate(guests):
        guest.address = ("10.0.0.1", number + 1)
        porch.door.peers.expect(guest, guest.credentials)
        porch.door.peers.admit(guest, guest.address, guest.relays, guest.ssrc, False, 0.0)
        guest.socket.close()
    for number, guest in enumerate(guests):
        assert porch.take((guest.check(), guest), now=float(number)) == []
    assert [porch.door.peers.last_check(guest) for guest in guests] == [*map(float, range(300))]
    for guest in guests:
        porch.door.peers.forget(guest)
        guest.own.close()
        guest.relays.close()
    assert len(porch.door.peers.addresses) == 0


def test_link_of_another_relay_is_left_alone(porch: Porch):
    relay = Guest()
    porch.guests.append(relay)
    key = key_of(relay.address)
    porch.door.peers.link(key)
    porch.door.peers.link(key)
    packet = relay.packet(1)
    for _ in range(20):
        assert len(porch.take(*[(packet, relay)] * BATCH)) == BATCH
    porch.door.peers.unlink(key)
    assert len(porch.door.peers.addresses) == 0


def test_datagram_that_is_too_large_is_nothing(porch: Porch):
    guest = porch.guest()
    for size in (DATAGRAM_MAX + 1, 10):
        guest.socket.sendto(bytes(size), porch.port.getsockname())
    assert porch.inbox.fill(porch.port.fileno()) == 2
    porch.door.serve(porch.inbox, porch.port.fileno(), NOW, 1e9, NTP)
    assert [porch.inbox.pop()[0] for _ in range(2)] == [b"", bytes(10)]
