"""The schema of the store, brought up to date at start by the migrations of this package.

alembic is loaded only where there is something to do: it takes a quarter of a second of every start else.
"""

import re
from pathlib import Path
from typing import Final

import sqlalchemy as sa

_SCRIPTS: Final = Path(__file__).parent / "migrations"
_START_UP: Final = 0x5350_4143
"""Names the lock of PostgreSQL that servers hold in turn while they migrate: "SPAC" in ASCII."""
_REVISION: Final = re.compile(r'^(down_revision|revision) = "?([^"\n]+)"?$', re.MULTILINE)
_VERSIONS: Final = sa.table("alembic_version", sa.column("version_num"))


class MigrationError(RuntimeError):
    """The schema cannot be brought up to date, as that of a newer version."""


def head() -> str:
    """The revision that no migration comes after."""
    found = [match.groups() for path in (_SCRIPTS / "versions").glob("*.py") for match in _lines(path)]
    before = {revision for kind, revision in found if kind == "down_revision"}
    (last,) = {revision for kind, revision in found if kind == "revision"} - before
    return last


def migrate(connection: sa.Connection) -> None:
    """Bring the schema to :func:`head`, one server after the other.

    :raises MigrationError: it is of a newer version, or otherwise unknown
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_START_UP)))
    if _is_at(connection, head()):
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except command.util.CommandError as error:
        raise MigrationError(str(error)) from error


def _lines(path: Path) -> list[re.Match[str]]:
    return [*_REVISION.finditer(path.read_text())]


def _is_at(connection: sa.Connection, revision: str) -> bool:
    if not sa.inspect(connection).has_table(_VERSIONS.name):
        return False
    return connection.execute(sa.select(_VERSIONS.c.version_num)).scalars().all() == [revision]
