"""Looking up companies, people and the daemon's own health."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, or_, select, update

from siems.domain.permissions import Actor, missing
from siems.errors import RateLimited
from siems.services import users
from siems.services.companies import correlation_view
from siems.services.filters import in_scope
from siems.services.queries import OPEN_STATES
from siems.services.sla_settings import plan_view, targets_view
from siems.storage import tables as t
from siems.storage.rows import settings_from
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, State
from siems.wire import Check, CompanyView, UserView

DRIFT_LIMIT = timedelta(seconds=5)


def find_company(connection: Connection, ref: str, actor: Actor) -> str:
    """The id behind what people type. Raises NotFound for what is not there and for what the reader may not know."""
    found = users.find_company(connection, ref)
    if found is None or not actor.sees(found):
        raise missing(f"company {ref[:64]!r}")
    return found


def find_holder(connection: Connection, ref: str, actor: Actor) -> str:
    """As `find_company`; `msp` stands for the MSP itself, for those who may know of its own things."""
    if ref.strip().lower() == MSP and actor.sees(MSP):
        return MSP
    return find_company(connection, ref, actor)


def list_companies(connection: Connection, actor: Actor) -> list[CompanyView]:
    """The companies in the reader's scope, by name."""
    c = t.company.c
    where = (c.id != MSP, in_scope(c.id, actor))
    repeated = _repeated(connection)
    return [
        _company(connection, company_id, repeated.get(company_id))
        for (company_id,) in connection.execute(select(c.id).where(*where).order_by(c.name))
    ]


def show_company(connection: Connection, company_id: str) -> CompanyView:
    return _company(connection, company_id, _repeated(connection, company_id).get(company_id))


def _repeated(connection: Connection, company_id: str = "") -> dict[str, datetime]:
    """When something that is not closed was said last, by company. Incidents know it, and there are far fewer of them
    than alerts."""
    i = t.incident.c
    where = [i.state != State.CLOSED.value, *([i.company_id == company_id] if company_id else [])]
    rows = connection.execute(
        select(i.company_id, func.max(i.last_alert_at).label("at")).where(*where).group_by(i.company_id)
    )
    return {row.company_id: row.at for row in rows}


def _last_alert(connection: Connection, company_id: str, repeated: datetime | None) -> datetime | None:
    """When the client's last alert came, whichever way: by a tool, by mail, from a queue, or by hand."""
    a, s = t.alert.c, t.sighting.c
    newest = select(func.max(a.received_at)).where(a.company_id == company_id)
    sighted = select(func.max(s.at)).where(s.company_id == company_id, s.kind == "alert")
    times = [connection.execute(newest).scalar_one(), connection.execute(sighted).scalar_one(), repeated]
    return max((at for at in times if at is not None), default=None)


def _company(connection: Connection, company_id: str, repeated: datetime | None) -> CompanyView:
    row = connection.execute(select(t.company).where(t.company.c.id == company_id)).one()
    settings = settings_from(row.settings)
    i = t.incident.c
    mine = (i.company_id == company_id, i.state.in_(OPEN_STATES))
    breached = or_(i.response_breached_at.is_not(None), i.resolution_breached_at.is_not(None))

    def count(*where: Any) -> int:
        return int(connection.execute(select(func.count()).select_from(t.incident).where(*where)).scalar_one())

    return CompanyView(
        id=row.id, name=row.name, active=row.active, created_at=row.created_at,
        rate_per_minute=settings.rate_per_minute, burst=settings.burst, correlation=correlation_view(settings.rules),
        paging=settings.paging.value, sla=targets_view(settings.targets), sla_plan=plan_view(settings),
        policy=settings.policy_id, oncall=settings.oncall, assign=settings.assign,
        open_incidents=count(*mine), breached=count(*mine, breached),
        update_minutes=int(settings.update_every.total_seconds() // 60),
        advice=settings.advice.value, advice_lowers=settings.advice_lowers,
        last_alert_at=_last_alert(connection, company_id, repeated),
    )  # fmt: skip


# --- people ----------------------------------------------------------------------------------------------------


def user_itself(connection: Connection, user_id: str) -> UserView:
    """A user, with their whole scope: for themselves."""
    row = connection.execute(select(t.user).where(t.user.c.id == user_id)).one()
    return users.user_view(row, sorted(users.scope_of(connection, user_id)))


def let_log_in(wait: int) -> None:
    """Guessing passwords is slow. Raises RateLimited."""
    if wait:
        raise RateLimited("too many attempts to log in from this address", hint="wait a little", retry_after=wait)


def mark_read(uow: UnitOfWork, actor: Actor, ids: list[int] | None) -> int:
    """The reader's notices are read: these, or all; how many were not yet."""
    n = t.notification.c
    where: list[Any] = [n.user_id == actor.id, n.read_at.is_(None), n.next_at <= uow.now]
    if ids is not None:
        where.append(n.id.in_([number for number in ids[:1_000] if 0 < number < 1 << 62]))
    return uow.connection.execute(update(t.notification).where(*where).values(read_at=uow.now)).rowcount


# --- health ----------------------------------------------------------------------------------------------------


def process_id() -> int:
    return os.getpid()


def checks(connection: Connection, *, overdue: int, drift: timedelta) -> list[Check]:
    """What a running daemon can say of itself; `fix` is the next step."""
    found = [
        Check(name="database", ok=True, cause="answers", fix=""),
        Check(
            name="deadlines", ok=overdue == 0, cause=f"{overdue} are overdue by more than a minute",
            fix="" if overdue == 0 else "siems daemon logs; siems daemon restart",
        ),
        Check(
            name="clock", ok=abs(drift) < DRIFT_LIMIT, cause=f"the wall clock is off by {drift.total_seconds():.1f} s",
            fix="" if abs(drift) < DRIFT_LIMIT else "the clock of this machine has jumped: siems daemon restart",
        ),
    ]  # fmt: skip
    admins = connection.execute(
        select(func.count()).select_from(t.user).where(t.user.c.role == "admin", t.user.c.disabled.is_(False))
    ).scalar_one()
    found.append(
        Check(
            name="admins", ok=admins > 0, cause=f"{admins} can log in",
            fix="" if admins else "siems init --admin EMAIL",
        )
    )  # fmt: skip
    failing = connection.execute(
        select(t.pull.c.integration_id, t.pull.c.error, t.pull.c.hint, t.pull.c.failures)
        .join(t.integration, t.integration.c.id == t.pull.c.integration_id)
        .where(t.integration.c.revoked_at.is_(None))
        .order_by(t.pull.c.integration_id)
    ).all()
    broken = [row for row in failing if row.failures]
    if failing:
        cause = "; ".join(f"{row.integration_id}: {row.error}" for row in broken) or f"{len(failing)} are emptied"
        found.append(
            Check(name="queues", ok=not broken, cause=cause, fix=broken[0].hint if broken else "")
        )  # fmt: skip
    return found
