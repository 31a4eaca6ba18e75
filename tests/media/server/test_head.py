"""HEAD is answered wherever GET is, as GET is, but for the body; the document does not speak of it."""

import httpx
import pytest
from fastapi.routing import APIRoute

from media.server.directory import Directory
from tests.media.server.served import served
from tests.media.server.service import Service

PER_REQUEST = {"date", "x-rate-limit-remaining"}


def kept(response: httpx.Response) -> tuple[int, dict[str, str]]:
    return response.status_code, {k: v for k, v in response.headers.items() if k not in PER_REQUEST}


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/s/{space_id}", "/review", "/web/page.js", "/openapi.json", "/healthz"),
        *("/spaces", "/spaces/{space_id}", "/spaces/{space_id}/participants", "/spaces/search", "/spaces/nothing"),
        *("/users/ana", "/users/me", "/users/search?query=a", "/users/search", "/topics", "/policies"),
        *(
            "/2/spaces/{space_id}",
            "/2/spaces",
            "/oembed?url=http://x/s/{space_id}",
            "/spaces/{space_id}/calendar.ics",
        ),
    ],
)
async def test_the_same_as_get_without_the_body(service: Service, path: str) -> None:
    await service.ok("ana", "POST", "/users", json={})
    path = path.format(space_id=(await service.live())[8:])
    get, head = [await service.call("ana", method, path) for method in ("GET", "HEAD")]
    assert kept(head) == kept(get) and get.content
    assert head.content == b"" or head.status_code >= 400, "which the server in front leaves out, too"


async def test_every_get_has_a_head_and_nothing_else_has(service: Service) -> None:
    directory = next(r for r in service.app.router.routes if isinstance(r, Directory))
    routes = [r for r in directory.routes if isinstance(r, APIRoute)]
    getting = {r.path for r in routes if "GET" in (r.methods or set())}
    for path in {r.path for r in routes}:
        answer = await service.call(None, "HEAD", path)
        assert (answer.status_code == 405) is (path not in getting), path
        if answer.status_code == 405:
            assert "HEAD" not in answer.headers["Allow"]
    document = (await service.ok(None, "GET", "/openapi.json"))["paths"]
    assert not any("head" in operations for operations in document.values())


async def test_over_a_connection_that_goes_on(service: Service) -> None:
    path, headers = await service.live(), {"Authorization": f"Bearer {service.token('ana')}"}
    async with served(service) as base, httpx.AsyncClient(base_url=base, headers=headers) as http:
        for there in (path, f"{path}/events", "/users/me/events", f"/s/{path[8:]}", "/spaces/nothing"):
            head = await http.head(there)
            if there.endswith("/events"):
                assert head.headers["Content-Type"].startswith("text/event-stream")
            assert head.content == b"" and head.status_code == (404 if there == "/spaces/nothing" else 200)
        assert (await http.get(path)).json()["state"] == "live"
        assert service.app.state.hub.readers() == {"space": 0, "person": 0}, "nobody follows by HEAD"
        forbidden = await http.head(f"{path}/events", headers={"Authorization": ""})
        assert forbidden.status_code == 401
