"""Finding people by handle or name: who is found, in which order and by whom; on every database."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from media.server import lookup, migrations
from media.server.imports import import_people
from media.server.tables import USER_WORDS
from tests.media.server.service import Service, running


@pytest.fixture
async def service(tmp_path: Path, database: str) -> AsyncIterator[Service]:
    async with running(tmp_path, database=database) as one:
        yield one


async def people(service: Service, **named: str) -> None:
    for name, full in named.items():
        await service.ok(name, "POST", "/users", json={"name": full})


async def look(service: Service, query: str, name: str = "me2", **more: Any) -> list[str]:
    answer = await service.ok(name, "GET", "/users/search", params={"query": query, **more})
    assert answer["meta"]["result_count"] == len(answer["data"])
    return [user["id"] for user in answer["data"]]


async def test_people_are_found_by_what_one_types_of_them(service: Service) -> None:
    await people(service, ana="Ana Łuczak", bob="Siobhán O'Brien", taro="山田太郎", u17="Ångström, Kim")
    await service.ok("u17", "PATCH", "/users/me", json={"username": "K.Ang_s"})
    for query, found in {
        "ana": ["ana"],
        "@ANA": ["ana"],
        "łucz an": ["ana"],
        "ana brien": [],
        "siobhan": ["bob"],
        "o'brien": ["bob"],
        "bri": ["bob"],
        "太郎": ["taro"],
        "山田": ["taro"],
        "angstrom": ["u17"],
        "k.ang": ["u17"],
        "u17": [],
        "  @ ": [],
        "%": [],
        "an_": [],
        "\U0010ffff": [],
    }.items():
        assert await look(service, query) == found, query
    await service.ok("ana", "PATCH", "/users/me", json={"name": "Zuzanna"})
    assert (await look(service, "łuczak"), await look(service, "zuz"), await look(service, "ana")) == (
        [],
        ["ana"],
        ["ana"],
    )
    await service.ok("ana", "PATCH", "/users/me", json={"adult": True})
    assert await look(service, "zuz") == ["ana"]
    assert await look(service, "ana", "ana") == [], "nobody looks for themselves"
    for wrong in ("", "x" * 101, "a\0"):
        assert (await service.call("me2", "GET", "/users/search", params={"query": wrong})).status_code == 422


async def test_the_handle_comes_first_then_whom_one_follows_then_who_has_most_followers(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people(service, kit="Nobody", kitty="Kit One", kit2="Kit Two", zkit="Kit Three", fan="Fan", me2="Me")
    await service.ok("fan", "POST", "/users/me/following", json={"target_user_id": "kitty"})
    await service.ok("me2", "POST", "/users/me/following", json={"target_user_id": "zkit"})
    order = ["kit", "zkit", "kitty", "kit2"]
    assert await look(service, "kit") == order
    found: list[str] = []
    token: dict[str, str] = {}
    for _ in order:
        page = await service.ok("me2", "GET", "/users/search", params={"query": "kit", "max_results": 1, **token})
        found += [user["id"] for user in page["data"]]
        token = {"pagination_token": page["meta"]["next_token"]}
    assert found == order and token == {"pagination_token": None}
    monkeypatch.setattr(lookup, "LOOKED_THROUGH", 1)
    assert await look(service, "kit") == ["kit", "zkit"], "whom one follows, however many there are"
    for text in ("YSBiIGM=", "OTkgMCBh", "MCA5OTk5OTk5OTk5OTk5OTk5OTk5OTk5IGE=", "?"):
        answer = await service.call(
            "me2", "GET", "/users/search", params={"query": "kit", "pagination_token": text}
        )
        assert answer.status_code == 422, text


async def test_blocks_suspensions_and_protection_are_respected(service: Service) -> None:
    await people(service, ann="Ann Gray", amy="Amy Gray", abe="Abe Gray", me2="Me")
    await service.ok("abe", "PATCH", "/users/me", json={"protected": True})
    await service.ok("ann", "POST", "/users/me/blocking", json={"target_user_id": "me2"})
    assert await look(service, "gray") == ["amy"]
    await service.ok("me2", "POST", "/users/me/blocking", json={"target_user_id": "amy"})
    assert await look(service, "gray") == await look(service, "ann") == await look(service, "amy") == []
    assert await look(service, "abe") == await look(service, "@Abe") == ["abe"], "by the whole handle"
    assert await look(service, "ab") == []
    await service.ok("me2", "POST", "/users/me/following", json={"target_user_id": "abe"})
    assert await look(service, "gray") == [], "asked, and not answered"
    await service.ok("abe", "POST", "/users/me/follow-requests/me2/accept")
    assert await look(service, "gray") == ["abe"]
    await service.ok("me2", "DELETE", "/users/me/following/abe")
    await service.ok("abe", "POST", "/users/me/following", json={"target_user_id": "me2"})
    assert await look(service, "gray") == ["abe"], "who follows may be named"
    await service.ok("root", "PUT", "/users/abe/suspension", json={"reason": "spam"})
    assert await look(service, "abe") == []


async def test_imported_people_are_found(service: Service, tmp_path: Path) -> None:
    users = tmp_path / "users.csv"
    users.write_text("id,username,name\n1,Nia_9,Nia Ortega\n2,bo,Bo Ortega\n")
    engine = service.app.state.spaces.store.database
    await import_people(engine, users, None)
    assert await look(service, "ortega") == ["1", "2"]
    assert await look(service, "nia_9") == ["1"]
    async with engine.connect() as connection:
        words = await connection.execute(sa.select(USER_WORDS.c.word).where(USER_WORDS.c.user_id == "2"))
        assert sorted(words.scalars()) == ["bo", "ortega"]


def go_back(connection: sa.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    command.downgrade(config, "0008")


async def test_people_of_before_are_found(tmp_path: Path, database: str) -> None:
    async with running(tmp_path, database=database) as service:
        await people(service, ana="Ana Ferreira")
        async with service.app.state.spaces.store.database.begin() as connection:  # as version 0008 had left it
            await connection.run_sync(go_back)
    async with running(tmp_path, database=database) as service:
        assert await look(service, "ferr") == ["ana"]
