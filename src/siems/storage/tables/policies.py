"""Escalation policies by name."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text, UniqueConstraint

from siems.storage.tables.columns import Instant, metadata, of_company

policy = Table(
    "policy",
    metadata,
    Column("id", String(64), primary_key=True),
    of_company(),
    Column("name", String(64), nullable=False),
    Column("body", Text, nullable=False),  # JSON, as in snapshots
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    UniqueConstraint("company_id", "name"),
)
"""Owned by a company or by the MSP, whose policies every company may use."""
