"""Paging a person."""

from __future__ import annotations

from datetime import datetime

from siems.wire.shapes import Ask, Wire


class PagedPerson(Wire):
    id: str
    name: str
    availability: str


class PageView(Wire):
    """A page. `state`: open, acknowledged, ended, or expired: given up without an ack. `next_at`: when it is sent
    again, or given up; once acknowledged, until when it answers to its key."""

    id: str
    company_id: str
    company: str
    state: str
    target: str
    people: list[PagedPerson]
    message: str
    severity: str
    key: str | None
    incident_id: str | None
    created_by: str
    created_by_name: str
    created_at: datetime
    times_sent: int
    sent_at: datetime
    next_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    acknowledged_by_name: str | None
    ended_at: datetime | None
    ended_by: str | None


class PageAsk(Ask):
    """Whom to call, about what. `to`: a user, `@me` or `oncall`. A page with this `key` that has not ended is the
    answer, and nobody is paged again. An incident gives message and severity where they are left out."""

    to: str
    company: str = ""
    message: str = ""
    key: str = ""
    severity: str = ""
    incident: str = ""


class PageActAsk(Ask):
    reason: str = ""


class PageAnswer(Wire):
    """`notes`: what whoever pages should know, as that somebody is away."""

    page: PageView
    changed: bool
    notes: list[str]
