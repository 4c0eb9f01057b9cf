"""The runbooks that an incident's reader is offered."""

from __future__ import annotations

from sqlalchemy import Connection, select

from siems.domain.incident import Incident
from siems.domain.permissions import Actor, Permission, allowed
from siems.domain.suggesting import Suggestion, suggest
from siems.services.run_counts import times_fixed
from siems.services.runbooks import usable
from siems.storage import tables as t
from siems.wire import SuggestionView

LOOKED_AT = 50


def suggestions(
    connection: Connection, incident: Incident, actor: Actor, *, most: int = LOOKED_AT
) -> list[SuggestionView]:
    """The best first; none for those who may not see runbooks."""
    if not allowed(actor, Permission.SEE_RUNBOOKS, incident.company_id):
        return []
    signatures = _signatures(connection, incident)
    found = suggest(
        usable(connection, incident.company_id), signatures=signatures, category=incident.category,
        assets=_platforms(connection, incident), fixed=times_fixed(connection, incident.company_id, signatures),
    )  # fmt: skip
    return [_view(one, incident) for one in found[:most]]


def _signatures(connection: Connection, incident: Incident) -> list[str]:
    """What its alerts say, the incident's own first."""
    a = t.alert.c
    rows = connection.execute(
        select(a.signature).where(a.incident_id == incident.id).distinct().order_by(a.signature).limit(LOOKED_AT)
    )
    return list(dict.fromkeys([incident.signature, *(row.signature for row in rows)]))


def _platforms(connection: Connection, incident: Incident) -> dict[str, str]:
    """For each of its assets what it runs, as far as somebody has said so."""
    a, names = t.asset.c, list(incident.assets)
    rows = connection.execute(
        select(a.name, a.platform).where(a.company_id == incident.company_id, a.name.in_(names))
    ).all()
    known = {row.name: row.platform for row in rows}
    return {name: known.get(name, "") for name in names}


def _view(one: Suggestion, incident: Incident) -> SuggestionView:
    found, runbook = one.found, one.found.runbook
    return SuggestionView(
        name=runbook.name, title=runbook.title, risk=found.effective_risk.value, approved=found.approved,
        origin=found.origin.value, platforms=[platform.value for platform in runbook.platforms], why=one.why,
        fixed=one.fixed, command=f"siems runbook run {runbook.name} --incident {incident.ref}",
        assets=list(one.assets),
    )  # fmt: skip
