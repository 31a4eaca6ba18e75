"""What holds for all Spaces of a host: removals that are carried on, and what new Spaces begin with."""

from pathlib import Path

import pytest

from tests.media.server.outage.outages import back, outage_of
from tests.media.server.service import SDP, Service, running


async def knock(service: Service, name: str, path: str) -> int:
    return (await service.call(name, "POST", f"{path}/whep", content="v=0", headers=SDP)).status_code


async def with_cohost(service: Service) -> str:
    path = await service.live()
    await service.ok("ana", "POST", f"{path}/invitations", json={"user_id": "ben", "role": "cohost"})
    await service.ok("ben", "POST", f"{path}/invitations/me/accept")
    return path


async def test_whoever_is_removed_is_kept_out_of_the_next_space_too(service: Service) -> None:
    await service.ok("ana", "PATCH", "/users/me/host-settings", json={"carry_removals": True})
    path = await with_cohost(service)
    for remover, raider in (("ben", "rex"), ("ana", "rob")):
        await service.connect(raider, path)
        await service.ok(remover, "DELETE", f"{path}/participants/{raider}")
    following = await service.live()
    assert [await knock(service, name, following) for name in ("rex", "rob", "eve")] == [403, 403, 201]
    carried = (await service.ok("ana", "GET", "/users/me/carried-removals"))["data"]
    assert [(c["user_id"], c["removed_by"], c["space_id"]) for c in carried] == [
        *(("rob", "ana", path[8:]), ("rex", "ben", path[8:])),
    ]
    first = await service.ok("ana", "GET", "/users/me/carried-removals?max_results=1")
    rest = await service.ok(
        "ana", "GET", f"/users/me/carried-removals?pagination_token={first['meta']['next_token']}"
    )
    assert [*first["data"], *rest["data"]] == carried
    assert (await service.ok("rex", "GET", "/users/me/carried-removals"))["data"] == []
    await service.ok("ana", "DELETE", "/users/me/carried-removals/rex")
    assert (await service.call("ana", "DELETE", "/users/me/carried-removals/rex")).status_code == 404
    assert [await knock(service, "rex", each) for each in (following, path)] == [201, 403], (
        "here they stay removed"
    )


async def test_a_removal_is_about_one_space_unless_the_host_wants_more(service: Service) -> None:
    path = await with_cohost(service)
    await service.ok("ben", "DELETE", f"{path}/participants/rex")
    await service.ok("ana", "PATCH", "/users/me/host-settings", json={"carry_removals": True})
    await service.ok("root", "DELETE", f"{path}/participants/rob")  # the house, by its own rules
    following = await service.live()
    assert [await knock(service, name, following) for name in ("rex", "rob")] == [201, 201]
    await service.ok("ana", "DELETE", f"{path}/participants/rod")
    assert await knock(service, "rod", following) == 403, "the change counts at once"
    await service.ok("ana", "POST", f"{path}/end")
    await service.ok("ana", "DELETE", f"{following}/participants/ron")
    assert await knock(service, "ron", await service.live()) == 403, "also when another Space of the host is over"
    await service.ok("root", "POST", "/2/moderation/end-spaces", json={"host": "ana"})
    assert service.app.state.host_tools._settings == {}


async def test_new_spaces_begin_with_the_rules_of_their_host(service: Service) -> None:
    rules = {"entry_policy": "following", "entry_rate": 30, "mute_on_entry": True}
    shown = await service.ok("ana", "PATCH", "/users/me/host-settings", json=rules)
    assert shown == rules | {"carry_removals": False}
    assert await service.ok("ana", "GET", "/users/me/host-settings") == shown
    space = await service.ok("ana", "POST", "/spaces", json={"entry_rate": 0})
    assert {name: space[name] for name in rules} == rules | {"entry_rate": 0}
    assert (await service.ok("ben", "POST", "/spaces", json={}))["entry_policy"] == "everyone"
    for body in ({}, {"entry_rate": -1}, {"locked": True}):
        assert (await service.call("ana", "PATCH", "/users/me/host-settings", json=body)).status_code == 422


@pytest.mark.parametrize("kind", ["locked", "moved"])
async def test_while_the_store_is_away_it_holds_and_is_written_later(kind: str, tmp_path: Path) -> None:
    with outage_of(kind, tmp_path) as outage:
        async with running(tmp_path, database=outage.url) as service:
            await service.ok("ana", "PATCH", "/users/me/host-settings", json={"carry_removals": True})
            path, other = await service.live(), await service.live()
            await service.connect("rex", path)
            assert await knock(service, "eve", other) == 201  # the blocks of ana are known
            outage.begin()
            response = await service.call("ana", "DELETE", f"{path}/participants/rex")
            assert (response.status_code, "holds" in response.json()["detail"]) == (503, True)
            assert await knock(service, "rex", other) == 403
            outage.end()
            await back(service)
            carried = await service.ok("ana", "GET", "/users/me/carried-removals")
            assert [c["user_id"] for c in carried["data"]] == ["rex"]
    async with running(tmp_path, database=outage.url) as service:
        assert await knock(service, "rex", await service.live()) == 403, "it outlives the process"
