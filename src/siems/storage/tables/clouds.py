"""Accounts of companies at the clouds."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, String, Table, Text, UniqueConstraint

from siems.storage.tables.columns import Instant, metadata, of_company

cloud_account = Table(
    "cloud_account",
    metadata,
    Column("id", String(64), primary_key=True),
    of_company(),
    Column("kind", String(16), nullable=False),
    Column("account", String(64), nullable=False),
    Column("external_id", String(80), nullable=False),
    Column("role", String(64), nullable=False),
    Column("regions", Text, nullable=False),
    Column("tenant", String(64), nullable=False),
    Column("login", String(64), nullable=False),
    Column("secret", Text, nullable=False),  # encrypted
    Column("bucket", String(64), nullable=False),
    Column("hybrid", Boolean, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("checked_at", Instant, nullable=True),
    Column("findings", Text, nullable=False),
    UniqueConstraint("kind", "account"),
    Index("ix_cloud_account_company_id", "company_id"),
)
"""How siems comes into them. An account belongs to one company: nobody reaches another's machines by naming it."""
