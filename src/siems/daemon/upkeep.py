"""Commands of the daemon that look after its database: schema, key, wholeness, and what is in it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError

from siems import places
from siems.clock import SystemClock, rfc3339
from siems.config import Settings, load
from siems.daemon.lock import DatabaseLock
from siems.daemon.runtime import retention_of
from siems.errors import Conflict, NotFound
from siems.services import retention
from siems.storage import migrations, rotation, statistics
from siems.storage.database import open_engine, parse_url
from siems.storage.dialect import translated


def add_commands(commands: Any) -> None:
    """`upgrade`, `check`, `rotate-key` and `stats`."""
    upgrade = commands.add_parser("upgrade")
    upgrade.add_argument("--to", default="head")
    upgrade.set_defaults(run=run_upgrade)
    commands.add_parser("check").set_defaults(run=run_check)
    commands.add_parser("rotate-key").set_defaults(run=run_rotate_key)
    commands.add_parser("stats").set_defaults(run=run_stats)


@contextmanager
def readable() -> Iterator[None]:
    """A file that is no database is said to be damaged; what may pass is Unavailable."""
    try:
        with translated():
            yield
    except DatabaseError as why:
        raise Conflict(f"the database file is damaged: {why.orig}", hint="restore a backup") from why


def with_engine(work: Callable[[Engine], Any]) -> Any:
    """Do something with a database that no daemon has. Raises Conflict while one does."""
    settings = load()
    url = parse_url(settings.database_url)
    _make_room(url.database if url.get_backend_name() == "sqlite" else None)
    with DatabaseLock(url):
        engine = open_engine(url)
        try:
            with readable():
                return work(engine)
        finally:
            engine.dispose()


def _make_room(file: str | None) -> None:
    if file:
        Path(file).parent.mkdir(parents=True, exist_ok=True, mode=0o700)


def _existing(settings: Settings) -> Engine:
    """The database to read from. Raises NotFound where its file is not there."""
    url = parse_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
        raise NotFound(f"there is no database {url.database}", hint="siems init --admin you@msp.example")
    return open_engine(url, read_only=True)


def run_upgrade(ask: argparse.Namespace) -> int:
    before, after = with_engine(lambda engine: migrations.upgrade(engine, ask.to))
    print(json.dumps({"before": before, "after": after, "changed": before != after}))
    return 0


def run_rotate_key(ask: argparse.Namespace) -> int:
    """Another key for all that is stored encrypted."""

    def work(engine: Engine) -> dict[str, int]:
        migrations.check(engine)
        return rotation.rotate(engine, places.key_file())

    print(json.dumps({"key_file": str(places.key_file()), "sealed": with_engine(work)}))
    return 0


def run_check(ask: argparse.Namespace) -> int:
    """Whether the schema is the right one and the file is whole; takes no lock, so it may run beside a daemon."""
    engine = _existing(load())
    with readable():
        migrations.check(engine)
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                said = connection.exec_driver_sql("PRAGMA quick_check").scalar()
                if said != "ok":
                    raise Conflict(f"the database file is damaged: {said}", hint="restore a backup")
    engine.dispose()
    print(json.dumps({"ok": True, "schema": migrations.head()}))
    return 0


def run_stats(ask: argparse.Namespace) -> int:
    """What is in the database, and from when on it will be removed; beside a daemon that runs, too."""
    settings = load()
    engine = _existing(settings)
    kept, now = retention_of(settings), SystemClock().now()
    try:
        with readable():
            migrations.check(engine)
            with engine.connect() as connection:
                found, (whole, free) = statistics.tables(connection), statistics.room(connection)
    finally:
        engine.dispose()
    for row in found:
        age = retention.age_of(kept, row["table"])
        row["oldest"] = row["oldest"] and rfc3339(row["oldest"])
        row["kept_days"] = age and age.days
    print(json.dumps({"bytes": whole, "free_bytes": free, "as_of": rfc3339(now), "tables": found}))
    return 0
