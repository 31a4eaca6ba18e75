"""Archives of a Space and of a person: whole or not there, once, for a week, and for whom they are."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from media.server.downloads.archive import Step, write_archive
from media.space.events import PersonRemoved
from tests.media.server.evidence import Said, allow_evidence, decoded, keep_evidence
from tests.media.server.service import Service, running

TALK: list[Said] = [("ana", 500, 2_000), ("ben", 2_000, 4_000)]
ME = "/2/users/me/download"


async def over(service: Service, data: Path, **body: Any) -> str:
    """Make a Space of ana in which ben spoke, and end it."""
    path = await service.live(**body)
    await service.ok("ben", "POST", f"{path}/requests")
    await service.ok("ana", "POST", f"{path}/requests/ben/approve")
    await service.connect("ben", path, "whip")
    await service.connect("eve", path)
    await service.ok("eve", "POST", f"{path}/messages", json={"text": "../../etc/passwd"})
    space = await service.app.state.spaces.get(path.rpartition("/")[2])
    await keep_evidence(service, data, path, TALK, [PersonRemoved(space.started_at + 3, "rex")])
    return path


async def ended(service: Service, data: Path, **body: Any) -> str:
    path = await over(service, data, **body)
    await service.ok("ana", "POST", f"{path}/end")
    await service.settle()
    return f"/2{path}/download"


def slug(response: Any) -> str:
    return response.json()["type"].rpartition(":")[2]


def opened(content: bytes) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    assert all(not name.startswith("/") and ".." not in name and "\\" not in name for name in archive.namelist())
    return archive


async def fetched(service: Service, name: str, address: str) -> zipfile.ZipFile:
    asked = await service.call(name, "POST", address)
    assert asked.status_code == 202, asked.text
    await service.app.state.downloads.sweep()
    shown = await service.ok(name, "GET", address)
    assert (shown["state"], shown["progress"], shown["url"]) == ("ready", 1.0, f"{address}.zip")
    answer = await service.call(name, "GET", shown["url"])
    assert len(answer.content) == shown["size"] and answer.headers["Content-Type"] == "application/zip"
    return opened(answer.content)


async def test_a_host_gets_all_of_the_space_and_nothing_of_who_reported(service: Service, tmp_path: Path) -> None:
    path = await over(service, tmp_path, title="../Launch")
    body = {"space_id": path.rpartition("/")[2], "user_id": "ben", "category": "disturbance", "text": "he shouted"}
    assert (await service.call("eve", "POST", "/2/reports", json=body)).status_code == 201
    await service.ok("ana", "POST", f"{path}/end")
    await service.settle()
    archive = await fetched(service, "ana", f"/2{path}/download")
    assert {*archive.namelist()} == {
        *(
            "space.json",
            "participants.json",
            "messages.json",
            "shared-posts.json",
            "events.json",
            "analytics.json",
        ),
        *("reports.json", "transcript.vtt", "transcript.srt", "transcript.json", "about.json"),
        *("audio/mix.ogg", "audio/own-track.ogg"),
    }
    assert json.loads(archive.read("space.json"))["title"] == "../Launch"
    assert {p["user_id"] for p in json.loads(archive.read("participants.json"))} >= {"ana", "ben"}
    assert json.loads(archive.read("events.json"))[0]["event"] == "PersonRemoved"
    assert json.loads(archive.read("reports.json")) == [], "it is not decided"
    assert abs(len(decoded(archive.read("audio/mix.ogg"))) / 48_000 - 4) < 0.1
    assert abs(len(decoded(archive.read("audio/own-track.ogg"))) / 48_000 - 2) < 0.1
    everything = b"".join(archive.read(name) for name in archive.namelist() if not name.endswith(".ogg"))
    assert b"he shouted" not in everything and b"disturbance" not in everything


async def test_of_a_decided_report_the_host_is_told_what_was_decided(service: Service, tmp_path: Path) -> None:
    path = await over(service, tmp_path)
    body = {"space_id": path.rpartition("/")[2], "user_id": "ben", "category": "disturbance", "text": "he shouted"}
    assert (await service.call("eve", "POST", "/2/reports", json=body)).status_code == 201
    headers = {"Authorization": f"Bearer {service.token('rita', roles=['reviewer'])}"}
    claimed = await service.http.post("/2/moderation/claims", json={}, headers=headers)
    case = claimed.json()["data"]["id"]
    decision = {"actions": ["warn"], "note": "Heard."}
    await service.http.post(f"/2/moderation/cases/{case}/decision", json=decision, headers=headers)
    service.clock.ahead += 11
    await service.app.state.moderation.sweep()
    await service.ok("ana", "POST", f"{path}/end")
    await service.settle()
    archive = await fetched(service, "ana", f"/2{path}/download")
    (report,) = json.loads(archive.read("reports.json"))
    assert (report["about"], report["category"], report["violation"]) == ("ben", "disturbance", True)
    text = archive.read("reports.json")
    assert b"eve" not in text and b"rita" not in text and b"shouted" not in text and b"Heard" not in text


async def test_everybody_gets_their_own_and_nothing_of_others(service: Service, tmp_path: Path) -> None:
    for name in ("ana", "ben"):
        await service.ok(name, "POST", "/users", json={})
    await service.ok("ben", "POST", "/users/me/following", json={"target_user_id": "ana"})
    address = await ended(service, tmp_path, title="secretword")
    space_id = address.split("/")[3]
    report = {"space_id": space_id, "user_id": "ana", "category": "disturbance", "text": "my own words"}
    assert (await service.call("ben", "POST", "/2/reports", json=report)).status_code == 201
    archive = await fetched(service, "ben", ME)
    folder = f"spaces/{space_id}/"
    assert {*archive.namelist()} == {
        *("profile.json", "follows.json", "reports.json", "spaces.json", "about.json", f"{folder}own-track.ogg"),
        *(f"{folder}transcript.{kind}" for kind in ("vtt", "srt", "json")),
    }
    assert json.loads(archive.read("profile.json"))["id"] == "ben"
    assert json.loads(archive.read("follows.json"))["following"] == ["ana"]
    assert [r["text"] for r in json.loads(archive.read("reports.json"))] == ["my own words"]
    assert [(s["id"], s["host"], s["spoke"]) for s in json.loads(archive.read("spaces.json"))] == [
        (space_id, False, True)
    ]
    stranger = await fetched(service, "sam", ME)
    assert json.loads(stranger.read("spaces.json")) == [] and len(stranger.namelist()) == 5


async def test_asked_for_twice_it_is_one_and_gone_after_a_week(service: Service, tmp_path: Path) -> None:
    service.clock.stop()
    address = await ended(service, tmp_path)
    assert (await service.call("ana", "GET", address)).status_code == 404
    first, again = [await service.ok("ana", "POST", address) for _ in range(2)]
    assert first["asked_at"] == again["asked_at"]
    await service.app.state.downloads.sweep()
    ready = await service.ok("ana", "POST", address)
    assert ready["state"] == "ready" and len([*(tmp_path / "downloads").iterdir()]) == 1
    service.clock.ahead += 7 * 86_400 + 1
    for rest in ("", ".zip"):
        answer = await service.call("ana", "GET", address + rest)
        assert (answer.status_code, slug(answer)) == (404, "unknown-download")
    await service.app.state.downloads.sweep()
    assert not [*(tmp_path / "downloads").iterdir()]


async def test_what_broke_off_goes_on(service: Service, tmp_path: Path) -> None:
    address = f"{await ended(service, tmp_path)}"
    await fetched(service, "ana", address)
    whole = await service.call("ana", "GET", f"{address}.zip")
    headers = {"Range": "bytes=1000-", "If-Range": whole.headers["ETag"]}
    rest = await service.call("ana", "GET", f"{address}.zip", headers=headers)
    assert rest.status_code == 206 and whole.content[:1000] + rest.content == whole.content


async def test_only_the_host_downloads_a_space_and_only_when_it_is_over(service: Service, tmp_path: Path) -> None:
    path = await over(service, tmp_path)
    early = await service.call("ana", "POST", f"/2{path}/download")
    assert (early.status_code, slug(early)) == (409, "wrong-state")
    await service.ok("ana", "POST", f"{path}/end")
    for name, status in (("ben", 403), ("eve", 403), ("root", 403), (None, 401)):
        for method, rest in (("POST", ""), ("GET", ""), ("GET", ".zip")):
            answer = await service.call(name, method, f"/2{path}/download{rest}")
            assert answer.status_code == status, (name, method, rest)
    for method, rest in (("POST", ""), ("GET", ""), ("GET", ".zip")):
        assert (await service.call(None, method, ME + rest)).status_code == 401


async def test_evidence_that_is_gone_is_said_to_be(service: Service, tmp_path: Path) -> None:
    address = await ended(service, tmp_path)
    service.clock.ahead += 40 * 86_400
    assert await service.app.state.recordings.retention.run() == 1
    archive = await fetched(service, "ana", address)
    assert "audio/mix.ogg" not in archive.namelist()
    missing = json.loads(archive.read("about.json"))["missing"]
    assert {*missing} >= {"audio/mix.ogg", "audio/own-track.ogg", "events.json"}
    assert "erased" in missing["audio/mix.ogg"]


async def test_half_an_archive_is_never_served_and_begun_anew(tmp_path: Path) -> None:
    allow_evidence(tmp_path)
    async with running(tmp_path) as first:
        address = await ended(first, tmp_path)
        await first.app.state.downloads.close()
        assert (await first.ok("ana", "POST", address))["state"] == "waiting"
        early = await first.call("ana", "GET", f"{address}.zip")
        assert (early.status_code, slug(early)) == (409, "download-waiting")
    (tmp_path / "downloads").mkdir(exist_ok=True)
    for name in ("0123.zip.part", "0123.zip"):
        (tmp_path / "downloads" / name).write_bytes(b"PK half")
    async with running(tmp_path) as second:
        await second.app.state.downloads.sweep()
        assert (await second.ok("ana", "GET", address))["state"] == "ready"
        assert len([*(tmp_path / "downloads").iterdir()]) == 1
        opened((await second.call("ana", "GET", f"{address}.zip")).content)


async def test_a_full_disk_is_one_sentence_and_nothing_is_left(tmp_path: Path) -> None:
    async def made() -> bytes:
        return bytes(1 << 20)

    (tmp_path / "a.zip.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        await write_archive(tmp_path / "a.zip", [Step("audio/mix.ogg", made)], lambda _: None)
    assert not [*tmp_path.iterdir()]


async def test_an_archive_that_failed_says_why_and_can_be_asked_for_again(
    service: Service, tmp_path: Path
) -> None:
    address = await ended(service, tmp_path)
    (tmp_path / "downloads").write_text("in the way")
    await service.ok("ana", "POST", address)
    await service.app.state.downloads.sweep()
    shown = await service.ok("ana", "GET", address)
    assert shown["state"] == "failed" and "could not be written" in shown["fault"]
    refused = await service.call("ana", "GET", f"{address}.zip")
    assert (refused.status_code, refused.json()["detail"]) == (409, shown["fault"])
    (tmp_path / "downloads").unlink()
    await fetched(service, "ana", address)


async def test_no_name_leads_out_of_an_archive(tmp_path: Path) -> None:
    async def made() -> bytes:
        return b"x"

    for name in ("../a.json", "/a.json", "spaces/../../a.json", "a\\b.json", "spaces/..", "C:a.json", "a.exe"):
        with pytest.raises(ValueError, match="no name"):
            await write_archive(tmp_path / "a.zip", [Step(name, made)], lambda _: None)
        assert not [*tmp_path.iterdir()], name
