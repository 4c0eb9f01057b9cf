"""Pages: few, and only people and due rows change them, so they are read from the database and written at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, select

from siems.clock import to_micros
from siems.domain.page import Page
from siems.storage import tables as t
from siems.vocabulary import Severity

if TYPE_CHECKING:
    from siems.storage.unit_of_work import UnitOfWork

_COLUMNS = [column.name for column in t.page.columns]
_PUT = (
    f"INSERT INTO page ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
    f" ON CONFLICT (id) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in _COLUMNS[1:])}"
)


class Pages:
    """The pages of a batch."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def put(self, page: Page) -> None:
        """A page as it is now."""
        p = page
        acked, ended = p.acknowledged_at, p.ended_at
        row = (
            p.id, p.company_id, p.target, json.dumps(p.people), p.message, int(p.severity), p.key, p.incident_id,
            p.created_by, to_micros(p.created_at), p.times_sent, to_micros(p.sent_at),
            None if acked is None else to_micros(acked), p.acknowledged_by,
            None if ended is None else to_micros(ended), p.ended_by,
        )  # fmt: skip
        self._uow.run(_PUT, [row])

    def find(self, number: int) -> Page | None:
        return find(self._uow.connection, number)

    def under(self, company_id: str, key: str) -> Page | None:
        """The page that answers to a key and has not ended."""
        p = t.page.c
        where = (p.company_id == company_id, p.dedup_key == key, p.ended_at.is_(None))
        row = self._uow.connection.execute(select(t.page).where(*where).order_by(p.id.desc()).limit(1)).first()
        return None if row is None else page_from(row)


def find(connection: Connection, number: int) -> Page | None:
    """A page as the database has it."""
    row = connection.execute(select(t.page).where(t.page.c.id == number)).first()
    return None if row is None else page_from(row)


def page_from(row: Row[Any]) -> Page:
    """The page of a row of `page`."""
    return Page(
        id=row.id, company_id=row.company_id, target=row.target, people=tuple(json.loads(row.people)),
        message=row.message, severity=Severity(row.severity), key=row.dedup_key, incident_id=row.incident_id,
        created_by=row.created_by, created_at=row.created_at, times_sent=row.times_sent, sent_at=row.sent_at,
        acknowledged_at=row.acknowledged_at, acknowledged_by=row.acknowledged_by, ended_at=row.ended_at,
        ended_by=row.ended_by,
    )  # fmt: skip
