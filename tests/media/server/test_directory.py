"""The directory of routes against Starlette's own way of asking one after the other."""

import httpx
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import BaseRoute, Match, Route

from media.server import api, graph, people, users, whip
from media.server.directory import Directory

ROUTERS = (api.router, people.router, whip.router, users.router, graph.router)
ROUTES: list[BaseRoute] = [route for router in ROUTERS for route in router.routes]
WORDS = sorted({word for route in ROUTES if isinstance(route, Route) for word in route.path.split("/")})

paths = st.lists(st.sampled_from([*WORDS, "ana", "é", "%", "me", ""]), max_size=6).map(
    lambda parts: "/".join(parts)
)


@given(paths, st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "NONE"]))
def test_finds_what_starlette_finds(path: str, method: str) -> None:
    directory = Directory()
    assert directory.take_up(ROUTES) == []
    scope = {"type": "http", "path": f"/{path}", "method": method, "headers": []}
    match, found = directory.matches(scope)
    if method == "HEAD":  # those routes do not say so, but it is answered as GET is
        scope["method"] = "GET"
    answers = [(route.matches(dict(scope)), route) for route in ROUTES]
    full = [(child, route) for (kind, child), route in answers if kind is Match.FULL]
    partial = any(kind is Match.PARTIAL for (kind, _), _ in answers)
    assert match is (Match.FULL if full else Match.PARTIAL if partial else Match.NONE)
    if full:
        child, route = full[0]
        assert found["route"] is route
        assert (found["endpoint"], found["path_params"]) == (child["endpoint"], child["path_params"])


async def test_what_has_no_whole_segments_is_left_to_starlette() -> None:
    async def answer(_: object) -> None:
        return None

    odd: list[BaseRoute] = [
        Route("/files/{path:path}", answer),
        Route("/v{n}", answer),
        Route("/n/{n:int}", answer),
    ]
    assert Directory().take_up(odd) == odd


async def test_names_lead_to_addresses_and_a_slash_too_many_is_redirected() -> None:
    app, directory = FastAPI(), Directory()
    directory.take_up(api.router.routes)
    app.router.routes.append(directory)
    assert app.url_path_for("get_space", space_id="x") == "/spaces/x"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://s") as http:
        assert (await http.get("/spaces/x/")).headers["Location"] == "http://s/spaces/x"
