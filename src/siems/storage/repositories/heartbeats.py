"""Heartbeats: held in memory, so that a beat reads nothing, and written once per batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from siems.domain.heartbeat import Heartbeat
from siems.domain.permissions import missing
from siems.storage import tables as t
from siems.storage.rows import heartbeat_from, heartbeat_row

if TYPE_CHECKING:
    from siems.storage.unit_of_work import UnitOfWork

_UPDATE = (
    "UPDATE heartbeat SET name = ?, every_seconds = ?, grace_seconds = ?, severity = ?, token_hash = ?,"
    " token_hint = ?, last_beat_at = ?, expected_since = ?, started_at = ?, down_since = ?, paused_at = ? WHERE id = ?"
)


class Heartbeats:
    """The heartbeats of a batch."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._new: dict[str, Heartbeat] = {}
        self._changed: dict[str, Heartbeat] = {}
        self._gone: list[tuple[str]] = []

    def find(self, company_id: str, id: str) -> Heartbeat | None:
        return self._uow.company(company_id).heartbeats.get(id)

    def get(self, company_id: str, id: str) -> Heartbeat:
        """Raises NotFound."""
        found = self.find(company_id, id)
        if found is None:
            raise missing(f"heartbeat {id}")
        return found

    def named(self, company_id: str, name: str) -> Heartbeat | None:
        """The heartbeat of a company with this name."""
        beats = self._uow.company(company_id).heartbeats.values()
        return next((beat for beat in beats if beat.name == name), None)

    def add(self, beat: Heartbeat) -> None:
        self._uow.journal.set(self._new, beat.id, beat)
        self._remember(beat)

    def put(self, beat: Heartbeat) -> None:
        """A heartbeat as it is now."""
        self._uow.journal.set(self._new if beat.id in self._new else self._changed, beat.id, beat)
        self._remember(beat)

    def _remember(self, beat: Heartbeat) -> None:
        self._uow.journal.set(self._uow.company(beat.company_id).heartbeats, beat.id, beat)

    def drop(self, beat: Heartbeat) -> None:
        """It is there no more."""
        journal = self._uow.journal
        journal.drop(self._uow.company(beat.company_id).heartbeats, beat.id)
        for pending in (self._new, self._changed):
            journal.drop(pending, beat.id)
        journal.append(self._gone, (beat.id,))

    def flush(self) -> None:
        uow = self._uow
        if not (self._new or self._changed or self._gone):
            return
        uow.run("DELETE FROM heartbeat WHERE id = ?", self._gone)  # first: its name is free again
        if self._new:
            uow.run(uow.dialect.insert("heartbeat"), [heartbeat_row(beat) for beat in self._new.values()])
        rows = [heartbeat_row(beat) for beat in self._changed.values()]
        uow.run(_UPDATE, [(*row[2:8], *row[9:], row[0]) for row in rows])
        self._new, self._changed, self._gone = {}, {}, []


def heartbeats_of(connection: Connection, company_id: str) -> list[Heartbeat]:
    """All of a company."""
    rows = connection.execute(select(*t.raw_columns(t.heartbeat)).where(t.heartbeat.c.company_id == company_id))
    return [heartbeat_from(row) for row in rows]
