"""Templates: those that ship, those of the MSP and those of a company; looking them up, changing and filling them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, or_, select

from siems.clock import rfc3339
from siems.domain.events import Recorded
from siems.domain.incident import Incident
from siems.domain.permissions import Actor, Permission, require
from siems.errors import InvalidField, NotFound
from siems.services import rendering
from siems.storage import tables as t
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP
from siems.wire import TemplateEdit, TemplateView

STATUS, UPDATE = "status", "incident.update"
NONE: Mapping[tuple[str, str], str] = MappingProxyType({})
MOST = 200
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Template:
    """A text with blanks, for one event on one channel."""

    name: str
    event: str
    channel: str
    body: str
    origin: str = "shipped"
    updated_by: str = ""
    updated_at: datetime | None = None


def _status(name: str, first: str, last: str = "") -> Template:
    said = "{% if text %} {{ text }}{% endif %}"
    return Template(name, UPDATE, STATUS, f"{first}{said}{last} (reference {{{{ incident.id }}}})")


SHIPPED: Mapping[str, Template] = {
    template.name: template
    for template in (
        _status(
            "investigating", "We are investigating: {{ incident.title }}.",
            " Affected: {{ incident.assets | join(', ') }}.",
        ),
        _status("identified", "We have identified the cause of: {{ incident.title }}.", " A fix is under way."),
        _status("monitoring", "A fix is in place for: {{ incident.title }}.", " We are watching whether it holds."),
        _status("resolved", "Resolved: {{ incident.title }}."),
    )
}  # fmt: skip
"""The status updates that every company can send at once."""


def facts_of(incident: Incident, company: str, now: datetime, *, text: str = "") -> dict[str, Any]:
    """What a template may tell of an incident: nothing but what its client may know."""
    return {
        "incident": {
            "id": incident.ref, "title": incident.title, "severity": incident.severity.name,
            "state": incident.state.value.replace("_", " ").lower(), "category": incident.category.value,
            "assets": list(incident.assets[:20]), "asset_count": incident.asset_count,
            "alert_count": incident.alert_count, "created_at": _told(incident.created_at),
            "resolved_at": _told(incident.resolved_at) if incident.resolved_at else "",
            "due_at": _told(incident.clocks.resolution_due),
        },
        "company": {"id": incident.company_id, "name": company},
        "text": text,
        "now": _told(now),
    }  # fmt: skip


def _told(instant: datetime) -> str:
    return rfc3339(instant.replace(microsecond=0))


SAMPLE: dict[str, Any] = {
    "incident": {
        "id": "INC-42", "title": "High CPU usage on web-1", "severity": "CRITICAL", "state": "in progress",
        "category": "cpu", "assets": ["web-1", "web-2"], "asset_count": 2, "alert_count": 3,
        "created_at": "2026-03-10T12:00:00Z", "resolved_at": "", "due_at": "2026-03-10T16:00:00Z",
    },
    "company": {"id": "comp-acme", "name": "Acme"}, "text": "more in half an hour", "now": "2026-03-10T12:30:00Z",
}  # fmt: skip
"""What a template is tried on before it is taken: every blank that there is."""


# --- looking ---------------------------------------------------------------------------------------------------


def in_force(connection: Connection, company_id: str) -> dict[str, Template]:
    """By name: what ships, over that the MSP's, over that the company's own."""
    c = t.template.c
    rows = connection.execute(
        select(t.template).where(or_(c.company_id == MSP, c.company_id == company_id)).order_by(c.name)
    ).all()
    found = dict(SHIPPED)
    for row in sorted(rows, key=lambda row: bool(row.company_id != MSP)):
        origin = "msp" if row.company_id == MSP else "company"
        found[row.name] = Template(
            row.name, row.event, row.channel, row.body, origin, row.updated_by, row.updated_at
        )  # fmt: skip
    return found


def find(connection: Connection, company_id: str, name: str) -> Template:
    """Raises NotFound naming those that there are."""
    known = in_force(connection, company_id)
    if name not in known:
        raise NotFound(f"there is no template {name[:64]!r}", hint=f"one of: {', '.join(sorted(known))}")
    return known[name]


def for_message(connection: Connection, company_id: str, event: str, channel: str) -> Template | None:
    """The template that a company wants for an event on a channel; None where it wants none of its own."""
    found = [k for k in in_force(connection, company_id).values() if (k.event, k.channel) == (event, channel)]
    ranked = sorted(found, key=lambda k: ("shipped", "msp", "company").index(k.origin))
    return ranked[-1] if ranked else None


def view(template: Template, company_id: str, problem: str = "") -> TemplateView:
    return TemplateView(
        name=template.name, company_id=company_id, event=template.event, channel=template.channel,
        body=template.body, origin=template.origin, updated_by=template.updated_by, updated_at=template.updated_at,
        problem=problem,
    )  # fmt: skip


def list_templates(
    connection: Connection, actor: Actor, company_id: str, problems: Mapping[tuple[str, str], str] = NONE
) -> list[TemplateView]:
    """Those in force for a company, by name; `problems` by company and name."""
    require(actor, Permission.SEE_TICKETS, company_id, what=company_id)
    return [
        view(k, company_id, problems.get((company_id, name), ""))
        for name, k in sorted(in_force(connection, company_id).items())
    ]


# --- changing --------------------------------------------------------------------------------------------------


def edit(uow: UnitOfWork, actor: Actor, company_id: str, name: str, ask: TemplateEdit) -> Template:
    """Another text, from now on. It is tried first: a blank that nothing fills is refused here, not at night."""
    require(actor, Permission.COMPANY_SETTINGS, company_id, what=company_id)
    if not _NAME.fullmatch(name):
        raise InvalidField(f"{name[:64]!r} is no name for a template", hint="small letters, digits, - and . : outage")
    before = in_force(uow.connection, company_id).get(name)
    event = (ask.event or (before.event if before else UPDATE)).strip()[:48]
    channel = (ask.channel or (before.channel if before else STATUS)).strip()[:24]
    rendering.check(ask.body, SAMPLE)
    c = t.template.c
    mine = uow.connection.execute(select(c.name).where(c.company_id == company_id)).scalars().all()
    if name not in mine and len(mine) >= MOST:
        raise InvalidField(f"{company_id} has {MOST} templates already", hint="siems template list")
    uow.connection.execute(t.template.delete().where(c.company_id == company_id, c.name == name))
    uow.connection.execute(
        t.template.insert().values(
            company_id=company_id, name=name, event=event, channel=channel, body=ask.body, updated_by=actor.id,
            updated_at=uow.now,
        )
    )  # fmt: skip
    details = {"event": event, "channel": channel, "body": ask.body, "before": before.body if before else None}
    _record(uow, actor, "template.edited", company_id, name, ask.reason, details)
    return find(uow.connection, company_id, name)


def reset(uow: UnitOfWork, actor: Actor, company_id: str, name: str, reason: str) -> bool:
    """Back to what was there before the company had its own; whether there was one."""
    require(actor, Permission.COMPANY_SETTINGS, company_id, what=company_id)
    c = t.template.c
    gone = uow.connection.execute(t.template.delete().where(c.company_id == company_id, c.name == name)).rowcount
    if gone:
        _record(uow, actor, "template.reset", company_id, name, reason, {})
    return bool(gone)


def _record(
    uow: UnitOfWork, actor: Actor, type: str, company_id: str, name: str, reason: str, details: dict[str, Any]
) -> None:  # fmt: skip
    uow.emit(
        Recorded(
            type=type, actor=actor, company_id=company_id, object=f"template {name}"[:64], reason=reason,
            details=details,
        )
    )  # fmt: skip
