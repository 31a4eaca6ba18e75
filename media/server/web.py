"""The pages, served as they lie in ``media/web``: no build step, and nothing from another host.

All files are read once, when the server starts, into a table of addresses. What is not in the table does not
exist: no part of a request ever becomes a path of the file system.
"""

import gzip
import hashlib
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from fastapi import APIRouter, Request, Response

from media.server.errors import Problem

PREFIX: Final = "/web/"
INDEX: Final = "index.html"
REVIEW: Final = "review/index.html"

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
"""What is served, by the end of its name; nothing else is."""

_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' blob:",  # pictures that need a token are fetched by the page
        "media-src 'self' blob:",  # so are clips and replays
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
_SAFE: Final = {
    "Content-Security-Policy": _POLICY,
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",  # kept, and asked about each time: 304 while it is the same
    "Vary": "Accept-Encoding",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, as it is sent."""

    media_type: str
    plain: bytes
    packed: bytes
    """The same, by gzip."""
    tag: str
    """What is in quotation marks in its ETag; of the packed form with ``-gz`` at its end."""


def read(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Asset]]:
    """Yield name and content of every file of a folder that is to be served, those in sub-folders too."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from read(entry, f"{prefix}{entry.name}/")
        elif media_type := _TYPES.get(entry.name[entry.name.rfind(".") :]):
            yield f"{prefix}{entry.name}", _asset(media_type, entry.read_bytes())


def _asset(media_type: str, plain: bytes) -> Asset:
    tag = hashlib.sha256(plain).hexdigest()[:20]
    return Asset(media_type, plain, gzip.compress(plain, 9, mtime=0), tag)


ASSETS: Final = dict(sorted(read(files("media") / "web")))
WORKER: Final = "worker.js"
_IMPORT: Final = re.compile(rb'^import\b[^;]*?"(\.[^"]+)"', re.MULTILINE)


def _modules(name: str, found: set[str]) -> set[str]:
    """Return a module and all that it imports, added to those found before."""
    if name not in found:
        found.add(name)
        for reference in _IMPORT.findall(ASSETS[name].plain):
            _modules(posixpath.normpath(f"{posixpath.dirname(name)}/{reference.decode()}").lstrip("/"), found)
    return found


def _links(page: str) -> str:
    """Let a browser fetch all modules of a page at once, instead of each when another one imports it."""
    start = posixpath.join(posixpath.dirname(page), "page.js")
    return ", ".join(f"<{PREFIX}{name}>; rel=modulepreload" for name in sorted(_modules(start, set())))


def _page_at(page: str, depth: int) -> Asset:
    """A page for an address so many folders below this server's root, which may itself be below a proxy's."""
    prefix = f"{'../' * depth}{PREFIX[1:]}"
    return _asset(_TYPES[".html"], ASSETS[page].plain.replace(f'"{PREFIX}'.encode(), f'"{prefix}'.encode()))


_PAGES: Final = [_page_at(INDEX, depth) for depth in (0, 1)]
_LINKS: Final = _links(INDEX)
_REVIEW: Final = _page_at(REVIEW, 0)
_REVIEW_LINKS: Final = _links(REVIEW)

router: Final = APIRouter(include_in_schema=False)


@router.api_route("/", methods=["GET", "HEAD"])
@router.api_route("/s/{space_id}", methods=["GET", "HEAD"])
async def page(request: Request) -> Response:
    """Give the page, which reads from its address whether it is the list or a room."""
    response = _answer(request, _PAGES[request.url.path.count("/") - 1])
    response.headers["Link"] = _LINKS
    return response


@router.api_route("/review", methods=["GET", "HEAD"])
async def review(request: Request) -> Response:
    """Give the page of reviewers; what it shows, it asks the API for with a reviewer's token."""
    response = _answer(request, _REVIEW)
    response.headers["Link"] = _REVIEW_LINKS
    return response


@router.api_route(PREFIX + "{name:path}", methods=["GET", "HEAD"])
async def asset(name: str, request: Request) -> Response:
    """Give a part of the page."""
    found = ASSETS.get(name)
    if found is None:
        raise Problem(404, "not-found", "The page has no such part; reload it, it may be an old one.")
    return _answer(request, found)


def _answer(request: Request, found: Asset) -> Response:
    packs = "gzip" in request.headers.get("accept-encoding", "")
    tag = f'"{found.tag}-gz"' if packs else f'"{found.tag}"'
    headers = {**_SAFE, "ETag": tag}
    known = request.headers.get("if-none-match", "")
    if tag in (part.strip().removeprefix("W/") for part in known.split(",")):
        return Response(status_code=304, headers=headers)
    if packs:
        headers["Content-Encoding"] = "gzip"
    body = found.packed if packs else found.plain
    return Response(body, headers=headers, media_type=found.media_type)
