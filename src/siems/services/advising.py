"""Advice comes in: which incident is looked at, what is kept of it, and what applies at once.

A job is finished only by who holds its lease. What an advisor has said was read by `domain/drafts.read_draft` before.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, or_, select, text

from siems.clock import from_micros, to_micros
from siems.domain.advice import (
    Advice,
    AdviceTaken,
    Insight,
    InsightMade,
    Standing,
    carried,
    category_standing,
    dues_of,
    severity_standing,
)
from siems.domain.alert import Alert
from siems.domain.changing import replace
from siems.domain.incident import Incident
from siems.domain.permissions import SYSTEM
from siems.services.keeping import save
from siems.services.placing import raise_severity
from siems.storage import tables as t
from siems.storage.rows import alert_from
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import AdviceMode, Severity

LEASE = timedelta(seconds=60)
"""Longer than all providers may take together is not waited for."""
AGAIN_AFTER = timedelta(seconds=30)
CHANGED_AFTER = timedelta(seconds=5)
TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A claimed incident. `mode` says who of the advisors may be asked."""

    incident_id: int
    company_id: str
    token: str
    attempt: int
    mode: AdviceMode


def due(connection: Connection, now: datetime, limit: int) -> list[tuple[int, str]]:
    """(incident, company) of what may be looked at now, the most severe first."""
    j = t.advice_job.c
    rows = connection.execute(
        select(j.incident_id, j.company_id)
        .where(j.next_at <= now, or_(j.lease_until.is_(None), j.lease_until <= now))
        .order_by(j.severity.desc(), j.next_at)
        .limit(limit)
    )
    return [(row.incident_id, row.company_id) for row in rows]


_NEXT = "SELECT min(CASE WHEN lease_until > next_at THEN lease_until ELSE next_at END) FROM advice_job"


def next_at(connection: Connection) -> datetime | None:
    """When to look again."""
    found = connection.execute(text(_NEXT)).scalar()
    return None if found is None else from_micros(int(found))


def claim(uow: UnitOfWork, incident_id: int, company_id: str) -> Work | None:
    """The incident is ours to look at for the time of a lease; None when there is nothing to look at any more."""
    j = t.advice_job.c
    statement = select(j.attempt).where(
        j.incident_id == incident_id, j.next_at <= uow.now, or_(j.lease_until.is_(None), j.lease_until <= uow.now)
    )
    if uow.dialect.shared:
        statement = statement.with_for_update(skip_locked=True)
    row = uow.connection.execute(statement).first()
    if row is None:
        return None
    company = uow.memory.companies.get(company_id) or uow.company(company_id)
    incident = uow.incidents.find(company_id, incident_id)
    if incident is None or not incident.open or company.settings.advice is AdviceMode.OFF:
        forget(uow, incident_id)
        return None
    token = os.urandom(16).hex()
    uow.connection.execute(
        t.advice_job.update()
        .where(j.incident_id == incident_id)
        .values(attempt=row.attempt + 1, again=False, lease_token=token, lease_until=uow.now + LEASE)
    )
    return Work(
        incident_id=incident_id, company_id=company_id, token=token, attempt=row.attempt + 1,
        mode=company.settings.advice,
    )  # fmt: skip


def claim_some(uow: UnitOfWork, company_id: str, incident_ids: Sequence[int]) -> list[Work]:
    """Those of these incidents of a company that are ours to look at now."""
    found = (claim(uow, incident_id, company_id) for incident_id in incident_ids)
    return [work for work in found if work is not None]


def forget(uow: UnitOfWork, incident_id: int) -> None:
    """Nobody looks at it until something happens again."""
    uow.connection.execute(t.advice_job.delete().where(t.advice_job.c.incident_id == incident_id))


def forget_all(uow: UnitOfWork) -> None:
    """Nobody is to be asked: what waits is let go."""
    uow.connection.execute(t.advice_job.delete())


def failed(uow: UnitOfWork, work: Work) -> None:
    """Nobody had an answer: once more a little later, a few times."""
    if work.attempt >= TRIES:
        _finish(uow, work)
        return
    j = t.advice_job.c
    uow.connection.execute(
        t.advice_job.update()
        .where(j.incident_id == work.incident_id, j.lease_token == work.token)
        .values(lease_token="", lease_until=None, next_at=uow.now + AGAIN_AFTER * work.attempt)
    )


