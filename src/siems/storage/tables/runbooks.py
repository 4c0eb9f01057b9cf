"""Runbooks that people wrote, every version of them, and whose content was approved."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, PrimaryKeyConstraint, String, Table, Text

from siems.storage.tables.columns import Instant, metadata, of_company

runbook = Table(
    "runbook",
    metadata,
    of_company(),
    Column("name", String(48), nullable=False),
    Column("version", Integer, nullable=False),
    Column("current", Boolean, nullable=False),
    Column("text", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("risk", String(8), nullable=False),
    Column("author", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("company_id", "name", "version"),
)
"""A company's own, or the MSP's for every company. At most one version is current; none is of one that was deleted."""


runbook_approval = Table(
    "runbook_approval",
    metadata,
    of_company(),
    Column("name", String(48), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("risk", String(8), nullable=False),
    Column("approved_by", String(64), nullable=False),
    Column("approved_at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("company_id", "name", "digest"),
)
"""That an admin has read this very text, and what risk they give it."""
