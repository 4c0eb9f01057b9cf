"""Looking up advice: of one incident, of a list of them, what looked alike, and how good and how dear it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from siems.domain.advice import Past, Standing
from siems.domain.incident import Incident
from siems.domain.likeness import Shelf
from siems.domain.nearness import Sentences
from siems.domain.permissions import Actor, Permission, allowed, require, require_role
from siems.services import insights, nearness
from siems.services.filters import in_scope
from siems.services.insight_views import insight_view
from siems.services.queries import find_incident
from siems.services.views import Names, load_names
from siems.storage import tables as t
from siems.storage.repositories.advice import find
from siems.storage.rows import settings_from
from siems.vocabulary import AdviceMode, Severity
from siems.wire import (
    AdviceStats,
    AdviceView,
    AdvisorUse,
    SimilarView,
)

MOST_SIMILAR = 50


def show(connection: Connection, ref: str, actor: Actor, order: Sequence[str]) -> AdviceView:
    """The advice on one incident. Raises NotFound, Forbidden for clients."""
    incident = worked_on(connection, ref, actor)
    return view_of(connection, incident, actor, order)


def view_of(connection: Connection, incident: Incident, actor: Actor, order: Sequence[str]) -> AdviceView:
    advice = find(connection, incident.id)
    f = t.advice_feedback.c
    said = {
        row.user_id: bool(row.useful)
        for row in connection.execute(select(f.user_id, f.useful).where(f.incident_id == incident.id))
    }
    return AdviceView(
        id=incident.ref, company_id=incident.company_id, insight=None if advice is None else insight_view(advice),
        why_none="" if advice is not None else _why_none(connection, incident, order),
        may_decide=allowed(actor, Permission.JUDGE_ADVICE, incident.company_id),
        reversible=advice is not None and advice.reversible,
        decided_by=_name(connection, advice.decided_by) if advice is not None and advice.decided_by else None,
        decided_at=advice.decided_at if advice is not None else None,
        useful=sum(said.values()), not_useful=len(said) - sum(said.values()), mine=said.get(actor.id),
    )  # fmt: skip


def _name(connection: Connection, user_id: str) -> str:
    found: str | None = connection.execute(select(t.user.c.name).where(t.user.c.id == user_id)).scalar()
    return found or user_id


def _why_none(connection: Connection, incident: Incident, order: Sequence[str]) -> str:
    if not order:
        return "advice is off: [advice] providers in siems.toml"
    settings = connection.execute(
        select(t.company.c.settings).where(t.company.c.id == incident.company_id)
    ).scalar()  # fmt: skip
    if settings is not None and settings_from(settings).advice is AdviceMode.OFF:
        return f"advice is off for this client:  siems company edit {incident.company_id} --advice on"
    return "nobody has looked at it yet" if incident.open else "it was over before anybody had looked at it"


# --- similar ---------------------------------------------------------------------------------------------------


def worked_on(connection: Connection, ref: str, actor: Actor) -> Incident:
    """The incident, for whoever works on it. Raises NotFound, Forbidden for clients."""
    incident = find_incident(connection, ref, actor)
    require(actor, Permission.WORK, incident.company_id, what=incident.ref)
    return incident


def similar(
    connection: Connection, ref: str, actor: Actor, now: datetime, *, everywhere: bool = False, limit: int = 0,
    model: Sentences | None = None,
) -> list[SimilarView]:  # fmt: skip
    """Incidents that are over and look like this one, the likest first: of its client, or of all the reader may see."""
    incident = worked_on(connection, ref, actor)

    def among(column: Any) -> Any:
        return in_scope(column, actor) if everywhere else column == incident.company_id

    shelf = Shelf(insights.past_of(connection, among(t.incident.c.company_id), now))
    found = insights.alike(
        connection, incident, insights.symptoms_of(connection, incident.id), shelf,
        most=max(1, min(limit or 10, MOST_SIMILAR)),
        reading=nearness.reading(connection, among(t.sentence_vector.c.company_id), model),
    )  # fmt: skip
    names = load_names(connection)
    return [_similar_view(one, names) for one in found]


def _similar_view(past: Past, names: Names) -> SimilarView:
    return SimilarView(
        id=past.ref, company_id=past.company_id, company=names.companies.get(past.company_id, past.company_id),
        title=past.title, likeness=past.likeness, why=list(past.why), severity=past.severity.name,
        category=past.category.value, assets=list(past.assets[:20]), resolved_at=past.resolved_at,
        resolved_by=past.resolved_by, by_person=past.by_person, notes=past.notes, cause=past.cause,
    )  # fmt: skip


# --- statistics ------------------------------------------------------------------------------------------------


def stats(
    connection: Connection, actor: Actor, since: datetime, order: Sequence[str], *, company_id: str | None
) -> AdviceStats:  # fmt: skip
    """What was advised since then, by provider, and what it has cost: of one company, or of all in the scope."""
    require_role(actor, Permission.WORK)

    def mine(column: Any) -> Any:
        return in_scope(column, actor) if company_id is None else column == company_id

    a, f, u = t.advice.c, t.advice_feedback.c, t.advice_use.c
    rows = connection.execute(
        select(
            a.provider, a.severity, a.severity_before, a.severity_standing, a.category_standing, a.confidence,
            a.incident_id,
        ).where(mine(a.company_id), a.at >= since)
    ).all()  # fmt: skip
    said = connection.execute(
        select(f.provider, f.useful, func.count().label("n"))
        .where(mine(f.company_id), f.at >= since)
        .group_by(f.provider, f.useful)
    ).all()
    used = connection.execute(
        select(
            u.provider, func.sum(u.calls).label("calls"), func.sum(u.tokens).label("tokens"),
            func.sum(u.failures).label("failures"), func.sum(u.kept).label("kept"),
        )
        .where(mine(u.company_id), u.day >= since.date().isoformat())
        .group_by(u.provider)
    ).all()  # fmt: skip
    providers = sorted({row.provider for row in (*rows, *said, *used)})
    costs = {row.provider: row for row in used}
    opinions = {(row.provider, bool(row.useful)): int(row.n) for row in said}
    return AdviceStats(
        since=since, company_id=company_id, order=list(order),
        providers=[_use(name, [r for r in rows if r.provider == name], opinions, costs) for name in providers],
    )  # fmt: skip


def _use(
    name: str, rows: Sequence[Any], opinions: Mapping[tuple[str, bool], int], costs: Mapping[str, Any]
) -> AdvisorUse:  # fmt: skip
    in_force = (Standing.APPLIED, Standing.ACCEPTED)

    def moved(row: Any) -> int:
        if row.severity is None or row.severity_before is None or row.severity_standing not in in_force:
            return 0
        return int(Severity(row.severity)) - int(Severity(row.severity_before))

    standings = [standing for row in rows for standing in (row.severity_standing, row.category_standing)]
    cost = costs.get(name)
    return AdvisorUse(
        provider=name, incidents=len(rows), useful=opinions.get((name, True), 0),
        not_useful=opinions.get((name, False), 0), raised=sum(moved(row) > 0 for row in rows),
        lowered=sum(moved(row) < 0 for row in rows), waiting=standings.count(Standing.WAITING),
        declined=standings.count(Standing.DISMISSED),
        confidence=round(sum(row.confidence for row in rows) / len(rows), 2) if rows else 0.0,
        calls=int(cost.calls) if cost else 0, tokens=int(cost.tokens) if cost else 0,
        failures=int(cost.failures) if cost else 0, from_cache=int(cost.kept) if cost else 0,
    )  # fmt: skip
