"""The live stream: one row per committed fact, numbered in the order of the commits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, text

from siems.clock import from_micros, to_micros
from siems.errors import InvalidField

if TYPE_CHECKING:
    from siems.storage.unit_of_work import UnitOfWork

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Published:
    """An event that is committed."""

    cursor: int
    company_id: str
    at: datetime
    type: str
    object: str
    data: Mapping[str, Any]


class Stream:
    """The events of a batch. Facts about one object that may coalesce do: the last one stands for all."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._lines: dict[Any, tuple[str, datetime, str, str, Mapping[str, Any]]] = {}
        self.published: list[Published] = []

    def add(self, type: str, object: str, *, company_id: str, data: Mapping[str, Any], coalesce: bool = False) -> None:
        """Tell whoever listens, after the commit."""
        key = (type, object) if coalesce else len(self._lines)
        self._uow.journal.set(self._lines, key, (company_id, self._uow.now, type, object, data))

    def flush(self) -> None:
        if not self._lines:
            return
        uow, rows = self._uow, []
        for company_id, at, type, object, data in self._lines.values():
            cursor = uow.next_number("event")
            published = Published(cursor, company_id, at, type, object, data)
            uow.journal.append(self.published, published)
            rows.append((cursor, company_id, to_micros(at), type, object, _encode(data).decode()))
        self._lines = {}
        uow.run(uow.dialect.insert("event"), rows)


def events_after(connection: Connection, cursor: int, *, limit: int = 1_000) -> list[Published]:
    """Committed events after a cursor, oldest first."""
    rows = connection.execute(
        text("SELECT cursor, company_id, at, type, object, data FROM event WHERE cursor > :c ORDER BY cursor LIMIT :l"),
        {"c": cursor, "l": limit},
    )
    return [
        Published(cursor, company_id, from_micros(at), type, object, msgspec.json.decode(data))
        for cursor, company_id, at, type, object, data in rows
    ]


def stream_bounds(connection: Connection) -> tuple[int, int]:
    """(the oldest cursor that is kept, the newest one given out)."""
    oldest = connection.execute(text("SELECT min(cursor) FROM event")).scalar()
    newest = connection.execute(text("SELECT value FROM counter WHERE name = 'event'")).scalar()
    return int(oldest or 0), int(newest or 0)


def write_cursor(number: int) -> str:
    return f"e{number:x}"


def read_cursor(text: str) -> int:
    """Raises InvalidField for what was never a cursor of ours."""
    try:
        if not text.startswith("e") or len(text) > 16:
            raise ValueError(text)
        return int(text[1:], 16)
    except ValueError as why:
        raise InvalidField("this cursor is not one of ours", hint="begin without it") from why
