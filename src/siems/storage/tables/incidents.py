"""Incidents, and what hangs on them: silences, snapshots, timeline, deadlines."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

from siems.storage.tables.columns import Id, Instant, metadata, of_company

incident = Table(
    "incident",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    of_company(),
    Column("title", Text, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("severity_pinned", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("category", String(16), nullable=False),
    Column("rule", String(32), nullable=False),
    Column("signature", Text, nullable=False),
    Column("folded", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_alert_at", Instant, nullable=False),
    Column("static_score", Integer, nullable=False),
    Column("response_due", Instant, nullable=False),
    Column("response_met_at", Instant, nullable=True),
    Column("response_warned_at", Instant, nullable=True),
    Column("response_breached_at", Instant, nullable=True),
    Column("response_cancelled", Boolean, nullable=False),
    Column("resolution_due", Instant, nullable=False),
    Column("resolution_met_at", Instant, nullable=True),
    Column("resolution_warned_at", Instant, nullable=True),
    Column("resolution_breached_at", Instant, nullable=True),
    Column("paused_since", Instant, nullable=True),
    Column("paused_micros", BigInteger, nullable=False),
    Column("sla_snapshot", String(32), nullable=False),
    Column("policy_snapshot", String(32), nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("escalation_level", Integer, nullable=False),
    Column("escalated_at", Instant, nullable=True),
    Column("escalates_at", Instant, nullable=True),
    Column("ack_due_at", Instant, nullable=True),
    Column("asked_at", Instant, nullable=True),
    Column("advanced_by", Text, nullable=False, server_default="[]"),  # JSON: names of strategies
    Column("assets", Text, nullable=False),
    Column("asset_count", Integer, nullable=False),
    Column("tool_sources", Text, nullable=False),
    Column("critical_asset", Boolean, nullable=False),
    Column("alert_count", Integer, nullable=False),
    Column("repeat_count", Integer, nullable=False),
    Column("active_count", Integer, nullable=False),
    Column("touched", Boolean, nullable=False),
    Column("assignee", String(64), nullable=True),
    Column("assigned_at", Instant, nullable=True),
    Column("acknowledged_at", Instant, nullable=True),
    Column("started_at", Instant, nullable=True),
    Column("hold_reason", String(16), nullable=True),
    Column("hold_until", Instant, nullable=True),
    Column("recovered_at", Instant, nullable=True),
    Column("flapping", Boolean, nullable=False),
    Column("transitions", Text, nullable=False),
    Column("resolved_at", Instant, nullable=True),
    Column("resolved_by", String(64), nullable=True),
    Column("resolution_notes", Text, nullable=True),
    Column("cause", Text, nullable=True),
    Column("closed_at", Instant, nullable=True),
    Column("merged_into", Id, nullable=True),
    Column("recurrence_of", Id, nullable=True),
    Column("related", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("reopened_at", Instant, nullable=True),
    Column("answered_at", Instant, nullable=True),
    Column("escalations", Integer, nullable=False, server_default="0"),
    Index("ix_incident_company_id_state", "company_id", "state"),
    Index("ix_incident_state_resolution_due", "state", "resolution_due"),
    Index("ix_incident_created_at", "created_at"),
    # what a company was like lately: costs nothing before the end
    Index(
        "ix_incident_company_id_resolved_at",
        "company_id",
        "resolved_at",
        sqlite_where=text("resolved_at IS NOT NULL"),
        postgresql_where=text("resolved_at IS NOT NULL"),
    ),
    # few incidents recur, and only those pay for it
    Index(
        "ix_incident_recurrence_of",
        "recurrence_of",
        sqlite_where=text("recurrence_of IS NOT NULL"),
        postgresql_where=text("recurrence_of IS NOT NULL"),
    ),
)


silence = Table(
    "silence",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    of_company(),
    Column("matchers", Text, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("comment", Text, nullable=False),
    Column("change", String(64), nullable=False),
    Column("recurrence", Text, nullable=True),  # JSON: rule, zone, first start and length on its wall clock
    Column("created_by", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=True),
    Column("ended_by", String(64), nullable=True),
    Index("ix_silence_company_id_ended_at", "company_id", "ended_at"),
)
"""Silences and maintenance windows; `starts_at` and `ends_at` are the window that is on, or the next one."""


snapshot = Table(
    "snapshot",
    metadata,
    Column("id", String(32), primary_key=True),
    of_company(),
    Column("kind", String(16), nullable=False),  # sla, policy
    Column("body", Text, nullable=False),
)
"""SLA targets and escalation policies as they were when an incident opened; named by their content."""


timeline = Table(
    "timeline",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    of_company(),
    Column("incident_id", Id, nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("actor", String(64), nullable=False),
    Column("via", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("data", Text, nullable=False),
    Index("ix_timeline_incident_id_at", "incident_id", "at"),
    sqlite_autoincrement=True,
)


undo = Table(
    "undo",
    metadata,
    Column("incident_id", Id, primary_key=True, autoincrement=False),
    of_company(),
    Column("actor", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Column("action", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
)
"""What the last act of a person replaced, for as long as it may be taken back."""


deadline = Table(
    "deadline",
    metadata,
    Column("object", String(64), nullable=False),
    Column("kind", String(24), nullable=False),
    of_company(),
    Column("due_at", Instant, nullable=False),
    Column("payload", Text, nullable=False),
    PrimaryKeyConstraint("object", "kind"),
    Index("ix_deadline_due_at", "due_at"),
    sqlite_with_rowid=False,
)
"""Everything that happens later: for each object at most one of each kind."""


sla_told = Table(
    "sla_told",
    metadata,
    Column("actor", String(64), nullable=False),
    Column("token", String(100), nullable=False),
    Column("incident_id", Id, nullable=False),
    Column("clock", String(16), nullable=False),
    Column("standing", String(16), nullable=False),  # due, breached
    of_company(),
    Column("due_at", Instant, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("actor", "token", "incident_id", "clock", "standing"),
    Index("ix_sla_told_incident_id", "incident_id"),
)
"""What `sla check --once TOKEN` has told already."""
