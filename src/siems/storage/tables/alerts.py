"""What arrived."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)

from siems.storage.tables.columns import Id, Instant, metadata, of_company

delivery = Table(
    "delivery",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    of_company(),
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
    of_company(),
    Column("source", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Column("body", LargeBinary, nullable=False),
)


alert = Table(
    "alert",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    of_company(),
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
    # what is active or suppressed among all that ever was: written at the end, and left when it is over
    Index(
        "ix_alert_unresolved",
        "status",
        "id",
        sqlite_where=text("status <> 'resolved'"),
        postgresql_where=text("status <> 'resolved'"),
    ),
)


repeat_log = Table(
    "repeat_log",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    of_company(),
    Column("alert_id", Id, nullable=False),
    Column("at", Instant, nullable=False),
    Column("count", Integer, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("message", Text, nullable=True),  # where it differs
)
"""Repeats that are not counted in their alerts yet."""
