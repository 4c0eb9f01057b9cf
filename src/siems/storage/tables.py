"""Every table. Each row carries its `company_id` (or `msp`), so that data can be split by tenant.

Times are whole microseconds since 1970 in UTC: they sort and compare alike on every database.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
    type_coerce,
)
from sqlalchemy.engine import Dialect

from siems.clock import from_micros, to_micros

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite only numbers rows by itself for INTEGER keys
Id = BigInteger().with_variant(Integer(), "sqlite")


class Instant(TypeDecorator[datetime]):
    """An aware UTC time, kept as microseconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_micros(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else from_micros(value)


def _company() -> Column[str]:
    return Column("company_id", String(64), nullable=False)


company = Table(
    "company",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("settings", Text, nullable=False),  # JSON: correlation, rate, SLA targets
    Column("cache_version", BigInteger, nullable=False, default=0),
)
"""The clients, and one row for the MSP itself. `cache_version` moves when another daemon's memory is out of date."""

user = Table(
    "user_account",
    metadata,
    Column("id", String(64), primary_key=True),
    _company(),
    Column("name", String(255), nullable=False, unique=True),
    Column("email", String(255), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("availability", String(16), nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("sessions_valid_after", Instant, nullable=True),
)

user_company = Table(
    "user_company",
    metadata,
    Column("user_id", String(64), nullable=False),
    _company(),
    PrimaryKeyConstraint("user_id", "company_id"),
)
"""The scope: which companies a user may see."""

token = Table(
    "token",
    metadata,
    Column("id", String(32), primary_key=True),
    _company(),
    Column("user_id", String(64), nullable=False, index=True),
    Column("kind", String(16), nullable=False),  # local, refresh
    Column("hash", String(64), nullable=False, unique=True),
    Column("family", String(32), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=True),
    Column("used_at", Instant, nullable=True),
    Column("revoked_at", Instant, nullable=True),
)

integration = Table(
    "integration",
    metadata,
    Column("id", String(64), primary_key=True),
    _company(),
    Column("tool", String(64), nullable=False),
    Column("signing", String(16), nullable=False),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("key_hint", String(16), nullable=False),
    Column("secret", Text, nullable=True),  # encrypted: verifying needs it
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant, nullable=True),
    Column("name", String(255), nullable=False, server_default=""),
    Column("rate_per_minute", Integer, nullable=True),  # none: the company's
    Column("networks", Text, nullable=False, server_default="[]"),
    Column("expires_at", Instant, nullable=True),
    Column("tenant_field", String(255), nullable=False, server_default=""),
    Column("particulars", Text, nullable=False, server_default="{}"),  # JSON: rules of mail, the queue that is emptied
)

pull = Table(
    "pull",
    metadata,
    Column("integration_id", String(64), primary_key=True),
    _company(),
    Column("holder", String(64), nullable=False),
    Column("until", Instant, nullable=False),
    Column("polled_at", Instant, nullable=True),
    Column("received", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("error_at", Instant, nullable=True),
)
"""The queues that are emptied: which daemon does it until when, and how the last look went."""

heartbeat = Table(
    "heartbeat",
    metadata,
    Column("id", String(64), primary_key=True),
    _company(),
    Column("name", String(255), nullable=False),
    Column("every_seconds", BigInteger, nullable=False),
    Column("grace_seconds", BigInteger, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("token_hint", String(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_beat_at", Instant, nullable=True),
    Column("expected_since", Instant, nullable=True),
    Column("started_at", Instant, nullable=True),
    Column("down_since", Instant, nullable=True),
    Column("paused_at", Instant, nullable=True),
    UniqueConstraint("company_id", "name"),
)
old_key = Table(
    "old_key",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    _company(),
    Column("integration_id", String(64), nullable=False),
    Column("kind", String(8), nullable=False),  # key, hmac
    Column("value", Text, nullable=False),  # the hash of a key, a secret encrypted
    Column("hint", String(16), nullable=False),
    Column("until", Instant, nullable=False),
    Index("ix_old_key_integration_id", "integration_id"),
    sqlite_autoincrement=True,
)
"""Keys and secrets that were replaced and are still taken for a while."""

sighting = Table(
    "sighting",
    metadata,
    Column("integration_id", String(64), primary_key=True),
    _company(),
    Column("at", Instant, nullable=True),
    Column("kind", String(16), nullable=False),  # alert, test
    Column("detail", Text, nullable=False),
    Column("refused_at", Instant, nullable=True),
    Column("cause", String(64), nullable=False),
)
"""What each integration has sent last: a table of its own, since it is written every few seconds."""

tenant = Table(
    "tenant",
    metadata,
    Column("integration_id", String(64), primary_key=True),
    Column("value", String(255), primary_key=True),
    _company(),
    Column("target_id", String(64), nullable=False),
)
"""Which client a value in the bodies of an MSP-wide integration stands for."""

delivery = Table(
    "delivery",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    _company(),
    Column("source", String(64), nullable=False),
    Column("delivery_id", String(200), nullable=False),
    Column("digest", BigInteger, nullable=False),  # of the three before: what is looked for
    Column("body_hash", LargeBinary(32), nullable=False),
    Column("answer", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_delivery_digest", "digest"),
)
"""What was accepted under which id, in the order of arrival: rows are added at the end and removed at the beginning,
and only a small index is written all over."""

raw_body = Table(
    "raw_body",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    _company(),
    Column("source", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

alert = Table(
    "alert",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    _company(),
    Column("incident_id", Id, nullable=True),
    Column("fingerprint", String(32), nullable=False),
    Column("asset_name", Text, nullable=False),
    Column("signature", Text, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("original_severity", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("tool_source", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("count", Integer, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("resolved_at", Instant, nullable=True),
    Column("suppressed_by", Text, nullable=True),
    Column("rule", String(32), nullable=False),
    Column("evidence", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("links", Text, nullable=False),
    Column("raw_id", Id, nullable=True),
    Index("ix_alert_incident_id", "incident_id"),
    Index("ix_alert_company_id_received_at", "company_id", "received_at"),
    Index(
        "ix_alert_suppressed",
        "company_id",
        sqlite_where=text("status = 'suppressed'"),
        postgresql_where=text("status = 'suppressed'"),
    ),
)

repeat_log = Table(
    "repeat_log",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    _company(),
    Column("alert_id", Id, nullable=False),
    Column("at", Instant, nullable=False),
    Column("count", Integer, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("message", Text, nullable=True),  # where it differs
)
"""Repeats that are not counted in their alerts yet."""

incident = Table(
    "incident",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    _company(),
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
    Index("ix_incident_company_id_state", "company_id", "state"),
    Index("ix_incident_state_resolution_due", "state", "resolution_due"),
    Index("ix_incident_created_at", "created_at"),
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
    _company(),
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
    _company(),
    Column("kind", String(16), nullable=False),  # sla, policy
    Column("body", Text, nullable=False),
)
"""SLA targets and escalation policies as they were when an incident opened; named by their content."""

timeline = Table(
    "timeline",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    _company(),
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
    _company(),
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
    _company(),
    Column("due_at", Instant, nullable=False),
    Column("payload", Text, nullable=False),
    PrimaryKeyConstraint("object", "kind"),
    Index("ix_deadline_due_at", "due_at"),
    sqlite_with_rowid=False,
)
"""Everything that happens later: for each object at most one of each kind."""

notification = Table(
    "notification",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    _company(),
    Column("dedup_key", String(200), nullable=False, unique=True),
    Column("event", String(32), nullable=False),
    Column("user_id", String(64), nullable=False),
    Column("channel", String(24), nullable=False),
    Column("object", String(64), nullable=False),
    Column("subject", Text, nullable=False),
    Column("unacknowledged", Boolean, nullable=False),  # an ack before sending cancels it
    Column("state", String(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("sent_at", Instant, nullable=True),
    Column("read_at", Instant, nullable=True),
    Index("ix_notification_user_id_created_at", "user_id", "created_at"),
    Index("ix_notification_object", "object"),
    sqlite_autoincrement=True,
)
"""The outbox, written in the transaction of the change."""

asset = Table(
    "asset",
    metadata,
    _company(),
    Column("name", String(255), nullable=False),
    Column("critical", Boolean, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    Column("addresses", Text, nullable=False, server_default="[]"),
    Column("instance_id", String(128), nullable=False, server_default=""),
    Column("cloud_account", String(64), nullable=False, server_default=""),
    Column("platform", String(16), nullable=False, server_default=""),
    Column("category", String(16), nullable=False, server_default=""),
    Column("notes", Text, nullable=False, server_default=""),
    Column("source", String(16), nullable=False, server_default="discovered"),
    Column("last_seen_at", Instant, nullable=True),
    PrimaryKeyConstraint("company_id", "name"),
)
"""What alerts are about. An alert adds a name and when it was seen; the rest comes from people and inventories."""

asset_dependency = Table(
    "asset_dependency",
    metadata,
    _company(),
    Column("asset", String(255), nullable=False),
    Column("depends_on", String(255), nullable=False),
    PrimaryKeyConstraint("company_id", "asset", "depends_on"),
)

rejection = Table(
    "rejection",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    _company(),
    Column("at", Instant, nullable=False),
    Column("cause", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    Column("source", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Column("count", Integer, nullable=False),
    Index("ix_rejection_at", "at"),
    sqlite_autoincrement=True,
)

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("chain", String(64), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("via", String(16), nullable=False),
    Column("action", String(48), nullable=False),
    Column("object", String(64), nullable=False),
    _company(),
    Column("digest", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    PrimaryKeyConstraint("chain", "seq"),
    Index("ix_audit_entry_at", "at"),
    # who looks for an object looks for what people and the system decided, not for batches of alerts
    Index(
        "ix_audit_entry_object",
        "object",
        sqlite_where=text("action <> 'alerts.accepted'"),
        postgresql_where=text("action <> 'alerts.accepted'"),
    ),
)

audit_detail = Table(
    "audit_detail",
    metadata,
    Column("chain", String(64), nullable=False),
    Column("seq", BigInteger, nullable=False),
    _company(),
    Column("salt", String(32), nullable=False),
    Column("details", Text, nullable=False),
    PrimaryKeyConstraint("chain", "seq"),
)
"""What entries are about: erasable without breaking the chain."""

audit_head = Table(
    "audit_head",
    metadata,
    Column("chain", String(64), primary_key=True),
    _company(),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)

event = Table(
    "event",
    metadata,
    Column("cursor", Id, primary_key=True, autoincrement=False),
    _company(),
    Column("at", Instant, nullable=False),
    Column("type", String(48), nullable=False),
    Column("object", String(64), nullable=False),
    Column("data", Text, nullable=False),
)
"""The live stream, kept for a while so that readers can go on where they stopped."""

idempotency = Table(
    "idempotency",
    metadata,
    Column("actor", String(64), nullable=False),
    Column("route", String(200), nullable=False),
    Column("key", String(200), nullable=False),
    _company(),
    Column("body_hash", String(64), nullable=False),
    Column("answer", Text, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("actor", "route", "key"),
)

counter = Table(
    "counter",
    metadata,
    Column("name", String(32), primary_key=True),
    _company(),
    Column("value", BigInteger, nullable=False),
)
"""The last number given out per kind of object, and the last cursor of the stream."""


def raw_columns(table: Table) -> list[Any]:
    """The columns of a table with times left as microseconds: what `rows` takes."""
    return [type_coerce(c, BigInteger).label(c.name) if isinstance(c.type, Instant) else c for c in table.columns]
