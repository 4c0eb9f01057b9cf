"""Escalating: the chain goes on, somebody else owns it, and everybody concerned hears of it."""

from __future__ import annotations

from siems.domain.changing import replace
from siems.domain.escalation import Cause, TargetKind, advance
from siems.domain.events import ChainEnded, IncidentEscalated
from siems.domain.incident import Incident
from siems.domain.permissions import Actor
from siems.services.keeping import save
from siems.services.staffing import least_loaded, recipients, staffed
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import State


def escalate(
    uow: UnitOfWork, before: Incident, *, cause: Cause, actor: Actor, reason: str, to_level: int | None = None
) -> Incident:  # fmt: skip
    """Advance the chain by one step (or to a level) and return the incident as it is then."""
    policy = uow.memory.policy_named(uow.connection, before.policy_snapshot)
    decision = advance(
        policy, before.position, level=before.escalation_level, severity=before.severity, cause=cause,
        staffed=staffed(uow, before, policy), to_level=to_level,
    )  # fmt: skip
    if decision is None:
        after = replace(before, escalates_at=None, version=before.version + 1)
        save(uow, before, after)
        uow.emit(ChainEnded(after, uow.now))
        return after
    paged = recipients(uow, before, decision.step)
    owner = before.assignee
    if policy.reassign and any(t.kind is not TargetKind.OWNER for t in decision.step.targets):
        chosen = least_loaded(uow, before.company_id, paged)
        owner = chosen.id if chosen is not None else owner
    # an ack stops the steps that wait for one, for the rest of this cycle
    due = uow.now + decision.wait if decision.wait is not None and before.acknowledged_at is None else None
    after = replace(
        before,
        position=decision.position,
        escalation_level=decision.level,
        escalated_at=uow.now,
        escalates_at=due,
        assignee=owner,
        assigned_at=uow.now if owner != before.assignee else before.assigned_at,
        state=State.ASSIGNED if before.state is State.OPEN and owner else before.state,
        version=before.version + 1,
    )
    save(uow, before, after)
    uow.emit(IncidentEscalated(before, after, decision, cause, actor, reason, tuple(p.id for p in paged), uow.now))
    return after
