"""The permission table through HTTP: every route that a right is asked for lets in whom it should, nobody else."""

from typing import Any

import pytest

from media.space.permissions import ALLOWED, Action, Role
from tests.media.server.service import Service

Call = tuple[str, str, dict[str, Any] | None]
ACTORS = {Role.HOST: "ana", Role.COHOST: "ben", Role.SPEAKER: "cem", Role.LISTENER: "eve", Role.ANONYMOUS: None}
CALLS: dict[Action, list[Call]] = {
    Action.END: [("POST", "/end", None)],
    Action.EDIT: [("PATCH", "", {"title": "another"})],
    Action.ANONYMOUS_LISTENING: [("PATCH", "", {"anonymous_listening": False})],
    Action.COHOSTS: [
        ("POST", "/participants/dag/promote", None),
        ("POST", "/invitations", {"user_id": "gil", "role": "cohost"}),
        ("POST", "/invitation-links", {"role": "cohost"}),
        ("DELETE", "/invitations/ida", None),
    ],
    Action.ADMIT: [
        ("POST", "/requests/fay/approve", None),
        ("POST", "/requests/fay/deny", None),
        ("DELETE", "/participants/dag/hand", None),
    ],
    Action.INVITE: [
        ("POST", "/invitations", {"user_id": "gil"}),
        ("POST", "/invitation-links", {"role": "speaker"}),
        ("DELETE", "/invitations/hal", None),
        ("GET", "/invitations", None),
    ],
    Action.MUTE_OTHERS: [
        ("POST", "/participants/dag/mute", None),
        ("POST", "/participants/dag/unmute", None),
        ("POST", "/mute-all", {}),
        ("DELETE", "/mute-all", None),
    ],
    Action.REVOKE: [("POST", "/participants/dag/step-down", None)],
    Action.REMOVE: [("DELETE", "/participants/dag", None), ("DELETE", "/participants/gil", None)],
    Action.SPEAK_POLICY: [("PATCH", "", {"speak_policy": "everyone"})],
    Action.ENTRY: [
        ("PATCH", "", {"locked": True}),
        ("PATCH", "", {"entry_policy": "following"}),
        ("PATCH", "", {"entry_rate": 60, "mute_on_entry": True}),
    ],
    Action.PIN: [("PUT", "/pins/7", None), ("DELETE", "/pins/9", None)],
    Action.SHARE_POST: [("POST", "/shared", {"post_id": "7"})],
    Action.MUTE_SELF: [("POST", "/participants/me/unmute", None), ("POST", "/participants/me/mute", None)],
    Action.RAISE_HAND: [("PUT", "/participants/me/hand", None), ("DELETE", "/participants/me/hand", None)],
    Action.ASK: [("POST", "/requests", None)],
    Action.REACT: [("POST", "/reactions", {"kind": "clap"})],
    Action.INVITE_LISTENERS: [
        ("POST", "/invitations", {"user_id": "gil", "role": "listener"}),
        ("POST", "/invitation-links", {"role": "listener"}),
    ],
    Action.MESSAGE: [("POST", "/messages", {"text": "hello"})],
}


async def staged(service: Service) -> str:
    """A live Space of ana: ben is co-host, cem and dag speak, eve listens, fay waits, hal and ida are invited."""
    path = await service.live(anonymous_listening=True)
    for name in ("ben", "cem", "dag"):
        await service.ok(name, "POST", f"{path}/requests")
        await service.ok("ana", "POST", f"{path}/requests/{name}/approve")
    await service.ok("ana", "POST", f"{path}/participants/ben/promote")
    await service.ok("fay", "POST", f"{path}/requests")
    await service.ok("ana", "POST", f"{path}/invitations", json={"user_id": "hal"})
    await service.ok("ana", "POST", f"{path}/invitations", json={"user_id": "ida", "role": "cohost"})
    for name in ("ana", "ben", "cem", "eve", None):
        await service.connect(name, path)
    return path


@pytest.mark.parametrize("role", ACTORS)
async def test_who_has_no_right_is_refused(service: Service, role: Role) -> None:
    path, who = await staged(service), ACTORS[role]
    before = await service.ok("root", "GET", f"{path}/participants"), await service.ok("root", "GET", path)
    refused = [call for action, calls in CALLS.items() if role not in ALLOWED[action] for call in calls]
    for method, rest, body in refused:
        response = await service.call(who, method, path + rest, json=body)
        expected = (403, "no-right") if who else (401, "no-token")
        assert (response.status_code, response.json()["type"].rpartition(":")[2]) == expected, (method, rest)
    assert refused
    after = await service.ok("root", "GET", f"{path}/participants"), await service.ok("root", "GET", path)
    assert after == before


@pytest.mark.parametrize("action", CALLS)
async def test_who_has_the_right_is_let_in(service: Service, action: Action) -> None:
    for role, who in ACTORS.items():
        if role in ALLOWED[action]:
            for method, rest, body in CALLS[action]:
                response = await service.call(who, method, await staged(service) + rest, json=body)
                assert response.is_success, (role, method, rest, response.text)


@pytest.mark.parametrize("target", ["ana", "dag"])
async def test_a_cohost_reaches_neither_the_host_nor_the_other(service: Service, target: str) -> None:
    path = await staged(service)
    await service.ok("ana", "POST", f"{path}/participants/dag/promote")
    for method, rest in (
        *(("POST", "/mute"), ("POST", "/unmute"), ("POST", "/step-down"), ("DELETE", "/hand"), ("DELETE", "")),
    ):
        response = await service.call("ben", method, f"{path}/participants/{target}{rest}")
        assert (response.status_code, response.json()["type"].rpartition(":")[2]) == (403, "no-right"), rest
