"""Silences: in memory until they are over, else in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from siems.domain.silence import Silence
from siems.storage import tables as t
from siems.storage.rows import silence_from, silence_row

if TYPE_CHECKING:
    from siems.storage.unit_of_work import UnitOfWork

_COLUMNS = [column.name for column in t.silence.columns]
_PUT = (
    f"INSERT INTO silence ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
    f" ON CONFLICT (id) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in _COLUMNS[1:])}"
)


class Silences:
    """The silences of a batch. Only people and due rows change them, so each is written at once."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def put(self, silence: Silence) -> None:
        """A silence as it is now."""
        uow = self._uow
        uow.run(_PUT, [silence_row(silence)])
        known = uow.company(silence.company_id).silences
        if silence.ended_at is None:
            uow.journal.set(known, silence.id, silence)
        else:
            uow.journal.drop(known, silence.id)

    def find(self, number: int) -> Silence | None:
        """The silence, over or not."""
        return find(self._uow.connection, number)


def find(connection: Connection, number: int) -> Silence | None:
    """A silence as the database has it."""
    row = connection.execute(select(*t.raw_columns(t.silence)).where(t.silence.c.id == number)).first()
    return None if row is None else silence_from(row)


def not_over(connection: Connection, company_id: str) -> list[Silence]:
    """The silences of a company that are on or to come, the oldest first."""
    s = t.silence.c
    rows = connection.execute(
        select(*t.raw_columns(t.silence)).where(s.company_id == company_id, s.ended_at.is_(None)).order_by(s.id)
    )
    return [silence_from(row) for row in rows]
