"""What groups incidents of several clients: those that are open are in memory, since every new incident asks them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, delete, select

from siems.clock import to_micros
from siems.domain.parent import Parent, ParentState
from siems.storage import tables as t
from siems.vocabulary import MSP

if TYPE_CHECKING:
    from siems.storage.unit_of_work import UnitOfWork

_COLUMNS = [column.name for column in t.parent.columns]
_PUT = (
    f"INSERT INTO parent ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
    f" ON CONFLICT (id) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in _COLUMNS[1:])}"
)


class Parents:
    """The groups of a batch. People change them, and new incidents join them."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def open(self) -> list[Parent]:
        """Those that are open, the oldest first."""
        return list(self._uow.memory.parents.values())

    def put(self, parent: Parent) -> None:
        """A group as it is now."""
        p, uow = parent, self._uow
        acked, ended = p.acknowledged_at, p.ended_at
        row = (
            p.id, MSP, p.title, p.query, p.state.value, p.created_by, to_micros(p.created_at), p.acknowledged_by,
            None if acked is None else to_micros(acked), p.ended_by, None if ended is None else to_micros(ended),
        )  # fmt: skip
        uow.run(_PUT, [row])
        if p.open:
            uow.journal.set(uow.memory.parents, p.id, p)
        else:
            uow.journal.drop(uow.memory.parents, p.id)

    def find(self, number: int) -> Parent | None:
        return find(self._uow.connection, number)

    def join(self, parent: Parent, incident_id: int, company_id: str, by: str) -> None:
        """An incident belongs to it from now on."""
        uow = self._uow
        uow.insert("parent_child", (incident_id, company_id, parent.id, by, to_micros(uow.now)))

    def leave(self, incident_id: int) -> None:
        self._uow.connection.execute(delete(t.parent_child).where(t.parent_child.c.incident_id == incident_id))

    def tell(self, parent: Parent, kind: str, text: str, actor: str) -> None:
        """A line of its story."""
        uow = self._uow
        uow.insert("parent_line", (MSP, parent.id, to_micros(uow.now), kind, actor, text))


def find(connection: Connection, number: int) -> Parent | None:
    """A group as the database has it."""
    row = connection.execute(select(t.parent).where(t.parent.c.id == number)).first()
    return None if row is None else parent_from(row)


def open_parents(connection: Connection) -> dict[int, Parent]:
    """All that are open, by number."""
    rows = connection.execute(
        select(t.parent).where(t.parent.c.state == ParentState.OPEN.value).order_by(t.parent.c.id)
    )
    return {row.id: parent_from(row) for row in rows}


def parent_of(connection: Connection, incident_id: int) -> int | None:
    """The number of the group that an incident belongs to."""
    child = t.parent_child.c
    found: int | None = connection.execute(select(child.parent_id).where(child.incident_id == incident_id)).scalar()
    return found


def parent_from(row: Row[Any]) -> Parent:
    """The group of a row of `parent`."""
    return Parent(
        id=row.id, title=row.title, query=row.query, state=ParentState(row.state), created_by=row.created_by,
        created_at=row.created_at, acknowledged_by=row.acknowledged_by, acknowledged_at=row.acknowledged_at,
        ended_by=row.ended_by, ended_at=row.ended_at,
    )  # fmt: skip
