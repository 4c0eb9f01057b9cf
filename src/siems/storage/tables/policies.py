"""Escalation policies by name."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text, UniqueConstraint

from siems.storage.tables.columns import Instant, metadata, of_company

policy_hook = Table(
    "policy_hook",
    metadata,
    Column("id", String(24), primary_key=True),
    of_company(),
    Column("hint", String(64), nullable=False),
    Column("address", Text, nullable=False),  # sealed
    Column("created_at", Instant, nullable=False),
)
"""Addresses that policies call. A policy, and what incidents keep of it, holds the name and the hint alone."""


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
