"""What groups incidents of several clients, and who watches single ones."""

from __future__ import annotations

from sqlalchemy import Column, Index, PrimaryKeyConstraint, String, Table, Text

from siems.storage.tables.columns import Id, Instant, metadata, of_company

parent = Table(
    "parent",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    of_company(),
    Column("title", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("state", String(16), nullable=False),  # open, resolved, closed
    Column("created_by", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("acknowledged_by", String(64), nullable=True),
    Column("acknowledged_at", Instant, nullable=True),
    Column("ended_by", String(64), nullable=True),
    Column("ended_at", Instant, nullable=True),
    Index("ix_parent_state", "state"),
)
"""One cause at several clients; rows of the MSP."""


parent_child = Table(
    "parent_child",
    metadata,
    Column("incident_id", Id, primary_key=True, autoincrement=False),
    of_company(),
    Column("parent_id", Id, nullable=False),
    Column("added_by", String(64), nullable=False),
    Column("added_at", Instant, nullable=False),
    Index("ix_parent_child_parent_id", "parent_id"),
)
"""Which incidents belong to it: each to one at most."""


parent_line = Table(
    "parent_line",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    of_company(),
    Column("parent_id", Id, nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("actor", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Index("ix_parent_line_parent_id", "parent_id"),
    sqlite_autoincrement=True,
)
"""Its story, which no client reads."""


watcher = Table(
    "watcher",
    metadata,
    Column("incident_id", Id, nullable=False),
    Column("user_id", String(64), nullable=False),
    of_company(),
    Column("since", Instant, nullable=False),
    PrimaryKeyConstraint("incident_id", "user_id"),
)
"""Who wants to hear of an incident that is not theirs."""
