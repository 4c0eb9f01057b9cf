"""Pages of people, by hand or by script."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from siems.storage.tables.columns import Id, Instant, metadata, of_company

page = Table(
    "page",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    of_company(),
    Column("target", String(64), nullable=False),
    Column("people", Text, nullable=False),  # JSON: ids of users
    Column("message", Text, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("dedup_key", String(200), nullable=True),
    Column("incident_id", Id, nullable=True),
    Column("created_by", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("times_sent", Integer, nullable=False),
    Column("sent_at", Instant, nullable=False),
    Column("acknowledged_at", Instant, nullable=True),
    Column("acknowledged_by", String(64), nullable=True),
    Column("ended_at", Instant, nullable=True),
    Column("ended_by", String(64), nullable=True),
    Index("ix_page_company_id_ended_at", "company_id", "ended_at"),
)
"""A page answers to its key for as long as it has not ended."""
