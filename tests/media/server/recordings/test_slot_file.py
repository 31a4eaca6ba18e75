"""Secrets in slots: kept over restarts, erased for good, and one process at a time."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from media.recording.sealing import Ending, Sealer, space_key, unseal
from media.server.recordings.slot_file import SLOT, SlotError, SlotFile, doubt

KEYS = 40


@pytest.fixture
def slots(tmp_path: Path) -> Iterator[SlotFile]:
    one = SlotFile(tmp_path / "slots", 16)
    yield one
    one.close()


def test_secrets_outlive_the_process(tmp_path: Path) -> None:
    slots = SlotFile(tmp_path / "slots", 16)
    taken = dict(slots.take() for _ in range(40))
    assert len(taken) == 40 and len(set(taken.values())) == 40
    slots.erase(7)
    slots.close()
    slots = SlotFile(tmp_path / "slots", 16)
    assert {n: slots.secret(n) for n in taken if n != 7} == {n: s for n, s in taken.items() if n != 7}
    again = dict(slots.take() for _ in range(8))
    assert 7 in again and again[7] != taken[7] and not (again.keys() - {7}) & taken.keys()
    slots.close()
    assert (tmp_path / "slots").stat().st_mode & 0o777 == 0o600


def test_what_is_erased_opens_nothing_any_more(slots: SlotFile, tmp_path: Path) -> None:
    number, secret = slots.take()
    master = bytes(range(32))
    sealer = Sealer(space_key(master, secret, "s"), os.urandom(23))
    recording = sealer.head + sealer.seal(b"words") + sealer.end()
    assert unseal(recording, space_key(master, slots.secret(number), "s")).ending is Ending.WHOLE
    slots.erase(number)
    slots.erase(number)
    with pytest.raises(SlotError, match="erased, or never taken"):
        slots.secret(number)
    left = (tmp_path / "slots").read_bytes()
    assert secret not in left
    now = left[number * SLOT : number * SLOT + 32]
    assert unseal(recording, space_key(master, now, "s")).records == []


@pytest.mark.parametrize("number", [0, 1, -1, 10**9])
def test_a_slot_that_nobody_took(slots: SlotFile, number: int) -> None:
    with pytest.raises(SlotError, match=f"Slot {number} holds no secret"):
        slots.secret(number)
    slots.erase(number)


def test_one_process_at_a_time_and_no_other_file(slots: SlotFile, tmp_path: Path) -> None:
    with pytest.raises(SlotError, match="in use by another process"):
        SlotFile(tmp_path / "slots")
    (tmp_path / "letter").write_text("Dear slots, …")
    with pytest.raises(SlotError, match="no slot file"):
        SlotFile(tmp_path / "letter")
    assert (tmp_path / "letter").read_text() == "Dear slots, …"
    with pytest.raises(SlotError, match="cannot be opened"):
        SlotFile(tmp_path / "nowhere" / "slots")


def test_a_full_disk_takes_no_slot_and_loses_none(tmp_path: Path) -> None:
    code = f"""
import resource, signal
from pathlib import Path
from media.server.recordings.slot_file import SlotError, SlotFile
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
slots = SlotFile(Path({str(tmp_path / "slots")!r}), 8)
resource.setrlimit(resource.RLIMIT_FSIZE, (8 * {SLOT} + 100, resource.RLIM_INFINITY))
taken = [slots.take() for _ in range(7)]
try:
    slots.take()
except SlotError as error:
    print(error)
assert [slots.secret(n) for n, _ in taken] == [secret for _, secret in taken]
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(slots.take()[0])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    sentence, number = done.stdout.splitlines()
    assert "cannot be written" in sentence and number == "8", "and goes on once there is room"
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("mounts", "word"),
    [
        ("/dev/sda / ext4 rw,relatime 0 0\n", None),
        ("/dev/sda / ext4 rw,data=journal 0 0\n", "data=journal"),
        ("/dev/sda / ext4 rw 0 0\n/dev/sdb /srv btrfs rw 0 0\n", "btrfs"),
        ("overlay / overlay rw 0 0\n/dev/sdb /srv/data ext4 rw 0 0\n", None),
    ],
)
def test_where_overwriting_proves_nothing(mounts: str, word: str | None) -> None:
    said = doubt(Path("/srv/data/slots"), mounts)
    assert said is None if word is None else word in str(said)


@pytest.mark.needs("loop device")
def test_no_erased_key_is_in_the_raw_image_of_its_file_system(tmp_path: Path) -> None:
    """A file system of its own in a file, keys taken and erased there, and its bytes searched."""
    image, folder = tmp_path / "disk.img", tmp_path / "mnt"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(32 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    mount = ["mount", "-o", "loop", str(image), str(folder)]
    subprocess.run(mount, check=True)
    try:
        slots = SlotFile(folder / "slots")
        taken = dict(slots.take() for _ in range(2 * KEYS))
        os.sync()
        for number in list(taken)[:KEYS]:
            slots.erase(number)
        slots.close()
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    raw = image.read_bytes()
    found = [number for number, secret in taken.items() if secret in raw]
    assert found == list(taken)[KEYS:], "those that were kept, and none that was erased"
