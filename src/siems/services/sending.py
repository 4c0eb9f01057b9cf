"""Alerts that people send themselves: one of their own, or bodies that came before, once more."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from siems.domain.events import Recorded
from siems.domain.permissions import Actor, Permission, require
from siems.services.ingest import Incoming, accept
from siems.storage import tables as t
from siems.storage.unit_of_work import UnitOfWork
from siems.wire import KeptBody

PAGE = 200


def send(uow: UnitOfWork, actor: Actor, incoming: Incoming, *, replay: bool, reason: str) -> bytes:
    """Take a body in as if a tool had sent it; the record says who did. The answer is that of a webhook."""
    permission = Permission.REPLAY if replay else Permission.CREATE_INCIDENT
    require(actor, permission, incoming.company_id, what=f"company {incoming.company_id!r}")
    said = accept(uow, incoming)
    answer = msgspec.json.decode(said, type=dict[str, Any])
    taken = answer.get("alerts", [answer])
    ids = [one["alert_id"] for one in taken if one["alert_id"]]
    uow.emit(
        Recorded(
            type="alert.replayed" if replay else "alert.sent", actor=actor, company_id=incoming.company_id,
            object=ids[0] if ids else incoming.source, reason=reason,
            details={"source": incoming.source, "alerts": ids[:100], "body": incoming.body_hash.hex()},
        )
    )  # fmt: skip
    return said


def kept_bodies(
    connection: Connection, actor: Actor, company_id: str, *, since: datetime, after: int, limit: int
) -> list[KeptBody]:
    """The bodies of a client's alerts as they came, oldest first: a page of those with a number above `after`."""
    require(actor, Permission.REPLAY, company_id, what=f"company {company_id!r}")
    a, r = t.alert.c, t.raw_body.c
    named = select(a.raw_id).where(a.company_id == company_id, a.received_at >= since, a.raw_id > after)
    rows = connection.execute(
        select(t.raw_body).where(r.id.in_(named), r.at >= since).order_by(r.id).limit(max(1, min(limit or PAGE, PAGE)))
    )
    return [_kept(row.id, row.at, row.company_id, row.source, row.body) for row in rows]


def _kept(number: int, at: datetime, company_id: str, source: str, body: bytes) -> KeptBody:
    try:
        text, encoded = body.decode(), False
    except UnicodeDecodeError:
        text, encoded = base64.b64encode(body).decode(), True
    return KeptBody(id=number, at=at, company_id=company_id, source=source, body=text, base64=encoded)
