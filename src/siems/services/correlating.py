"""Correlation settings, and what a stretch of the past would have looked like under others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from siems.clock import from_micros
from siems.domain import backtest
from siems.domain.alert import Reading
from siems.domain.correlation import Rules
from siems.domain.permissions import Actor, Permission, require, require_role
from siems.domain.replay import Happening, Outcome, replay
from siems.errors import InvalidField
from siems.services.companies import changed_rules, correlation_view
from siems.services.filters import in_scope
from siems.storage import tables as t
from siems.storage.repositories.assets import dependencies
from siems.storage.rows import settings_from
from siems.vocabulary import MSP, Severity
from siems.wire import (
    CompanyEdit,
    CorrelationAsk,
    CorrelationPreview,
    CorrelationView,
    PreviewBucket,
    RegroupedAlerts,
    ReplaySide,
)

MOST_ALERTS = 50_000
"""So many alerts are replayed, the newest: some seconds of work."""
LONGEST = timedelta(days=400)
REFS = 8


def settings(connection: Connection, actor: Actor, company_id: str | None = None) -> list[CorrelationView]:
    """How alerts become incidents, for each company in the scope or for one, by name."""
    require_role(actor, Permission.SEE_AUDIT)
    c = t.company.c
    where = [c.id != MSP, in_scope(c.id, actor)]
    if company_id is not None:
        require(actor, Permission.SEE_AUDIT, company_id, what=company_id)
        where.append(c.id == company_id)
    rows = connection.execute(select(c.id, c.name, c.settings).where(*where).order_by(c.name))
    return [
        CorrelationView(id=row.id, company=row.name, correlation=correlation_view(settings_from(row.settings).rules))
        for row in rows
    ]


def edit_of(ask: CorrelationAsk) -> CompanyEdit:
    """The same as a change of a company's settings."""
    return CompanyEdit(
        correlation_enabled=ask.enabled, strategy=ask.strategy, window_minutes=ask.window_minutes,
        min_alerts=ask.min_alerts, quiet_minutes=ask.quiet_minutes, auto_resolve=ask.auto_resolve,
        reopen_minutes=ask.reopen_minutes, close_hours=ask.close_hours, cascades=ask.cascades, texts=ask.texts,
        reason=ask.reason,
    )  # fmt: skip


# --- the past --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Past:
    """What a company's tools said in a stretch of time, and what became of it."""

    company_id: str
    since: datetime
    until: datetime
    rules: Rules
    stream: list[Happening]
    edges: Mapping[str, tuple[str, ...]]
    incidents: Mapping[int, int | None]
    """Where each alert really is."""
    more: bool
    """There was more than is replayed."""


def past(connection: Connection, actor: Actor, company_id: str, ask: CorrelationAsk, now: datetime) -> Past:
    """The alerts of a company that no silence held back. Raises Forbidden, InvalidField."""
    require(actor, Permission.COMPANY_SETTINGS, company_id, what=company_id)
    span = timedelta(seconds=min(ask.since_seconds, 1 << 31))
    if not timedelta(0) < span <= LONGEST:
        raise InvalidField(f"since must be between a moment and {LONGEST.days} days ago", hint="--since 24h")
    text = connection.execute(select(t.company.c.settings).where(t.company.c.id == company_id)).scalar_one()
    a = t.alert.c
    columns = t.raw_columns(t.alert)
    named = {column.name: column for column in columns}
    wanted = (
        "id", "fingerprint", "asset_name", "signature", "severity", "message", "tool_source", "count", "received_at",
        "last_seen_at", "resolved_at", "incident_id",
    )  # fmt: skip
    rows = connection.execute(
        select(*(named[name] for name in wanted))
        .where(a.company_id == company_id, a.received_at >= now - span, a.suppressed_by.is_(None))
        .order_by(a.received_at.desc(), a.id.desc())
        .limit(MOST_ALERTS + 1)
    ).all()
    edges = {asset: tuple(others) for (_, asset), others in dependencies(connection, [company_id]).items()}
    stream = [_happening(*row[:-1]) for row in rows[:MOST_ALERTS]]
    return Past(
        company_id, now - span, now, settings_from(text).rules, stream, edges, {row[0]: row[-1] for row in rows},
        len(rows) > MOST_ALERTS,
    )  # fmt: skip


