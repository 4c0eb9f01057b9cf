"""Repeats: on disk when they are answered, in their rows a moment later, and never lost or counted twice."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from siems.clock import ManualClock
from siems.errors import Unavailable
from siems.storage import database as storage
from siems.storage.unit_of_work import UnitOfWork

from .world import World


def row(world: World, table: str = "alert", number: int = 1) -> Any:
    """A row as it is in the database now, without anything being written first."""
    with world.database._read_engine.connect() as connection:
        return connection.execute(text(f"SELECT * FROM {table} WHERE id = :n"), {"n": number}).mappings().one()


def logged(world: World) -> int:
    with world.database._read_engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM repeat_log")).scalar_one())


def unwatched(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is folded by the passing of time."""
    from siems.storage import writer
    from siems.storage.repositories import repeats

    monkeypatch.setattr(writer, "FOLD_QUIET_SECONDS", 10**6)
    monkeypatch.setattr(repeats, "FOLD_SECONDS", 10**9)


def test_a_repeat_is_in_its_row_before_anybody_reads(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    unwatched(world, monkeypatch)
    for _ in range(4):
        world.fires()
    found = world.database.read_now(lambda c: c.execute(text("SELECT count FROM alert")).scalar_one())
    assert found == 4
    assert row(world, "incident")["repeat_count"] == 3
    assert logged(world) == 0


def test_a_verb_of_a_person_sees_all_repeats_in_the_database(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    unwatched(world, monkeypatch)
    for _ in range(3):
        world.fires()

    def verb(uow: UnitOfWork) -> int:
        return int(uow.connection.execute(text("SELECT count FROM alert")).scalar_one())

    assert world.do(verb) == 3


def test_quiet_folds(world: World) -> None:
    import time

    world.fires()
    world.fires()
    ends = time.monotonic() + 10
    while logged(world) or row(world)["count"] != 2:
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_what_was_logged_is_counted_after_a_crash(
    world: World, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if world.database.dialect.shared:
        pytest.skip("where daemons share a database nothing is put off")
    unwatched(world, monkeypatch)
    world.fires(message="first")
    world.fires("web-2", "disk_full")
    for number in range(5):
        world.fires(message=f"again {number}", severity="HIGH" if number < 4 else "CRITICAL")
    for end in ("", "-wal"):  # the files as a crash would leave them
        shutil.copy(f"{world.url}{end}", tmp_path / f"left.db{end}")
    again = World(str(tmp_path / "left.db"), clock, furnished=True)
    try:
        found = row(again)
        assert (found["count"], found["message"], found["severity"]) == (6, "again 4", 4)
        assert (row(again, "incident")["repeat_count"], row(again, number=2)["count"]) == (5, 1)
        assert logged(again) == 0
        again.fires()
        assert again.database.read_now(lambda c: c.execute(text("SELECT max(count) FROM alert")).scalar_one()) == 7
    finally:
        again.stop()


def test_what_was_logged_waits_for_room_when_the_disk_is_full_at_the_start(
    world: World, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if world.database.dialect.shared:
        pytest.skip("where daemons share a database nothing is put off")
    unwatched(world, monkeypatch)
    for number in range(6):
        world.fires(message=f"again {number}")
    for end in ("", "-wal"):
        shutil.copy(f"{world.url}{end}", tmp_path / f"left.db{end}")
    real, full = storage.recover, [True]

    def recover(connection: Any, weights: Any) -> int:
        if full[0]:
            raise OperationalError("UPDATE", {}, sqlite3.OperationalError("database or disk is full"))
        return real(connection, weights)

    monkeypatch.setattr(storage, "recover", recover)
    again = World(str(tmp_path / "left.db"), clock, furnished=True)
    try:
        assert (row(again)["count"], logged(again)) == (1, 5)
        with pytest.raises(Unavailable, match="full"):
            again.fires()
        full[0] = False
        assert again.database.read_now(lambda c: c.execute(text("SELECT count FROM alert")).scalar_one()) == 6
        assert (row(again, "incident")["repeat_count"], logged(again)) == (5, 0)
        again.fires()
        assert again.database.read_now(lambda c: c.execute(text("SELECT count FROM alert")).scalar_one()) == 7
    finally:
        again.stop()


def test_a_batch_that_fails_counts_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    unwatched(world, monkeypatch)
    world.fires()
    before = world.database.memory.repeated.copy()

    def fails(uow: UnitOfWork) -> None:
        uow.alerts.repeat(
            uow.company("comp-acme"), known := next(iter(uow.company("comp-acme").alerts.values())), known
        )
        raise RuntimeError("the disk has gone")

    with pytest.raises(RuntimeError):
        world.do(fails)
    assert world.database.memory.repeated == before
    assert world.database.read_now(lambda c: c.execute(text("SELECT count FROM alert")).scalar_one()) == 1


def test_a_stop_leaves_nothing_to_be_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    unwatched(world, monkeypatch)
    for _ in range(3):
        world.fires()
    world.stop()
    world.database = world._open()
    assert (row(world)["count"], logged(world)) == (3, 0)


def test_a_failed_batch_with_a_settings_change_does_not_wedge_the_writer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    unwatched(world, monkeypatch)
    for _ in range(3):
        world.fires()

    def drops_and_fails(uow: UnitOfWork) -> None:
        uow.journal.drop(uow.memory.companies, "comp-acme")
        uow.company("comp-acme")
        uow.connection.execute(text("INSERT INTO no_such_table VALUES (1)"))

    with pytest.raises(Exception, match=r"no_such_table|database"):
        world.do(drops_and_fails)
    world.fires()
    assert world.database.read_now(lambda c: c.execute(text("SELECT count FROM alert")).scalar_one()) == 4


def test_a_read_during_the_folding_commit_waits_for_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counters that a transaction has taken but not committed are not passed over by a reader."""
    unwatched(world, monkeypatch)
    world.fires()
    world.fires()
    begun, go, found = threading.Event(), threading.Event(), list[int]()

    def held(uow: UnitOfWork) -> None:  # a verb of a person begins with all of it written, not committed
        begun.set()
        assert go.wait(20)

    def reads() -> None:
        found.append(world.database.read_now(lambda c: int(c.execute(text("SELECT count FROM alert")).scalar_one())))

    writing, reading = threading.Thread(target=world.do, args=(held,)), threading.Thread(target=reads)
    writing.start()
    assert begun.wait(20)
    reading.start()
    reading.join(0.3)
    # where daemons share a database each batch was folded by itself, so there is nothing to wait for
    assert found == ([2] if world.database.dialect.shared else [])
    go.set()
    writing.join(20)
    reading.join(20)
    assert found == [2]
