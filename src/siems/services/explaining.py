"""Why an incident is as it is: why grouped, why this score, why this owner, who was told, and what comes next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from siems.clock import from_micros
from siems.domain import priority
from siems.domain.deadlines import DueKind
from siems.domain.incident import Incident
from siems.domain.permissions import Actor, Permission, require
from siems.services.assign_views import kept_choice
from siems.services.insight_views import insight_view
from siems.services.queries import find_incident
from siems.services.reach_views import why
from siems.services.suggestions import suggestions
from siems.services.views import load_names, policy_named, score
from siems.storage import tables as t
from siems.storage.repositories.advice import find
from siems.vocabulary import Severity, State
from siems.wire import ComingUp, ExplainView, GroupedAlert, ScoreTerm

SHOWN = 50
_COMING = {
    DueKind.RESPONSE: "the response clock warns or is missed: a breach takes the chain one step further",
    DueKind.RESOLUTION: "the resolution clock warns or is missed: a breach takes the chain one step further",
    DueKind.ESCALATION: "nobody has acknowledged: the chain goes on to {next}",
    DueKind.STRATEGY: "a strategy of the policy takes the chain further",
    DueKind.ACK_TIMEOUT: "the owner is asked whether they are still on it",
    DueKind.HOLD_END: "the hold ends, and the owner hears of it",
    DueKind.AUTO_RESOLVE: "all alerts have recovered: siems resolves it",
    DueKind.FLAP_END: "it counts as calm again",
    DueKind.AUTO_CLOSE: "it is closed",
    DueKind.STATUS_UPDATE: "the owner is reminded of a status update",
}  # fmt: skip


def explain(connection: Connection, ref: str, actor: Actor, now: datetime) -> ExplainView:
    """The whole trace of an incident. Raises NotFound, Forbidden for clients."""
    incident = find_incident(connection, ref, actor)
    require(actor, Permission.SEE_AUDIT, incident.company_id, what=incident.ref)
    names = load_names(connection)
    policy = policy_named(connection, incident.policy_snapshot)
    story = _story(connection, incident)
    owner = names.users.get(incident.assignee or "", incident.assignee or "")
    advice = find(connection, incident.id)
    return ExplainView(
        id=incident.ref, title=incident.title, severity=incident.severity.name, state=incident.state.value,
        grouping=_grouping(connection, incident), alerts=incident.alert_count,
        merged=[text for kind, text in story if kind == "merge"], score=score(incident, names.weights, now),
        terms=_terms(incident, names.weights, now), owner=owner,
        ownership=[text for kind, text in story if kind == "owner"], choice=kept_choice(connection, incident),
        policy=policy.name, level=incident.escalation_level,
        escalations=[text for kind, text in story if kind == "escalation"],
        told=why(connection, actor, incident.ref), next=_coming(connection, incident, policy, names.users),
        runbooks=suggestions(connection, incident, actor),
        advice=None if advice is None else insight_view(advice),
    )  # fmt: skip


def _grouping(connection: Connection, incident: Incident) -> list[GroupedAlert]:
    a = t.alert.c
    rows = connection.execute(
        select(t.alert).where(a.incident_id == incident.id).order_by(a.received_at, a.id).limit(SHOWN)
    )
    return [
        GroupedAlert(
            id=f"ALR-{row.id}", at=row.received_at, asset_name=row.asset_name, signature=row.signature,
            tool_source=row.tool_source, severity=Severity(row.severity).name, count=row._mapping["count"],
            rule=row.rule, evidence=row.evidence,
        )
        for row in rows
    ]  # fmt: skip


def _terms(incident: Incident, weights: priority.Weights, now: datetime) -> list[ScoreTerm]:
    found = priority.terms(
        incident.severity, critical_asset=incident.critical_asset, duplicates=incident.duplicates,
        tools=len(incident.tool_sources), created_at=incident.created_at, as_of=now, weights=weights,
    )  # fmt: skip
    reasons = {
        "base": f"severity {incident.severity.name}",
        "critical_asset": "an asset is critical" if incident.critical_asset else "no asset is marked as critical",
        "duplicates": f"{_many(incident.alert_count, 'alert')} and {_many(incident.repeat_count, 'repeat')}",
        "multi_tool": f"reported by {', '.join(incident.tool_sources)}",
        "age": f"one point for each full hour since {incident.created_at:%Y-%m-%d %H:%M}Z, ten at most",
    }
    return [ScoreTerm(name=name, points=points, why=reasons[name]) for name, points in found.items()]


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _story(connection: Connection, incident: Incident) -> list[tuple[str, str]]:
    """(what it is about, the line with its time) of the timeline, oldest first."""
    line = t.timeline.c
    rows = connection.execute(
        select(line.at, line.kind, line.actor, line.text, line.data)
        .where(line.incident_id == incident.id, line.kind.in_(("state", "escalation", "merge", "notice")))
        .order_by(line.at, line.id)
    )
    found = []
    for row in rows:
        data = json.loads(row.data)
        kind = _about(row.kind, data)
        told = f"{row.at:%Y-%m-%d %H:%M:%S}Z  {row.text}"
        if kind:
            found.append((kind, told))
        before, after = data.get("assignee", ("", "")) if row.kind == "escalation" else ("", "")
        if before != after:
            found.append(("owner", told))
    return found


def _about(kind: str, data: dict[str, Any]) -> str:
    if kind in ("merge", "escalation"):
        return kind
    if kind == "notice":
        return "escalation"
    owned = data.get("action") in ("assign", "unassign", "ack", "start") or "strategy" in data
    return "owner" if owned else ""


def _coming(
    connection: Connection, incident: Incident, policy: Any, names: Mapping[str, str]
) -> list[ComingUp]:  # fmt: skip
    """What is due about it, the next first: deadlines and messages that wait."""
    if incident.state is State.CLOSED:
        return []
    d, m = t.deadline.c, t.message.c
    rows = connection.execute(select(d.kind, d.due_at).where(d.object == incident.ref).order_by(d.due_at))
    last = len(policy.steps) - 1
    step = policy.steps[min(incident.position.step + 1, last)]
    people = ", ".join(target.label() for target in step.targets)
    following = f"level {step.level} ({people})" if incident.position.step < last else "its first step again, or ends"
    found = [
        ComingUp(at=_when(at), kind=kind, text=_COMING.get(DueKind(kind), kind).format(next=following))
        for kind, at in rows
    ]
    waiting = connection.execute(
        select(m.next_at, m.channel, m.hint, m.user_id, m.why).where(
            m.object == incident.ref, m.state.in_(("pending", "failed", "unknown"))
        )
    )
    found += [
        ComingUp(
            at=row.next_at,
            kind="message",
            text=f"{row.channel} to {names.get(row.user_id) or 'a target of the policy'} ({row.hint}): {row.why}",
        )
        for row in waiting
    ]
    return sorted(found, key=lambda one: one.at)


def _when(at: Any) -> datetime:
    return at if isinstance(at, datetime) else from_micros(at)