def _happening(
    id: int, fingerprint: str, asset: str, signature: str, severity: int, message: str, tool: str, count: int,
    received: int, last_seen: int, resolved: int | None,
) -> Happening:  # fmt: skip
    reading = Reading(
        asset_name=asset, signature=signature, severity=Severity(severity), original_severity="", message=message,
        tool_source=tool,
    )  # fmt: skip
    return Happening(
        id=id, at=from_micros(received), reading=reading, fingerprint=fingerprint, repeats=count - 1,
        last_at=from_micros(last_seen) if count > 1 else None,
        over_at=None if resolved is None else from_micros(resolved),
    )  # fmt: skip


def preview(found: Past, ask: CorrelationAsk, told: Callable[[int, int], None] | None = None) -> CorrelationPreview:
    """The same past under the settings in force and under others; reads no database.

    `told` hears (how many alerts were placed, of how many). Raises InvalidField for settings that cannot be.
    """
    proposed = changed_rules(found.rules, edit_of(ask))
    total = 2 * len(found.stream)

    def said(offset: int) -> Callable[[int], None] | None:
        return None if told is None else lambda number: told(offset + number, total)

    before = replay(found.stream, found.rules, found.edges, told=said(0))
    after = before
    if proposed != found.rules:
        after = replay(found.stream, proposed, found.edges, told=said(len(found.stream)))
    joins, splits = backtest.joined(before, after), backtest.split(before, after)
    width = (found.until - found.since) / backtest.BUCKETS
    counts = zip(
        backtest.opened(before, found.since, found.until), backtest.opened(after, found.since, found.until), strict=True
    )
    show = max(0, min(ask.show, 200))
    return CorrelationPreview(
        id=found.company_id, since=found.since, until=found.until, alerts=len(found.stream), firings=before.firings,
        more=found.more, incidents=len({i for i in found.incidents.values() if i is not None}),
        before=_side(before, found.rules), after=_side(after, proposed),
        joined=len(joins), split=len(splits),
        joins=[_regrouped(one, found) for one in joins[:show]],
        splits=[_regrouped(one, found) for one in splits[:show]],
        hours=[
            PreviewBucket(at=found.since + number * width, before=one, after=other)
            for number, (one, other) in enumerate(counts)
        ],
    )  # fmt: skip


def _side(outcome: Outcome, rules: Rules) -> ReplaySide:
    groups = [group for group in outcome.groups.values() if group.merged_into is None]
    by_rule: dict[str, int] = {}
    for placed in outcome.placed:
        by_rule[placed.rule] = by_rule.get(placed.rule, 0) + 1
    return ReplaySide(
        settings=correlation_view(rules), incidents=outcome.incidents,
        noise_reduction=round(outcome.noise_reduction, 1), waiting=sum(p.group is None for p in outcome.placed),
        largest=max((group.alerts for group in groups), default=0), flapping=sum(group.flapped for group in groups),
        recurring=sum(group.recurrence_of is not None for group in groups),
        folded=len(outcome.groups) - len(groups), rules=dict(sorted(by_rule.items())),
    )  # fmt: skip


def _regrouped(one: backtest.Regrouped, found: Past) -> RegroupedAlerts:
    first, why = one.alerts[0].happening, one.telling
    return RegroupedAlerts(
        parts=one.parts, count=len(one.alerts), first=f"{first.reading.signature} on {first.reading.asset_name}",
        at=first.at, rule=why.rule, evidence=why.evidence,
        alerts=_refs("ALR", (p.happening.id for p in one.alerts)),
        incidents=_refs("INC", (found.incidents.get(p.happening.id) for p in one.alerts)),
    )  # fmt: skip


def _refs(kind: str, numbers: Iterable[int | None]) -> list[str]:
    """The first few of these, each once."""
    unique = dict.fromkeys(number for number in numbers if number is not None)
    return [f"{kind}-{number}" for number in list(unique)[:REFS]]
