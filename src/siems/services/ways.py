"""Looking at integrations: whose keys they are, what may use them, and what they have sent last."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, select

from siems.domain.letter_rules import rules_told
from siems.domain.particulars import Queue, particulars_from
from siems.domain.permissions import Actor, Permission, missing, require, require_role
from siems.services.filters import in_scope
from siems.storage import tables as t
from siems.wire import IntegrationView, OldKey, QueueView, Sighted, Tenant

LOOKED_BACK = 2_000
"""Among how many of a client's latest alerts the one that was seen last is looked for."""


def list_integrations(connection: Connection, actor: Actor, now: datetime) -> list[IntegrationView]:
    """The keys of the companies in the reader's scope, for those who may change them."""
    require_role(actor, Permission.COMPANY_SETTINGS)
    return _views(connection, in_scope(t.integration.c.company_id, actor), now)


def find_integration(connection: Connection, ref: str, actor: Actor) -> Row[Any]:
    """The row of an integration. Raises NotFound, for what the reader may not know of as well, and Forbidden."""
    row = connection.execute(select(t.integration).where(t.integration.c.id == ref.strip())).first()
    what = f"integration {ref[:64]!r}"
    if row is None:
        raise missing(what)
    require(actor, Permission.COMPANY_SETTINGS, row.company_id, what=what)
    return row


def show_integration(connection: Connection, integration_id: str, now: datetime) -> IntegrationView:
    """One integration, with what became of what it sent last."""
    [view] = _views(connection, t.integration.c.id == integration_id, now)
    seen = view.last_seen
    if seen is not None and seen.fingerprint:
        a = t.alert.c
        latest = (
            select(a.id, a.incident_id, a.fingerprint)
            .where(a.company_id == seen.company_id)
            .order_by(a.received_at.desc(), a.id.desc())
            .limit(LOOKED_BACK)
            .subquery()
        )
        found = connection.execute(
            select(latest).where(latest.c.fingerprint == seen.fingerprint).order_by(latest.c.id.desc())
        ).first()
        if found is not None:
            seen.alert_id = f"ALR-{found.id}"
            seen.incident_id = None if found.incident_id is None else f"INC-{found.incident_id}"
    return view


def _views(connection: Connection, where: ColumnElement[bool], now: datetime) -> list[IntegrationView]:
    n = t.integration.c
    rows = connection.execute(select(t.integration).where(where).order_by(n.company_id, n.created_at, n.id)).all()
    names = [row.id for row in rows]
    old = _by_integration(connection.execute(
        select(t.old_key).where(t.old_key.c.integration_id.in_(names), t.old_key.c.until > now).order_by(t.old_key.c.id)
    ))  # fmt: skip
    mapped = _by_integration(connection.execute(
        select(t.tenant).where(t.tenant.c.integration_id.in_(names)).order_by(t.tenant.c.value)
    ))  # fmt: skip
    pulled = _by_integration(connection.execute(select(t.pull).where(t.pull.c.integration_id.in_(names))))
    seen = _by_integration(connection.execute(select(t.sighting).where(t.sighting.c.integration_id.in_(names))))
    views = [_view(row, old.get(row.id, []), mapped.get(row.id, []), seen.get(row.id, [None])[0]) for row in rows]
    for view, row in zip(views, rows, strict=True):
        own = particulars_from(row.particulars)
        view.rules = rules_told(own.rules)
        view.queue = None if own.queue is None else _queue(own.queue, pulled.get(row.id, [None])[0])
    return views


def _queue(queue: Queue, state: Any) -> QueueView:
    return QueueView(
        url=queue.url, region=queue.region, source=queue.source, role_arn=queue.role_arn,
        polled_at=None if state is None else state.polled_at, received=0 if state is None else state.received,
        failures=0 if state is None else state.failures, error="" if state is None else state.error,
        hint="" if state is None else state.hint, error_at=None if state is None else state.error_at,
    )  # fmt: skip


def _by_integration(rows: Iterable[Any]) -> Mapping[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.integration_id, []).append(row)
    return found


def _view(row: Row[Any], old: list[Any], mapped: list[Any], seen: Any) -> IntegrationView:
    detail = None
    if seen is not None and seen.detail:
        detail = msgspec.json.decode(seen.detail, type=Sighted)
    return IntegrationView(
        id=row.id, company_id=row.company_id, tool=row.tool, name=row.name, signing=row.signing,
        key_hint=row.key_hint, created_at=row.created_at, revoked_at=row.revoked_at, expires_at=row.expires_at,
        rate_per_minute=row.rate_per_minute, networks=json.loads(row.networks), tenant_field=row.tenant_field,
        tenants=[Tenant(value=one.value, company_id=one.target_id) for one in mapped],
        old_keys=[OldKey(kind=one.kind, hint=one.hint, until=one.until) for one in old],
        last_seen_at=None if seen is None else seen.at, last_kind="" if seen is None else seen.kind,
        last_seen=detail, refused_at=None if seen is None else seen.refused_at,
        refused_cause="" if seen is None else seen.cause,
    )  # fmt: skip
