"""The floors of the house: who may import whom, and what the ground floor must not know of."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

MAY_IMPORT = {
    "media/space": {"media.space"},
    "media/audio": {"media.audio"},
    "media/rtc": {"media.rtc"},
    "media/recording": {"media.recording"},
    "media/recorder": {"media.recorder", "media.recording"},
    "media/moderation": {"media.moderation", "media.space"},
    "media/captions": {"media.captions", "media.audio", "media.recording"},
    "media/relay": {"media.relay", "media.rtc", "media.audio", "media.recording", "media.kernels"},
    "media/server": {
        *("media.server", "media.relay", "media.space"),
        *("media.moderation", "media.recording", "media.recorder", "media.captions"),
    },
    "sim": {"sim", "media.space", "media.moderation", "media.relay.placement", "media.relay.restarts"},
    "loadtest/engine": {"loadtest.engine", "loadtest.voice", "sim", "media.rtc", "media.audio"},
    "loadtest": {"loadtest", "sim", "media.rtc", "media.audio", "media.captions"},
    "notebooks": {"notebooks", "loadtest", "sim"},
}
OURS = ("media", "sim", "loadtest", "notebooks")

PURE = ("media/space", "media/moderation", "media/audio", "media/rtc", "media/recording")
OUTSIDE_WORLD = {"asyncio", "threading", "sqlalchemy", "fastapi", "starlette", "uvicorn", "httpx", "aiohttp"}
CLOCKS_AND_CHANCE = {"time", "datetime", "random", "secrets", "socket", "os"}


def imports(folder: str) -> Iterator[tuple[str, str]]:
    """Every (file, module it imports) of a folder and those below it."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                yield str(path.relative_to(ROOT)), name or ""


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_nothing_points_up(folder: str) -> None:
    found = list(imports(folder))
    assert found
    for path, name in found:
        if name.split(".")[0] in OURS:
            assert any(f"{name}.".startswith(f"{allowed}.") for allowed in MAY_IMPORT[folder]), (path, name)


@pytest.mark.parametrize("folder", PURE)
def test_the_ground_floor_does_no_io(folder: str) -> None:
    for path, name in imports(folder):
        assert name.split(".")[0] not in OUTSIDE_WORLD, (path, name)
        if folder in ("media/space", "media/moderation"):
            assert name.split(".")[0] not in CLOCKS_AND_CHANCE, (path, name)
