"""How long a listener's packets are: as it asks, else as the rule for large rooms says; talkers' are short."""

from pathlib import Path

import pytest

from media.audio.opus import FRAME, Encoder, packet_samples
from media.rtc.sdp import parse_sdp
from media.server.ptime import LargeRoom, asks, with_ptime
from media.server.values import ConfigError
from tests.media.relay.sound import tone
from tests.media.rtc.offers import CHROMIUM, FIREFOX
from tests.media.server.peer import Peer
from tests.media.server.process import Process
from tests.media.server.service import SDP, Service, running
from tests.media.server.test_operation import options

RULE = LargeRoom(listeners=3, ptime=60)


def asking(attribute: str) -> str:
    return f"{CHROMIUM}a={attribute}\n"


@pytest.mark.parametrize(
    ("rule", "listeners", "offer", "ptime"),
    [
        (RULE, 2, CHROMIUM, None),
        (RULE, 3, CHROMIUM, 60),
        (RULE, 3, FIREFOX, 60),
        (RULE, 9_999, asking("ptime:20"), 20),
        (RULE, 9_999, asking("ptime:40"), 40),
        (RULE, 9_999, asking("maxptime:60"), None),
        (LargeRoom(3), 3, CHROMIUM, 40),
        (LargeRoom(), 9_999, CHROMIUM, None),
    ],
)
def test_the_rule_speaks_where_the_listener_does_not(
    rule: LargeRoom, listeners: int, offer: str, ptime: int | None
) -> None:
    applied = rule.apply(offer, listeners)
    assert parse_sdp(applied).audio.ptime == ptime
    assert (applied == offer) == (ptime is None or asks(offer))


def test_what_other_sections_ask_for_is_not_asked_for_sound() -> None:
    video = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ptime:20\r\n"
    assert not asks(CHROMIUM + video) and not asks("v=0") and asks(asking("ptime:20"))
    changed = with_ptime(CHROMIUM + video, 60)
    assert parse_sdp(changed).audio.ptime == 60 and changed.endswith(video)


def test_ptime_can_be_asked_for_from_outside_the_offer() -> None:
    assert with_ptime(CHROMIUM, None) == CHROMIUM
    for offer in (CHROMIUM, asking("ptime:20")):
        for asked in (40, 60):
            assert parse_sdp(with_ptime(offer, asked)).audio.ptime == asked
            assert with_ptime(offer, asked).count("a=ptime:") == 1


async def offered(service: Service, name: str, path: str, kind: str, query: str = "") -> int | None:
    """What the relay is asked for when somebody joins with a browser's offer."""
    await service.ok(name, "POST", f"{path}/{kind}{query}", content=CHROMIUM, headers=SDP)
    return parse_sdp(service.plane.offers[-1]).audio.ptime


async def test_a_room_is_large_by_its_listeners_and_for_those_who_come_then(tmp_path: Path) -> None:
    async with running(tmp_path, large_room=LargeRoom(2, 60)) as service:
        path = await service.live()
        await service.connect("ana", path, "whip")
        await service.connect("ben", path)
        assert await offered(service, "cem", path, "whep") is None, "one listener, and one who speaks"
        await service.connect("dan", path)
        assert await offered(service, "eva", path, "whep") == 60
        assert await offered(service, "eva", path, "whep", "?ptime=20") == 20
        assert await offered(service, "ana", path, "whip") is None, "whoever may talk"
        small = await service.live()
        assert await offered(service, "eva", small, "whep") is None


async def test_no_room_is_large_unless_the_operator_says_so(service: Service) -> None:
    path = await service.live()
    await service.connect("ben", path)
    assert await offered(service, "eva", path, "whep") is None


def test_the_rule_is_an_option() -> None:
    assert options().large_room == LargeRoom(0, 40)
    environ = {"SPACES_LARGE_ROOM": "2000", "SPACES_LARGE_ROOM_PTIME": "60"}
    assert options(**environ).large_room == LargeRoom(2000, 60)
    assert options("--large-room", "0", **environ).large_room == LargeRoom(0, 60)
    for flag, value in (("--large-room", "-1"), ("--large-room", "many"), ("--large-room-ptime", "50")):
        with pytest.raises(ConfigError, match=f"{flag} is '{value}'"):
            options(flag, value)


async def test_who_comes_late_hears_the_same_in_longer_packets(tmp_path: Path) -> None:
    server = Process(tmp_path, "--large-room", "1", "--large-room-ptime", "60")
    peers: list[Peer] = []
    try:
        path = server.live("ana")
        encoder = Encoder()
        speech = [encoder.encode(tone(440.0, n)) for n in range(50)]
        for name, kind in (("ana", "whip?muted=false"), ("lea", "whep"), ("max", "whep")):
            peers.append(Peer("sendrecv" if name == "ana" else "recvonly", speech if name == "ana" else ()))
            await peers[-1].join(f"{server.base}{path}/{kind}", server.token(name))
            await peers[-1].hear(5)
        _, lea, max_ = peers
        first = len(lea.packets)
        await lea.hear(30)
        assert [parse_sdp(peer.answer).audio.ptime for peer in peers] == [20, 20, 60]
        assert {packet_samples(packet.payload) for packet in lea.packets[first:]} == {FRAME}
        assert packet_samples(max_.packets[-1].payload) == 3 * FRAME
    finally:
        for peer in peers:
            peer.close()
        server.put_away()
