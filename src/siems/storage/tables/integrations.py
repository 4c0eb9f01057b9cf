"""What senders hold: integrations, keys, heartbeats, queues; and what was refused."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from siems.storage.tables.columns import Id, Instant, metadata, of_company

integration = Table(
    "integration",
    metadata,
    Column("id", String(64), primary_key=True),
    of_company(),
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
    of_company(),
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
    of_company(),
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
    of_company(),
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
    of_company(),
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
    of_company(),
    Column("target_id", String(64), nullable=False),
)
"""Which client a value in the bodies of an MSP-wide integration stands for."""


rejection = Table(
    "rejection",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    of_company(),
    Column("at", Instant, nullable=False),
    Column("cause", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    Column("source", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Column("count", Integer, nullable=False),
    Index("ix_rejection_at", "at"),
    sqlite_autoincrement=True,
)
