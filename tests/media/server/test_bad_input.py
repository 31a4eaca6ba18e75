"""What a running server must bear from outside: requests that cannot be, and hostile datagrams."""

import asyncio
import random
import re
import socket
import struct
import time
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from statistics import median

import httpx
import jwt
import pytest

from loadtest.recorder import RelayProbe
from media.audio.opus import Encoder
from media.rtc.client import Client
from media.rtc.dtls import Identity
from media.rtc.sdp import parse_sdp
from media.rtc.stun import (
    BINDING_ERROR,
    BINDING_REQUEST,
    BINDING_RESPONSE,
    MAGIC_COOKIE,
    PRIORITY,
    USE_CANDIDATE,
    USERNAME,
    build_stun,
)
from media.rtc.transport import SecureTransport
from media.server.auth import load_secret
from media.server.body_bounds import SDP_LIMIT
from tests.media.relay.sound import strength, tone
from tests.media.server.peer import Peer
from tests.media.server.process import Process

OFFER = Client(Identity(), "sendrecv").offer
SDP = {"Content-Type": "application/sdp"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    process = Process(tmp_path_factory.mktemp("server"))
    yield process
    process.put_away()


def without(*names: str) -> str:
    """The offer without some of its lines."""
    return "".join(line for line in OFFER.splitlines(keepends=True) if not line.startswith(names))


REFUSED = {
    "nothing": ("v=0\r\n", "no audio section"),
    "prose": ("hello\r\n", "v=0"),
    "video": (OFFER.replace("m=audio", "m=video"), "no audio section"),
    "port": (OFFER.replace("m=audio 9", "m=audio nine"), "Line 7 of the description is malformed: 'm=audio nine"),
    "codec": (without("a=rtpmap"), "does not offer Opus"),
    "fingerprint": (without("a=fingerprint"), "lacks a=fingerprint"),
    "password": (without("a=ice-pwd"), "lacks a=ice-ufrag or a=ice-pwd"),
    "setup": (
        OFFER.replace("a=setup:actpass", "a=setup:holdconn"),
        "The line a=setup must be active, passive or actpass",
    ),
    "sections": (OFFER + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" * 100, "media sections"),
}


@pytest.mark.parametrize(("offer", "says"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("kind", ["whip", "whep"])
def test_an_offer_that_cannot_be_answered_is_told_why(server: Process, kind: str, offer: str, says: str) -> None:
    headers = SDP | {"Authorization": f"Bearer {server.token('ana')}"}
    response = server.http.post(f"{server.live('ana')}/{kind}", content=offer, headers=headers)
    assert (response.status_code, response.headers["Content-Type"]) == (400, "application/problem+json")
    problem = response.json()
    assert problem["type"] == "urn:spaces-lab:problem:bad-offer"
    assert says in problem["detail"]
    assert re.fullmatch(r"[A-Z].*\.", problem["detail"])


def test_a_body_that_is_too_large_is_refused_announced_or_not(server: Process) -> None:
    path, headers = server.live("ana"), SDP | {"Authorization": f"Bearer {server.token('ana')}"}
    body = b"v=0\r\n" + b" " * SDP_LIMIT
    for content in (body, iter([body[:1000], body[1000:]])):
        with httpx.Client(base_url=server.base) as http:  # the connection is closed after it
            response = http.post(f"{path}/whip", content=content, headers=headers)
        assert (response.status_code, response.json()["type"]) == (413, "urn:spaces-lab:problem:content-too-large")


def test_refusals_of_an_offer_by_who_and_where(server: Process) -> None:
    live = server.live("ana")
    over = server.live("ana")
    server.call(server.token("ana"), "POST", f"{over}/end")
    draft = f"/spaces/{server.call(server.token('ana'), 'POST', '/spaces', json={})['id']}"
    claims = {"sub": "ana", "iat": 1, "exp": 2}
    expired = jwt.encode(claims, load_secret(server.data), algorithm="HS256")
    forged = jwt.encode(claims | {"exp": 1 << 40}, b"another secret than the server's", algorithm="HS256")
    for path, token, status in (
        (live, None, 401),
        (live, expired, 401),
        (live, forged, 401),
        (live, "nonsense", 401),
        (live, server.token("ben"), 403),
        ("/spaces/1DXxyRYNejbKM", server.token("ana"), 404),
        (draft, server.token("ana"), 409),
        (over, server.token("ana"), 409),
    ):
        headers = SDP | ({"Authorization": f"Bearer {token}"} if token else {})
        response = server.http.post(f"{path}/whip", content=OFFER, headers=headers)
        assert response.status_code == status, response.text
        assert response.headers["Content-Type"] == "application/problem+json"
        assert ("WWW-Authenticate" in response.headers) == (status == 401)


@pytest.fixture
async def room(server: Process) -> AsyncIterator[tuple[Peer, Peer]]:
    """A speaker who is heard, and a listener who hears."""
    path, encoder = server.live("ana"), Encoder()
    speaker = Peer("sendrecv", [encoder.encode(tone(440.0, frame)) for frame in range(250)])
    listener = Peer("recvonly")
    await speaker.join(f"{server.base}{path}/whip?muted=false", server.token("ana"))
    await listener.join(f"{server.base}{path}/whep", server.token("lea"))
    await listener.hear(10)
    yield speaker, listener
    speaker.close()
    listener.close()


def check(ufrag: str, password: str, kind: int = BINDING_REQUEST, *extra: tuple[int, bytes]) -> bytes:
    attributes = [(USERNAME, f"{ufrag}:evil".encode()), (PRIORITY, bytes(4)), (USE_CANDIDATE, b""), *extra]
    return build_stun(kind, bytes(12), attributes, password.encode())


def unsigned(ufrag: str) -> bytes:
    """A check without MESSAGE-INTEGRITY."""
    name = f"{ufrag}:evil!!"[: 4 * ((len(ufrag) + 7) // 4)].encode()
    attribute = struct.pack("!HH", USERNAME, len(name)) + name + bytes(-len(name) % 4)
    return struct.pack("!HHL12s", BINDING_REQUEST, len(attribute), MAGIC_COOKIE, bytes(12)) + attribute


def hostile(noise: random.Random, count: int, ufrag: str, overheard: list[bytes]) -> list[bytes]:
    """Datagrams of every kind that somebody can send who knows a fragment and has overheard sound, but no key."""
    stranger = Identity()
    hello = SecureTransport(stranger, "client", (stranger.fingerprint,), 1, 0.0).outbox[0]
    good = check(ufrag, "p" * 32)
    made: list[bytes] = []
    while len(made) < count:
        flipped = bytearray(noise.choice([good, hello, *overheard]))
        flipped[noise.randrange(len(flipped))] ^= 1 << noise.randrange(8)
        made += [
            noise.randbytes(noise.randrange(1500)),
            bytes([noise.randrange(256)]) + noise.randbytes(noise.randrange(60)),
            bytes([noise.randrange(4)]) + noise.randbytes(3) + b"\x21\x12\xa4\x42" + noise.randbytes(40),
            noise.randbytes(noise.randrange(2049, 9000)),
            b"",
            good,
            good[: noise.randrange(len(good))],
            unsigned(ufrag),
            check(noise.randbytes(4).hex(), "p" * 32),
            check(ufrag, "p" * 32, noise.choice([BINDING_RESPONSE, BINDING_ERROR, 0x0011, 0x0003])),
            check(ufrag, "p" * 32, BINDING_REQUEST, (noise.randrange(1 << 16), noise.randbytes(500))),
            hello,
            hello[: noise.randrange(len(hello))],
            noise.choice(overheard),
            bytes(flipped),
            bytes([0x80, noise.choice([111, 200, 201, 203])]) + noise.randbytes(noise.randrange(400)),
        ]
    noise.shuffle(made)
    return made[:count]


def dropped(server: Process) -> int:
    counts = re.findall(r"^spaces_relay_datagrams_dropped_total\{.*\} (\S+)$", server.metrics(), re.MULTILINE)
    return round(sum(map(float, counts)))


async def test_hostile_datagrams_are_counted_and_unanswered_and_nobody_hears_them(
    server: Process, room: tuple[Peer, Peer]
) -> None:
    speaker, listener = room
    assert speaker.client.remote is not None
    outsiders = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(80)]
    for outsider in outsiders:
        outsider.connect(speaker.client.remote)
        outsider.setblocking(False)
    given = parse_sdp(listener.answer).audio
    datagrams = hostile(random.Random(7), 4000, given.ufrag, speaker.spoken[:10])
    before, heard_before = dropped(server), len(listener.packets)
    probe, started = RelayProbe(server.base), time.monotonic()
    for number, datagram in enumerate(datagrams):
        outsiders[number % len(outsiders)].send(datagram)
        if number % 40 == 39:
            await asyncio.sleep(0.01)
    await listener.hear(10)
    seconds = time.monotonic() - started
    async with asyncio.timeout(30):
        while dropped(server) - before < len(datagrams):
            await asyncio.sleep(0.05)
    assert dropped(server) - before == len(datagrams)
    for outsider in outsiders:
        with pytest.raises(BlockingIOError):
            outsider.recv(2048)
    row = probe.row()
    assert row["packets"] > 0 and row["send_failures"] == 0
    assert "\nspaces_relay_faults_total 0.0\n" in server.metrics()
    assert not speaker.goodbye and not listener.goodbye
    sequence = [packet.sequence for packet in listener.packets]
    steps = {(after - before) % 65_536 for before, after in pairwise(sequence)}
    assert steps == {1}, "no packet was lost"
    assert len(listener.packets) - heard_before >= 0.5 * seconds / 0.02
    pcm = listener.sound()[9600:]
    windows = [pcm[at : at + 4800] for at in range(0, pcm.size - 4800, 4800)]
    assert median(strength(window, 440.0) for window in windows) > 0.1
    outsiders[0].send(check(given.ufrag, given.pwd))
    await asyncio.sleep(0.1)
    assert outsiders[0].recv(2048), "whoever has the password is answered: the silence before was no deafness"
    for outsider in outsiders:
        outsider.close()
