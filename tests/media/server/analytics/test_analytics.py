"""What a host learns: counted over HTTP and a plane that records, kept through restarts, shown in three shapes."""

import csv
import io
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import sqlalchemy as sa

from media.relay.plane import Levels
from media.server.analytics.tables import ANALYTICS
from tests.media.server.service import SDP, Service, located, running


@pytest.fixture
async def here(database: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with running(tmp_path, database=database) as one:
        yield one


async def pass_time(service: Service, seconds: float) -> None:
    service.clock.ahead += seconds
    await service.app.state.analytics.sample()


async def report(service: Service, path: str, who: str = "ana") -> dict[str, Any]:
    return await service.ok(who, "GET", f"{path}/analytics")


async def listen(service: Service, name: str | None, path: str, source: str) -> str:
    answer = await service.call(name, "POST", f"{path}/whep?source={source}", content="v=0", headers=SDP)
    assert answer.status_code == 201
    location = located(answer)
    service.plane.connect(location.rpartition("/")[2])
    await service.settle()
    return location


async def test_the_audience_over_time(here: Service) -> None:
    path = await here.live(anonymous_listening=True)
    first = await here.connect("ben", path)
    await here.connect("cem", path)
    await here.connect(None, path)
    await pass_time(here, 10)
    here.lose(first)
    await here.settle()
    await pass_time(here, 15)
    await pass_time(here, 20)
    shown = await report(here, path)
    data = shown["audience"]["data"]
    assert [point["participant_count"] for point in data] == [3, 2, 2]
    assert [point["arrivals"] for point in data] == [3, 0, 0]
    assert [point["departures"] for point in data] == [0, 0, 1], "only who is gone for 30 s has left"
    assert shown["peak"]["participant_count"] == 3
    assert (shown["unique"]["people"], shown["unique"]["anonymous_connections"]) == (2, 1)
    assert (shown["retention"]["visits"], shown["audience"]["interval_seconds"]) == (3, 10)


async def test_who_comes_back_has_not_come_twice(here: Service) -> None:
    path = await here.live()
    for gone in (5, 40):
        here.lose(await here.connect("ben", path))
        await here.settle()
        await pass_time(here, gone)
    await here.connect("ben", path)
    await here.connect("ben", path, "whep")
    shown = await report(here, path)
    assert shown["unique"]["people"] == 1
    assert shown["retention"]["visits"] == 2, "5 s away is the same visit, 40 s is not"
    assert sum(s["count"] for s in shown["sources"]) == 2


async def test_what_brought_people_is_counted_on_the_short_way_and_the_long_one(here: Service) -> None:
    path = await here.live(anonymous_listening=True)
    for name, source in (("ben", "bubble"), ("cem", "bubble"), (None, "link"), ("dag", "notification&ptime=40")):
        await listen(here, name, path, source)
    await here.connect("eve", path)
    await here.ok("ana", "POST", f"{path}/whip?source=search", content="v=0", headers=SDP)
    for session in list(here.plane.sessions):
        here.plane.connect(session)
    shown = await report(here, path)
    assert {s["source"]: s["count"] for s in shown["sources"]} == {
        "bubble": 2,
        "link": 1,
        "notification": 1,
        "direct": 1,
        "search": 1,
    }
    wrong = await here.call("ben", "POST", f"{path}/whep?source=nonsense", content="v=0", headers=SDP)
    assert wrong.status_code == 422


async def test_reactions_requests_and_talk(here: Service) -> None:
    path = await here.live()
    space_id = path.rpartition("/")[2]
    for name in ("ben", "cem"):
        await here.connect(name, path)
        await here.ok(name, "POST", f"{path}/requests")
    for _ in range(3):
        await here.ok("ben", "POST", f"{path}/reactions", json={"kind": "heart"})
    await pass_time(here, 12)
    await here.ok("ana", "POST", f"{path}/requests/ben/approve")
    await here.ok("ana", "POST", f"{path}/requests/cem/deny")
    await here.ok("cem", "POST", f"{path}/reactions", json={"kind": "clap"})
    for audible, lasting in ((["ben"], 4), (["ben", "ana"], 2), ([], 100)):
        here.plane._tell(Levels(space_id, dict.fromkeys(audible, -20.0)))
        here.clock.ahead += lasting
    await pass_time(here, 0)
    shown = await report(here, path)
    assert shown["reactions"] == {"heart": 3, "clap": 1}
    assert [point["reactions"] for point in shown["audience"]["data"]] == [{"heart": 3}, {"clap": 1}]
    requests = shown["requests"]
    assert [requests[k] for k in ("asked", "granted", "denied", "withdrawn", "waiting")] == [2, 1, 1, 0, 0]
    assert 10 < requests["median_wait_seconds"] < 15
    assert {t["user_id"]: t["seconds"] for t in shown["talk_time"]} == pytest.approx({"ben": 6, "ana": 2}, abs=0.2)


async def test_the_end_keeps_the_report_and_no_key(here: Service) -> None:
    path = await here.live()
    await here.connect("ben", path)
    await pass_time(here, 70)
    rows = sa.select(ANALYTICS.c.record)
    async with here.app.state.analytics._engine.connect() as connection:
        live = (await connection.execute(rows)).scalar_one()
    assert len(live["key"]) == 64
    await here.ok("ana", "POST", f"{path}/end")
    await here.settle()
    async with here.app.state.analytics._engine.connect() as connection:
        row = (await connection.execute(sa.select(ANALYTICS))).one()
    assert (row.live, row.record["key"]) == (False, "")
    assert "ben" not in str(row.record)
    shown = await report(here, path)
    assert shown["state"] == "ended" and shown["ended_at"] is not None
    assert (shown["unique"]["people"], shown["retention"]["visits"]) == (1, 1)
    assert shown["retention"]["median_seconds"] is None, "ben stayed to the end"
    assert shown["retention"]["mean_seconds"] == pytest.approx(70, abs=2)


async def test_only_the_host_and_admins_see_it(here: Service) -> None:
    path = await here.live()
    for what in ("", ".csv", ".svg"):
        assert (await here.call("ben", "GET", f"{path}/analytics{what}")).status_code == 403
        assert (await here.call(None, "GET", f"{path}/analytics{what}")).status_code == 401
        assert (await here.call("root", "GET", f"{path}/analytics{what}")).status_code == 200
        assert (await here.call("ana", "GET", f"/spaces/none/analytics{what}")).status_code == 404
    draft = (await here.ok("ana", "POST", "/spaces", json={}))["id"]
    answer = await here.call("ana", "GET", f"/spaces/{draft}/analytics")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:spaces-lab:problem:no-analytics")


async def test_tables_as_csv(here: Service) -> None:
    path = await here.live(title='=HYPERLINK("x"), "quoted"')
    await listen(here, "ben", path, "bubble")
    await here.ok("ben", "POST", f"{path}/reactions", json={"kind": "heart"})
    await pass_time(here, 10)
    tables = {}
    for table in ("audience", "retention", "talk", "sources", "summary"):
        answer = await here.call("ana", "GET", f"{path}/analytics.csv?table={table}")
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        tables[table] = list(csv.DictReader(io.StringIO(answer.text)))
    assert tables["audience"][0]["participants"] == tables["audience"][0]["reaction_heart"] == "1"
    assert tables["sources"] == [{"source": "bubble", "arrivals": "1", "share": "1.0"}]
    assert tables["talk"] == [] and tables["retention"][0] == {"seconds": "0.0", "share_staying": "1.0"}
    summary = {row["figure"]: row["value"] for row in tables["summary"]}
    assert summary["title"].startswith("'=HYPERLINK"), "no spreadsheet takes it for a formula"
    assert summary["peak_participants"] == "1"


@pytest.mark.parametrize("title", ["", "Tom & <Jerry> \u0007 \U0001f399", "x" * 70])
async def test_a_picture_that_any_reader_of_xml_takes(here: Service, title: str) -> None:
    path = await here.live(title=title)
    empty = await here.call("ana", "GET", f"{path}/analytics.svg")
    assert "Nobody has come yet." in empty.text
    await listen(here, "ben", path, "link")
    await here.ok("ben", "POST", f"{path}/reactions", json={"kind": "heart"})
    await pass_time(here, 10)
    await pass_time(here, 600)
    for theme, colours in (("auto", 2), ("light", 1), ("dark", 1)):
        answer = await here.call("ana", "GET", f"{path}/analytics.svg?theme={theme}")
        assert answer.headers["Content-Type"] == "image/svg+xml"
        root = ElementTree.fromstring(answer.content)
        assert len(re.findall(r"\.paper\{", answer.text)) == colours
        drawn = " ".join(text for text in root.itertext())
        assert "peak 1" in drawn and "Link" in drawn
        assert "nan" not in answer.text and "inf" not in answer.text


async def test_a_restart_goes_on_with_the_same_counts(database: str, tmp_path: Path) -> None:
    async with running(tmp_path, database=database) as before:
        path = await before.live()
        await before.connect("ben", path)
        await before.ok("ben", "POST", f"{path}/requests")
        await pass_time(before, 30)
    async with running(tmp_path, database=database) as after:
        after.clock.ahead += 60
        await after.connect("ben", path)
        await after.connect("cem", path)
        await after.ok("ana", "POST", f"{path}/requests/ben/approve")
        shown = await report(after, path)
        assert shown["unique"]["people"] == 2
        assert shown["requests"]["granted"] == 1 and shown["requests"]["median_wait_seconds"] > 50
        assert shown["retention"]["visits"] == 3, "who was here before is cut off, and came anew"
        assert len(shown["audience"]["data"]) >= 1


async def test_what_was_written_is_there_though_nothing_was_closed(database: str, tmp_path: Path) -> None:
    """As after SIGKILL: the second server reads what the first has written: all but an interval."""
    async with running(tmp_path, database=database) as killed:
        path = await killed.live()
        await killed.connect("ben", path)
        await pass_time(killed, 10)
        before = await report(killed, path)
        await killed.connect("cem", path)
        async with running(tmp_path, database=database) as after:
            assert await report(after, path) == before | {"retention": (await report(after, path))["retention"]}
            assert (await report(after, path))["retention"]["visits"] == 1
