"""Who is shown what of a Space: every operation of the OpenAPI document, as eleven kinds of caller and an admin.

What each step may see is marked with words that stand nowhere else, and no answer may hold a word above the step
of its reader. An operation that is in no table here fails: whoever adds a route says who is shown what by it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.media.server.service import SDP, Service

NOTHING, REASON, CARD, SOUND, INSIDE, HOST, OWNER, CREATOR = range(8)
"""The steps of the rule; an owner is the host, or an admin, and what X shows to creators no admin has."""
OPEN = -1
"""Of an operation that says nothing of a Space: whoever holds the address of a session ends it."""

WAITER, GUEST = "waiting-fay", "guest-hal"
CALLERS: dict[str, str | None] = {
    "anonymous": None,
    "stranger": "sam",
    "listener": "eve",
    "requester": WAITER,
    "invited": GUEST,
    "speaker": "cem",
    "co-host": "ben",
    "host": "ana",
    "removed": "rex",
    "blocked": "bob",
    "suspended": "sid",
    "admin": "root",
}
_DRAFT = {"invited": INSIDE, "host": CREATOR, "admin": OWNER}
_OUTSIDE = dict.fromkeys(CALLERS, SOUND) | {"anonymous": CARD, "blocked": REASON}
_CAME = {"requester": INSIDE, "speaker": INSIDE, "co-host": HOST, "removed": REASON}
STATES: dict[str, dict[str, int]] = {
    "draft": dict.fromkeys(CALLERS, NOTHING) | _DRAFT,
    "called off": dict.fromkeys(CALLERS, NOTHING) | _DRAFT,
    "scheduled": _OUTSIDE | _DRAFT,
    "canceled": _OUTSIDE | _DRAFT,
    "live": _OUTSIDE | _DRAFT | _CAME | {"listener": INSIDE},
    "open": _OUTSIDE | _DRAFT | _CAME | {"listener": INSIDE, "anonymous": SOUND},
    "ended": _OUTSIDE | _DRAFT | _CAME,
}

READS: dict[str, int] = {
    "/spaces/{space_id}": CARD,
    "/spaces/{space_id}/policy": CARD,
    "/spaces/{space_id}/participants": CARD,
    "/spaces/{space_id}/participants/{user_id}": HOST,
    "/spaces/{space_id}/calendar.ics": CARD,
    "/spaces/{space_id}/tickets": CARD,
    "/spaces/{space_id}/invitation-links": CARD,
    "/spaces/{space_id}/invitation-links/{code}": CARD,
    "/spaces/{space_id}/events": SOUND,
    "/spaces/{space_id}/messages": SOUND,
    "/spaces/{space_id}/pins": SOUND,
    "/spaces/{space_id}/shared": SOUND,
    "/spaces/{space_id}/requests": INSIDE,
    "/spaces/{space_id}/invitations": HOST,
    "/spaces/{space_id}/campaigns": OWNER,
    "/spaces/{space_id}/campaigns/{campaign_id}": OWNER,
    "/spaces/{space_id}/analytics": OWNER,
    "/spaces/{space_id}/analytics.csv": OWNER,
    "/spaces/{space_id}/analytics.svg": OWNER,
    "/spaces/{space_id}/tickets/buyers": OWNER,
    "/2/spaces/{space_id}/download": CREATOR,
    "/2/spaces/{space_id}/download.zip": CREATOR,
    "/2/spaces/{space_id}/replay": SOUND,
    "/2/spaces/{space_id}/replay.ogg": SOUND,
    "/2/spaces/{space_id}/replay/waveform.svg": SOUND,
    "/2/spaces/{space_id}/replay/chapters.json": SOUND,
    "/2/spaces/{space_id}/replay/transcript.vtt": SOUND,
    "/2/spaces/{space_id}/captions": SOUND,
    **{f"/2/spaces/{{space_id}}/transcript.{kind}": CREATOR for kind in ("vtt", "srt", "json")},
    "/2/spaces/{id}": CARD,
    "/2/spaces/{id}/tweets": CARD,
    "/2/spaces/{id}/buyers": CREATOR,
}
"""Least step that is answered; above it come the words of the step."""
WRITES: set[tuple[str, str]] = {
    *(
        ("PATCH", "/spaces/{space_id}"),
        ("POST", "/spaces/{space_id}/start"),
        ("POST", "/spaces/{space_id}/schedule"),
    ),
    *(("POST", "/spaces/{space_id}/cancel"), ("POST", "/spaces/{space_id}/end")),
    *(("PUT", "/spaces/{space_id}/policy"), ("POST", "/spaces/{space_id}/campaigns")),
    *(("PUT", "/spaces/{space_id}/tickets"), ("DELETE", "/spaces/{space_id}/tickets")),
    *(("POST", "/spaces/{space_id}/tickets/purchases"), ("POST", "/spaces/{space_id}/requests")),
    ("DELETE", "/spaces/{space_id}/requests/me"),
    *(("POST", f"/spaces/{{space_id}}/requests/{{user_id}}/{how}") for how in ("approve", "deny")),
    *(("POST", "/spaces/{space_id}/invitations"), ("DELETE", "/spaces/{space_id}/invitations/{user_id}")),
    *(("POST", f"/spaces/{{space_id}}/invitations/me/{how}") for how in ("accept", "decline")),
    ("DELETE", "/spaces/{space_id}/participants/{user_id}"),
    *(
        ("POST", f"/spaces/{{space_id}}/participants/{{user_id}}/{how}")
        for how in ("mute", "unmute", "promote", "demote", "step-down")
    ),
    *((method, "/spaces/{space_id}/participants/{user_id}/hand") for method in ("PUT", "DELETE")),
    *((method, "/spaces/{space_id}/mute-all") for method in ("POST", "DELETE")),
    *((method, "/spaces/{space_id}/pins/{post_id}") for method in ("PUT", "DELETE")),
    *(("POST", f"/spaces/{{space_id}}/{what}") for what in ("reactions", "shared", "messages", "whip", "whep")),
    *(("POST", "/spaces/{space_id}/invitation-links"), ("DELETE", "/spaces/{space_id}/invitation-links/{code}")),
    ("POST", "/spaces/{space_id}/invitation-links/{code}/accept"),
    ("POST", "/2/spaces/{space_id}/download"),
    *((method, "/2/spaces/{space_id}/replay") for method in ("PUT", "DELETE")),
    *((method, "/2/spaces/{space_id}/captions/consent") for method in ("PUT", "DELETE")),
    ("PUT", "/2/spaces/{space_id}/captions/{line_id}"),
    *((method, "/users/me/reminders/{space_id}") for method in ("PUT", "DELETE")),
}
SESSIONS: set[tuple[str, str]] = {
    *(
        (method, f"/spaces/{{space_id}}/{kind}/{{session_id}}")
        for method in ("DELETE", "PATCH")
        for kind in ("whip", "whep")
    ),
    ("POST", "/spaces/{space_id}/whep/{session_id}/name"),
}
"""Go by the session, which nobody here has: 404, whatever the Space is."""
LISTS: dict[str, str] = {
    "/spaces": "state=draft&state=scheduled&state=live&state=ended&state=canceled",
    "/spaces/search": "query=titleword&state=all",
    "/users/me/bubbles": "",
    "/users/me/reminders": "",
    "/users/me/calendar.ics": "",
    "/users/me/tickets": "",
    "/users/me/payouts": "",
    "/users/me/campaign-invitations": "",
    "/2/users/me/reports": "",
    "/2/users/me/statements": "",
    "/oembed": "url=http://spaces/s/{space}",
    "/2/spaces": "ids={space}&space.fields=title,invited_user_ids&expansions=creator_id,invited_user_ids",
    "/2/spaces/by/creator_ids": "user_ids={host}&space.fields=title",
    "/2/spaces/search": "query=titleword&space.fields=title",
    "/2/users/{user_id}/podcast.xml": "",
}
"""Show Spaces without naming one in the path."""
ELSEWHERE: set[str] = {
    *("/topics", "/posts", "/posts/{post_id}", "/people/search", "/users/me/campaign-opt-out", "/push/key"),
    *("/users/me/push-subscriptions", "/users/me/push-subscriptions/{subscription_id}", "/users", "/users/search"),
    *("/users/me/tickets/{ticket_id}", "/users/by/username/{username}", "/users/{user_id}"),
    *("/users/{user_id}/suspension", "/users/{user_id}/following", "/users/{user_id}/followers"),
    *("/users/{user_id}/follow-requests", "/users/{user_id}/blocking", "/policies", "/policies/{name}"),
    *("/2/users", "/2/users/by", "/2/users/by/username/{username}", "/2/users/me", "/2/users/{id}"),
    *(
        "/metrics",
        "/healthz",
        "/users/me/events",
        "/2/users/me/download",
        "/2/users/me/download.zip",
        "/2/reports/{report_id}",
    ),
    *("/users/me/host-settings", "/users/me/carried-removals", "/2/moderation/signals"),
    *("/2/moderation/cases", "/2/moderation/cases/{case_id}", "/2/moderation/queues"),
    *(f"/2/moderation/cases/{{case_id}}/{part}" for part in ("clip", "waveform", "words")),
    *("/2/moderation/reporters/{reporter_id}", "/2/moderation/audit", "/2/moderation/audit/head"),
    *("/2/moderation/orders", "/2/moderation/statements.json", "/2/moderation/statistics"),
    *("/2/moderation/transparency-report", "/2/users/me/statements/{statement_id}"),
}
"""Show nothing of a Space, or only to reviewers, who see what was reported (``moderation/test_review.py``)."""
WORDS = {"titleword": CARD, "messageword": SOUND, WAITER: INSIDE, "campaignword": OWNER}
"""Words to the step from which on they are shown."""
UNKNOWN = "0000000000000"


class World:
    """A Space in some state, with one of each kind of caller."""

    def __init__(self, service: Service, path: str) -> None:
        self.service, self.path = service, path
        self.space_id = path.rpartition("/")[2]
        self.code = self.campaign = "none"

    def fill(self, path: str, space_id: str | None = None) -> str:
        values = {
            "space_id": space_id or self.space_id,
            "id": space_id or self.space_id,
            "user_id": WAITER,
            "session_id": "nosuchsession",
            "post_id": "7",
            "code": "nosuchcode",
            "campaign_id": self.campaign,
            "line_id": "0",
        }
        return path.format(**values)

    async def ask(self, who: str | None, method: str, path: str, space_id: str | None = None) -> httpx.Response:
        body: dict[str, Any] = {}
        if method != "GET" and path.endswith(("/whip", "/whep")):
            body = {"content": "v=0", "headers": SDP}
        elif method == "PATCH" and "session_id" in path:
            body = {
                "content": "a=ice-ufrag:new",
                "headers": {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"},
            }
        elif method in ("POST", "PUT", "PATCH"):
            body = {"json": BODIES.get((method, path), {})}
        return await self.service.call(who, method, self.fill(path, space_id), **body)


SOON = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("PATCH", "/spaces/{space_id}"): {"title": "another"},
    ("POST", "/spaces/{space_id}/schedule"): {"scheduled_start": SOON},
    ("PUT", "/spaces/{space_id}/policy"): {"policy": "2021-05"},
    ("POST", "/spaces/{space_id}/campaigns"): {"people": ["sam"], "message": "come"},
    ("PUT", "/spaces/{space_id}/tickets"): {"price_cents": 500, "quantity": 10},
    ("POST", "/spaces/{space_id}/tickets/purchases"): {"payment_method": "4242424242424242"},
    ("POST", "/spaces/{space_id}/invitations"): {"user_id": "gil"},
    ("POST", "/spaces/{space_id}/reactions"): {"kind": "clap"},
    ("POST", "/spaces/{space_id}/shared"): {"post_id": "7"},
    ("POST", "/spaces/{space_id}/messages"): {"text": "hello"},
    ("PUT", "/2/spaces/{space_id}/captions/{line_id}"): {"text": "hello"},
    ("POST", "/spaces/{space_id}/invitation-links"): {"role": "listener"},
}


async def build(service: Service, state: str) -> World:
    """Make a Space of ana in a state, and what happens on the way there."""
    start = {"scheduled_start": SOON} if state in ("scheduled", "canceled") else {}
    body = {"title": "titleword", "anonymous_listening": state in ("open", "draft"), **start}
    space = await service.ok("ana", "POST", "/spaces", json=body)
    world = World(service, f"/spaces/{space['id']}")
    ok = service.ok
    for name in (GUEST, "gil"):
        await ok(name, "POST", "/users", json={})
    campaign = {"people": ["gil"], "message": "campaignword"}
    world.campaign = (await ok("ana", "POST", f"{world.path}/campaigns", json=campaign))["id"]
    await ok("ana", "POST", f"{world.path}/invitations", json={"user_id": GUEST})
    link = await ok("ana", "POST", f"{world.path}/invitation-links", json={"role": "speaker"})
    world.code = link["code"]
    await ok("ana", "POST", "/users/me/blocking", json={"target_user_id": "bob"})
    await ok("root", "PUT", "/users/sid/suspension", json={"reason": "noise"})
    if state in ("live", "open", "ended"):
        await ok("ana", "POST", f"{world.path}/start")
        for name in ("ben", "cem", WAITER):
            await ok(name, "POST", f"{world.path}/requests")
        for name in ("ben", "cem"):
            await ok("ana", "POST", f"{world.path}/requests/{name}/approve")
        await ok("ana", "POST", f"{world.path}/participants/ben/promote")
        for name in ("ana", "ben", "cem", "eve", "rex"):
            await service.connect(name, world.path)
        await ok("ana", "DELETE", f"{world.path}/participants/rex")
        await ok("eve", "POST", f"{world.path}/messages", json={"text": "messageword"})
    if state == "ended":
        await ok("ana", "POST", f"{world.path}/end")
    if state in ("canceled", "called off"):
        await ok("ana", "POST", f"{world.path}/cancel")
    await service.settle()
    return world


def slug(answer: httpx.Response) -> str:
    return str(answer.json().get("type", "")).rpartition(":")[2]


def check_words(answer: httpx.Response, step: int, about: tuple[str, ...], world: World) -> None:
    """Fail on a word above a step; ``about`` begins with the kind of caller, whose own name is no secret."""
    told = answer.text + str(answer.headers)
    for word, least in (WORDS | {world.code: OWNER}).items():
        assert step >= least or word == CALLERS[about[0]] or word not in told, (about, word, told[:300])


async def test_every_operation_is_in_a_table(service: Service) -> None:
    document = (await service.http.get("/openapi.json")).json()
    there = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    reads = {("GET", path) for path in (*READS, *LISTS, *ELSEWHERE)}
    assert {op for op in there if op[0] == "GET"} == reads
    writes = {(m, p) for m, p in there if m != "GET" and ("{space_id}" in p or p.startswith("/2/spaces"))}
    assert writes == WRITES | SESSIONS


@pytest.mark.parametrize("state", STATES)
async def test_the_rule_holds_for_every_operation_that_names_a_space(service: Service, state: str) -> None:
    world = await build(service, state)
    before = await service.ok("root", "GET", world.path)
    for kind, who in CALLERS.items():
        step = STATES[state][kind]
        operations = [("GET", path) for path in READS]
        if step <= REASON or kind in ("suspended", "anonymous"):
            operations += [*WRITES, *SESSIONS]
        for method, path in sorted(operations):
            await check_operation(world, kind, who, step, method, path)
    assert await service.ok("root", "GET", world.path) == before


async def check_operation(world: World, kind: str, who: str | None, step: int, method: str, path: str) -> None:
    about = (kind, method, path)
    least = READS.get(path, CARD) if method == "GET" else CARD
    if path.endswith("/events") and step >= least and kind != "suspended":
        method = "HEAD"  # a stream that goes on has no whole answer
    if (method, path) == ("POST", "/spaces/{space_id}/whep") and kind == "anonymous" and step >= SOUND:
        return  # may listen, which is tried elsewhere
    answer = await world.ask(who, method, path)
    check_words(answer, REASON if kind == "suspended" else step, about, world)
    if kind == "suspended":
        assert answer.status_code == 403 and "suspended" in answer.text, about
    elif kind == "anonymous":
        takes_nobody = least == SOUND and method in ("GET", "HEAD") and step >= SOUND
        by_session = "whep/{session_id}" in path and not path.endswith("/name")
        there = 404 if "/replay" in path else 200  # none was wished
        expected = {404} if by_session else {there} if takes_nobody else {401}
        assert answer.status_code in expected, (*about, answer.text)
    elif (method, path) in SESSIONS and step != REASON:
        assert answer.status_code == 404, about
    elif step == NOTHING:
        of_none = await world.ask(who, method, path, UNKNOWN)
        told = answer.text.replace(world.space_id, UNKNOWN)
        assert (answer.status_code, told) == (of_none.status_code, of_none.text), about
        assert answer.status_code == 404 or path.startswith("/2/"), about
    elif step == REASON and not path.startswith("/2/") and (method, path) not in SESSIONS:
        assert (answer.status_code, slug(answer)) == (403, kind), (*about, answer.text)
    elif step == REASON:
        assert answer.status_code in (200, 403, 404) and '"data"' not in answer.text, about
    elif (kind, path) == ("requester", "/spaces/{space_id}/participants/{user_id}"):
        assert answer.status_code == 200, "oneself"
    elif step < least and not path.startswith("/2/"):
        assert answer.status_code == 403, (*about, answer.text)
    elif step >= least:
        assert answer.status_code in (200, 404, 409) and "unknown-space" not in answer.text, (*about, answer.text)


@pytest.mark.parametrize("state", STATES)
async def test_the_rule_holds_for_every_list(service: Service, state: str) -> None:
    world = await build(service, state)
    await service.ok("ana", "POST", "/users", json={})
    for name in ("eve", "rex", "sam", "cem"):
        await service.ok(name, "POST", "/users", json={})
        await service.ok(name, "POST", "/users/me/following", json={"target_user_id": "ana"})
    host = (await service.call("ana", "GET", "/2/users/me")).json()["data"]["id"]
    shown: set[str] = set()
    for kind, who in CALLERS.items():
        step = STATES[state][kind]
        for path, query in LISTS.items():
            address = f"{path.format(user_id='ana')}?{query.format(space=world.space_id, host=host)}"
            answer = await service.call(who, "GET", address)
            about = (kind, path)
            check_words(answer, REASON if kind == "suspended" else step, about, world)
            if step <= REASON:
                assert world.space_id not in answer.text.replace(address, "") or path == "/2/spaces", about
                assert answer.status_code in (200, 401, 403, 404), about
            elif "titleword" in answer.text:
                shown.add(path)
    public = {"/oembed", "/2/spaces", "/spaces"}
    assert shown >= (public if state not in ("draft", "called off") else {"/spaces"}), "a list that shows nothing"


async def test_a_link_shows_a_draft_to_whoever_has_it_until_it_is_revoked(service: Service) -> None:
    world = await build(service, "draft")
    link = f"{world.path}/invitation-links/{world.code}"
    assert (await service.ok("sam", "GET", link))["role"] == "speaker"
    events = f"{world.path}/events?invitation={world.code}"
    assert (await service.call("sam", "HEAD", events)).status_code == 200
    assert (await service.call("sam", "GET", f"{world.path}/messages?invitation={world.code}")).status_code == 200
    assert (await service.call("sam", "GET", world.path)).status_code == 404
    assert (await service.call("bob", "GET", link)).status_code == 404, "blocked"
    assert (await service.call(None, "GET", events)).status_code == 401
    refused = await service.call("sam", "POST", f"{link}/accept")
    assert refused.status_code == 409 and slug(refused) == "wrong-state"
    await service.ok("ana", "DELETE", link)
    for path in (link, events):
        answer = await service.call("sam", "GET", path)
        assert (answer.status_code, slug(answer)) == (404, "unknown-space")
