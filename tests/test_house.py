"""What each room may bring in from outside, where ``tests/test_floors.py`` says who may import whom of ours."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATCHED = {
    *(f"loadtest/{name}.py" for name in ("conductor", "crew", "leader", "locustfile", "options", "shape")),
    *(f"loadtest/{name}.py" for name in ("stopping", "users")),
    *(f"loadtest/raid/{name}.py" for name in ("account", "locustfile", "moderator", "options")),
    *(f"loadtest/raid/{name}.py" for name in ("raider", "reporter")),
}
"""What runs inside Locust, whose import patches the process with gevent."""
HELPERS = {"inet_aton", "inet_ntoa", "inet_pton", "inet_ntop", "AF_INET", "AF_INET6"}
"""What the protocol floor may use of ``socket``: nothing that opens one."""
FREE = (
    *("loadtest.engine", "loadtest.engine.control", "loadtest.engine.remote", "loadtest.lab"),
    *("loadtest.programme", "loadtest.recorder", "loadtest.timetable", "loadtest.venue", "loadtest.voice"),
)


def trees(*folders: str) -> Iterator[tuple[str, ast.AST]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module and every name taken from one, with its full path."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_only_what_runs_inside_locust_imports_it() -> None:
    found = {
        path
        for path, tree in trees("media", "sim", "loadtest", "notebooks", "tests")
        if {name.split(".")[0] for name in imported(tree)} & {"locust", "gevent"}
    }
    assert found and found <= PATCHED


def test_nothing_that_runs_outside_locust_imports_what_runs_inside() -> None:
    inside = {path.removesuffix(".py").replace("/", ".") for path in PATCHED}
    for path, tree in trees("media", "sim", "loadtest", "notebooks", "tests"):
        if path not in PATCHED:
            assert not [name for name in imported(tree) if name in inside or name.rpartition(".")[0] in inside], (
                path
            )


def test_the_engine_and_what_prepares_a_run_patch_nothing() -> None:
    code = f"""
import importlib, sys
for name in {FREE}:
    importlib.import_module(name)
    patching = sorted({{"locust", "gevent"}} & {{*sys.modules}})
    assert not patching, (name, patching)
print("all free")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("all free\n", 0), done.stderr


def test_of_the_models_the_engine_knows_only_how_people_talk() -> None:
    for path, tree in trees("loadtest/engine"):
        for name in imported(tree):
            assert not name.startswith("sim") or name.startswith("sim.conversation."), (path, name)


def test_the_protocol_floor_opens_no_sockets() -> None:
    for path, tree in trees("media/space", "media/audio", "media/rtc"):
        for name in imported(tree):
            assert not name.startswith("socket.") or name.removeprefix("socket.") in HELPERS, path
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "socket":
                assert node.attr in HELPERS, (path, node.attr)


def test_nothing_imports_the_notebooks_or_the_tests() -> None:
    for path, tree in trees("media", "sim", "loadtest"):
        assert not [name for name in imported(tree) if name.split(".")[0] in ("notebooks", "tests")], path
