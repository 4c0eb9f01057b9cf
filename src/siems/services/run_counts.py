"""How often runbooks have put something right before: what suggestions are ranked by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, func, select

from siems.domain.run import RunState
from siems.storage import tables as t
from siems.vocabulary import State

_OVER = t.incident.c.state.in_([State.RESOLVED.value, State.CLOSED.value])


def times_fixed(connection: Connection, company_id: str, signatures: Sequence[str]) -> Mapping[str, int]:
    """For each runbook's name, how many incidents of this company with one of these signatures ended after it
    succeeded there. What still goes on was not fixed."""
    r, i = t.run.c, t.incident.c
    rows = connection.execute(
        select(r.runbook, func.count(i.id.distinct()))
        .select_from(t.run.join(t.incident, i.id == r.incident_id))
        .where(
            r.company_id == company_id, r.state == RunState.SUCCEEDED.value, r.rollback_of.is_(None), _OVER,
            i.signature.in_(list(signatures)),
        )
        .group_by(r.runbook)
    )  # fmt: skip
    return {name: int(count) for name, count in rows}


def signatures_fixed(connection: Connection, company_id: str) -> frozenset[str]:
    """The signatures of this company's incidents that ended after any runbook succeeded there."""
    r, i = t.run.c, t.incident.c
    rows = connection.execute(
        select(i.signature)
        .distinct()
        .select_from(t.run.join(t.incident, i.id == r.incident_id))
        .where(r.company_id == company_id, r.state == RunState.SUCCEEDED.value, r.rollback_of.is_(None), _OVER)
    )
    return frozenset(rows.scalars())
