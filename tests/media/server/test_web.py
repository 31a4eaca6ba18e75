"""How the page is served: right types, nothing outside its folder, a policy that allows nothing from elsewhere."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from media.server import web
from tests.media.server.recording import RecordingPlane
from tests.media.server.service import Service, running

FOLDER = Path(str(files("media") / "web"))
HOSTILE = (
    "/web/../server/app.py",
    "/web/%2e%2e/server/app.py",
    "/web/..%2fserver%2fapp.py",
    "/web//etc/passwd",
    "/web/%2fetc%2fpasswd",
    "/web/css/../../server/app.py",
    "/web/css",
    "/web/",
    "/web/page.js%00",
    "/web/..\\server\\app.py",
)


@pytest.mark.parametrize("path", ["/", "/s/1DXxyRYNejbKM", "/s/anything"])
async def test_list_and_room_are_the_same_page(service: Service, path: str) -> None:
    response = await service.call(None, "GET", path)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    below = b"../" * (path.count("/") - 1)
    assert response.content == (FOLDER / "index.html").read_bytes().replace(b'"/web/', b'"' + below + b"web/")
    policy = response.headers["content-security-policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy and "http" not in policy
    assert response.headers["permissions-policy"].startswith("microphone=(self)")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"


async def test_every_part_is_served_with_its_type(service: Service) -> None:
    types = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}
    parts = [path for path in FOLDER.rglob("*") if path.is_file()]
    assert len(parts) > 30
    for path in parts:
        response = await service.call(None, "GET", f"/web/{path.relative_to(FOLDER).as_posix()}")
        assert response.status_code == 200
        assert response.headers["content-type"].partition(";")[0] == types[path.suffix]
        assert response.content == path.read_bytes()
        assert "content-security-policy" in response.headers


async def test_modules_are_named_before_they_are_asked_for(service: Service) -> None:
    link = (await service.call(None, "GET", "/")).headers["link"]
    assert set(re.findall(r"<web/([^>]+)>; rel=modulepreload", link)) == {p.name for p in FOLDER.glob("*.js")} - {
        web.WORKER
    }


async def test_the_page_of_reviewers_names_its_own_and_plays_what_it_fetched(service: Service) -> None:
    response = await service.call(None, "GET", "/review")
    assert response.content == (FOLDER / web.REVIEW).read_bytes().replace(b'"/web/', b'"web/')
    named = set(re.findall(r"<web/([^>]+)>; rel=modulepreload", response.headers["link"]))
    assert named > {f"review/{path.name}" for path in (FOLDER / "review").glob("*.js")}
    assert all((FOLDER / name).is_file() for name in named) and "room.js" not in named
    policy = response.headers["content-security-policy"]
    assert "media-src 'self' blob:;" in policy and "unsafe" not in policy


@pytest.mark.parametrize("path", HOSTILE)
async def test_nothing_else_is(service: Service, path: str) -> None:
    response = await service.call(None, "GET", path)
    assert response.status_code == 404
    assert b"def " not in response.content and b"root:" not in response.content


async def test_what_is_known_is_not_sent_again(service: Service) -> None:
    first = await service.call(None, "GET", "/web/page.js", headers={"Accept-Encoding": "gzip"})
    tag = first.headers["etag"]
    assert first.headers["content-encoding"] == "gzip" and first.headers["cache-control"] == "no-cache"
    headers = {"If-None-Match": f'"other", {tag}', "Accept-Encoding": "gzip"}
    again = await service.call(None, "GET", "/web/page.js", headers=headers)
    assert again.status_code == 304 and not again.content and again.headers["etag"] == tag
    plain = await service.call(None, "GET", "/web/page.js", headers={**headers, "Accept-Encoding": "identity"})
    assert plain.status_code == 200 and "content-encoding" not in plain.headers


async def test_head_tells_without_sending(service: Service) -> None:
    response = await service.call(None, "HEAD", "/web/page.js")
    assert response.status_code == 200 and not response.content
    assert (await service.call(None, "POST", "/web/page.js")).status_code == 405


async def test_the_page_is_there_while_the_server_starts(tmp_path: Path) -> None:
    async with running(tmp_path, RecordingPlane()) as service:
        service.app.state.open = False
        assert (await service.call(None, "GET", "/")).status_code == 200
        assert (await service.call(None, "GET", "/s/x")).status_code == 200
        assert (await service.call(None, "GET", "/web/page.js")).status_code == 200
        assert (await service.call("ana", "GET", "/spaces")).status_code == 503
        service.app.state.open = True


def test_the_page_has_no_inline_script_or_style_and_no_other_host() -> None:
    for name in (web.INDEX, web.REVIEW):
        html = (FOLDER / name).read_text()
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\bsrc=)", html)
    for path in FOLDER.rglob("*"):
        if path.suffix in (".js", ".css", ".html"):
            hosts = re.findall(r"https?://[\w.-]+", path.read_text())
            assert set(hosts) <= {"http://www.w3.org", "http://www.webrtc.org"}, path  # names, asked by nobody
            assert not re.search(
                r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", path.read_text()
            )
    assert web.INDEX in web.ASSETS
