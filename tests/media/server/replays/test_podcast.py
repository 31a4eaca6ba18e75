"""The podcast of somebody's replays: read back by a public parser, held against what its namespace requires."""

import json
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree as ET

import podcastparser

from tests.media.server.replays.over import over
from tests.media.server.service import Service

FEED = "/2/users/ana/podcast.xml"
PODCAST = "{https://podcastindex.org/namespace/1.0}"
REQUIRED = {
    "chapters": {"url", "type"},
    "transcript": {"url", "type"},
    "person": set[str](),
    "guid": set[str](),
    "medium": set[str](),
}
"""Attributes that the namespace requires of a tag (docs/1.0.md of Podcastindex-org/podcast-namespace)."""
podcastparser.Namespace.NAMESPACES[PODCAST[1:-1]] = "podcast"  # 0.6.11 knows it by its older addresses alone
ROLES = {"host", "guest"}
"""Of those of its taxonomy of the group cast."""


async def test_a_public_parser_reads_it(service: Service, tmp_path: Path) -> None:
    await service.ok("ana", "POST", "/users", json={"name": "Ana & <Co>"})
    await service.ok("ben", "POST", "/users", json={"name": "Ben\u200d"})
    replay = await over(service, tmp_path, title="Q&A <1>", anonymous_listening=True)
    answer = await service.call(None, "GET", FEED)
    assert answer.headers["Content-Type"] == "application/rss+xml; charset=utf-8"
    feed = podcastparser.parse("http://spaces" + FEED, BytesIO(answer.content))
    assert (feed["title"], feed["itunes_author"]) == ("Ana & <Co> on Spaces Lab", "Ana & <Co>")
    (episode,) = feed["episodes"]
    assert (episode["title"], episode["total_time"]) == ("Q&A <1>", 80)
    (enclosure,) = episode["enclosures"]
    sound = await service.call(None, "GET", enclosure["url"])
    assert sound.status_code == 200 and sound.headers["Content-Type"] == enclosure["mime_type"] == "audio/ogg"
    assert enclosure["file_size"] == len(sound.content)
    assert [(p["name"], p["role"]) for p in episode["persons"]] == [("Ana & <Co>", "host"), ("Ben\u200d", "guest")]
    chapters = await service.call(None, "GET", episode["chapters_json_url"])
    assert chapters.headers["Content-Type"].startswith("application/json+chapters")
    shown = json.loads(chapters.content)
    assert shown["version"] == "1.2.0"
    assert [(c["startTime"], c["title"]) for c in shown["chapters"]] == [
        *((0.0, "Ana & <Co>"), (30.0, "Ben\u200d"), (60.0, "Ana & <Co>")),
    ]  # fmt: skip
    picture = ET.fromstring((await service.call(None, "GET", f"{replay}/waveform.svg")).content)
    assert picture[0].text == "Loudness of Q&A <1>"


async def test_it_has_what_the_namespace_requires(service: Service, tmp_path: Path) -> None:
    await over(service, tmp_path, title="odd \x01 title", anonymous_listening=True)
    root = ET.fromstring((await service.call(None, "GET", FEED)).content)
    found = [tag for tag in root.iter() if tag.tag.startswith(PODCAST)]
    assert {tag.tag.removeprefix(PODCAST) for tag in found} >= {"chapters", "person", "guid", "medium"}
    for tag in found:
        assert REQUIRED[tag.tag.removeprefix(PODCAST)] <= set(tag.attrib), tag.tag
    assert {tag.attrib["role"] for tag in root.iter(f"{PODCAST}person")} <= ROLES
    for needed in ("title", "link", "description", "language"):
        assert root.findtext(f"channel/{needed}"), needed
    (item,) = root.findall("channel/item")
    assert item.findtext("title") == "odd  title" and item.find("guid").attrib == {"isPermaLink": "false"}  # type: ignore[union-attr]


async def test_it_is_sent_again_only_when_it_has_changed(service: Service, tmp_path: Path) -> None:
    service.clock.stop()
    first = await over(service, tmp_path, anonymous_listening=True)
    service.clock.ahead += 10
    await over(service, tmp_path, anonymous_listening=True)
    before = await service.call(None, "GET", FEED)
    tag, when = before.headers["ETag"], before.headers["Last-Modified"]
    for condition in ({"If-None-Match": tag}, {"If-Modified-Since": when}):
        known = await service.call(None, "GET", FEED, headers=condition)
        assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", tag)
    service.clock.ahead += 10
    await service.ok("ana", "DELETE", first)
    for condition in ({"If-None-Match": tag}, {"If-Modified-Since": when}):
        after = await service.call(None, "GET", FEED, headers=condition)
        assert after.status_code == 200 and after.content.count(b"<item>") == 1


async def test_everybody_finds_in_it_what_they_may_hear(service: Service, tmp_path: Path) -> None:
    await service.ok("ana", "POST", "/users", json={})
    assert (await service.call(None, "GET", FEED)).content.count(b"<item>") == 0
    await over(service, tmp_path)
    await over(service, tmp_path, anonymous_listening=True)
    await service.ok("ana", "POST", "/users/me/blocking", json={"target_user_id": "bob"})
    for name, count in ((None, 1), ("eve", 2), ("ana", 2), ("bob", 0)):
        answer = await service.call(name, "GET", FEED)
        assert answer.content.count(b"<item>") == count, name
        assert "Authorization" in answer.headers["Vary"]
        assert ("private" in answer.headers["Cache-Control"]) is (name is not None)
    assert (await service.call(None, "GET", "/2/users/nobody/podcast.xml")).status_code == 404
