"""Bringing a database to the schema that this version needs: the Alembic scripts, wherever they were installed."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from siems.errors import Conflict, Unavailable

_HERE = Path(__file__).resolve()


def folder() -> Path:
    """The scripts: inside an installed package, else at the root of the repository. Raises Unavailable."""
    for found in (_HERE.parents[1] / "migrations", _HERE.parents[3] / "migrations"):
        if (found / "env.py").exists():
            return found
    raise Unavailable("the migrations were not installed with siems", hint="install siems again")


def _config(engine: Engine | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder()))
    config.attributes["engine"] = engine
    return config


def head() -> str:
    """The schema that this version needs."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    assert found is not None
    return found


def current(engine: Engine) -> str | None:
    """The schema that the database has; None when it is empty."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def check(engine: Engine) -> None:
    """Raise Conflict naming the next step unless the schema is the right one."""
    found = current(engine)
    if found == head():
        return
    if found is None:
        raise Conflict("the database is empty", hint="set it up:  siems init")
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found not in known:
        raise Conflict(
            f"the database has schema {found}, which is newer than this siems knows",
            hint="install the siems that wrote it, or a newer one; nothing was changed",
        )
    raise Conflict(f"the database has schema {found}, this siems needs {head()}", hint="siems db upgrade")


def upgrade(engine: Engine, to: str = "head") -> tuple[str | None, str | None]:
    """Bring the schema up; (before, after). Raises Conflict for a newer database."""
    before = current(engine)
    if before is not None:
        known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
        if before not in known:
            check(engine)
    command.upgrade(_config(engine), to)
    return before, current(engine)


def downgrade(engine: Engine, to: str) -> None:
    """Take the schema back: for tests, and for going back to an older siems."""
    command.downgrade(_config(engine), to)
