"""Posts from files, on every database: all or none, faults named by line; and posts for a lab."""

import json
import time
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from media.server.finding.imports import import_posts_into
from media.server.finding.tables import POST_WORDS, POSTS
from media.server.imports import ImportLineError, import_into
from media.server.lab import write
from media.server.lab_posts import END, write_posts
from media.server.store import Store
from tests.media.server.process import run
from tests.media.server.service import running

AT = "2021-05-03T12:00:00Z"


def lines(*entries: dict[str, object] | str) -> str:
    return "".join((e if isinstance(e, str) else json.dumps(e)) + "\n" for e in entries)


ONE = {"author_id": "1", "text": "I like ACME", "created_at": AT}
TWO = {"id": "77", "author_id": "2", "text": "acme, too", "created_at": AT, "lang": "de"}


async def prepared(database: str, folder: Path) -> None:
    (folder / "users.csv").write_text("id,username,name\n1,ana,Ana\n2,ben,Ben\n")
    await import_into(database, folder / "users.csv", None)


async def count(url: str) -> int:
    store = Store(url)
    await store.open()
    async with store.database.connect() as connection:
        tables = (POSTS, POST_WORDS)
        found = [
            (await connection.execute(sa.select(sa.func.count()).select_from(t))).scalar_one() for t in tables
        ]
    await store.close()
    return sum(found)


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
async def test_what_is_imported_is_found(database: str, tmp_path: Path, kind: str) -> None:
    await prepared(database, tmp_path)
    path = tmp_path / f"posts.{kind}"
    table = f'text,author_id,created_at,id,lang\nI like ACME,1,{AT},,\n"acme, too",2,{AT},77,de\n'
    path.write_text("\ufeff" + (lines(ONE, "", TWO) if kind == "jsonl" else table), encoding="utf-8")
    assert await import_posts_into(database, path) == 2
    async with running(tmp_path, database=database) as service:
        feed = (await service.ok("root", "GET", "/posts"))["data"]
        assert [p["text"] for p in feed] == ["acme, too", "I like ACME"]
        assert (feed[0]["id"], feed[0]["lang"], feed[1]["lang"]) == ("77", "de", "en")
        people = await service.ok("root", "GET", "/people/search?terms=acme&half_life_days=1000")
        assert {p["user"]["username"] for p in people["data"]} == {"ana", "ben"}
        await service.ok("1", "POST", "/posts", json={"text": "after"})
        assert (await service.ok("root", "GET", "/posts?max_results=1"))["data"][0]["text"] == "after"


FAULTS = {
    "no JSON": (lines(ONE, "{"), "line 2, column (unknown)"),
    "no object": (lines("[1]"), "line 1, column (unknown)"),
    "too deep": (lines("[" * 100_000), "line 1, column (unknown)"),
    "no author": (lines({"text": "x", "created_at": AT}), "line 1, column author_id"),
    "stranger": (lines(ONE, ONE | {"author_id": "3"}), "line 2, column author_id: There is no user '3'"),
    "field": (lines(ONE | {"likes": "3"}), "line 1, column likes"),
    "number": (lines(ONE | {"text": 3}), "line 1, column text"),
    "blank": (lines(ONE | {"text": " "}), "line 1, column text"),
    "NUL": (lines(ONE | {"text": "\0"}), "line 1, column text"),
    "half a letter": (lines(ONE | {"text": "\ud800"}), "line 1, column text"),
    "too long": (lines(ONE | {"text": "x" * 4_001}), "line 1, column text"),
    "time": (lines(ONE | {"created_at": "yesterday"}), "line 1, column created_at"),
    "language": (lines(ONE | {"lang": "German!"}), "line 1, column lang"),
    "id": (lines(ONE | {"id": "a b"}), "line 1, column id"),
    "id twice": (lines(TWO, "", TWO), "line 3, column id: '77' is in line 1 already"),
    "known": (lines(ONE, TWO | {"id": "5"}), "line 2, column id: There is a post '5' already"),
}


@pytest.mark.parametrize(("text", "says"), FAULTS.values(), ids=FAULTS)
async def test_a_wrong_line_is_named_and_nothing_is_imported(
    database: str, tmp_path: Path, text: str, says: str
) -> None:
    await prepared(database, tmp_path)
    path = tmp_path / "posts.jsonl"
    path.write_text(lines(TWO | {"id": "5"}))
    await import_posts_into(database, path)
    before = await count(database)
    path.write_text(text)
    with pytest.raises(ImportLineError) as error:
        await import_posts_into(database, path)
    assert says in str(error.value) and str(error.value).endswith("Nothing was imported.")
    assert await count(database) == before


async def test_a_lab_has_posts_that_can_be_imported_and_searched(tmp_path: Path) -> None:
    users, follows = write(300, 7, tmp_path)
    posts = write_posts(300, 2_000, 7, tmp_path)
    text = posts.read_text()
    assert write_posts(300, 2_000, 7, tmp_path).read_text() == text
    assert write_posts(300, 2_000, 8, tmp_path / "other").read_text() != text
    entries = [json.loads(line) for line in text.splitlines()]
    assert [e["created_at"] for e in entries] == sorted(e["created_at"] for e in entries)
    per_author = Counter(e["author_id"] for e in entries).most_common()
    assert sum(n for _, n in per_author[:30]) > 0.3 * len(entries), "a tenth posts a third and more"
    assert sum("acme" in e["text"].lower() for e in entries) > 100
    await import_into(f"sqlite+aiosqlite:///{tmp_path / 'spaces.db'}", users, follows)
    done = run("import", "--data", tmp_path, "posts", posts)
    assert (done.returncode, done.stdout) == (0, "2000 posts imported.\n"), done.stderr
    async with running(tmp_path) as service:
        service.clock.ahead = END.timestamp() - time.time()
        people = await service.ok("root", "GET", "/people/search?terms=acme&terms=%23AcmeLaunch&max_results=5")
        assert people["meta"]["found_count"] > 20
        assert len(people["data"][0]["posts"]) == 3
