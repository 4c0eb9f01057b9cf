"""Companies, users and their sessions."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

from siems.storage.tables.columns import Instant, metadata, of_company

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
    of_company(),
    Column("name", String(255), nullable=False, unique=True),
    Column("email", String(255), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("availability", String(16), nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("sessions_valid_after", Instant, nullable=True),
    Column("skills", Text, nullable=False, default="[]"),  # JSON: categories
    Column("assigned_at", Instant, nullable=True),  # when they were last given an incident
)


user_company = Table(
    "user_company",
    metadata,
    Column("user_id", String(64), nullable=False),
    of_company(),
    PrimaryKeyConstraint("user_id", "company_id"),
)
"""The scope: which companies a user may see."""


token = Table(
    "token",
    metadata,
    Column("id", String(32), primary_key=True),
    of_company(),
    Column("user_id", String(64), nullable=False, index=True),
    Column("kind", String(16), nullable=False),  # local, refresh
    Column("hash", String(64), nullable=False, unique=True),
    Column("family", String(32), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=True),
    Column("used_at", Instant, nullable=True),
    Column("revoked_at", Instant, nullable=True),
)
