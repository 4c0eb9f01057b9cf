"""Looking up what a strategy chose for an incident, with the scores as they were."""

from __future__ import annotations

import json

import msgspec
from sqlalchemy import Connection, select

from siems.domain.incident import Incident
from siems.domain.permissions import Actor, Permission, require
from siems.errors import NotFound
from siems.storage import tables as t
from siems.wire import ChoiceView


def kept_choice(connection: Connection, incident: Incident) -> ChoiceView | None:
    """The last choice of a strategy for an incident; None where people have assigned it, or nobody."""
    line = t.timeline.c
    rows = connection.execute(
        select(line.data)
        .where(line.incident_id == incident.id, line.kind == "state", line.data.contains('"strategy"'))
        .order_by(line.at.desc(), line.id.desc())
    )
    for (text,) in rows:
        data = json.loads(text)
        if "candidates" in data:
            return msgspec.convert(data, ChoiceView)
    return None


def show_choice(connection: Connection, incident: Incident, actor: Actor) -> ChoiceView:
    """As `kept_choice`, for a reader. Raises Forbidden, NotFound where no strategy has chosen."""
    require(actor, Permission.WORK, incident.company_id, what=incident.ref)
    found = kept_choice(connection, incident)
    if found is None:
        raise NotFound(
            f"no strategy has chosen somebody for {incident.ref}", hint=f"siems incident candidates {incident.ref}"
        )
    return found
