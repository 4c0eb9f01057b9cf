"""The whole at a glance: today in numbers, one's inbox, what was refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Connection, func, or_, select, type_coerce

from siems.clock import to_micros
from siems.domain.correlation import noise_reduction
from siems.domain.permissions import Actor, Permission, require_role
from siems.services.filters import in_scope
from siems.services.queries import MAX_PAGE, OPEN_STATES
from siems.services.views import load_names
from siems.storage import tables as t
from siems.wire import CompanyCount, NoticeView, RejectionView, Summary


def summary(connection: Connection, actor: Actor, now: datetime) -> Summary:
    """Today, in numbers."""
    i, a = t.incident.c, t.alert.c
    mine, theirs = in_scope(i.company_id, actor), in_scope(a.company_id, actor)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    names = load_names(connection)

    def count(*where: Any) -> int:
        statement = select(func.count()).select_from(t.incident).where(mine, i.merged_into.is_(None), *where)
        return int(connection.execute(statement).scalar_one())

    breached = or_(i.response_breached_at >= today, i.resolution_breached_at >= today)
    created = type_coerce(i.created_at, BigInteger)
    mtta = _mean(connection, type_coerce(i.answered_at, BigInteger) - created, mine, i.answered_at >= today)
    mttr = _mean(connection, type_coerce(i.resolved_at, BigInteger) - created, mine, i.resolved_at >= today)
    alerts = connection.execute(select(func.coalesce(func.sum(a.count), 0)).where(theirs)).scalar_one()
    by_company = connection.execute(
        select(i.company_id, func.count()).where(mine, i.state.in_(OPEN_STATES)).group_by(i.company_id)
    ).all()
    incidents = count()
    per_minute, repeats = _last_hour(connection, theirs, now)
    return Summary(
        open=count(i.state.in_(OPEN_STATES)),
        opened_today=count(i.created_at >= today),
        resolved_today=count(i.resolved_at >= today),
        breached_today=count(breached),
        mtta_seconds=mtta,
        mttr_seconds=mttr,
        alerts=int(alerts),
        incidents=incidents,
        noise_reduction=round(noise_reduction(alerts=int(alerts), incidents=incidents), 1),
        by_company=[
            CompanyCount(company_id=company_id, company=names.companies.get(company_id, company_id), open=open_)
            for company_id, open_ in sorted(by_company, key=lambda pair: (-pair[1], pair[0]))
        ],
        alerts_per_minute=per_minute,
        repeats=repeats,
        server_time=now,
    )


def _mean(connection: Connection, span: Any, *where: Any) -> int | None:
    """Mean seconds, or None when there is nothing to average."""
    value = connection.execute(select(func.avg(span)).where(*where)).scalar()
    return None if value is None else int(value) // 1_000_000


def _last_hour(connection: Connection, where: Any, now: datetime) -> tuple[list[int], int]:
    """New alerts in each of the last 60 minutes, oldest first; and how often these alerts came again."""
    start = now - timedelta(minutes=60)
    minute = ((type_coerce(t.alert.c.received_at, BigInteger) - to_micros(start)) // 60_000_000).label("minute")
    rows = connection.execute(
        select(minute, func.count(), func.sum(t.alert.c.count))
        .where(where, t.alert.c.received_at > start)
        .group_by(minute)
    )
    buckets, repeats = [0] * 60, 0
    for number, new, times in rows:
        buckets[min(59, int(number))] += new
        repeats += int(times) - new
    return buckets, repeats


def inbox(connection: Connection, actor: Actor, now: datetime, *, unread: bool, limit: int) -> list[NoticeView]:
    """The reader's own notices, newest first; those that still wait for an undo are not there yet."""
    n = t.notification.c
    where = [n.user_id == actor.id, n.channel == "inbox", n.state != "cancelled", n.next_at <= now]
    if unread:
        where.append(n.read_at.is_(None))
    rows = connection.execute(
        select(t.notification)
        .where(*where)
        .order_by(n.created_at.desc(), n.id.desc())
        .limit(max(1, min(limit, MAX_PAGE)))
    )
    return [
        NoticeView(
            id=row.id, at=row.created_at, kind=row.event, subject=row.subject, object=row.object,
            company_id=row.company_id, read=row.read_at is not None,
        )
        for row in rows
    ]  # fmt: skip


def unread_count(connection: Connection, actor: Actor, now: datetime) -> int:
    n = t.notification.c
    statement = select(func.count()).select_from(t.notification)
    where = (n.user_id == actor.id, n.channel == "inbox", n.state != "cancelled", n.next_at <= now, n.read_at.is_(None))
    return int(connection.execute(statement.where(*where)).scalar_one())


LOOKED_THROUGH = 5_000
"""So many rows are looked through: in a storm one is written every second."""
TOGETHER = timedelta(minutes=5)


def rejections(
    connection: Connection, actor: Actor, *, limit: int = 0, company_id: str | None = None,
    since: datetime | None = None,
) -> list[RejectionView]:  # fmt: skip
    """Refused deliveries with their true cause, newest first; what goes on for a while is one line."""
    require_role(actor, Permission.SEE_REJECTED)
    r = t.rejection.c
    where = [in_scope(r.company_id, actor)]
    where += [] if company_id is None else [r.company_id == company_id]
    where += [] if since is None else [r.at >= since]
    rows = select(t.rejection).where(*where).order_by(r.at.desc(), r.id.desc()).limit(LOOKED_THROUGH)
    found: list[RejectionView] = []
    latest: dict[tuple[str, ...], RejectionView] = {}
    for row in connection.execute(rows):
        kind = (row.company_id, row.cause, row.source, row.address)
        one = latest.get(kind)
        if one is not None and one.since - row.at <= TOGETHER:
            one.count += row._mapping["count"]
            one.since = row.at
            continue
        if len(found) == max(1, min(limit or 100, MAX_PAGE)):
            break
        one = latest[kind] = RejectionView(
            at=row.at, company_id=row.company_id, cause=row.cause, detail=row.detail, source=row.source,
            address=row.address, count=row._mapping["count"], since=row.at,
        )  # fmt: skip
        found.append(one)
    return found
