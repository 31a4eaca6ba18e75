"""A kernel that was kept compiled is not run once its source has changed, whichever file that is in."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from media.kernels import KEPT, fingerprint

INNER = "from numba import njit\n\n@njit(cache=True)\ndef inner():\n    return {}\n"
OUTER = """
import sys
from pathlib import Path
from media.kernels import keep_apart
here = Path(__file__).parent
keep_apart([here], here / "kept")
from numba import njit
from inner import inner

@njit(cache=True)
def outer():
    return inner()

print(outer(), sum(outer.stats.cache_hits.values()))
"""


@pytest.fixture
def run(tmp_path: Path):
    """Runs kernels of which one calls the other; returns what came out, and how much was not compiled."""
    (tmp_path / "outer.py").write_text(OUTER)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA")}
    environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[2]), str(tmp_path)])

    def one(value: int) -> tuple[int, int]:
        (tmp_path / "inner.py").write_text(INNER.format(value))
        command = [sys.executable, str(tmp_path / "outer.py")]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=True)
        result, hits = done.stdout.split()
        return int(result), int(hits)

    return one


def test_a_change_in_another_file_is_a_change(run, tmp_path: Path):
    assert run(1) == (1, 0)
    assert run(1) == (1, 1), "kept"
    assert run(2) == (2, 0)
    assert run(1) == (1, 1), "still kept"
    for value in range(3, 3 + KEPT):
        assert run(value) == (value, 0)
    assert len(list((tmp_path / "kept").glob("kernels-*"))) == KEPT


def test_only_files_with_kernels_count(tmp_path: Path):
    (tmp_path / "kernel.py").write_text(INNER.format(1))
    (tmp_path / "server.py").write_text("x = 1\n")
    before = fingerprint([tmp_path])
    (tmp_path / "server.py").write_text("x = 2\n")
    assert fingerprint([tmp_path]) == before
    (tmp_path / "kernel.py").rename(tmp_path / "kernel2.py")
    assert fingerprint([tmp_path]) != before
