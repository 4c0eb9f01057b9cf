"""What differs between the databases, and what their errors mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import DBAPIError, OperationalError

from siems.errors import Unavailable
from siems.storage import tables as t

GIVEN_UP = ("40001", "40P01", "55P03")
"""What PostgreSQL says of a transaction that others stood in the way of: serialization, deadlock, a lock."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between the databases."""

    name: str
    shared: bool
    """Whether other daemons may write too."""
    _inserts: dict[str, str] = field(default_factory=dict, compare=False)

    def marks(self, statement: str) -> str:
        """A statement written with `?`, in the driver's own marks."""
        return statement if self.name == "sqlite" else statement.replace("?", "%s")

    def insert(self, table: str) -> str:
        """INSERT for all columns of a table but a number that the database gives itself."""
        found = self._inserts.get(table)
        if found is None:
            columns = [c.name for c in t.metadata.tables[table].columns if c.autoincrement is not True]
            marks = ", ".join("?" * len(columns))
            again = " ON CONFLICT (dedup_key) DO NOTHING" if table in ("notification", "message") else ""
            found = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}){again}"  # noqa: S608
            self._inserts[table] = found
        return found


class translated:
    """Turns a database that cannot be reached, is locked or is full into Unavailable."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, OperationalError) or (isinstance(error, DBAPIError) and error.connection_invalidated):
            raise unavailable(error) from error


def unavailable(error: DBAPIError) -> Unavailable:
    """What a sender is told when the database does not answer."""
    text = _said(error)
    if _full(text):
        return Unavailable("the disk is full", hint="make room; nothing that was accepted is lost", retry_after=30)
    if "is locked" in text:
        return Unavailable("the database is locked by another process", hint="siems doctor", retry_after=2)
    return Unavailable("the database cannot be reached", hint="siems doctor", retry_after=5)


def dropped(error: DBAPIError) -> bool:
    """Whether the transaction was given up by the server, or its connection was, and may go well on a new one."""
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in GIVEN_UP


def disk_full(error: DBAPIError) -> bool:
    """Whether there was no room for what was to be written."""
    return _full(_said(error))


def _full(text: str) -> bool:
    return "disk is full" in text or "No space left" in text


def _said(error: DBAPIError) -> str:
    return " ".join(str(getattr(found, "orig", found)) for found in _behind(error))


def _behind(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what led to it: SQLite has already rolled back when a full disk is noticed in a savepoint."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
