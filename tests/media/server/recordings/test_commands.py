"""What an operator can do with evidence on the machine."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.media.server.process import run


def test_a_fresh_folder_has_no_evidence_and_nothing_is_due(tmp_path: Path) -> None:
    done = run("evidence", "retain", "--data", tmp_path)
    assert (done.returncode, done.stdout) == (0, "The evidence of 0 Spaces was erased.\n"), done.stderr
    assert run("evidence", "check", "--data", tmp_path).stdout == "\n"


def test_evidence_whose_secret_is_gone_is_said_to_be(tmp_path: Path) -> None:
    run("evidence", "retain", "--data", tmp_path)
    with sqlite3.connect(tmp_path / "spaces.db") as database:
        row = ("1AbCdEfGhIjKl", 7, "00" * 32, 1.0, False, False)
        names = "space_id, slot, commitment, began_at, violation, erasing"
        database.execute(f"INSERT INTO recordings ({names}) VALUES (?, ?, ?, ?, ?, ?)", row)
    said = json.loads(run("evidence", "check", "--data", tmp_path, "--space", "1AbCdEfGhIjKl").stdout)
    assert said["fault"] == "Slot 7 holds no secret; it was erased, or never taken."


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("check",), "evidence.slots cannot be opened: No such file or directory."),
        (("try-disk",), "Name the device that the folder is on"),
        (("try-disk", "--raw", "/dev/nothing"), "No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    done = run("evidence", *words, "--data", tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    assert sentence in done.stderr and done.stderr.count("\n") == 1


def test_keys_that_are_not_erased_in_place_are_found(tmp_path: Path) -> None:
    """The file of the slots itself, in place of the device: what was kept is there, what was erased is not."""
    image = tmp_path / "image"
    image.write_bytes(bytes(1000))
    said = json.loads(run("evidence", "try-disk", "--raw", image, "--data", tmp_path).stdout)
    assert (said["keys_found"], said["keys_erased"], said["keys_kept_found"]) == (0, 40, 0)
