"""What is to be looked at, queued by alerts in memory; and the advice that is kept, written by verbs of its own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from siems.clock import to_micros
from siems.domain.advice import Advice
from siems.domain.incident import Incident
from siems.storage import tables as t
from siems.storage.advice_rows import advice_from, advice_row

if TYPE_CHECKING:
    from siems.storage.unit_of_work import UnitOfWork

_QUEUE = (
    "INSERT INTO advice_job (incident_id, company_id, severity, next_at, attempt, again, lease_token, lease_until)"
    " VALUES (?, ?, ?, ?, 0, ?, '', NULL) ON CONFLICT (incident_id) DO UPDATE SET severity = excluded.severity,"
    " again = excluded.again, next_at = CASE WHEN advice_job.next_at < excluded.next_at THEN advice_job.next_at"
    " ELSE excluded.next_at END"
)


class Advices:
    """The queue of a batch, and the advice of one incident at a time."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._queued: dict[int, tuple[str, int, int]] = {}

    def queue(self, incident: Incident, at: datetime) -> None:
        """This incident is to be looked at by then; an earlier time stays."""
        wanted, known = to_micros(at), self._queued.get(incident.id)
        when = wanted if known is None else min(wanted, known[2])
        self._uow.journal.set(self._queued, incident.id, (incident.company_id, int(incident.severity), when))

    def find(self, incident_id: int) -> Advice | None:
        return find(self._uow.connection, incident_id)

    def put(self, advice: Advice, signature: str) -> None:
        """Advice in place of what was there. For verbs of people and workers: it writes at once."""
        run, table = self._uow.connection.execute, t.advice
        run(table.delete().where(table.c.incident_id == advice.incident_id))
        run(table.insert().values(**advice_row(advice, signature)))

    def flush(self) -> None:
        if self._queued:
            rows = [(number, *known, True) for number, known in self._queued.items()]
            self._uow.run(_QUEUE, rows)
            self._queued = {}


def find(connection: Connection, incident_id: int) -> Advice | None:
    """The advice on an incident, as the database has it."""
    row = connection.execute(select(t.advice).where(t.advice.c.incident_id == incident_id)).first()
    return None if row is None else advice_from(row)


def advice_of(connection: Connection, incident_ids: Iterable[int]) -> dict[int, Advice]:
    """The advice on several incidents, by their numbers."""
    wanted = sorted(set(incident_ids))
    if not wanted:
        return {}
    rows = connection.execute(select(t.advice).where(t.advice.c.incident_id.in_(wanted)))
    return {row.incident_id: advice_from(row) for row in rows}
