"""Bringing a database to the schema that this version needs: the Alembic scripts, wherever they were installed.

Alembic is loaded when there is something to do: a daemon whose database is up to date never needs it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, inspect, text

from siems.errors import Conflict, Unavailable

if TYPE_CHECKING:
    from alembic.config import Config

_HERE = Path(__file__).resolve()


def folder() -> Path:
    """The scripts: inside an installed package, else at the root of the repository. Raises Unavailable."""
    for found in (_HERE.parents[1] / "migrations", _HERE.parents[3] / "migrations"):
        if (found / "env.py").exists():
            return found
    raise Unavailable("the migrations were not installed with siems", hint="install siems again")


def _config(engine: Engine | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(folder()))
    config.attributes["engine"] = engine
    return config


def _known() -> list[str]:
    """The schemas that this version can make, oldest first: each script is named after its own."""
    return sorted(script.name.partition("_")[0] for script in (folder() / "versions").glob("[0-9]*.py"))


def head() -> str:
    """The schema that this version needs."""
    return _known()[-1]


def current(engine: Engine) -> str | None:
    """The schema that the database has; None when it is empty."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return found


def check(engine: Engine) -> None:
    """Raise Conflict naming the next step unless the schema is the right one."""
    found = current(engine)
    if found == head():
        return
    if found is None:
        raise Conflict("the database is empty", hint="set it up:  siems init")
    if found not in _known():
        raise Conflict(
            f"the database has schema {found}, which is newer than this siems knows",
            hint="install the siems that wrote it, or a newer one; nothing was changed",
        )
    raise Conflict(f"the database has schema {found}, this siems needs {head()}", hint="siems db upgrade")


def upgrade(engine: Engine, to: str = "head") -> tuple[str | None, str | None]:
    """Bring the schema up; (before, after). Raises Conflict for a newer database."""
    from alembic import command

    before = current(engine)
    if before is not None and before not in _known():
        check(engine)
    command.upgrade(_config(engine), to)
    return before, current(engine)


def _fold(engine: Engine) -> None:
    """Repeats that a crash has left in their log: an older schema would lose a part of what they say."""
    from siems.domain.priority import DEFAULT_WEIGHTS
    from siems.storage.repositories.repeats import recover

    with engine.begin() as connection:
        recover(connection, DEFAULT_WEIGHTS)


def downgrade(engine: Engine, to: str) -> None:
    """Take the schema back: for tests, and for going back to an older siems."""
    from alembic import command

    if current(engine) == head():
        _fold(engine)
    command.downgrade(_config(engine), to)
