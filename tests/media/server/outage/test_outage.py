"""A store that goes away: what is answered, shown and kept meanwhile, and that it is found again."""

import asyncio
import logging
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest

from media.space.events import SpaceEvent
from media.space.record import to_record
from media.space.space import Space
from tests.media.server.outage.outages import Outage, back
from tests.media.server.outage.postgresql import HERE, postgresql
from tests.media.server.service import Service, running

AWAY = "urn:spaces-lab:problem:store-unavailable"


def check_away(answer: httpx.Response) -> str:
    """Pass for the one refusal that there is; return its sentence."""
    assert answer.status_code == 503, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json()["type"] == AWAY
    return answer.json()["detail"]


async def speaker(service: Service, path: str) -> None:
    await service.ok("ben", "POST", f"{path}/requests")
    await service.connect("ben", path, "whip")
    await service.ok("ben", "POST", f"{path}/participants/me/unmute")
    service.plane.taken()


async def test_nothing_is_shown_that_was_not_kept(tmp_path: Path, outage: Outage) -> None:
    async with running(tmp_path, database=outage.url) as service:
        path = await service.live(speak_policy="everyone", title="before")
        await service.ok("ana", "GET", path)
        events: list[SpaceEvent] = []
        service.app.state.spaces.watch(lambda _, happened: events.extend(happened))
        outage.begin()
        made = len(service.app.state.spaces.in_memory)
        for method, where, body in (
            ("PATCH", path, {"title": "after"}),
            ("POST", f"{path}/messages", {"text": "hello"}),
            ("POST", f"{path}/invitations", {"user_id": "cem"}),
            ("POST", f"{path}/invitation-links", {"role": "speaker"}),
            ("POST", "/spaces", {"title": "new"}),
            ("POST", "/users", {}),
        ):
            sentence = check_away(await service.call("ana", method, where, json=body))
            assert "nothing was changed" in sentence
        space = await service.ok("ana", "GET", path)
        assert space["title"] == "before" and events == []
        assert len(service.app.state.spaces.in_memory) == made
        assert service.plane.taken() == []
        outage.end()
        await back(service)
        assert (await service.ok("ana", "GET", path))["title"] == "before"
        await service.ok("ana", "PATCH", path, json={"title": "after"})
    async with running(tmp_path, database=outage.url) as again:
        assert (await again.ok("ana", "GET", path))["title"] == "after"
        assert [s["id"] for s in (await again.ok("ana", "GET", "/spaces?state=draft"))["data"]] == []


async def test_silence_does_not_wait_and_is_written_when_the_store_is_back(tmp_path: Path, outage: Outage) -> None:
    async with running(tmp_path, database=outage.url) as service:
        path = await service.live(speak_policy="everyone")
        await speaker(service, path)
        outage.begin()
        answer = await service.call("ana", "POST", f"{path}/participants/ben/mute")
        assert "carried out" in check_away(answer)
        assert service.plane.taken() == [("mute", "ben", True)]
        assert (await service.ok("ana", "GET", f"{path}/participants/ben"))["muted_by_admin"] is True
        check_away(await service.call("ben", "DELETE", f"{path}/participants/me"))
        assert ("let_talk", "ben", False) in service.plane.taken()
        check_away(await service.call("ana", "DELETE", f"{path}/participants/cem"))
        outage.end()
        await back(service)
        spaces = service.app.state.spaces
        assert await spaces.store.load(path[8:]) == to_record(await spaces.get(path[8:]))
    async with running(tmp_path, database=outage.url) as again:
        assert (await again.call("cem", "POST", f"{path}/requests")).status_code == 403, "removed for good"


async def test_a_space_that_ends_meanwhile_stays_ended(tmp_path: Path, outage: Outage) -> None:
    async with running(tmp_path, database=outage.url) as service:
        path = await service.live()
        outage.begin()
        check_away(await service.call("ana", "POST", f"{path}/end"))
        assert service.plane.taken() == [("close_room",)]
        assert (await service.ok("ana", "GET", path))["state"] == "ended"
        outage.end()
        await back(service)
        assert service.app.state.spaces.in_memory == [], "it is over and written"
    async with running(tmp_path, database=outage.url) as again:
        assert (await again.ok("ana", "GET", path))["state"] == "ended"


