"""Incidents: found in memory while they are not closed, else in the database; written once per batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from siems.clock import to_micros
from siems.domain.incident import Incident
from siems.errors import NotFound
from siems.storage import tables as t
from siems.storage.indexing import forget_incident
from siems.storage.memory import CompanyMemory
from siems.storage.rows import incident_from, incident_row
from siems.vocabulary import State

if TYPE_CHECKING:
    from siems.storage.unit_of_work import UnitOfWork

_COLUMNS = [column.name for column in t.incident.columns]
_UPDATE = f"UPDATE incident SET {', '.join(f'{c} = ?' for c in _COLUMNS[1:])} WHERE id = ?"  # noqa: S608
_FIND = select(*t.raw_columns(t.incident)).where(
    t.incident.c.id == bindparam("number"), t.incident.c.company_id == bindparam("company")
)
_COUNT = (
    "UPDATE incident SET last_alert_at = ?, static_score = ?, alert_count = ?, repeat_count = ?,"
    " active_count = ? WHERE id = ?"
)


class Incidents:
    """The incidents of a batch. `put` keeps a decision, `count` only what repeats move."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._new: dict[int, Incident] = {}
        self._changed: dict[int, Incident] = {}
        self._counted: dict[int, Incident] = {}

    def find(self, company_id: str, number: int) -> Incident | None:
        """The incident as this batch sees it."""
        pending = self._changed.get(number) or self._new.get(number)
        if pending is not None:
            return pending
        found = self._uow.company(company_id).incidents.get(number)
        if found is not None:
            return found
        row = self._uow.connection.execute(_FIND, {"number": number, "company": company_id}).first()
        return incident_from(row) if row is not None else None

    def get(self, company_id: str, number: int) -> Incident:
        """As `find`; raises NotFound."""
        found = self.find(company_id, number)
        if found is None:
            raise NotFound(f"there is no INC-{number}", hint="siems incident list")
        return found

    def open_of(self, company: CompanyMemory, number: int) -> Incident:
        """As `get`, for one that is most likely still open: then its company has it at hand, as this batch sees it."""
        return company.incidents.get(number) or self.get(company.id, number)

    def add(self, incident: Incident) -> None:
        """A new incident."""
        self._uow.journal.set(self._new, incident.id, incident)
        self._remember(incident)

    def put(self, incident: Incident) -> None:
        """An incident as it is now."""
        journal = self._uow.journal
        journal.set(self._new if incident.id in self._new else self._changed, incident.id, incident)
        journal.drop(self._counted, incident.id)
        self._remember(incident)

    def count(self, incident: Incident) -> None:
        """Counters have moved, nothing was decided."""
        journal = self._uow.journal
        for pending in (self._new, self._changed):
            if incident.id in pending:
                journal.set(pending, incident.id, incident)
                break
        else:
            journal.set(self._counted, incident.id, incident)
        journal.set(self._uow.company(incident.company_id).incidents, incident.id, incident)

    def repeat(self, company: CompanyMemory, incident: Incident) -> None:
        """An alert of it was seen again: its counters are written with those of the alert."""
        journal, number = self._uow.journal, incident.id
        for pending in (self._new, self._changed, self._counted):
            if number in pending:
                journal.set(pending, number, incident)
                break
        journal.set(company.incidents, number, incident)

    def _remember(self, incident: Incident) -> None:
        company = self._uow.company(incident.company_id)
        self._weigh(company, company.incidents.get(incident.id), incident)
        if incident.state is State.CLOSED:
            forget_incident(self._uow.journal, company, incident.id)
            return
        back = incident.id not in company.incidents and incident.id not in self._new
        self._uow.journal.set(company.incidents, incident.id, incident)
        if back:
            self._uow.alerts.find_again(company, incident)

    def _weigh(self, company: CompanyMemory, before: Incident | None, after: Incident) -> None:
        """How much each of its owners has to do, and when they were last given something."""
        old = before.assignee if before is not None and before.open else None
        new = after.assignee if after.open else None
        if new is not None and after.assigned_at == self._uow.now:
            self._uow.roster.given(new)
        if old == new:
            return
        load, journal = company.workload, self._uow.journal
        if old is not None:
            journal.set(load, old, load.get(old, 1) - 1)
        if new is not None:
            journal.set(load, new, load.get(new, 0) + 1)

    def flush(self) -> None:
        uow, weights = self._uow, self._uow.weights
        if self._new:
            uow.run(uow.dialect.insert("incident"), [incident_row(i, weights) for i in self._new.values()])
        if self._changed:
            rows = (incident_row(i, weights) for i in self._changed.values())
            uow.run(_UPDATE, [(*row[1:], row[0]) for row in rows])
        if self._counted:
            uow.run(
                _COUNT,
                [
                    (
                        to_micros(i.last_alert_at),
                        i.static_score(weights),
                        i.alert_count,
                        i.repeat_count,
                        i.active_count,
                        i.id,
                    )
                    for i in self._counted.values()
                ],
            )
        self._new, self._changed, self._counted = {}, {}, {}
