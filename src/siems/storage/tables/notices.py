"""Whom to tell what."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    false,
)

from siems.storage.tables.columns import Id, Instant, metadata, of_company

notification = Table(
    "notification",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    of_company(),
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
    Column("severity", Integer, nullable=False, server_default="2"),
    Column("pages", Boolean, nullable=False, server_default=false()),
    Column("why", Text, nullable=False, server_default=""),  # why it goes no further than the inbox
    Index("ix_notification_user_id_created_at", "user_id", "created_at"),
    Index("ix_notification_object", "object"),
    sqlite_autoincrement=True,
)
"""The inboxes, written in the transaction of the change."""
