"""A file system that Linux makes read-only under a server, as after an error on the disk; mended while it runs.

Real ext4 on a loop device. It cannot simply be remounted: while files are open for writing Linux refuses to make
it read-only, and after an error it refuses to make it writable again. It is unmounted, checked and mounted anew,
which takes a server that keeps none of its files open.
"""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.media.server.outage.test_full_disk import change
from tests.media.server.peer import Peer
from tests.media.server.process import Process

pytestmark = pytest.mark.needs("loop device")


@dataclass(frozen=True)
class Disk:
    """An ext4 file system of its own, mounted on a folder."""

    device: str
    folder: Path

    def mount(self) -> None:
        command("mount", "-o", "errors=remount-ro", self.device, str(self.folder))

    def fail(self) -> None:
        """Let the kernel find an error; what was written before is on the disk."""
        os.sync()
        name = Path(self.device).name
        Path(f"/sys/fs/ext4/{name}/trigger_fs_error").write_text("an error on the disk")

    def repair(self) -> None:
        """As an operator does."""
        until(lambda: subprocess.run(["umount", str(self.folder)], capture_output=True).returncode == 0)
        checked = subprocess.run(["e2fsck", "-fy", self.device], capture_output=True, text=True)
        assert checked.returncode in (0, 1), checked.stdout  # 1: with errors that were mended
        self.mount()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    image, folder = tmp_path / "image", tmp_path / "disk"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(32 << 20)
    command("mkfs.ext4", "-q", str(image))
    device = command("losetup", "--find", "--show", str(image))
    disk = Disk(device, folder)
    disk.mount()
    yield disk
    subprocess.run(["umount", "-l", str(folder)])
    command("losetup", "--detach", device)


async def test_a_disk_that_turns_read_only(disk: Disk, tmp_path: Path) -> None:
    server = Process(disk.folder, "--recording", "off", log=tmp_path / "log")  # evidence keeps files open there
    ana = Peer("sendrecv", [bytes([0xF8, 0xFF, 0xFE])])
    lea = Peer("recvonly")
    try:
        path, token = server.live("ana"), server.token("ana")
        assert change(server, token, path, "before").status_code == 200
        await ana.join(f"{server.base}{path}/whip?muted=false", token)
        await lea.join(f"{server.base}{path}/whep", server.token("lea"))
        await lea.hear(10)
        disk.fail()

        refused = change(server, token, path, "meanwhile")
        assert refused.status_code == 503 and refused.headers["Retry-After"], refused.text
        assert refused.json()["type"].endswith("store-unavailable")
        health = server.http.get("/healthz")
        assert (health.status_code, health.json()) == (503, {"status": "store unavailable: read-only"})
        assert (
            f"The store is not available: The file system of {disk.folder}/spaces.db is read-only" in server.said()
        )

        await lea.hear(25)
        muted = post(server, token, f"{path}/participants/me/mute")
        assert muted.status_code == 503 and "would be lost if the server ended before" in muted.json()["detail"], (
            muted.text
        )
        person = server.call(token, "GET", f"{path}/participants/ana")
        assert person["muted_by_self"] or person["muted_by_admin"]
        assert server.call(token, "GET", path)["title"] == "before"

        disk.repair()
        until(lambda: server.http.get("/healthz").status_code == 200)
        assert "The store is back" in server.said()
        assert change(server, token, path, "after").status_code == 200
        second = Process(disk.folder, log=tmp_path / "second", wait=False)
        assert second.process.wait(60) == 1 and "Another server uses the store" in second.said()
        second.put_away()
        server.kill_and_start_again()
        assert server.call(token, "GET", path)["title"] == "after"
        kept = server.call(token, "GET", f"{path}/participants/ana")
        assert kept["muted_by_self"] or kept["muted_by_admin"], "what was carried out meanwhile was written then"
    finally:
        for peer in (ana, lea):
            peer.close()
        server.put_away()


def post(server: Process, token: str, path: str) -> httpx.Response:
    return server.http.post(path, headers={"Authorization": f"Bearer {token}"})


def until(reached: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def command(*arguments: str) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
