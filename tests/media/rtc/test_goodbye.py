"""A finished handshake that is given back: the peer's goodbye is understood, and nobody else's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtc.dtls import Handshake, Identity

CIPHERS = (b"ECDHE-ECDSA-AES128-GCM-SHA256", b"ECDHE-ECDSA-CHACHA20-POLY1305")


def finished(cipher: bytes = CIPHERS[0]) -> dict[str, Handshake]:
    """Both ends of one association that is done."""
    server, client = Identity(), Identity()
    client.context.set_cipher_list(cipher)
    ends = {
        "server": Handshake(server, "server", (client.fingerprint,), 0.0),
        "client": Handshake(client, "client", (server.fingerprint,), 0.0),
    }
    flight = ends["client"].start(0.0)
    for who in ("server", "client", "server", "client"):
        flight = [answer for datagram in flight for answer in ends[who].receive(datagram, 0.0)]
    assert ends["server"].keys and ends["client"].keys
    return ends


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize(("stays", "leaves"), [("server", "client"), ("client", "server")])
def test_the_goodbye_is_understood_by_who_has_given_openssl_back(cipher: bytes, stays: str, leaves: str):
    ends = finished(cipher)
    ends[stays].release()
    assert not ends[stays].closed
    [goodbye] = ends[leaves].close()
    assert ends[stays].receive(goodbye, 1.0) == []
    assert ends[stays].closed


@given(st.data())
def test_a_goodbye_that_was_changed_anywhere_is_not_one(data: st.DataObject):
    ends = finished()
    ends["server"].release()
    [goodbye] = ends["client"].close()
    place = data.draw(st.integers(0, len(goodbye) - 1))
    broken = bytearray(goodbye)
    broken[place] ^= data.draw(st.integers(1, 255))
    ends["server"].receive(bytes(broken), 1.0)
    assert not ends["server"].closed


@given(st.binary(max_size=200), st.booleans())
def test_junk_is_no_goodbye(junk: bytes, as_alert: bool):
    server = finished_server()
    head = b"\x15\xfe\xfd\x00\x01" + bytes(6) + len(junk).to_bytes(2, "big")
    server.receive(head + junk if as_alert else junk, 1.0)
    assert not server.closed


_KEPT: list[Handshake] = []


def finished_server() -> Handshake:
    """One that is given back, the same for every example: junk changes nothing in it."""
    if not _KEPT:
        _KEPT.append(finished()["server"])
        _KEPT[0].release()
    return _KEPT[0]
