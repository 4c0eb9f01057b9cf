"""The audit log, the live stream, answers that are kept, numbers given out."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

from siems.storage.tables.columns import Id, Instant, metadata, of_company

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
    of_company(),
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
    of_company(),
    Column("salt", String(32), nullable=False),
    Column("details", Text, nullable=False),
    PrimaryKeyConstraint("chain", "seq"),
)
"""What entries are about: erasable without breaking the chain."""


audit_head = Table(
    "audit_head",
    metadata,
    Column("chain", String(64), primary_key=True),
    of_company(),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)


event = Table(
    "event",
    metadata,
    Column("cursor", Id, primary_key=True, autoincrement=False),
    of_company(),
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
    of_company(),
    Column("body_hash", String(64), nullable=False),
    Column("answer", Text, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("actor", "route", "key"),
)


counter = Table(
    "counter",
    metadata,
    Column("name", String(32), primary_key=True),
    of_company(),
    Column("value", BigInteger, nullable=False),
)
"""The last number given out per kind of object, and the last cursor of the stream."""