def _finish(uow: UnitOfWork, work: Work) -> bool:
    """Whether the lease was still ours; what has changed meanwhile is looked at again."""
    j = t.advice_job.c
    mine = (j.incident_id == work.incident_id, j.lease_token == work.token)
    run = uow.connection.execute
    if run(t.advice_job.delete().where(*mine, ~j.again)).rowcount:
        return True
    after = {"lease_token": "", "lease_until": None, "attempt": 0, "next_at": uow.now + CHANGED_AFTER}
    return bool(run(t.advice_job.update().where(*mine).values(**after)).rowcount)


# --- keeping ---------------------------------------------------------------------------------------------------


def keep(uow: UnitOfWork, work: Work, insight: Insight) -> bool:
    """Keep an insight, and apply what applies at once. False when the job is somebody else's, or the incident over."""
    if not _finish(uow, work):
        return False
    incident = uow.incidents.find(work.company_id, work.incident_id)
    if incident is None or not incident.open:
        return False
    known = uow.advice.find(work.incident_id)
    insight = carried(insight, known, incident.severity)
    lowers = uow.company(work.company_id).settings.advice_lowers
    advice = Advice(
        incident_id=incident.id, company_id=incident.company_id, at=uow.now, insight=insight,
        alert_count=incident.alert_count,
        severity_standing=severity_standing(incident, insight, known, lowers=lowers),
        category_standing=category_standing(incident, insight, known),
    )  # fmt: skip
    advice = _before(advice, incident, known)
    if known is not None:
        advice = replace(advice, decided_by=known.decided_by, decided_at=known.decided_at)
    after, advice = _applied(uow, incident, advice, known)
    if after is not incident:
        save(uow, incident, after)
    uow.advice.put(advice, incident.signature)
    uow.emit(InsightMade(after, advice, _news(advice, known)))
    return True


def keep_some(uow: UnitOfWork, said: Sequence[tuple[Work, Insight]]) -> None:
    """Keep the insights of a few incidents of one company: what is written for each is the same, in one go."""
    for work, insight in said:
        keep(uow, work, insight)


_IN_FORCE = frozenset({Standing.APPLIED, Standing.ACCEPTED})


def _before(advice: Advice, incident: Incident, known: Advice | None) -> Advice:
    """With what the values replace, or would: where advice follows advice that is in force, what that replaced."""
    if advice.severity_standing is not Standing.NONE:
        same = known is not None and (known.severity_standing, known.insight.severity) == (
            advice.severity_standing, advice.insight.severity,
        )  # fmt: skip
        if known is not None and (same or known.severity_standing in _IN_FORCE):
            advice = replace(
                advice, severity_before=known.severity_before, dues_before=known.dues_before,
                dues_after=known.dues_after,
            )  # fmt: skip
        else:
            advice = replace(advice, severity_before=incident.severity)
    if advice.category_standing is not Standing.NONE:
        kept = known.category_before if known is not None and known.category_standing is not Standing.WAITING else None
        advice = replace(advice, category_before=kept or incident.category)
    return advice


def _news(advice: Advice, known: Advice | None) -> bool:
    """Whether it says something that the last one did not, and not only counts further."""
    if known is None:
        return True
    old, new = known.insight, advice.insight
    changed = old.pattern is not new.pattern or old.evidence[:1] != new.evidence[:1]
    return changed or (advice.severity_standing, advice.category_standing) != (
        known.severity_standing, known.category_standing,
    )  # fmt: skip


def _applied(
    uow: UnitOfWork, incident: Incident, advice: Advice, known: Advice | None
) -> tuple[Incident, Advice]:  # fmt: skip
    """The incident with what applies at once, and the advice as it then stands."""
    wanted, after = advice.insight.severity, incident
    new = advice.severity_standing is Standing.APPLIED and (
        known is None or known.insight.severity is not wanted or known.severity_standing is not Standing.APPLIED
    )
    if new and wanted is not None and wanted > incident.severity:
        after = raised(uow, incident, wanted, said(advice))
        advice = with_dues(advice, incident, after)
    elif new and wanted is not None:
        after = replace(incident, severity=wanted, version=incident.version + 1)
        uow.emit(AdviceTaken(incident, after, advice, SYSTEM, "applied", "severity", said(advice)))
    category = advice.insight.category
    if advice.category_standing is Standing.APPLIED and category is not None and category is not incident.category:
        fresh = known is None or known.category_standing is not Standing.APPLIED
        if fresh:
            before = after
            after = replace(after, category=category, version=after.version + 1)
            why = f"{advice.insight.provider} ({advice.insight.category_confidence:.2f}): {advice.insight.category_why}"
            uow.emit(AdviceTaken(before, after, advice, SYSTEM, "applied", "category", why))
    return after, advice


