"""Replays over HTTP: wished on purpose, heard by range, trimmed, deleted, and only by who may."""

import asyncio
from pathlib import Path

from media.space.policy import EntryPolicy
from media.space.record import to_record
from tests.media.server.evidence import allow_evidence, decoded, keep_evidence
from tests.media.server.replays.over import TALK, over, slug
from tests.media.server.service import Service, running


async def test_a_space_that_was_wished_for_can_be_heard_again(service: Service, tmp_path: Path) -> None:
    replay = await over(service, tmp_path, title="Launch")
    shown = await service.ok("eve", "GET", replay)
    assert (shown["state"], shown["duration_ms"], shown["whole_ms"], shown["title"]) == (
        *("ready", 80_000, 80_000, "Launch"),
    )  # fmt: skip
    assert [(c["user_id"], c["start_ms"], c["end_ms"]) for c in shown["chapters"]] == [
        ("ana", 0, 30_000),
        ("ben", 30_000, 60_000),
        ("ana", 60_000, 80_000),
    ]
    assert [(p["user_id"], p["role"], p["spoke_ms"]) for p in shown["persons"]] == [
        ("ana", "host", 47_000),
        ("ben", "guest", 30_500),
    ]
    assert [(link["post_id"], link["shown_by"]) for link in shown["links"]] == [("7", "ana")]
    assert len(shown["waveform"]) == 200 and shown["waveform"][0] == 0 and shown["waveform"][50] == 67
    sound = await service.call("eve", "GET", f"{replay}.ogg")
    assert sound.status_code == 200 and len(sound.content) == shown["size"]
    assert sound.headers["Content-Type"] == "audio/ogg" and sound.headers["Accept-Ranges"] == "bytes"
    heard = decoded(sound.content)
    assert abs(len(heard) / 48_000 - 80) < 0.1
    assert abs(heard[: 48_000 // 2]).max() < 0.01 < abs(heard[2 * 48_000 : 3 * 48_000]).max()


async def test_the_wish_is_shown_and_cannot_come_late(service: Service) -> None:
    path = await service.live()
    assert (await service.ok("eve", "GET", path))["is_available_for_replay"] is False
    late = await service.call("ana", "PATCH", path, json={"is_available_for_replay": True})
    assert (late.status_code, slug(late)) == (409, "wrong-state") and "before the Space starts" in late.text
    wished = await service.live(is_available_for_replay=True)
    assert (await service.ok("eve", "GET", wished))["is_available_for_replay"] is True
    for name in ("ben", "eve"):
        refused = await service.call(name, "PATCH", wished, json={"is_available_for_replay": False})
        assert refused.status_code == 403
    waiting = await service.ok("eve", "GET", f"/2{wished}/replay")
    assert waiting["state"] == "waiting"
    refused = await service.call("eve", "GET", f"/2{wished}/replay.ogg")
    assert (refused.status_code, slug(refused)) == (409, "replay-waiting")
    draft = await service.ok("ana", "POST", "/spaces", json={})
    changed = await service.ok("ana", "PATCH", f"/spaces/{draft['id']}", json={"is_available_for_replay": True})
    assert changed["is_available_for_replay"] is True


async def test_a_wish_that_was_taken_back_leaves_no_replay(service: Service, tmp_path: Path) -> None:
    path = await service.live(is_available_for_replay=True)
    await service.ok("ana", "PATCH", path, json={"is_available_for_replay": False})
    await keep_evidence(service, tmp_path, path, TALK)
    await service.ok("ana", "POST", f"{path}/end")
    await service.settle()
    await service.app.state.replays.sweep()
    answer = await service.call("ana", "GET", f"/2{path}/replay")
    assert (answer.status_code, slug(answer)) == (404, "unknown-replay")
    assert not (tmp_path / "replays").exists()


async def test_nothing_recorded_is_no_replay(service: Service) -> None:
    path = await service.live(is_available_for_replay=True)
    await service.ok("ana", "POST", f"{path}/end")
    await service.settle()
    assert await service.app.state.replays.sweep(), "its recording may still be on its way"
    service.clock.ahead += 61
    assert not await service.app.state.replays.sweep()
    assert (await service.ok("ana", "GET", f"/2{path}/replay"))["state"] == "failed"
    assert (await service.call("ana", "GET", f"/2{path}/replay.ogg")).status_code == 404


RANGES: list[tuple[str, int, tuple[int, int] | None]] = [
    ("bytes=0-99", 206, (0, 100)),
    ("bytes=100-", 206, (100, 0)),
    ("bytes=-50", 206, (-50, 0)),
    ("bytes=0-99999999999", 206, (0, 0)),
    ("bytes=5-4", 200, (0, 0)),
    ("bytes=0-1,4-5", 200, (0, 0)),
    ("lines=0-1", 200, (0, 0)),
    ("bytes=-", 200, (0, 0)),
    ("bytes=-0", 416, None),
    ("bytes=99999999-", 416, None),
]


async def test_a_player_can_seek(service: Service, tmp_path: Path) -> None:
    address = f"{await over(service, tmp_path)}.ogg"
    whole = await service.call("eve", "GET", address)
    size = len(whole.content)
    for asked, status, part in RANGES:
        answer = await service.call("eve", "GET", address, headers={"Range": asked})
        assert answer.status_code == status, asked
        if part is None:
            assert answer.headers["Content-Range"] == f"bytes */{size}" and slug(answer) == "bad-range"
            continue
        start, end = (part[0] + size) % size, part[1] or size
        assert answer.content == whole.content[start:end], asked
        assert answer.headers["Content-Length"] == str(end - start)
        if status == 206:
            assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{size}"
    head = await service.call("eve", "HEAD", address, headers={"Range": "bytes=0-9"})
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (206, b"", "10")


async def test_a_part_of_another_file_is_never_put_to_it(service: Service, tmp_path: Path) -> None:
    replay = await over(service, tmp_path)
    before = await service.call("eve", "GET", f"{replay}.ogg")
    tag, when = before.headers["ETag"], before.headers["Last-Modified"]
    part = {"Range": "bytes=0-9"}
    for condition, status in ((tag, 206), (when, 206), ('"other"', 200), (f"W/{tag}", 200)):
        answer = await service.call("eve", "GET", f"{replay}.ogg", headers=part | {"If-Range": condition})
        assert answer.status_code == status, condition
    known = await service.call("eve", "GET", f"{replay}.ogg", headers={"If-None-Match": f'"x", {tag}'})
    assert (known.status_code, known.content) == (304, b"")
    await service.ok("ana", "PUT", replay, json={"start_ms": 30_000, "end_ms": 60_000})
    again = await service.call("eve", "GET", f"{replay}.ogg", headers=part | {"If-Range": tag})
    assert again.status_code == 200 and again.headers["ETag"] != tag


async def test_what_is_cut_off_is_not_heard_and_can_come_back(service: Service, tmp_path: Path) -> None:
    replay = await over(service, tmp_path)
    whole = (await service.call("eve", "GET", f"{replay}.ogg")).content
    trimmed = await service.ok("ana", "PUT", replay, json={"start_ms": 31_500, "end_ms": 62_000})
    assert (trimmed["duration_ms"], trimmed["whole_ms"]) == (30_500, 80_000)
    assert [(c["user_id"], c["start_ms"], c["end_ms"]) for c in trimmed["chapters"]] == [("ben", 0, 30_500)]
    assert [p["user_id"] for p in trimmed["persons"]] == ["ben"]
    assert trimmed["links"][0]["at_ms"] is None and min(trimmed["waveform"]) > 60
    part = (await service.call("eve", "GET", f"{replay}.ogg")).content
    assert abs(len(decoded(part)) / 48_000 - 30.5) < 0.1 and len(part) < len(whole) / 2
    assert (await service.ok("ana", "PUT", replay, json={"start_ms": 0, "end_ms": 80_000}))["size"] > len(part)
    for start_ms, end_ms in ((0, 999), (5_000, 4_000), (0, 80_001)):
        refused = await service.call("ana", "PUT", replay, json={"start_ms": start_ms, "end_ms": end_ms})
        assert (refused.status_code, slug(refused)) == (422, "bad-input"), (start_ms, end_ms)
    space_id = replay.split("/")[3]
    assert len([*(tmp_path / "replays" / space_id).iterdir()]) == 2, "the whole, and what is heard"


async def test_it_outlives_the_evidence_and_goes_without_it(service: Service, tmp_path: Path) -> None:
    replay = await over(service, tmp_path)
    space_id = replay.split("/")[3]
    service.clock.ahead += 40 * 86_400
    assert await service.app.state.recordings.retention.run() == 1
    assert (await service.call("eve", "GET", f"{replay}.ogg")).status_code == 200
    await service.ok("ana", "PUT", replay, json={"start_ms": 1_000, "end_ms": 9_000})
    await service.ok("ana", "DELETE", replay)
    assert not (tmp_path / "replays" / space_id).exists()
    await service.app.state.replays.sweep()
    for method, address in (("GET", replay), ("GET", f"{replay}.ogg"), ("DELETE", replay)):
        answer = await service.call("ana", method, address)
        assert (answer.status_code, slug(answer)) == (404, "unknown-replay")


async def test_who_may_hear_it_and_who_may_change_it(service: Service, tmp_path: Path) -> None:
    closed = await over(service, tmp_path)
    opened = await over(service, tmp_path, anonymous_listening=True)
    await service.ok("ana", "POST", "/users/me/blocking", json={"target_user_id": "bob"})
    for rest in ("", ".ogg", "/waveform.svg", "/chapters.json"):
        for replay, name, status in (
            *((closed, "eve", 200), (closed, None, 401), (closed, "bob", 403)),
            *((opened, "eve", 200), (opened, None, 200), (opened, "bob", 403)),
        ):
            assert (await service.call(name, "GET", replay + rest)).status_code == status, (replay, name, rest)
        unknown = await service.call(None, "GET", f"/2/spaces/0000000000000/replay{rest}")
        assert unknown.status_code == 401, "as one that is not for everybody"
    for name in ("ben", "eve", None):
        for method, body in (("PUT", {"start_ms": 0, "end_ms": 5_000}), ("DELETE", None)):
            answer = await service.call(name, method, closed, json=body)
            assert answer.status_code == (401 if name is None else 403), (name, method)
    assert (await service.call("root", "DELETE", closed)).status_code == 204


async def test_where_only_the_followed_came_in_only_they_hear_it(service: Service, tmp_path: Path) -> None:
    for name in ("ana", "fan"):
        await service.ok(name, "POST", "/users", json={})
    replay = await over(service, tmp_path, anonymous_listening=True)
    space = await service.app.state.spaces.get(replay.split("/")[3])
    space.entry_policy = EntryPolicy.FOLLOWING
    await service.app.state.spaces.store.save(to_record(space))
    await service.ok("ana", "POST", "/users/me/following", json={"target_user_id": "fan"})
    for name, status in (("fan", 200), ("ben", 200), ("ana", 200), ("eve", 403), (None, 401)):
        assert (await service.call(name, "GET", replay)).status_code == status, name


async def test_whatever_is_killed_the_next_process_makes_it(tmp_path: Path) -> None:
    allow_evidence(tmp_path)
    async with running(tmp_path) as first:
        path = await first.live(is_available_for_replay=True)
        await keep_evidence(first, tmp_path, path, TALK)
        await first.app.state.replays.sweep()
        await first.ok("ana", "POST", f"{path}/end")
        await first.app.state.replays.close()
        folder = tmp_path / "replays" / path.rpartition("/")[2]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "whole.ogg.part").write_bytes(b"half of it")
    (tmp_path / "replays" / "0000000000000").mkdir()
    async with running(tmp_path) as second:
        await second.app.state.replays.sweep()
        assert (await second.ok("eve", "GET", f"/2{path}/replay"))["state"] == "ready"
        assert [file.name for file in folder.iterdir()] == ["whole.ogg"]
        assert not (tmp_path / "replays" / "0000000000000").exists()


async def test_a_full_disk_is_one_sentence_and_tried_again(service: Service, tmp_path: Path) -> None:
    path = await service.live(is_available_for_replay=True)
    folder = tmp_path / "replays" / path.rpartition("/")[2]
    folder.mkdir(parents=True)
    (folder / "whole.ogg.part").symlink_to("/dev/full")
    await keep_evidence(service, tmp_path, path, TALK)
    await service.ok("ana", "POST", f"{path}/end")
    await service.settle()
    while not service.app.state.replays.faults:
        await asyncio.sleep(0.01)
    replay = f"/2{path}/replay"
    shown = await service.ok("ana", "GET", replay)
    assert shown["state"] == "waiting" and "No space left on device" in shown["fault"]
    assert (await service.ok("eve", "GET", replay))["fault"] is None
    await service.app.state.replays.sweep()
    assert (await service.ok("ana", "GET", replay))["state"] == "ready"
    (folder / "0-5000.ogg.part").symlink_to("/dev/full")
    refused = await service.call("ana", "PUT", replay, json={"start_ms": 0, "end_ms": 5_000})
    assert (refused.status_code, slug(refused)) == (507, "disk-full") and "make room" in refused.json()["detail"]
    assert (await service.ok("ana", "GET", replay))["duration_ms"] == 80_000
