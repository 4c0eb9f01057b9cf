"""The databases as siems opens them: durable, one writer, honest when they cannot answer."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from siems.clock import ManualClock
from siems.daemon.lock import DatabaseLock
from siems.errors import Locked, Unavailable
from siems.services.observers import react
from siems.storage import database as storage
from siems.storage.database import Database, open_engine, parse_url
from siems.storage.vault import Vault, random_token, token_hash

CLOCK = ManualClock(datetime(2026, 3, 10, 12, 0, tzinfo=UTC))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url, clock=CLOCK, observers=react)
    made.start()
    yield made
    made.stop()


def test_sqlite_waits_for_the_disk_and_writes_ahead(tmp_path: Path) -> None:
    engine = open_engine(parse_url(str(tmp_path / "x.db")))
    with engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("synchronous", "journal_mode")
        }
    engine.dispose()
    assert found == {"synchronous": 2, "journal_mode": "wal"}


def test_readers_cannot_write(database_url: str, database: Database) -> None:
    if database.dialect.name != "sqlite":
        return  # on PostgreSQL readers and the writer share a pool
    from sqlalchemy.exc import OperationalError

    with pytest.raises((OperationalError, Unavailable)):
        database.read_now(lambda c: c.execute(text("DELETE FROM counter")))


def test_a_stopped_database_refuses_verbs_with_a_time_to_come_back(database: Database) -> None:
    database.writer.stop()
    with pytest.raises(Unavailable) as refused:
        database.write_now(lambda uow: None, companies=("msp",))
    assert refused.value.retry_after


def test_what_was_queued_before_a_stop_is_still_written(database: Database) -> None:
    from siems.storage.writer import Job

    jobs = [Job(lambda uow, n=n: n, (), ("msp",), False, None) for n in range(50)]
    for job in jobs:
        database.writer.put(job)
    database.writer.stop()
    assert [job.result for job in jobs] == list(range(50))


def test_a_file_locked_by_somebody_else_is_unavailable_and_recovers(
    quick_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    monkeypatch.setattr(storage, "BUSY_MILLISECONDS", 50)
    path = quick_path / "locked.db"
    shutil.copy(sqlite_template, path)
    made = Database(str(path), clock=CLOCK, observers=react)
    made.start()
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked"):
            made.write_now(lambda uow: uow.next_number("alert"), companies=("msp",))
        other.execute("ROLLBACK")
        assert made.write_now(lambda uow: uow.next_number("alert"), companies=("msp",)) == 1
    finally:
        other.close()
        made.stop()


def test_a_full_disk_is_unavailable_and_recovers(quick_path: Path, sqlite_template: Path) -> None:
    import shutil

    path = quick_path / "full.db"
    shutil.copy(sqlite_template, path)
    made = Database(str(path), clock=CLOCK, observers=react)
    made.start()

    def fill(uow: object) -> None:
        uow.insert("raw_body", (uow.next_number("raw_body"), "msp", "x", 1, b"x" * 400_000))  # type: ignore[attr-defined]

    def pages(limit: int) -> None:
        def set_limit(uow: object) -> None:
            uow.connection.exec_driver_sql(f"PRAGMA max_page_count = {limit}")  # type: ignore[attr-defined]

        made.write_now(set_limit, companies=("msp",))

    try:
        pages(1)  # no more than it has
        with pytest.raises(Unavailable, match="full"):
            made.write_now(fill, companies=("msp",))
        pages(1_000_000)
        made.write_now(fill, companies=("msp",))
        count = made.read_now(lambda c: c.execute(text("SELECT count(*), max(id) FROM raw_body")).one())
        assert tuple(count) == (1, 1)
    finally:
        made.stop()


def test_a_server_that_cannot_be_reached_is_unavailable() -> None:
    made = Database("postgresql://nobody@127.0.0.1:1/none", clock=CLOCK, observers=react)
    with pytest.raises(Unavailable) as refused:
        made.start()
    assert refused.value.retry_after
    made.writer.lanes.close()
    made._write_engine.dispose()


def test_many_threads_that_write_are_all_answered(database: Database) -> None:
    found: list[int] = []

    def work() -> None:
        found.extend(database.write_now(lambda uow: uow.next_number("alert"), companies=("msp",)) for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(1, 161))


# --- one process per file --------------------------------------------------------------------------------------

HOLDS = """
import sys
from siems.daemon.lock import DatabaseLock
from siems.storage.database import parse_url
with DatabaseLock(parse_url(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_a_second_process_is_refused_and_told_who_holds_the_file(tmp_path: Path) -> None:
    url = str(tmp_path / "one.db")
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(Locked, match=f"process {other.pid}") as refused, DatabaseLock(parse_url(url)):
            pass
        assert refused.value.exit == 6
        other.kill()
        other.wait()
    with DatabaseLock(parse_url(url)):  # a lock dies with its process
        assert (tmp_path / "one.db.lock").read_text() == f"{os.getpid()}\n"


def test_on_postgresql_several_daemons_are_welcome() -> None:
    with DatabaseLock(parse_url("postgresql://u@h/d")), DatabaseLock(parse_url("postgresql://u@h/d")):
        pass


# --- secrets ---------------------------------------------------------------------------------------------------


def test_the_key_file_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "config" / "secret.key"
    sealed = Vault.open(path).seal("whsec_x")
    assert path.stat().st_mode & 0o777 == 0o600
    assert "whsec_x" not in sealed
    assert Vault.open(path).unseal(sealed) == "whsec_x"


def test_another_or_a_broken_key_file_says_what_to_restore(tmp_path: Path) -> None:
    sealed = Vault.open(tmp_path / "a").seal("x")
    with pytest.raises(Unavailable, match="another one"):
        Vault.open(tmp_path / "b").unseal(sealed)
    (tmp_path / "c").write_text("nonsense")
    with pytest.raises(Unavailable, match="cannot be used"):
        Vault.open(tmp_path / "c")


def test_tokens_are_long_and_never_twice_the_same() -> None:
    tokens = {random_token("sk_acme") for _ in range(200)}
    assert len(tokens) == 200
    assert min(map(len, tokens)) > 35
    assert len({token_hash(token) for token in tokens}) == 200
