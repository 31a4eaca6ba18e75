"""A server killed with SIGKILL and started again, with the real relay: what it had answered still holds."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from media.audio.opus import Encoder
from media.rtc.client import Client
from media.rtc.dtls import Identity
from tests.media.relay.sound import RATE, loudest, strength, tone
from tests.media.server.peer import Peer
from tests.media.server.process import Process

OFFER = {"content": Client(Identity(), "sendrecv").offer, "headers": {"Content-Type": "application/sdp"}}


@pytest.fixture
def server(tmp_path: Path, database: str) -> Iterator[Process]:
    process = Process(tmp_path, "--database", database)
    yield process
    process.put_away()


def refused(server: Process, name: str, path: str) -> tuple[int, str]:
    """Status and type of the refusal that a person gets for an offer."""
    headers = OFFER["headers"] | {"Authorization": f"Bearer {server.token(name)}"}
    response = server.http.post(path, content=OFFER["content"], headers=headers)
    return response.status_code, response.json()["type"].rpartition(":")[2]


def person(server: Process, path: str, name: str) -> dict[str, Any]:
    shown = server.call(server.token("ana"), "GET", f"{path}/participants/{name}")
    return {key: value for key, value in shown.items() if key not in ("connected", "user_id")}


def without_waiting(lists: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    return [[entry | {"waiting_seconds": None} for entry in one["data"]] for one in lists]


async def test_people_get_back_in_with_their_role(server: Process) -> None:
    path, ana = server.live("ana"), server.token("ana")
    server.call(ana, "PATCH", path, json={"speak_policy": "everyone"})
    for name in ("ben", "cem", "dag"):
        server.call(server.token(name), "POST", f"{path}/requests")
    server.call(ana, "POST", f"{path}/participants/ben/promote")
    server.call(server.token("ben"), "POST", f"{path}/participants/me/unmute")
    server.call(server.token("cem"), "POST", f"{path}/participants/me/unmute")
    server.call(ana, "POST", f"{path}/participants/cem/mute")
    assert server.http.delete(f"{path}/participants/dag", headers={"Authorization": f"Bearer {ana}"}).is_success
    server.call(ana, "PATCH", path, json={"speak_policy": "invited"})
    server.call(server.token("eve"), "POST", f"{path}/requests")
    server.call(ana, "POST", f"{path}/invitations", json={"user_id": "fay"})
    server.call(ana, "POST", f"{path}/invitations", json={"user_id": "gus", "role": "cohost"})
    two = {"role": "speaker", "uses": 2}
    link = server.call(server.token("ben"), "POST", f"{path}/invitation-links", json=two)
    server.call(server.token("ben"), "PUT", f"{path}/participants/me/hand")
    for post in ("7", "8"):
        server.call(server.token("cem"), "PUT", f"{path}/pins/{post}")
        server.call(server.token("cem"), "POST", f"{path}/shared", json={"post_id": post})
    shown = [server.call(ana, "GET", f"{path}/{what}") for what in ("pins", "shared", "invitations", "requests")]
    draft = server.call(ana, "POST", "/spaces", json={"title": "next week"})
    over = server.live("ana")
    server.call(ana, "POST", f"{over}/end")
    names = ("ana", "ben", "cem", "dag", "eve", "fay", "gus")
    before = [person(server, path, name) for name in names]
    assert [p["standing"] for p in before] == [
        *("host", "cohost", "speaker", "removed", "requested", "invited", "invited")
    ]
    assert [(p["muted_by_self"], p["muted_by_admin"]) for p in before[:3]] == [
        *((True, False), (False, False), (False, True))
    ]
    assert (before[1]["hand_raised"], before[6]["invited_as"]) == (True, "cohost")

    server.kill_and_start_again()
    assert server.call(ana, "GET", path)["state"] == "live"
    assert server.call(ana, "GET", f"/spaces/{draft['id']}") == draft
    assert server.call(ana, "GET", over)["state"] == "ended"
    assert [person(server, path, name) for name in names] == before
    again = [server.call(ana, "GET", f"{path}/{what}") for what in ("pins", "shared", "invitations", "requests")]
    assert without_waiting(again) == without_waiting(shown)
    follow = f"{path}/invitation-links/{link['code']}/accept"
    assert server.call(server.token("hal"), "POST", follow)["standing"] == "speaker"
    assert server.call(ana, "GET", f"{path}/invitation-links")["data"] == [link | {"uses_left": 1}]
    assert refused(server, "dag", f"{path}/whep") == (403, "removed")
    assert refused(server, "eve", f"{path}/whip") == (403, "no-right")
    assert refused(server, "ana", f"{over}/whip") == (409, "wrong-state")

    says = {"ben": [Encoder().encode(tone(450.0, 0))], "cem": [Encoder().encode(tone(1200.0, 0))]}
    ben, cem, gil = Peer("sendrecv", says["ben"]), Peer("sendrecv", says["cem"]), Peer("recvonly")
    await ben.join(f"{server.base}{path}/whip", server.token("ben"))
    await cem.join(f"{server.base}{path}/whip?muted=false", server.token("cem"))
    await gil.join(f"{server.base}{path}/whep", server.token("gil"))
    await gil.hear(75)
    heard = gil.sound()[-RATE // 2 :]
    assert loudest(heard) == pytest.approx(450.0, abs=3.0), "a co-host is heard again, whose microphone was open"
    assert strength(heard, 450.0) > 50 * strength(heard, 1200.0), "who was muted by an admin is still silent"
    server.call(server.token("ben"), "POST", f"{path}/requests/eve/approve")
    assert person(server, path, "eve")["standing"] == "speaker"
    for peer in (ben, cem, gil):
        peer.close()


def test_whatever_was_answered_before_the_kill_is_known_after_it(server: Process) -> None:
    path, ana = server.live("ana"), server.token("ana")
    answered: list[str] = []

    def remove_many() -> None:
        with httpx.Client(base_url=server.base, headers={"Authorization": f"Bearer {ana}"}) as http:
            for number in range(100_000):
                try:
                    response = http.delete(f"{path}/participants/p{number}")
                except httpx.TransportError:
                    return
                assert response.status_code == 204
                answered.append(f"p{number}")
                if number == 40:
                    middle.set()

    middle = threading.Event()
    remover = threading.Thread(target=remove_many)
    remover.start()
    assert middle.wait(30)
    server.kill_and_start_again()
    remover.join()
    assert len(answered) > 40
    assert all(person(server, path, name)["standing"] == "removed" for name in answered)
