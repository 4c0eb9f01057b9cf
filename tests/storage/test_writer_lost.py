"""A connection that is lost in mid-transaction costs nobody an answer, as long as nothing can have been committed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event, text

from siems.clock import ManualClock
from siems.errors import Unavailable
from siems.services.observers import react
from siems.storage.database import Database
from siems.storage.unit_of_work import UnitOfWork

CLOCK = ManualClock(datetime(2026, 3, 10, 12, 0, tzinfo=UTC))
END = text("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    made = Database(postgres_url, clock=CLOCK, observers=react)
    made.start()
    made.write_now(lambda uow: uow.connection.execute(text("CREATE TABLE scratch (n integer)")), companies=("msp",))
    yield made
    made.stop()


def kept(database: Database) -> list[int]:
    found: list[int] = database.read_now(lambda c: list(c.execute(text("SELECT n FROM scratch")).scalars()))
    return found


class Insert:
    """Writes one row; its connection is cut the first `cuts` times."""

    def __init__(self, *, cuts: int) -> None:
        self.tries, self.cuts = 0, cuts

    def __call__(self, uow: UnitOfWork) -> str:
        self.tries += 1
        uow.connection.execute(text("INSERT INTO scratch VALUES (1)"))
        if self.tries <= self.cuts:
            uow.connection.execute(END)
        return "done"


def test_a_batch_whose_connection_was_cut_is_written_on_a_new_one(database: Database) -> None:
    insert = Insert(cuts=1)
    assert database.write_now(insert, companies=("msp",)) == "done"
    assert insert.tries == 2
    assert kept(database) == [1]


def test_a_database_that_cuts_again_is_said_to_be_away(database: Database) -> None:
    insert = Insert(cuts=2)
    with pytest.raises(Unavailable) as refused:
        database.write_now(insert, companies=("msp",))
    assert refused.value.retry_after
    assert (insert.tries, kept(database)) == (2, [])
    assert database.write_now(lambda uow: "well", companies=("msp",)) == "well"


def test_nothing_is_tried_again_once_commit_was_sent(database: Database) -> None:
    insert, cut = Insert(cuts=0), []

    def lost(connection: Any) -> None:
        if not cut:
            cut.append(True)
            connection.exec_driver_sql(str(END))

    event.listen(database._write_engine, "commit", lost)
    with pytest.raises(Unavailable):
        database.write_now(insert, companies=("msp",))
    assert cut
    assert insert.tries == 1


@pytest.mark.parametrize(("cuts", "starts"), [(1, True), (2, False)])
def test_a_start_that_loses_its_connection_begins_once_more(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, cuts: int, starts: bool
) -> None:
    made, load, left = Database(postgres_url, clock=CLOCK, observers=react), Database._load, [True] * cuts

    def cut(self: Database, connection: Any) -> None:
        if left:
            left.pop()
            connection.execute(END)
        load(self, connection)

    monkeypatch.setattr(Database, "_load", cut)
    if starts:
        made.start()
        assert made.write_now(lambda uow: "well", companies=("msp",)) == "well"
    else:
        with pytest.raises(Unavailable):
            made.start()
    made.stop()