async def test_who_is_suspended_meanwhile_stays_so(tmp_path: Path, outage: Outage) -> None:
    async with running(tmp_path, database=outage.url) as service:
        path = await service.live(speak_policy="everyone")
        await speaker(service, path)
        outage.begin()
        check_away(await service.call("root", "PUT", "/users/ben/suspension", json={"reason": "spam"}))
        assert ("drop_participant", "ben") in service.plane.taken()
        assert (await service.call("ben", "POST", f"{path}/requests")).status_code == 403
        check_away(await service.call("ana", "POST", "/users/me/blocking", json={"target_user_id": "eve"}))
        outage.end()
        await back(service)
    async with running(tmp_path, database=outage.url) as again:
        assert (await again.call("ben", "GET", path)).json()["type"].endswith("suspended")
        assert (await again.call("eve", "GET", path)).json()["type"].endswith("blocked")


async def test_health_and_log_tell_it_once(
    tmp_path: Path, outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path, database=outage.url) as service:
        assert (await service.http.get("/healthz")).json() == {"status": "ready"}
        path = await service.live()
        service.app.state.spaces.store.database._wrote = 0.0  # the last write is no longer of this second
        outage.begin()
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            async with asyncio.timeout(10):
                while (answer := await service.http.get("/healthz")).status_code == 200:
                    await asyncio.sleep(0.05)
            assert answer.status_code == 503 and answer.json()["status"].startswith("store unavailable")
            for _ in range(20):
                check_away(await service.call("ana", "PATCH", path, json={"title": "x"}))
            said = [record for record in caplog.records if "store is not available" in record.getMessage()]
            assert len(said) == 1, [record.getMessage() for record in caplog.records]
            assert not [r for r in caplog.records if r.exc_info], "no traceback for what is no fault of ours"
            outage.end()
            await back(service)
        assert "The store is back" in caplog.text
        await service.ok("ana", "PATCH", path, json={"title": "x"})


async def test_a_key_refused_meanwhile_is_good_afterwards(tmp_path: Path, outage: Outage) -> None:
    async with running(tmp_path, database=outage.url) as service:
        path, key = await service.live(speak_policy="everyone"), {"Idempotency-Key": "k"}
        await speaker(service, path)
        outage.begin()
        check_away(await service.call("ana", "POST", "/spaces", json={}, headers=key))
        muted = await service.call("ana", "POST", f"{path}/participants/ben/mute", headers=key)
        assert "carried out" in check_away(muted) and service.plane.taken() == [("mute", "ben", True)]
        outage.end()
        await back(service)
        first = await service.ok("ana", "POST", "/spaces", json={}, headers=key)
        assert await service.ok("ana", "POST", "/spaces", json={}, headers=key) == first


@pytest.mark.parametrize("caller", ["ana", "root", "stranger", None])
async def test_no_call_of_the_document_fails(tmp_path: Path, outage: Outage, caller: str | None) -> None:
    async with running(tmp_path, database=outage.url, payments="test") as service:
        document: dict[str, Any] = (await service.http.get("/openapi.json")).json()
        path = await service.live(speak_policy="everyone")
        await speaker(service, path)
        outage.begin()
        refused = 0
        for template, methods in document["paths"].items():
            where = template.replace("{space_id}", path[8:]).replace("{user_id}", "ben").replace("{id}", "1")
            where = where.partition("{")[0] + "x" if "{" in where else where
            for method, operation in methods.items():
                if where.endswith("/events") or template == "/healthz":
                    continue
                answer = await service.call(caller, method.upper(), where, json=body_of(operation, document))
                assert answer.status_code < 500 or answer.status_code == 503, (method, where, answer.text)
                if answer.status_code == 503:
                    check_away(answer)
                    refused += 1
        assert refused > (0 if caller is None else 10)
        outage.end()
        await back(service)


