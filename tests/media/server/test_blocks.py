"""Whom a host has blocked is told so by every address, and nothing else; who blocks a host may look."""

from typing import Any

from fastapi.routing import APIRoute

from media.server.directory import Directory
from tests.media.server.service import SDP, Service

NOWHERE = "1DXxyRYNejbKM"


async def block(service: Service, one: str, other: str) -> None:
    await service.ok(one, "POST", "/users/me/blocking", json={"target_user_id": other})


async def told(service: Service, name: str, method: str, path: str) -> Any:
    """What an address answers, but for the id of the Space."""
    media = path.endswith(("/whip", "/whep"))
    more: dict[str, Any] = {"content": "v=0", "headers": SDP} if media else {"json": {}}
    response = await service.call(name, method, path, **({} if method == "GET" else more))
    return response.status_code, response.json() if response.content else None


async def test_every_address_says_why_and_nothing_else(service: Service) -> None:
    path = await service.live(anonymous_listening=True)
    await block(service, "ana", "ben")
    directory = next(r for r in service.app.router.routes if isinstance(r, Directory))
    routes = [r for r in directory.routes if isinstance(r, APIRoute) and r.include_in_schema]
    fill = {"user_id": "me", "session_id": "x", "code": "x", "post_id": "1", "campaign_id": "x", "line_id": "1"}
    tried = 0
    for route in (r for r in routes if "{space_id}" in r.path):
        for method in (route.methods or set()) - {"OPTIONS"}:
            status, answer = await told(service, "ben", method, route.path.format(space_id=path[8:], **fill))
            if (method, status) == ("PATCH", 415) or "{session_id}" in route.path:
                continue  # what was sent is no JSON; and a session is its owner's, or nobody's
            assert (status, answer and answer["type"]) == (403, "urn:spaces-lab:problem:blocked"), route.path
            tried += 1
    assert tried > 50


async def test_both_directions_of_a_block(service: Service) -> None:
    path = await service.live(title="Tides", anonymous_listening=True)
    await service.ok("ana", "PATCH", path, json={"speak_policy": "everyone"})
    await service.ok("cem", "POST", f"{path}/requests")
    await service.ok("ana", "POST", f"{path}/participants/cem/promote")
    await block(service, "ana", "ben")  # the host blocks ben, dag blocks the host, the co-host blocks eve
    await block(service, "dag", "ana")
    await block(service, "cem", "eve")
    for name in ("ben", "dag", "eve"):
        for lists in ("/spaces", "/spaces/search", "/2/spaces/search?query=tides"):
            assert (await told(service, name, "GET", lists))[1].get("data", []) == [], (name, lists)
    for name in ("dag", "eve", "root"):
        assert (await told(service, name, "GET", path))[1]["title"] == "Tides"
        assert (await told(service, name, "GET", f"/2{path}"))[1]["data"]["id"] == path[8:]
        assert (await service.call(name, "GET", f"/oembed?url=http://x/s/{path[8:]}")).status_code == 200
    await service.connect("dag", path)
    card = f"/oembed?url=http://x/s/{path[8:]}"
    for ended in (False, True):
        if ended:
            await service.ok("ana", "POST", f"{path}/end")
        assert (await told(service, "ben", "GET", path))[0] == 403
        for more in ("", "/buyers", "/tweets"):
            _, shown = await told(service, "ben", "GET", f"/2{path}{more}")
            _, nowhere = await told(service, "ben", "GET", f"/2/spaces/{NOWHERE}{more}")
            assert "data" not in shown and str(shown).replace(path[8:], NOWHERE) == str(nowhere)
        _, many = await told(service, "ben", "GET", f"/2/spaces?ids={path[8:]},{NOWHERE}")
        assert "data" not in many and [e["resource_id"] for e in many["errors"]] == [path[8:], NOWHERE]
        assert (await service.call("ben", "GET", card)).status_code == 404
        assert (await service.call(None, "GET", card)).status_code == 200, "what everybody may see without a name"
    await service.ok("ana", "DELETE", "/users/me/blocking/ben")
    assert (await service.ok("ben", "GET", path))["state"] == "ended"
