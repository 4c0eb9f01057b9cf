"""Keeping an incident: what it is now, and with it everything that will happen to it later."""

from __future__ import annotations

from siems.domain.deadlines import deadlines_of
from siems.domain.incident import Incident
from siems.storage.unit_of_work import UnitOfWork


def save(uow: UnitOfWork, before: Incident | None, after: Incident) -> None:
    """Keep an incident, and move its deadlines to where they now belong."""
    if before is None:
        uow.incidents.add(after)
    else:
        uow.incidents.put(after)
    rules = uow.rules(after.company_id)
    targets = uow.memory.targets_named(uow.connection, after.sla_snapshot)
    policy = uow.memory.policy_named(uow.connection, after.policy_snapshot)
    armed = deadlines_of(before, rules, targets[before.severity], policy, uow.weights) if before is not None else {}
    wanted = deadlines_of(after, rules, targets[after.severity], policy, uow.weights)
    for kind, due_at in wanted.items():
        if armed.get(kind) != due_at:
            uow.deadlines.set(after.ref, kind.value, due_at, company_id=after.company_id)
    for kind in armed:
        if kind not in wanted:
            uow.deadlines.cancel(after.ref, kind.value)
