"""What is missing on a machine leaves tests out by name, and in CI fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import requirements
from tests.requirements import SETUP, SYSTEM, TOOLS, Tool

ROOT = Path(__file__).parents[1]
TESTS = """
import pytest

@pytest.mark.needs("chromium")
def test_a_page(): raise AssertionError("it ran")

@pytest.mark.needs("chromium", "janus")
def test_both(): raise AssertionError("it ran")

@pytest.mark.needs()
def test_nothing(): pass
"""


def run(folder: Path, *options: str, ci: str = "") -> tuple[int, list[str]]:
    """Run tests on a machine that has no programs; returns the exit status and the lines printed."""
    (folder / "test_needy.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "--rootdir", str(folder), *options]
    environment = os.environ | {"PATH": str(folder), "CI": ci, "PYTEST_ADDOPTS": "", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, str(folder)], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout.strip().splitlines()


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "in workers"])
def test_without_its_tools_a_test_is_left_out_by_name_and_the_last_line_says_so(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    status, lines = run(tmp_path, *options)
    assert status == 0
    assert "test_needy.py::test_a_page: no chromium" in lines
    assert "test_needy.py::test_both: no chromium, janus" in lines
    assert lines[-1] == (
        "2 tests left out, for want of chromium (2), janus (1). To have them: sudo apt-get install -y "
        "--no-install-recommends chromium fonts-noto-color-emoji libatomic1 janus"
    )


def test_in_ci_nothing_is_left_out(tmp_path: Path) -> None:
    status, lines = run(tmp_path, ci="true")
    assert status == 1
    assert any("2 failed" in line or "2 errors" in line for line in lines), lines
    assert any(line.startswith("chromium, janus missing: sudo apt-get install") for line in lines)
    assert not any("it ran" in line for line in lines)


def test_every_tool_says_what_brings_it() -> None:
    assert all(tool.packages or tool.remedy for tool in (SETUP | TOOLS).values())


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> dict[str, Tool]:
    """Two tools that are not here, and a machine without apt-get and sudo."""
    monkeypatch.setattr(requirements, "program", lambda *_: None)
    return {"one": Tool(lambda: False, ("a", "b")), "two": Tool(lambda: True, ("c",))}


def test_who_may_not_install_is_told_the_line_to_run(
    packages: dict[str, Tool], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CI", raising=False)
    assert requirements.main(packages) is None
    assert "sudo apt-get install -y --no-install-recommends a b\n" in capsys.readouterr().out


def test_in_ci_what_is_missing_is_an_error(packages: dict[str, Tool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    assert requirements.main(packages) == (
        "one missing. This brings what Debian has: sudo apt-get install -y --no-install-recommends a b"
    )


def test_the_environment_cannot_do_without_what_makes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(requirements, "program", lambda *_: None)
    assert requirements.main({"make": SETUP["make"]}) is None  # a wish of the tests
    assert "python3-venv" not in (requirements.main(SETUP) or "")
    assert "apt-get install" in (requirements.main(SETUP) or "")


def test_tools_that_are_here_are_asked_for_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert requirements.main({"python": Tool(lambda: True)}) is None
    assert capsys.readouterr().out == ""
    assert SYSTEM["iproute2"].packages == ("iproute2",)
