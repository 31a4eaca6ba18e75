"""Single requests that cost a server much: a body of unknown fields, searches, long pages, large documents."""

import json
import string
from collections.abc import Sequence
from itertools import islice, product

import httpx

FIELDS = 116_000
"""Unknown fields in a body of 1 MB."""
TERMS = ("jazz", "brass", "swing", "drums", "piano")
WORDS = ("jazz", *(f"word{number}" for number in range(27)))


def unknown_fields(fields: int = FIELDS) -> bytes:
    """A JSON object with names as short as they can be, ``{"AAAA":1,"AAAB":1,…}``."""
    names = islice(product(string.ascii_uppercase, repeat=4), fields)
    return json.dumps({"".join(name): 1 for name in names}, separators=(",", ":")).encode()


def costly(token: str) -> list[tuple[str, httpx.Request]]:
    """Requests by name: of a stranger, and of an ordinary user with this token."""
    user = {"Authorization": f"Bearer {token}"}
    words = " ".join(WORDS)
    gets: Sequence[tuple[str, str, dict[str, str]]] = (
        ("people/search", "/people/search", {"terms": ",".join(TERMS)}),
        ("ended Spaces", "/spaces", {"state": "ended", "max_results": "1000"}),
        ("ended Spaces, a page", "/spaces", {"state": "ended", "max_results": "100"}),
        ("search of 28 words", "/spaces/search", {"query": words, "state": "all"}),
        ("search of 28 words, X", "/2/spaces/search", {"query": words, "state": "all"}),
        ("openapi.json", "/openapi.json", {}),
        ("metrics", "/metrics", {}),
    )
    body = unknown_fields()
    json_kind = {"Content-Type": "application/json"}
    posts = [
        (
            "unknown fields, stranger",
            httpx.Request("POST", "http://bench/spaces", content=body, headers=json_kind),
        ),
        ("unknown fields", httpx.Request("POST", "http://bench/spaces", content=body, headers=json_kind | user)),
    ]
    return posts + [
        (name, httpx.Request("GET", f"http://bench{path}", params=query, headers=user))
        for name, path, query in gets
    ]


def send(http: httpx.Client, request: httpx.Request) -> int:
    """Send it to the client's server; return the status, 0 if the server hung up."""
    try:
        return http.request(
            request.method,
            request.url.raw_path.decode(),
            content=request.content,
            headers=request.headers.multi_items(),
        ).status_code
    except httpx.HTTPError:
        return 0
