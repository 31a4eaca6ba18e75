"""Location and Link hold wherever a proxy shows the server: at its root, or under a path that it strips."""

from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.server.references import relative
from tests.media.server.service import SDP, running

segments = st.lists(
    st.text("ab:.%2F-~", min_size=1, max_size=3).filter(lambda s: s not in (".", "..")), max_size=4
)
prefixes = st.sampled_from(["", "/lab", "/a/b"])


@given(prefixes, segments, segments, st.booleans())
def test_reference_leads_to_the_same_path_under_every_prefix(prefix: str, base, goal, folder: bool):
    path, target = "/" + "/".join(base), "/" + "/".join(goal) + ("/" if folder and goal else "")
    assert urljoin(f"http://h{prefix}{path}", relative(target, path)) == f"http://h{prefix}{target}"


@pytest.mark.parametrize(
    ("path", "target", "reference"),
    [
        ("/spaces/x/whip", "/spaces/x/whip/s", "whip/s"),
        ("/spaces", "/spaces/x", "spaces/x"),
        ("/spaces/x/tickets/purchases", "/users/me/tickets/t", "../../../users/me/tickets/t"),
        ("/spaces/x/", "/spaces/x", "../x"),
        ("/", "/web/page.js", "web/page.js"),
        ("/s/x", "/web/page.js", "../web/page.js"),
        ("/s/x", "/s/x?a=/b#c", "x?a=/b#c"),
        ("/a", "/", "./"),
        ("/a/b", "/b:c", "../b:c"),
        ("/a", "/b:c", "./b:c"),
        ("/a", "https://h/x", "https://h/x"),
        ("/a", "//h/x", "//h/x"),
    ],
)
def test_references(path: str, target: str, reference: str):
    assert relative(target, path) == reference


@pytest.mark.parametrize("prefix", ["", "/lab", "/a/b"])
async def test_every_location_holds_behind_a_proxy_that_strips_a_path(tmp_path: Path, prefix: str) -> None:
    """What the proxy passes on, under the path that it knows and the server does not."""
    async with running(tmp_path) as service:
        outside = f"https://proxy.example{prefix}"

        def inside(url: str) -> str:
            assert url.startswith(f"{outside}/")
            return urlsplit(url).path.removeprefix(prefix)

        space = await service.live()
        made = {
            "user": ("/users", {}),
            "space": ("/spaces", {"title": "another"}),
            "link": (f"{space}/invitation-links", {}),
            "post": ("/posts", {"text": "hello"}),
        }
        for path, body in made.values():
            response = await service.call("ana", "POST", path, json=body)
            assert response.status_code == 201, response.text
            found = inside(urljoin(f"{outside}{path}", response.headers["Location"]))
            assert (await service.call("ana", "GET", found)).status_code == 200
        for kind in ("whip", "whep"):
            response = await service.call("ana", "POST", f"{space}/{kind}", content="v=0", headers=SDP)
            session = inside(urljoin(f"{outside}{space}/{kind}", response.headers["Location"]))
            assert session.startswith(f"{space}/{kind}/")
            assert (await service.call("ana", "DELETE", session)).status_code == 204


@pytest.mark.parametrize("prefix", ["", "/lab"])
@pytest.mark.parametrize("place", ["/", "/s/x", "/review"])
async def test_page_loads_its_parts_from_under_the_same_path(tmp_path: Path, prefix: str, place: str) -> None:
    async with running(tmp_path) as service:
        response = await service.call(None, "GET", place)
        named = [part.split('"')[0] for part in response.text.replace('src="', 'href="').split('href="')[1:]]
        named += [part.split(">")[0] for part in response.headers["Link"].split("<")[1:]]
        parts = {urlsplit(urljoin(f"https://h{prefix}{place}", name)).path for name in named if name[0] != "#"}
        assert len(parts) > 20 and all(part.startswith(f"{prefix}/web/") for part in parts)
        for part in parts:
            assert (await service.call(None, "GET", part.removeprefix(prefix))).status_code == 200
