"""Incidents, their clocks, and what is done to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from siems.wire.advice import InsightView
from siems.wire.runbooks import SuggestionView
from siems.wire.shapes import Ask, Wire
from siems.wire.tickets import TicketRef


class ResponseClock(Wire):
    due_at: datetime
    met_at: datetime | None
    breached: bool
    cancelled: bool = False
    target_seconds: int = 0


class ResolutionClock(Wire):
    due_at: datetime
    met_at: datetime | None
    breached: bool
    paused: bool
    target_seconds: int = 0


class Sla(Wire):
    response: ResponseClock
    resolution: ResolutionClock


class NextEscalation(Wire):
    """When the chain goes on by itself, to which level, and to whom."""

    due_at: datetime
    level: int
    to: str


class IncidentView(Wire):
    """An incident as every list and answer shows it. `actions` is what its reader may do now."""

    id: str
    company_id: str
    company: str
    title: str
    severity: str
    state: str
    on_hold: bool
    hold_reason: str | None
    hold_until: datetime | None
    flapping: bool
    priority_score: int
    escalation_level: int
    escalated_at: datetime | None
    next_escalation: NextEscalation | None
    assignee: str | None
    assignee_name: str | None
    alert_count: int
    repeat_count: int
    active_count: int
    tool_sources: list[str]
    assets: list[str]
    asset_count: int
    category: str
    rule: str
    created_at: datetime
    last_alert_at: datetime
    acknowledged_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None
    resolved_by: str | None
    resolution_notes: str | None
    cause: str | None
    merged_into: str | None
    recurrence_of: str | None
    related: list[str]
    version: int
    actions: list[str]
    sla: Sla
    insight: InsightView | None = None


class UndoView(Wire):
    """What the reader may take back, and until when."""

    action: str
    until: datetime


class LastAct(Wire):
    """The newest act of the reader that can be taken back now; `id` is null when there is none."""

    id: str | None = None
    action: str = ""
    until: datetime | None = None


class IncidentDetail(Wire):
    """An incident with all that its own screen needs besides alerts and timeline."""

    incident: IncidentView
    priority_terms: dict[str, int]
    undo: UndoView | None
    server_time: datetime
    tickets: list[TicketRef] = msgspec.field(default_factory=list)
    runbooks: list[SuggestionView] = msgspec.field(default_factory=list)
    """The best of those that match it."""
    parent: str | None = None
    """What groups it with incidents of other clients: for admins and technicians alone."""
    watching: bool = False
    """Whether the reader has asked to hear of it."""


class TimelineEntry(Wire):
    """One line of an incident's story, newest first in lists.

    `kind`: alert, repeat, recovery, state, note, escalation, sla, notify, open, merge, silence, ticket, advice.
    """

    at: datetime
    kind: str
    actor: str
    via: str
    text: str
    data: dict[str, Any] = msgspec.field(default_factory=dict)


class ActAsk(Ask):
    """What an action may be told; which fields it needs depends on the action."""

    version: int | None = None
    reason: str = ""
    note: str = ""
    cause: str = ""
    to: str | None = None
    level: int | None = None
    now: bool = False
    """Of `escalate`: a step whose condition is not met is taken all the same."""
    hold_for: str | None = None
    until: datetime | None = None
    public: bool = False
    ask_cause: bool = False
    """Resolving what has missed a deadline is refused without a cause; else the cause is stored as `unstated`."""
    incidents: list[str] = msgspec.field(default_factory=list)
    """Of `merge`: those that are folded into this one."""
    alerts: list[str] = msgspec.field(default_factory=list)
    """Of `split`: those that become an incident of their own; `title` may name it."""
    title: str | None = None
    severity: str | None = None
    category: str | None = None
    undoable: bool = False
    """Asked by interactive sessions: notices of this act wait 10 s, so that an undo can stop them."""


class IncidentAsk(Ask):
    """An incident that somebody opens: about what no tool has told, or of an `alert` that has none yet."""

    company: str
    title: str = ""
    severity: str | None = None
    """MEDIUM, unless it is given; one that is given is not changed by alerts."""
    category: str | None = None
    alert: str | None = None
    to: str | None = None
    note: str = ""
    reason: str = ""


class ActAnswer(Wire, kw_only=True):
    """`other` is the incident that a split has made."""

    incident: IncidentView
    changed: bool
    steps: list[str]
    undo_until: datetime | None
    server_time: datetime
    other: IncidentView | None = None
