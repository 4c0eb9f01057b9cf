"""Keeping an incident: what it is now, and with it everything that will happen to it later."""

from __future__ import annotations

from datetime import datetime

from siems.domain.deadlines import DueKind, deadlines_of
from siems.domain.incident import Incident
from siems.domain.stands import moved
from siems.domain.strategies import timed
from siems.services.stands import remember
from siems.storage.unit_of_work import UnitOfWork


def save(uow: UnitOfWork, before: Incident | None, after: Incident) -> None:
    """Keep an incident, and move its deadlines to where they now belong."""
    if before is not None and not moved(before, after) and not timed(uow.policy_of(after)):
        uow.incidents.count(after)  # one more alert of what is known: no deadline looks at that
        return
    if before is None:
        uow.incidents.add(after)
    else:
        uow.incidents.put(after)
    remember(uow, before, after)
    armed = due_of(uow, before) if before is not None else {}
    wanted = due_of(uow, after)
    for kind, due_at in wanted.items():
        if armed.get(kind) != due_at:
            uow.deadlines.set(after.ref, kind.value, due_at, company_id=after.company_id)
    for kind in armed:
        if kind not in wanted:
            uow.deadlines.cancel(after.ref, kind.value)


def due_of(uow: UnitOfWork, incident: Incident) -> dict[DueKind, datetime]:
    """Each kind of deadline that an incident should have, under what was in force when it opened."""
    terms = uow.memory.terms_named(uow.connection, incident.sla_snapshot)
    severity = incident.severity
    return deadlines_of(
        incident, uow.rules(incident.company_id), terms[severity], terms.calendar_for(severity),
        uow.policy_of(incident), uow.weights,
    )  # fmt: skip
