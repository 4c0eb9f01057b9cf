"""Migrations at bad moments: killed in the middle of any step, and gone back from after a crash."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from services.world import World
from siems.clock import ManualClock
from siems.storage import migrations
from siems.storage.database import open_engine, parse_url

from .test_migrations import contents

SRC = Path(__file__).resolve().parents[2] / "src"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def test_going_back_after_a_crash_keeps_what_was_only_in_the_log_of_repeats(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from siems.storage import writer
    from siems.storage.repositories import repeats

    monkeypatch.setattr(writer, "FOLD_QUIET_SECONDS", 10**6)
    monkeypatch.setattr(repeats, "FOLD_SECONDS", 10**9)
    clock, left = ManualClock(NOON), tmp_path / "left.db"
    shutil.copy(sqlite_template, tmp_path / "siems.db")
    world = World(str(tmp_path / "siems.db"), clock)
    world.fires(severity="LOW")
    for severity, message in (("HIGH", "worse"), ("MEDIUM", "better")):
        clock.advance(minutes=1)
        world.fires(severity=severity, message=message)
    for end in ("", "-wal"):  # the files as a crash would leave them
        shutil.copy(f"{world.url}{end}", f"{left}{end}")
    wanted = read(world.url, world)
    world.stop()
    engine = open_engine(parse_url(str(left)))
    try:
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM repeat_log")).scalar() == 2
        migrations.downgrade(engine, "0001")
        with engine.connect() as connection:
            found = [tuple(connection.execute(text(sql)).one()) for sql in FACTS]
        assert found == wanted
    finally:
        engine.dispose()


FACTS = (
    "SELECT count, severity, message, last_seen_at FROM alert",
    "SELECT repeat_count, severity, static_score, last_alert_at FROM incident",
)


def read(url: str, world: World) -> list[Any]:
    return [world.database.read_now(lambda c, sql=sql: tuple(c.execute(text(sql)).one())) for sql in FACTS]


CUT = """
import os, signal, sys
from alembic.operations import Operations
from siems.storage import migrations
from siems.storage.database import open_engine, parse_url

url, way, to, left = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])

def cut(name):
    real = getattr(Operations, name)
    def step(*args, **more):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **more)
    setattr(Operations, name, step)

for name in ("create_table", "drop_table", "create_index", "drop_index", "add_column", "drop_column", "execute"):
    cut(name)
engine = open_engine(parse_url(url))
getattr(migrations, way)(engine, to)
engine.dispose()
"""


def migrate(url: str, way: str, to: str, steps: int) -> int:
    """Run a migration in a process that is killed before step `steps`; its exit code."""
    done = subprocess.run(
        [sys.executable, "-c", CUT, url, way, to, str(steps)],
        check=False, capture_output=True, text=True, timeout=60, env={"PYTHONPATH": str(SRC)},
    )  # fmt: skip
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


@pytest.mark.faults
@pytest.mark.parametrize("way", ["upgrade", "downgrade"])
def test_a_migration_killed_at_any_step_leaves_what_was_there(database_url: str, way: str) -> None:
    world = World(database_url, ManualClock(NOON))
    for name in ("web-1", "web-2"):
        world.fires(name)
    world.stop()
    engine = open_engine(parse_url(database_url))
    first = contents(engine)
    if way == "upgrade":
        migrations.downgrade(engine, "0001")
    before, schema = contents(engine), migrations.current(engine)
    engine.dispose()
    to, step, cut = ("head" if way == "upgrade" else "0001"), 1, 0
    while migrate(database_url, way, to, step) != 0:
        engine = open_engine(parse_url(database_url))
        assert (migrations.current(engine), contents(engine)) == (schema, before)
        engine.dispose()
        step, cut = step + 4, cut + 1
    assert cut > 3
    engine = open_engine(parse_url(database_url))
    try:
        if way == "upgrade":
            migrations.check(engine)
            assert json.dumps(contents(engine)["alert"]) == json.dumps(first["alert"])
        else:
            assert migrations.current(engine) == "0001"
            migrations.upgrade(engine)
            migrations.check(engine)
    finally:
        engine.dispose()
