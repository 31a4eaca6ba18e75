"""Rows of seats: whom a datagram reaches, where it comes from, and what is left when everyone has gone."""

import socket
from collections.abc import Iterator

import pytest

from loadtest.engine.ears import Ears
from loadtest.engine.receive import DATAGRAM, ROW
from loadtest.engine.seats import Seats
from media.rtc.srtp import AES_128_GCM, SrtpContext
from tests.loadtest.engine.mouths import KEY, collect, protected, until

DESCRIPTORS = 4096


@pytest.fixture
def ears() -> Iterator[Ears]:
    made = Ears(DESCRIPTORS, 2 * ROW)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def relay() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(10.0)
        yield made


def test_everyone_in_a_row_has_an_address_and_gets_what_is_sent_there(ears: Ears, relay: socket.socket) -> None:
    seats = Seats(ears)
    taken = [seat for seat in (seats.take() for _ in range(ROW + 3)) if seat]
    assert len({seat.address for seat in taken}) == ROW + 3
    assert len({seat.address[1] for seat in taken}) == 2, "two rows, two sockets"
    for seat in taken:
        relay.sendto(bytes([22]) + str(seat.number).encode(), seat.address)
    heard = {item.seat: item for item in collect(ears, ROW + 3)}
    for seat in taken:
        item = heard[seat.number]
        assert (item.kind, item.data) == (DATAGRAM, bytes([22]) + str(seat.number).encode())


def test_what_a_seat_sends_comes_from_its_address(ears: Ears, relay: socket.socket) -> None:
    seats = Seats(ears)
    for seat in [seats.take(), seats.take()]:
        assert seat is not None
        seat.send(b"hello", relay.getsockname())
        assert relay.recvfrom(100) == (b"hello", seat.address)


def test_neighbours_hear_with_their_own_keys(ears: Ears, relay: socket.socket) -> None:
    seats = Seats(ears)
    taken = [seat for seat in (seats.take() for _ in range(3)) if seat]
    contexts = [SrtpContext(AES_128_GCM, KEY[:-1] + bytes([number])) for number in range(3)]
    for seat, context in zip(taken, contexts, strict=True):
        ears.add(seat.number, context, 0)
    for number, seat in enumerate(taken):
        relay.sendto(protected(KEY[:-1] + bytes([number]), 1), seat.address)
    until(lambda: ears.packets == 3)
    relay.sendto(protected(KEY[:-1] + bytes([1]), 2), taken[2].address)
    until(lambda: ears.rejected == 1)
    assert [int(ears.record(seat.number)["received"]) for seat in taken] == [1, 1, 1]
    assert int(ears.record(taken[2].number)["rejected"]) == 1


def test_a_row_is_given_up_with_its_last_seat_and_its_seats_come_last_again(ears: Ears) -> None:
    seats = Seats(ears)
    first, second = seats.take(), seats.take()
    assert first is not None and second is not None
    assert seats.vacate(first) == ()
    [row] = seats.vacate(second)
    assert row is first.row
    row.close()
    taken = [seats.take() for _ in range(2 * ROW)]
    assert seats.take() is None, "all are taken"
    assert [seat.number for seat in taken[-2:] if seat] == [first.number, second.number]
    assert {seat.number for seat in taken if seat} == set(ears.shared)


def test_who_has_left_hears_nothing(ears: Ears, relay: socket.socket) -> None:
    seats = Seats(ears)
    gone, there = seats.take(), seats.take()
    assert gone is not None and there is not None
    seats.vacate(gone)
    relay.sendto(bytes([22]), gone.address)
    relay.sendto(bytes([23]), there.address)
    assert [(item.seat, item.data) for item in collect(ears, 1)] == [(there.number, bytes([23]))]
