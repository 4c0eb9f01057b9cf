"""Keeping an incident: what it is now, and with it everything that will happen to it later."""

from __future__ import annotations

from datetime import datetime

from siems.domain.correlation import Rules
from siems.domain.deadlines import DueKind, deadlines_of
from siems.domain.incident import Incident
from siems.domain.sla import Terms
from siems.storage.unit_of_work import UnitOfWork


def save(uow: UnitOfWork, before: Incident | None, after: Incident) -> None:
    """Keep an incident, and move its deadlines to where they now belong."""
    if before is None:
        uow.incidents.add(after)
    else:
        uow.incidents.put(after)
    rules = uow.rules(after.company_id)
    terms = uow.memory.terms_named(uow.connection, after.sla_snapshot)
    armed = _deadlines(before, rules, terms) if before is not None else {}
    wanted = _deadlines(after, rules, terms)
    for kind, due_at in wanted.items():
        if armed.get(kind) != due_at:
            uow.deadlines.set(after.ref, kind.value, due_at, company_id=after.company_id)
    for kind in armed:
        if kind not in wanted:
            uow.deadlines.cancel(after.ref, kind.value)


def _deadlines(incident: Incident, rules: Rules, terms: Terms) -> dict[DueKind, datetime]:
    return deadlines_of(incident, rules, terms[incident.severity], terms.calendar_for(incident.severity))
