"""Domain objects as the wire shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from siems.domain import priority, sla
from siems.domain.alert import Alert
from siems.domain.escalation import Policy, StepTarget, TargetKind
from siems.domain.incident import Incident
from siems.domain.lifecycle import available
from siems.domain.permissions import Actor
from siems.domain.priority import DEFAULT_WEIGHTS, Weights
from siems.storage import tables as t
from siems.storage.policy_rows import policy_from
from siems.storage.sla_rows import terms_from
from siems.vocabulary import Role
from siems.wire import AlertView, IncidentView, NextEscalation, ResolutionClock, ResponseClock, Sla

_SNAPSHOTS: dict[str, object] = {}
"""Targets and policies by their content's name: what a name stands for never changes."""


@dataclass(frozen=True, slots=True)
class Names:
    """What ids are called, for one answer."""

    companies: Mapping[str, str]
    users: Mapping[str, str]
    weights: Weights = field(default=DEFAULT_WEIGHTS)


def load_names(connection: Connection) -> Names:
    companies = _pairs(connection, t.company.c.id, t.company.c.name)
    users = _pairs(connection, t.user.c.id, t.user.c.name)
    return Names(companies, users)


def _pairs(connection: Connection, key: Any, value: Any) -> dict[str, str]:
    return {row[0]: row[1] for row in connection.execute(select(key, value))}


def terms_named(connection: Connection, name: str) -> sla.Terms:
    found = _SNAPSHOTS.get(name)
    if found is None:
        found = _SNAPSHOTS[name] = terms_from(_body(connection, name))
    return found  # type: ignore[return-value]


def policy_named(connection: Connection, name: str) -> Policy:
    found = _SNAPSHOTS.get(name)
    if found is None:
        found = _SNAPSHOTS[name] = policy_from(_body(connection, name))
    return found  # type: ignore[return-value]


def _body(connection: Connection, name: str) -> dict[str, object]:
    body = connection.execute(select(t.snapshot.c.body).where(t.snapshot.c.id == name)).scalar_one()
    found: dict[str, object] = json.loads(body)
    return found


def score(incident: Incident, weights: Weights, as_of: datetime) -> int:
    """The priority as it is now; a closed life has stopped ageing."""
    return incident.static_score(weights) - priority.age_term(incident.created_at, as_of=as_of, weights=weights)


def incident_view(
    connection: Connection, incident: Incident, actor: Actor, names: Names, *, as_of: datetime
) -> IncidentView:
    """An incident as this reader sees it."""
    i, clocks = incident, incident.clocks
    target = terms_named(connection, i.sla_snapshot)[i.severity]
    view = IncidentView(
        id=i.ref, company_id=i.company_id, company=names.companies.get(i.company_id, i.company_id), title=i.title,
        severity=i.severity.name, state=i.state.value, on_hold=i.on_hold,
        hold_reason=i.hold_reason.value if i.hold_reason else None, hold_until=i.hold_until, flapping=i.flapping,
        priority_score=score(i, names.weights, as_of), escalation_level=i.escalation_level,
        escalated_at=i.escalated_at, next_escalation=_next_escalation(connection, i), assignee=i.assignee,
        assignee_name=names.users.get(i.assignee or "", i.assignee), alert_count=i.alert_count,
        repeat_count=i.repeat_count, active_count=i.active_count, tool_sources=list(i.tool_sources),
        assets=list(i.assets), asset_count=i.asset_count, category=i.category.value, rule=i.rule,
        created_at=i.created_at, last_alert_at=i.last_alert_at, acknowledged_at=i.acknowledged_at,
        resolved_at=i.resolved_at, closed_at=i.closed_at, resolved_by=i.resolved_by,
        resolution_notes=i.resolution_notes, cause=i.cause, merged_into=_ref(i.merged_into),
        recurrence_of=_ref(i.recurrence_of), related=[f"INC-{number}" for number in i.related], version=i.version,
        actions=[action.value for action in available(i, actor)],
        sla=Sla(
            response=ResponseClock(
                due_at=clocks.response_due, met_at=clocks.response_met_at,
                breached=clocks.response_breached_at is not None, cancelled=clocks.response_cancelled,
                target_seconds=int(target.response.total_seconds()),
            ),
            resolution=ResolutionClock(
                due_at=clocks.resolution_due, met_at=clocks.resolution_met_at,
                breached=clocks.resolution_breached_at is not None, paused=clocks.paused_since is not None,
                target_seconds=int(target.resolution.total_seconds()),
            ),
        ),
    )  # fmt: skip
    return public(view) if actor.role is Role.CLIENT else view


def public(view: IncidentView) -> IncidentView:
    """What a client may know of an incident of theirs: the problem, where it stands and its clocks, but not who works
    on it, how it was grouped and ranked, and what staff wrote about it."""
    return msgspec.structs.replace(
        view, priority_score=0, escalation_level=0, escalated_at=None, next_escalation=None, assignee=None,
        assignee_name=None, rule="", resolved_by=None, resolution_notes=None, cause=None, related=[], insight=None,
    )  # fmt: skip


def _ref(number: int | None) -> str | None:
    return None if number is None else f"INC-{number}"


def _next_escalation(connection: Connection, incident: Incident) -> NextEscalation | None:
    if incident.escalates_at is None or not incident.open:
        return None
    policy = policy_named(connection, incident.policy_snapshot)
    step = policy.steps[(incident.position.step + 1) % len(policy.steps)]
    to = ", ".join(map(_several, step.targets))
    return NextEscalation(due_at=incident.escalates_at, level=step.level, to=to)


def _several(target: StepTarget) -> str:
    return f"{target.name}s" if target.kind is TargetKind.ROLE else target.label()


def alert_view(alert: Alert, names: Names, actor: Actor) -> AlertView:
    """An alert as this reader sees it: clients are not told how it was grouped."""
    a, staff = alert, actor.role is not Role.CLIENT
    return AlertView(
        id=f"ALR-{a.id}", company_id=a.company_id, company=names.companies.get(a.company_id, a.company_id),
        incident_id=_ref(a.incident_id), fingerprint=a.fingerprint, asset_name=a.asset_name,
        signature=a.signature, severity=a.severity.name, original_severity=a.original_severity,
        message=a.message, tool_source=a.tool_source, status=a.status.value, count=a.count,
        starts_at=a.starts_at, received_at=a.received_at, last_seen_at=a.last_seen_at, resolved_at=a.resolved_at,
        suppressed_by=a.suppressed_by if staff else None,
        rule=a.rule if staff else "", evidence=a.evidence if staff else "",
        labels=dict(a.labels) if staff else {}, links=list(a.links) if staff else [],
    )  # fmt: skip
