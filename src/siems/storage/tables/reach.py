"""How people are reached, and the messages that leave the house."""

from __future__ import annotations

from sqlalchemy import (
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

LIVE = "state IN ('pending', 'sending', 'failed', 'unknown')"
"""What is still to be sent, or may have to be."""

contact = Table(
    "contact",
    metadata,
    Column("id", String(24), primary_key=True),
    of_company(),
    Column("user_id", String(64), nullable=False, index=True),
    Column("channel", String(24), nullable=False),
    Column("address", Text, nullable=False),  # encrypted: it may hold a token
    Column("hint", String(64), nullable=False),
    Column("options", Text, nullable=False),  # JSON
    Column("created_at", Instant, nullable=False),
    Column("verified_at", Instant, nullable=True),
    Column("code_hash", String(64), nullable=False),
    Column("code_until", Instant, nullable=True),
    Column("last_delivered_at", Instant, nullable=True),
    Column("last_failed_at", Instant, nullable=True),
    Column("last_error", Text, nullable=False),
)
"""Where somebody can be reached beyond the inbox."""

notify_rule = Table(
    "notify_rule",
    metadata,
    Column("id", String(24), primary_key=True),
    of_company(),
    Column("user_id", String(64), nullable=False, index=True),
    Column("contact_id", String(80), nullable=False),
    Column("severity", Integer, nullable=False),
    Column("wait_seconds", Integer, nullable=False),
    Column("about", Text, nullable=False),  # JSON: all, pages, or names of events
    Column("about_company", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
)

notify_preference = Table(
    "notify_preference",
    metadata,
    Column("user_id", String(64), primary_key=True),
    of_company(),
    Column("quiet_from", String(5), nullable=False),
    Column("quiet_until", String(5), nullable=False),
    Column("digest_at", String(5), nullable=False),
    Column("zone", String(64), nullable=False),
)

subscription = Table(
    "subscription",
    metadata,
    Column("user_id", String(64), nullable=False),
    of_company(),
    Column("severity", Integer, nullable=False),
    Column("about", Text, nullable=False),
    PrimaryKeyConstraint("user_id", "company_id"),
)
"""Who follows a company without being paged for it."""

message = Table(
    "message",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    of_company(),
    Column("dedup_key", String(240), nullable=False, unique=True),
    Column("notice", String(200), nullable=False),  # the same for all channels of one person
    Column("event", String(32), nullable=False),
    Column("user_id", String(64), nullable=False),
    Column("contact_id", String(80), nullable=False),
    Column("channel", String(24), nullable=False),
    Column("hint", String(64), nullable=False),
    Column("object", String(64), nullable=False),
    Column("severity", Integer, nullable=False),
    Column("subject", Text, nullable=False),
    Column("pages", Boolean, nullable=False),
    Column("unacknowledged", Boolean, nullable=False),
    Column("rule", String(24), nullable=False),
    Column("why", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("lease_owner", String(64), nullable=False),
    Column("lease_token", String(32), nullable=False),
    Column("sent_at", Instant, nullable=True),
    Column("unknown_at", Instant, nullable=True),
    Column("provider_message_id", Text, nullable=False),
    Column("last_error", Text, nullable=False),
    Column("bundle_id", Id, nullable=True),
    Column("listed", Integer, nullable=False),  # its number in the bundle; 0: only counted
    Column("ended_at", Instant, nullable=True),
    Column("stopped", Text, nullable=False),  # why it is not tried again, said while it was being sent
    # what is to be sent is little, however much was
    Index(
        "ix_message_live",
        "severity",
        "next_at",
        sqlite_where=text(LIVE),
        postgresql_where=text(LIVE),
    ),
    Index("ix_message_object", "object"),
    Index("ix_message_notice", "notice"),
    Index(
        "ix_message_contact",
        "contact_id",
        "company_id",
        sqlite_where=text(LIVE),
        postgresql_where=text(LIVE),
    ),
    Index(
        "ix_message_bundle",
        "bundle_id",
        sqlite_where=text("bundle_id IS NOT NULL"),
        postgresql_where=text("bundle_id IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)
"""The outbox: one message to one contact, written in the transaction of the change. `next_at` of one that is being
sent is the end of its lease."""

pace = Table(
    "pace",
    metadata,
    Column("contact_id", String(80), nullable=False),
    of_company(),
    Column("last_at", Instant, nullable=False),
    Column("last_id", Text, nullable=False),
    PrimaryKeyConstraint("contact_id", "company_id"),
)
"""When a contact was last told about a company: what comes soon after goes together."""
