"""Deadlines: at most one of each kind per object; setting one replaces it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from siems.clock import from_micros, to_micros

if TYPE_CHECKING:
    from siems.storage.unit_of_work import UnitOfWork

_SET = (
    "INSERT INTO deadline (object, kind, company_id, due_at, payload) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (object, kind) DO UPDATE SET due_at = excluded.due_at, payload = excluded.payload"
)


_CLAIM = "SELECT 1 FROM deadline WHERE object = :o AND kind = :k AND due_at <= :n"
_CLAIM_SHARED = f"{_CLAIM} FOR UPDATE SKIP LOCKED"


@dataclass(frozen=True, slots=True)
class Due:
    """A row whose time has come."""

    object: str
    kind: str
    company_id: str
    due_at: datetime
    payload: str = "{}"
    """JSON: what the row needs to know beyond its object."""


class Deadlines:
    """The deadlines of a batch."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._pending: dict[tuple[str, str], tuple[str, datetime, str] | None] = {}

    def set(self, object: str, kind: str, due_at: datetime, *, company_id: str, payload: str = "{}") -> None:
        """This happens then, instead of whenever it was to happen before."""
        self._uow.journal.set(self._pending, (object, kind), (company_id, due_at, payload))

    def cancel(self, object: str, kind: str) -> None:
        """This does not happen."""
        self._uow.journal.set(self._pending, (object, kind), None)

    def take(self, due: Due) -> bool:
        """Claim a due row, for one transaction: False when it is gone, moved, or in another daemon's hands."""
        pending = self._pending.get((due.object, due.kind), _UNTOUCHED)
        if pending is not _UNTOUCHED:
            if pending is None or pending[1] > self._uow.now:
                return False
        elif not self._uow.connection.execute(
            text(_CLAIM_SHARED if self._uow.dialect.shared else _CLAIM),
            {"o": due.object, "k": due.kind, "n": to_micros(self._uow.now)},
        ).first():
            return False
        self.cancel(due.object, due.kind)
        return True

    def flush(self) -> None:
        uow = self._uow
        gone = [key for key, value in self._pending.items() if value is None]
        kept = [
            (object, kind, value[0], to_micros(value[1]), value[2])
            for (object, kind), value in self._pending.items()
            if value is not None
        ]
        uow.run("DELETE FROM deadline WHERE object = ? AND kind = ?", gone)
        uow.run(_SET, kept)
        for value in self._pending.values():
            if value is not None and (uow.earliest_due is None or value[1] < uow.earliest_due):
                uow.earliest_due = value[1]
        self._pending = {}


_UNTOUCHED = ("", datetime.max.replace(tzinfo=UTC), "")


def due_rows(connection: Connection, now: datetime, *, limit: int = 200) -> list[Due]:
    """Rows whose time has come, the oldest first; of one instant in an order that never varies."""
    rows = connection.execute(
        text(
            "SELECT object, kind, company_id, due_at, payload FROM deadline WHERE due_at <= :n ORDER BY due_at LIMIT :l"
        ),
        {"n": to_micros(now), "l": limit},
    )
    found = [
        Due(object, kind, company_id, from_micros(due_at), payload)
        for object, kind, company_id, due_at, payload in rows
    ]
    return sorted(found, key=lambda due: (due.due_at, due.object, due.kind))


def next_due(connection: Connection) -> datetime | None:
    """When the next row is due."""
    value = connection.execute(text("SELECT min(due_at) FROM deadline")).scalar()
    return None if value is None else from_micros(value)


def due_or_next(connection: Connection, now: datetime) -> tuple[list[Due], datetime | None]:
    """(rows whose time has come, else when the next row is due): a tick that finds nothing asks once."""
    rows = due_rows(connection, now)
    return rows, None if rows else next_due(connection)


def overdue(connection: Connection, before: datetime) -> int:
    """How many rows should have been fired before this time."""
    found = connection.execute(text("SELECT count(*) FROM deadline WHERE due_at < :n"), {"n": to_micros(before)})
    return int(found.scalar_one())
