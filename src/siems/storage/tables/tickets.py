"""Tickets in other systems: accounts, links, what is to be done there; and the texts of status updates."""

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
    UniqueConstraint,
)

from siems.storage.tables.columns import Id, Instant, metadata, of_company

ticket_account = Table(
    "ticket_account",
    metadata,
    Column("id", String(64), primary_key=True),
    of_company(),
    Column("kind", String(24), nullable=False),
    Column("url", Text, nullable=False),
    Column("project", String(80), nullable=False),
    Column("username", String(255), nullable=False),
    Column("secret", Text, nullable=False),  # encrypted
    Column("rules", Text, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("hook_hash", String(64), nullable=True, unique=True),
    Column("created_by", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("since", Instant, nullable=False),
    Column("polled_at", Instant, nullable=True),
    Column("failures", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("error_at", Instant, nullable=True),
)


ticket = Table(
    "ticket",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    of_company(),
    Column("account_id", String(64), nullable=False),
    Column("incident_id", Id, nullable=False),
    Column("external_id", String(64), nullable=True),
    Column("key", String(80), nullable=False),
    Column("url", Text, nullable=False),
    Column("state", String(80), nullable=False),
    Column("known", String(16), nullable=False),
    Column("told", String(16), nullable=False),
    Column("local_at", Instant, nullable=False),
    Column("local_human", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("relates_to", String(80), nullable=False),
    UniqueConstraint("account_id", "external_id"),
    Index("ix_ticket_incident_id", "incident_id"),
)
"""At most one per account and incident; none has two incidents."""


ticket_comment = Table(
    "ticket_comment",
    metadata,
    Column("ticket_id", Id, nullable=False),
    Column("external_id", String(80), nullable=False),
    of_company(),
    Column("ours", Boolean, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("ticket_id", "external_id"),
)
"""Comments that are known on both sides."""


ticket_job = Table(
    "ticket_job",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    of_company(),
    Column("account_id", String(64), nullable=False),
    Column("ticket_id", Id, nullable=True),
    Column("verb", String(16), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(16), nullable=False),  # pending, sending, done, dead
    Column("attempt", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("lease_owner", String(80), nullable=False),
    Column("lease_token", String(32), nullable=False),
    Column("lease_until", Instant, nullable=True),
    Column("error", Text, nullable=False),
    Column("done_at", Instant, nullable=True),
    Index("ix_ticket_job_state_next_at", "state", "next_at"),
    Index("ix_ticket_job_ticket_id", "ticket_id"),
    sqlite_autoincrement=True,
)
"""What is to be done over there, in order for each ticket; written in the transaction of the change."""


template = Table(
    "template",
    metadata,
    Column("company_id", String(64), nullable=False),
    Column("name", String(64), nullable=False),
    Column("event", String(48), nullable=False),
    Column("channel", String(24), nullable=False),
    Column("body", Text, nullable=False),
    Column("updated_by", String(64), nullable=False),
    Column("updated_at", Instant, nullable=False),
    PrimaryKeyConstraint("company_id", "name"),
    Index("ix_template_event_channel", "event", "channel"),
)
"""Texts of a company's own, in place of those that ship; those of the MSP are for every client without one."""
