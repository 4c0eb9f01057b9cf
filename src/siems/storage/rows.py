"""Aggregates as rows and back. Values are in the order of the table's columns, ready for the driver."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from sys import intern
from typing import Any

import msgspec

from siems.clock import from_micros, to_micros
from siems.domain import sla
from siems.domain.alert import Alert
from siems.domain.assignment import MANUAL
from siems.domain.company import CompanySettings
from siems.domain.correlation import Rules
from siems.domain.escalation import DEFAULT_POLICY_ID, Position
from siems.domain.heartbeat import Heartbeat
from siems.domain.incident import Incident
from siems.domain.matchers import parse
from siems.domain.priority import Weights
from siems.domain.recurrence import Recurrence
from siems.domain.silence import Silence
from siems.domain.tiers import STANDARD
from siems.storage.sla_rows import plan_json, targets_json, terms_from
from siems.vocabulary import AdviceMode, AlertStatus, Category, HoldReason, Paging, Severity, State, Strategy

Row = tuple[Any, ...]

_encode = msgspec.json.Encoder().encode


def _out(instant: datetime | None) -> int | None:
    return None if instant is None else to_micros(instant)


def _back(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


def _list(items: Sequence[Any]) -> str:
    return _encode(items).decode() if items else "[]"


def incident_row(i: Incident, weights: Weights) -> Row:
    """The values of the `incident` table, in its order."""
    c, p = i.clocks, i.position
    return (
        i.id, i.company_id, i.title, int(i.severity), i.severity_pinned, i.state.value, i.category.value, i.rule,
        i.signature, i.folded, to_micros(i.created_at), to_micros(i.last_alert_at), i.static_score(weights),
        to_micros(c.response_due), _out(c.response_met_at), _out(c.response_warned_at),
        _out(c.response_breached_at), c.response_cancelled,
        to_micros(c.resolution_due), _out(c.resolution_met_at), _out(c.resolution_warned_at),
        _out(c.resolution_breached_at), _out(c.paused_since), c.paused // timedelta(microseconds=1),
        i.sla_snapshot, i.policy_snapshot, p.cycle, p.round, p.step, i.escalation_level, _out(i.escalated_at),
        _out(i.escalates_at), _out(i.ack_due_at), _out(i.asked_at), _list(i.advanced_by),
        _list(i.assets), i.asset_count, _list(i.tool_sources), i.critical_asset,
        i.alert_count, i.repeat_count, i.active_count, i.touched, i.assignee, _out(i.assigned_at),
        _out(i.acknowledged_at), _out(i.started_at), i.hold_reason.value if i.hold_reason else None,
        _out(i.hold_until), _out(i.recovered_at), i.flapping, _list([to_micros(t) for t in i.transitions]),
        _out(i.resolved_at), i.resolved_by, i.resolution_notes, i.cause, _out(i.closed_at), i.merged_into,
        i.recurrence_of, _list(i.related), i.version, _out(i.reopened_at), _out(c.answered_at),
        i.escalations,
    )  # fmt: skip


def incident_from(row: Sequence[Any]) -> Incident:
    """The incident of a row of `incident`, whose times are still microseconds."""
    (
        id, company_id, title, severity, severity_pinned, state, category, rule, signature, folded, created_at,
        last_alert_at, _static_score, response_due, response_met_at, response_warned_at, response_breached_at,
        response_cancelled, resolution_due, resolution_met_at, resolution_warned_at, resolution_breached_at,
        paused_since, paused_micros, sla_snapshot, policy_snapshot, cycle, round_, step, escalation_level,
        escalated_at, escalates_at, ack_due_at, asked_at, advanced_by,
        assets, asset_count, tool_sources, critical_asset, alert_count, repeat_count,
        active_count, touched, assignee, assigned_at, acknowledged_at, started_at, hold_reason, hold_until,
        recovered_at, flapping, transitions, resolved_at, resolved_by, resolution_notes, cause, closed_at,
        merged_into, recurrence_of, related, version, reopened_at, answered_at, escalations,
    ) = row  # fmt: skip
    clocks = sla.Clocks(
        response_due=from_micros(response_due),
        resolution_due=from_micros(resolution_due),
        response_met_at=_back(response_met_at),
        response_warned_at=_back(response_warned_at),
        response_breached_at=_back(response_breached_at),
        response_cancelled=bool(response_cancelled),
        resolution_met_at=_back(resolution_met_at),
        resolution_warned_at=_back(resolution_warned_at),
        resolution_breached_at=_back(resolution_breached_at),
        paused_since=_back(paused_since),
        paused=timedelta(microseconds=paused_micros),
        answered_at=_back(answered_at),
    )
    return Incident(
        id=id, company_id=intern(company_id), title=title, severity=Severity(severity),
        severity_pinned=bool(severity_pinned), state=State(state), category=Category(category), rule=intern(rule),
        signature=intern(signature), folded=bool(folded), created_at=from_micros(created_at),
        last_alert_at=from_micros(last_alert_at), clocks=clocks, sla_snapshot=intern(sla_snapshot),
        policy_snapshot=intern(policy_snapshot), position=Position(cycle, round_, step),
        escalation_level=escalation_level, escalated_at=_back(escalated_at), escalates_at=_back(escalates_at),
        ack_due_at=_back(ack_due_at), asked_at=_back(asked_at), advanced_by=tuple(json.loads(advanced_by)),
        assets=tuple(map(intern, json.loads(assets))), asset_count=asset_count,
        tool_sources=tuple(map(intern, json.loads(tool_sources))),
        critical_asset=bool(critical_asset), alert_count=alert_count, repeat_count=repeat_count,
        active_count=active_count, touched=bool(touched), assignee=assignee, assigned_at=_back(assigned_at),
        acknowledged_at=_back(acknowledged_at), started_at=_back(started_at),
        hold_reason=HoldReason(hold_reason) if hold_reason else None, hold_until=_back(hold_until),
        recovered_at=_back(recovered_at), flapping=bool(flapping),
        transitions=tuple(from_micros(t) for t in json.loads(transitions)), resolved_at=_back(resolved_at),
        resolved_by=resolved_by, resolution_notes=resolution_notes, cause=cause, closed_at=_back(closed_at),
        merged_into=merged_into, recurrence_of=recurrence_of, related=tuple(json.loads(related)), version=version,
        reopened_at=_back(reopened_at), escalations=escalations,
    )  # fmt: skip


def alert_row(a: Alert) -> Row:
    """The values of the `alert` table, in its order."""
    return (
        a.id, a.company_id, a.incident_id, a.fingerprint, a.asset_name, a.signature, int(a.severity),
        a.original_severity, a.message, a.tool_source, a.status.value, a.count, to_micros(a.starts_at),
        to_micros(a.received_at), to_micros(a.last_seen_at), _out(a.resolved_at), a.suppressed_by, a.rule,
        a.evidence, _encode(a.labels).decode() if a.labels else "{}", _list(a.links), a.raw_id,
    )  # fmt: skip


def alert_from(row: Sequence[Any]) -> Alert:
    """The alert of a row of `alert`, whose times are still microseconds."""
    (
        id, company_id, incident_id, fingerprint, asset_name, signature, severity, original_severity, message,
        tool_source, status, count, starts_at, received_at, last_seen_at, resolved_at, suppressed_by, rule,
        evidence, labels, links, raw_id,
    ) = row  # fmt: skip
    return Alert(
        id=id, company_id=company_id, incident_id=incident_id, fingerprint=fingerprint, asset_name=asset_name,
        signature=signature, severity=Severity(severity), original_severity=original_severity, message=message,
        tool_source=tool_source, status=AlertStatus(status), count=count, starts_at=from_micros(starts_at),
        received_at=from_micros(received_at), last_seen_at=from_micros(last_seen_at),
        resolved_at=_back(resolved_at), suppressed_by=suppressed_by, rule=rule, evidence=evidence,
        labels=json.loads(labels), links=tuple(json.loads(links)), raw_id=raw_id,
    )  # fmt: skip


def heartbeat_row(h: Heartbeat) -> Row:
    """The values of the `heartbeat` table, in its order."""
    second = timedelta(seconds=1)
    return (
        h.id, h.company_id, h.name, h.every // second, h.grace // second, int(h.severity), h.token_hash, h.token_hint,
        to_micros(h.created_at), _out(h.last_beat_at), _out(h.expected_since), _out(h.started_at),
        _out(h.down_since), _out(h.paused_at),
    )  # fmt: skip


def heartbeat_from(row: Sequence[Any]) -> Heartbeat:
    """The heartbeat of a row of `heartbeat`, whose times are still microseconds."""
    (
        id, company_id, name, every, grace, severity, token_hash, token_hint, created_at, last_beat_at, expected_since,
        started_at, down_since, paused_at,
    ) = row  # fmt: skip
    return Heartbeat(
        id=id, company_id=company_id, name=name, every=timedelta(seconds=every), grace=timedelta(seconds=grace),
        severity=Severity(severity), token_hash=token_hash, token_hint=token_hint, created_at=from_micros(created_at),
        last_beat_at=_back(last_beat_at), expected_since=_back(expected_since), started_at=_back(started_at),
        down_since=_back(down_since), paused_at=_back(paused_at),
    )  # fmt: skip


def silence_row(s: Silence) -> Row:
    """The values of the `silence` table, in its order."""
    r = s.recurrence
    again = r and _encode([r.rule, r.zone, r.anchor.isoformat(), r.length.total_seconds()]).decode()
    return (
        s.id, s.company_id, _list([str(matcher) for matcher in s.matchers]), to_micros(s.starts_at),
        to_micros(s.ends_at), s.comment, s.change, again, s.created_by, to_micros(s.created_at), _out(s.ended_at),
        s.ended_by,
    )  # fmt: skip


def silence_from(row: Sequence[Any]) -> Silence:
    """The silence of a row of `silence`, whose times are still microseconds."""
    (
        id, company_id, matchers, starts_at, ends_at, comment, change, recurrence, created_by, created_at, ended_at,
        ended_by,
    ) = row  # fmt: skip
    again = None
    if recurrence is not None:
        rule, zone, anchor, length = json.loads(recurrence)
        again = Recurrence(
            rule=rule, zone=zone, anchor=datetime.fromisoformat(anchor), length=timedelta(seconds=length)
        )
    return Silence(
        id=id, company_id=company_id, matchers=parse(json.loads(matchers)), starts_at=from_micros(starts_at),
        ends_at=from_micros(ends_at), comment=comment, change=change, recurrence=again, created_by=created_by,
        created_at=from_micros(created_at), ended_at=_back(ended_at), ended_by=ended_by,
    )  # fmt: skip


# --- settings and snapshots, as JSON ---------------------------------------------------------------------------


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def content_name(kind: str, body: dict[str, Any]) -> str:
    """A short name for targets or a policy: the same for the same."""
    said = json.dumps([kind, body], sort_keys=True).encode()
    return blake2b(said, digest_size=12).hexdigest()


def settings_json(settings: CompanySettings) -> str:
    rules = settings.rules
    return json.dumps(
        {
            "enabled": rules.enabled,
            "strategy": rules.strategy.value,
            "window": _seconds(rules.window),
            "min_alerts": rules.min_alerts,
            "quiet_delay": _seconds(rules.quiet_delay),
            "auto_resolve": rules.auto_resolve,
            "reopen_window": _seconds(rules.reopen_window),
            "auto_close": _seconds(rules.auto_close),
            "cascades": rules.cascades,
            "texts": rules.texts,
            "rate": settings.rate_per_minute,
            "burst": settings.burst,
            "tier": settings.tier,
            "zone": settings.zone,
            "targets": targets_json(settings.targets),
            "paging": settings.paging.value,
            "policy_id": settings.policy_id,
            "oncall": settings.oncall,
            "assign": settings.assign,
            "update_every": _seconds(settings.update_every),
            "advice": settings.advice.value,
            "advice_lowers": settings.advice_lowers,
            **plan_json(settings.terms),
        }
    )


def settings_from(text: str) -> CompanySettings:
    data = json.loads(text)
    return CompanySettings(
        rules=Rules(
            enabled=data["enabled"],
            strategy=Strategy(data["strategy"]),
            window=timedelta(seconds=data["window"]),
            min_alerts=data["min_alerts"],
            quiet_delay=timedelta(seconds=data["quiet_delay"]),
            auto_resolve=data["auto_resolve"],
            reopen_window=timedelta(seconds=data["reopen_window"]),
            auto_close=timedelta(seconds=data["auto_close"]),
            cascades=data.get("cascades", True),
            texts=data.get("texts", True),
        ),
        rate_per_minute=data["rate"],
        burst=data["burst"],
        tier=data.get("tier", STANDARD),
        zone=data.get("zone", "UTC"),
        terms=terms_from(data),
        paging=Paging(data.get("paging", Paging.LIVE)),
        policy_id=data.get("policy_id", DEFAULT_POLICY_ID),
        oncall=data.get("oncall", ""),
        assign=data.get("assign", MANUAL),
        update_every=timedelta(seconds=data.get("update_every", 3_600)),
        advice=AdviceMode(data.get("advice", AdviceMode.ON)),
        advice_lowers=data.get("advice_lowers", False),
    )
