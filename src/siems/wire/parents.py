"""What groups incidents of several clients."""

from __future__ import annotations

from datetime import datetime

import msgspec

from siems.wire.shapes import Ask, Wire


class ParentChild(Wire):
    """One incident of it, and its next deadline."""

    id: str
    company_id: str
    company: str
    title: str
    severity: str
    state: str
    on_hold: bool
    open: bool
    assignee_name: str | None
    acknowledged_at: datetime | None
    due_at: datetime | None
    added_at: datetime
    added_by: str


class ParentLine(Wire):
    at: datetime
    kind: str
    actor: str
    text: str


class ParentView(Wire):
    """A group as its reader may see it: incidents of their scope; for admins what it matches, and its story."""

    id: str
    title: str
    query: str
    state: str
    created_by: str
    created_at: datetime
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    ended_at: datetime | None
    companies: int
    open: int
    children: list[ParentChild]
    story: list[ParentLine] = msgspec.field(default_factory=list)


class ParentAsk(Ask):
    """`query` is for incidents to come as well: signature, title, asset, source, category, severity, company, words."""

    title: str = ""
    query: str = ""
    incidents: list[str] = msgspec.field(default_factory=list)
    reason: str = ""


class ParentActAsk(Ask):
    """What is done to it; which fields are needed depends on the action."""

    incidents: list[str] = msgspec.field(default_factory=list)
    reason: str = ""
    note: str = ""
    cause: str = ""
    to_children: bool = False
    """Of `note`: every incident of it gets the note as well."""
    public: bool = False
    """The clients may read it."""
    hold_for: str | None = None
    until: datetime | None = None
    template: str = ""


class ActError(Wire):
    code: str
    message: str
    hint: str


class ParentResult(Wire):
    """What became of one incident."""

    id: str
    company_id: str
    changed: bool
    state: str
    error: ActError | None = None


class ParentAnswer(Wire):
    parent: ParentView
    results: list[ParentResult]