def body_of(operation: dict[str, Any], document: dict[str, Any]) -> Any:
    """Return the example of a body that the document has; an empty object where it has none."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if "example" in content:
        return content["example"]
    if "examples" in content:
        return next(iter(content["examples"].values()))["value"]
    schema = content.get("schema", {})
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return next(iter(schema.get("examples", [{}])))


async def test_a_grant_under_way_undoes_no_mute(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        path = await service.live(speak_policy="everyone")
        await service.ok("ben", "POST", f"{path}/requests")
        service.plane.taken()
        disk = sqlite3.connect(tmp_path / "spaces.db", isolation_level=None)
        disk.execute("BEGIN IMMEDIATE")
        unmute = asyncio.create_task(service.call("ben", "POST", f"{path}/participants/me/unmute"))
        while service.app.state.spaces._held[path[8:]].attempt is None:
            await asyncio.sleep(0.001)
        mute = asyncio.create_task(service.call("ana", "POST", f"{path}/participants/ben/mute"))
        later = asyncio.create_task(service.call("ben", "POST", f"{path}/participants/me/unmute"))
        while not service.plane.commands:
            await asyncio.sleep(0.001)
        disk.rollback()
        disk.close()
        assert [(await task).status_code for task in (unmute, mute, later)] == [200, 200, 409]
        await service.settle()
        ben = await service.ok("ana", "GET", f"{path}/participants/ben")
        assert ben["muted_by_admin"] and ("mute", "ben", False) not in service.plane.taken()
        spaces = service.app.state.spaces
        assert await spaces.store.load(path[8:]) == to_record(await spaces.get(path[8:]))


async def test_listeners_who_come_while_a_change_is_written_are_counted_once(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        path = await service.live()
        disk = sqlite3.connect(tmp_path / "spaces.db", isolation_level=None)
        disk.execute("BEGIN IMMEDIATE")
        change = asyncio.create_task(service.call("ana", "PATCH", path, json={"title": "new"}))
        while service.app.state.spaces._held[path[8:]].attempt is None:
            await asyncio.sleep(0.001)
        for number in range(3):
            service.app.state.spaces.note(path[8:], lambda s, now, n=number: s.join(f"p{n}", now))
        assert await service.count(path) == 3 and (await service.ok("ana", "GET", path))["title"] == ""
        disk.rollback()
        disk.close()
        assert (await change).json()["title"] == "new"
        assert await service.count(path) == 3


async def test_a_file_that_was_replaced_is_not_written_to(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        path, file = await service.live(), tmp_path / "spaces.db"
        file.rename(tmp_path / "old.db")
        file.write_bytes((tmp_path / "old.db").read_bytes())
        check_away(await service.call("ana", "PATCH", path, json={"title": "lost?"}))
        fault = service.app.state.spaces.store.database.fault
        assert fault is not None and "replaced while it was in use" in fault.cause
        (tmp_path / "old.db").rename(file)
        await back(service)
        await service.ok("ana", "PATCH", path, json={"title": "kept"})


if HERE:

    async def test_a_postgresql_that_was_restarted_is_found_by_the_first_write(tmp_path: Path) -> None:
        with postgresql() as server:
            async with running(tmp_path, database=server.url) as service:
                path = await service.live()
                await asyncio.gather(*(service.ok("ana", "GET", "/spaces") for _ in range(8)))
                server.restart()
                await asyncio.sleep(0.1)
                for number in range(6):
                    await service.ok("ana", "PATCH", path, json={"title": f"{number}"})

    async def test_a_postgresql_that_hangs_keeps_nobody_waiting(tmp_path: Path) -> None:
        with postgresql() as server:
            async with running(tmp_path, database=server.url) as service:
                path = await service.live(speak_policy="everyone")
                await speaker(service, path)
                with server.hanging():
                    async with asyncio.timeout(30):
                        calls = (service.call("ana", "PATCH", path, json={"title": f"{n}"}) for n in range(40))
                        for answer in await asyncio.gather(*calls):
                            check_away(answer)
                        assert (await service.http.get("/healthz")).status_code == 503
                    check_away(await service.call("ana", "POST", f"{path}/participants/ben/mute"))
                    assert service.plane.taken() == [("mute", "ben", True)]
                await back(service)
                space: Space = await service.app.state.spaces.get(path[8:])
                assert await service.app.state.spaces.store.load(path[8:]) == to_record(space)
