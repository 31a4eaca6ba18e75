"""People from files, on every database: all or none, faults named by line and column; and people for a lab."""

import csv
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from media.server.imports import ImportLineError, import_into
from media.server.lab import REACH, SHARE, follower_counts, write
from media.server.store import Store
from media.server.tables import RELATIONS, USERS
from tests.media.server.process import run
from tests.media.server.service import running

USERS_CSV = "id,username,name,verified\n1,ana,Ana Łuczak,true\n2,Ben,Ben,\n3,cem,Cem,false\n"
FOLLOWS_CSV = "followed_id,follower_id\n1,2\n1,3\n2,1\n"


def files(folder: Path, users: str | bytes = USERS_CSV, follows: str | bytes = FOLLOWS_CSV) -> tuple[Path, Path]:
    paths = folder / "users.csv", folder / "follows.csv"
    for path, text in zip(paths, (users, follows), strict=True):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return paths


async def rows(url: str) -> int:
    store = Store(url)
    await store.open()
    async with store.database.connect() as connection:
        found = [
            (await connection.execute(sa.select(sa.func.count()).select_from(t))).scalar_one() for t in TABLES
        ]
    await store.close()
    return sum(found)


TABLES = (USERS, RELATIONS)


async def test_what_is_imported_is_served(database: str, tmp_path: Path) -> None:
    assert await import_into(database, *files(tmp_path)) == (3, 3)
    more = files(tmp_path, "name,username,id\nDag,dag,4\n", "follower_id,followed_id\n4,1\n")
    assert await import_into(database, *more) == (1, 1)
    async with running(tmp_path, database=database) as service:
        ana = await service.ok("1", "GET", "/users/by/username/ANA")
        assert (ana["id"], ana["name"], ana["verified"]) == ("1", "Ana Łuczak", True)
        assert ana["public_metrics"] == {"followers_count": 3, "following_count": 1}
        followers = (await service.ok("1", "GET", "/users/1/followers"))["data"]
        assert [user["username"] for user in followers] == ["dag", "cem", "Ben"]
        await service.ok("2", "DELETE", "/users/me/following/1")
        assert (await service.ok("1", "GET", "/users/1"))["public_metrics"]["followers_count"] == 2


FAULTS = {
    "no header": ("", None, "users.csv, line 1, column id"),
    "column twice": ("id,id,username,name\n", None, "users.csv, line 1, column id"),
    "unknown column": ("id,username,name,age\n", None, "users.csv, line 1, column age"),
    "id": (USERS_CSV + "a b,dag,Dag,\n", None, "users.csv, line 5, column id"),
    "id twice": (USERS_CSV + "1,dag,Dag,\n", None, "users.csv, line 5, column id: '1' is in line 2 already"),
    "username twice": (USERS_CSV + "4,BEN,Dag,\n", None, "users.csv, line 5, column username"),
    "name": (USERS_CSV + "4,dag,\x00,\n", None, "users.csv, line 5, column name"),
    "flag": (USERS_CSV + "4,dag,Dag,yes\n", None, "users.csv, line 5, column verified"),
    "short": (USERS_CSV + "4,dag\n", None, "users.csv, line 5, column username"),
    "long": (USERS_CSV + "4,dag,Dag,,,\n", None, "users.csv, line 5, column verified"),
    "quote": (USERS_CSV + '4,"dag,Dag,\n', None, "users.csv, line 5, column"),
    "bytes": (USERS_CSV.encode() + b"4,dag,\xff,\n", None, "not UTF-8"),
    "time": ("id,username,name,created_at\n1,ana,Ana,2021-05-03\n", None, "users.csv, line 2, column created_at"),
    "nobody": (None, FOLLOWS_CSV + "9,1\n", "follows.csv, line 5, column followed_id: There is no user '9'"),
    "themselves": (None, FOLLOWS_CSV + "1,1\n", "follows.csv, line 5, column followed_id"),
    "twice": (None, FOLLOWS_CSV + "1,2\n", "follows.csv, line 5, column followed_id: '2' follows '1' in line 2"),
}


@pytest.mark.parametrize(("users", "follows", "says"), FAULTS.values(), ids=FAULTS)
async def test_a_wrong_line_is_named_and_nothing_is_imported(
    database: str, tmp_path: Path, users: str | None, follows: str | None, says: str
) -> None:
    paths = files(tmp_path, USERS_CSV if users is None else users, follows or FOLLOWS_CSV)
    with pytest.raises(ImportLineError) as fault:
        await import_into(database, *paths)
    assert says in str(fault.value)
    assert str(fault.value).endswith("Nothing was imported.")
    assert await rows(database) == 0


async def test_who_is_there_already_is_not_imported_again(database: str, tmp_path: Path) -> None:
    await import_into(database, *files(tmp_path))
    for users, follows, says in (
        (USERS_CSV, FOLLOWS_CSV, "users.csv, line 2, column id"),
        ("id,username,name\n9,BEN,Ben\n", FOLLOWS_CSV, "users.csv, line 2, column username"),
        ("id,username,name\n9,eve,Eve\n", FOLLOWS_CSV, "follows.csv, line 2, column followed_id"),
    ):
        with pytest.raises(ImportLineError, match=says):
            await import_into(database, *files(tmp_path, users, follows))
    assert await rows(database) == 6


def test_follower_counts_are_those_of_the_product() -> None:
    counts = follower_counts(400_000, np.random.default_rng(7))
    for reach in (60, REACH, 6_000):
        expected = SHARE * (REACH / reach) ** 1.18
        spread = 4 * np.sqrt(expected / counts.size)  # standard errors
        assert np.mean(counts >= reach) == pytest.approx(expected, abs=spread)


def test_the_same_seed_writes_the_same_people(tmp_path: Path) -> None:
    first, again, other = (write(300, seed, tmp_path / str(n)) for n, seed in enumerate((1, 1, 2)))
    for place in (0, 1):
        assert first[place].read_bytes() == again[place].read_bytes() != other[place].read_bytes()
    with first[1].open() as file:
        pairs = [(row["follower_id"], row["followed_id"]) for row in csv.DictReader(file)]
    assert len(set(pairs)) == len(pairs) > 300
    assert all(one != another for one, another in pairs)


def test_from_the_command_line(tmp_path: Path) -> None:
    assert run("people", "--users", "200", "--seed", "3", "--out", tmp_path).returncode == 0
    paths = tmp_path / "users.csv", tmp_path / "follows.csv"
    done = run("import", "--data", tmp_path / "data", *paths)
    assert (done.returncode, done.stdout[:14]) == (0, "200 users and "), done.stderr
    again = run("--data", tmp_path / "data", "import", *paths)
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    assert "users.csv, line 2, column id" in again.stderr
    for arguments in (("people", "--users", "0", "--out", tmp_path), ("import", tmp_path / "none.csv")):
        wrong = run(*arguments) if arguments[0] == "people" else run("--data", tmp_path / "data", *arguments)
        assert (wrong.returncode, wrong.stderr.count("\n")) == (1, 1)
