"""Known answers of our AES-GCM, and what happens where one is wrong."""

import logging
from collections.abc import Iterator

import pytest

from media.relay.core import RelayCore
from media.rtc import selftest
from media.rtc.crowd import Crowd
from media.rtc.selftest import LIBSRTP, OWN, VECTORS, failed, sealer
from media.rtc.srtp import AES_128_GCM, SrtpContext


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    sealer.cache_clear()
    yield
    sealer.cache_clear()


class Listener:
    place = -1


def sealed_natively(crowd: Crowd) -> bool:
    """Whether the crowd seals a new listener's packets itself."""
    listener = Listener()
    context = SrtpContext(AES_128_GCM, bytes(28), ssrc=1)
    crowd.add(listener, context, ("127.0.0.1", 9), ssrc=1, payload_type=111, capture_id=0, row=0)
    native = bool(crowd._listeners[listener.place]["sealed"])
    crowd.remove(listener)
    context.close()
    return native


def test_answers_are_right_on_this_machine():
    assert sealer() == OWN
    assert not failed()
    assert sealed_natively(Crowd())
    assert not sealed_natively(Crowd(native=False))


@pytest.mark.parametrize("number", range(len(VECTORS)))
def test_one_wrong_answer_is_enough_for_libsrtp(number: int, monkeypatch: pytest.MonkeyPatch):
    key, nonce, header, plain, answer = VECTORS[number]
    wrong = [*VECTORS]
    wrong[number] = (key, nonce, header, plain, f"{int(answer[:2], 16) ^ 1:02x}{answer[2:]}")
    monkeypatch.setattr(selftest, "VECTORS", tuple(wrong))
    assert sealer() == LIBSRTP
    assert failed()
    assert not sealed_natively(Crowd())


def test_key_derivation_that_is_not_libsrtp_s_is_enough(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        selftest, "derive", lambda table, place, master: selftest.load_keys(table, 0, master[:16], b"0" * 12)
    )
    assert sealer() == LIBSRTP


def test_processor_without_the_instructions_has_nothing_to_fail(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(selftest, "AVAILABLE", False)
    assert sealer() == LIBSRTP
    assert not failed()


def test_relay_says_what_it_seals_with(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    core = RelayCore((("127.0.0.1", 9),), lambda *_: None, lambda _: None)
    with caplog.at_level(logging.DEBUG):
        core.try_sealer()
    assert "sealed by own AES-GCM" in caplog.text
    assert core.snapshot().sealers == {OWN: 1}
    monkeypatch.setattr(selftest, "VECTORS", (("00" * 16, "00" * 12, "", "", "00" * 16),))
    sealer.cache_clear()
    with caplog.at_level(logging.ERROR):
        core.try_sealer()
    assert "wrong answers on this machine: packets are sealed by libsrtp instead" in caplog.text
    assert core.snapshot().sealers == {LIBSRTP: 1}
    core.close()
