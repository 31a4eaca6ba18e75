"""One server for each store, whatever happens to the first; commands work beside it."""

import asyncio
import signal
import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from media.server.store import Store, StoreError
from tests.media.server.outage.outages import back
from tests.media.server.outage.postgresql import HERE, Postgresql, postgresql
from tests.media.server.process import Process, media, run
from tests.media.server.service import running


def nobody(why: str) -> None:
    raise AssertionError(why)


async def test_a_second_claim_is_refused_and_the_first_goes_on(database: str) -> None:
    first, second = Store(database), Store(database)
    await first.claim(nobody)
    await first.open()
    with pytest.raises(StoreError, match="Another server uses the store"):
        await second.claim(nobody)
    beside = Store(database)
    await beside.open()  # as a command does
    await beside.close()
    await first.close()
    third = Store(database)
    await third.claim(nobody)
    await third.close()


def test_the_second_server_on_a_folder_says_so_and_exits_1(tmp_path: Path) -> None:
    first = Process(tmp_path)
    try:
        path = first.live("ana")
        ports = ("--port", "0", "--udp-port", "21470")
        second = subprocess.run(
            media("--data", tmp_path, *ports), capture_output=True, text=True, timeout=60, check=False
        )
        assert second.returncode == 1
        assert second.stderr.strip().splitlines()[-1] == (
            f"Another server uses the store {tmp_path / 'spaces.db'} (process {first.process.pid}); "
            "stop it, or choose another with --data."
        )
        assert "Traceback" not in second.stderr
        (tmp_path / "users.csv").write_text("id,username,name\nlea,lea,Lea\n")
        assert run("--data", tmp_path, "import", tmp_path / "users.csv").returncode == 0
        assert run("--data", tmp_path, "token", "--user", "lea").returncode == 0
        first.call(first.token("ana"), "POST", f"{path}/end")
        first.kill_and_start_again()  # the lock ended with the process
        assert first.call(first.token("ana"), "GET", path)["state"] == "ended"
        assert first.end(signal.SIGTERM) == 0
    finally:
        first.put_away()


if HERE:

    async def test_the_lock_is_had_again_after_a_restart(tmp_path: Path) -> None:
        with postgresql() as server:
            async with running(tmp_path, database=server.url) as service:
                store = service.app.state.spaces.store
                await store.claim(nobody)
                path = await service.live()
                for stop in ("fast", "immediate"):
                    server.stop(stop)
                    server.start()
                    await back(service)
                    async with asyncio.timeout(30):  # one that was under way may notice the restart only now
                        while not (
                            answer := await service.call("ana", "PATCH", path, json={"title": stop})
                        ).is_success:
                            assert answer.status_code == 503
                    with pytest.raises(StoreError, match="Another server uses the store"):
                        await Store(server.url).claim(nobody)

    async def test_whoever_loses_the_lock_to_another_writes_nothing_and_stops(tmp_path: Path) -> None:
        with postgresql() as server:
            async with running(tmp_path, database=server.url) as service:
                complaints: list[str] = []
                store = service.app.state.spaces.store
                await store.claim(complaints.append)
                path = await service.live()
                other = Store(server.url)
                await take_away(server, other)
                async with asyncio.timeout(30):
                    while not complaints:
                        assert not (await service.call("ana", "PATCH", path, json={"title": "mine"})).is_success
                        await asyncio.sleep(0.01)
                assert complaints[0].startswith("Another server uses the store")
                assert (await other.load(path[8:]) or {})["title"] == ""
                await other.close()

    async def take_away(server: Postgresql, other: Store) -> None:
        """End the connection that holds the lock, and let another server be faster."""
        engine = create_async_engine(sa.make_url(server.url).set(drivername="postgresql+asyncpg"))
        async with engine.connect() as connection:
            mine = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            async with asyncio.timeout(30):
                while await connection.execute(sa.text(mine)):
                    try:
                        await other.claim(nobody)
                        break
                    except StoreError:  # the first one was faster
                        await asyncio.sleep(0)
        await engine.dispose()
