"""A PostgreSQL for the length of a measurement: the one that the environment names, or one of its own."""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

ROOT = Path(__file__).parents[2]
_NAMED = "SPACES_TEST_POSTGRESQL"
_SHOW = f"import os, sys; print(os.environ.get('{_NAMED}', ''), flush=True); sys.stdin.read()"


@contextmanager
def postgresql() -> Generator[str]:
    """Give the URL of a PostgreSQL; "" where none is installed."""
    if url := os.environ.get(_NAMED):
        yield url
        return
    command = [str(ROOT / ".ci" / "postgresql"), sys.executable, "-c", _SHOW]
    running = subprocess.Popen(  # noqa: S603 (our own)
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert running.stdin is not None and running.stdout is not None
    try:
        yield running.stdout.readline().strip()
    finally:
        running.stdin.close()
        running.wait()


async def empty_database(url: str, name: str) -> str:
    """Make a database of that name anew; return its URL."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
    return url.replace("/postgres?", f"/{name}?", 1)
