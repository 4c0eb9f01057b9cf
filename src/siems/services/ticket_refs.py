"""The tickets that an incident shows."""

from __future__ import annotations

from sqlalchemy import Connection

from siems.domain.incident import Incident
from siems.domain.permissions import Actor
from siems.storage.repositories.tickets import tickets_of
from siems.vocabulary import Role
from siems.wire import TicketRef


def ticket_refs(connection: Connection, incident: Incident, actor: Actor) -> list[TicketRef]:
    """The tickets that an incident shows its reader; clients are not told where staff write."""
    if actor.role is Role.CLIENT:
        return []
    return [
        TicketRef(id=k.ref, key=k.key, url=k.url, state=k.state or "being opened", account_id=k.account_id)
        for k in tickets_of(connection, incident.id)
    ]  # fmt: skip