def said(advice: Advice) -> str:
    """Who advises a severity, how surely, and why."""
    insight = advice.insight
    why = f": {insight.severity_why}" if insight.severity_why else ""
    return f"advised by {insight.provider} ({insight.severity_confidence:.2f}){why}"


def with_dues(advice: Advice, before: Incident, after: Incident) -> Advice:
    """With what was due around a raise; of several raises, from before the first to after the last."""
    return replace(advice, dues_before=advice.dues_before or dues_of(before), dues_after=dues_of(after))


def raised(uow: UnitOfWork, incident: Incident, severity: Severity, evidence: str) -> Incident:
    """The incident as if its worst alert had come with this severity; the caller keeps it."""
    return raise_severity(uow, incident, replace(_worst(uow, incident), severity=severity), evidence)


def _worst(uow: UnitOfWork, incident: Incident) -> Alert:
    """Its most severe alert, among those that are active where there are any."""
    active = uow.alerts.active_of(uow.company(incident.company_id), incident.id)
    if active:
        return max(active, key=lambda alert: alert.severity)
    a = t.alert.c
    row = uow.connection.execute(
        select(*t.raw_columns(t.alert)).where(a.incident_id == incident.id).order_by(a.severity.desc()).limit(1)
    ).one()
    return alert_from(row)


# --- what it costs ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much may be asked outside in a day."""

    calls: int
    company_calls: int
    tokens: int


def spend(uow: UnitOfWork, company_id: str, provider: str, budget: Budget) -> str:
    """Book a call before it is made; "" when it may be made, else which limit of the day is reached."""
    u, day = t.advice_use.c, uow.now.date().isoformat()
    rows = uow.connection.execute(select(u.company_id, u.calls, u.tokens).where(u.day == day)).all()
    mine = sum(row.calls for row in rows if row.company_id == company_id)
    if sum(row.calls for row in rows) >= budget.calls:
        return f"{budget.calls} calls a day"
    if mine >= budget.company_calls:
        return f"{budget.company_calls} calls a day for one client"
    if sum(row.tokens for row in rows) >= budget.tokens:
        return f"{budget.tokens} tokens a day"
    book(uow, company_id, provider, calls=1)
    return ""


def book(
    uow: UnitOfWork, company_id: str, provider: str, *, calls: int = 0, tokens: int = 0, failures: int = 0,
    kept: int = 0,
) -> None:  # fmt: skip
    """Count what was used today."""
    uow.run(
        "INSERT INTO advice_use (day, company_id, provider, calls, tokens, failures, kept) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (day, company_id, provider) DO UPDATE SET calls = advice_use.calls + excluded.calls,"
        " tokens = advice_use.tokens + excluded.tokens, failures = advice_use.failures + excluded.failures,"
        " kept = advice_use.kept + excluded.kept",
        [(uow.now.date().isoformat(), company_id, provider, calls, tokens, failures, kept)],
    )


def remember(uow: UnitOfWork, company_id: str, provider: str, key: str, body: str, tokens: int) -> None:
    """Keep an answer for the same question, and count what it has cost."""
    uow.run(
        "INSERT INTO advice_cache (key, company_id, provider, at, body) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (key) DO UPDATE SET at = excluded.at, body = excluded.body",
        [(key, company_id, provider, to_micros(uow.now), body)],
    )
    book(uow, company_id, provider, tokens=tokens)


def remembered(connection: Connection, company_id: str, key: str, since: datetime) -> str | None:
    """An answer that is kept, and not too old."""
    c = t.advice_cache.c
    found: str | None = connection.execute(
        select(c.body).where(c.key == key, c.company_id == company_id, c.at >= since)
    ).scalar()
    return found
