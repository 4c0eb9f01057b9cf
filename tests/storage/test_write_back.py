"""Committed pages move from SQLite's log into the file beside the writer, not while somebody waits for a commit."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from siems.clock import ManualClock
from siems.services.observers import react
from siems.storage import write_back
from siems.storage.database import Database, open_engine, parse_url
from siems.storage.unit_of_work import UnitOfWork
from siems.storage.write_back import MANY_VERBS, SELDOM_SECONDS, WriteBack

CLOCK = ManualClock(datetime(2026, 3, 10, 12, 0, tzinfo=UTC))


@pytest.fixture
def file(quick_path: Path, sqlite_template: Path) -> Path:
    path = quick_path / "moved.db"
    shutil.copy(sqlite_template, path)
    return path


@pytest.fixture
def database(file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr(write_back, "EVERY_SECONDS", 3_600.0)  # the tests take the turns
    made = Database(str(file), clock=CLOCK, observers=react)
    made.start()
    yield made
    made.stop()


def count(value: int) -> Callable[[UnitOfWork], None]:
    """A verb that leaves a mark."""

    def verb(uow: UnitOfWork) -> None:
        uow.connection.execute(text("UPDATE counter SET value = :v WHERE name = 'page'"), {"v": value})

    return verb


def in_the_file_alone(file: Path) -> int:
    """What the file says without the log beside it."""
    alone = file.with_name("alone.db")
    shutil.copy(file, alone)
    with sqlite3.connect(alone) as connection:
        (value,) = connection.execute("SELECT value FROM counter WHERE name = 'page'").fetchone()
    connection.close()
    return int(value)


def test_what_much_was_committed_reaches_the_file_while_the_writer_goes_on(database: Database, file: Path) -> None:
    mover = database._write_back
    assert mover is not None
    before = in_the_file_alone(file)
    for number in range(MANY_VERBS):
        database.write_now(count(1_000 + number), companies=("msp",))
    assert in_the_file_alone(file) == before
    assert mover.turn(1.0)
    assert in_the_file_alone(file) == 1_000 + MANY_VERBS - 1
    assert not mover.turn(SELDOM_SECONDS)  # nothing is new
    database.write_now(count(7), companies=("msp",))
    assert database.read_now(lambda c: c.execute(text("SELECT value FROM counter WHERE name = 'page'")).scalar()) == 7


def test_a_little_waits_for_a_minute(database: Database, file: Path) -> None:
    mover = database._write_back
    assert mover is not None
    database.write_now(count(42), companies=("msp",))
    assert not mover.turn(1.0)
    assert in_the_file_alone(file) != 42
    assert mover.turn(SELDOM_SECONDS)
    assert in_the_file_alone(file) == 42


def test_a_disk_that_ails_ends_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_back, "EVERY_SECONDS", 0.001)
    engine, turns = open_engine(parse_url(str(file)), read_only=True), list[float]()

    def ailing(self: WriteBack, seconds: float) -> bool:
        turns.append(seconds)
        raise OperationalError("PRAGMA", None, Exception("disk I/O error")) if len(turns) % 2 else RuntimeError("a bug")

    monkeypatch.setattr(WriteBack, "turn", ailing)
    mover = WriteBack(engine, lambda: 0.0)
    mover.start()
    while len(turns) < 4:
        mover._stopped.wait(0.001)
    mover.stop()
    engine.dispose()
    assert not mover._thread.is_alive()
