"""The inventory."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

from siems.storage.tables.columns import Instant, metadata, of_company

asset = Table(
    "asset",
    metadata,
    of_company(),
    Column("name", String(255), nullable=False),
    Column("critical", Boolean, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    Column("addresses", Text, nullable=False, server_default="[]"),
    Column("instance_id", String(128), nullable=False, server_default=""),
    Column("cloud_account", String(64), nullable=False, server_default=""),
    Column("platform", String(16), nullable=False, server_default=""),
    Column("category", String(16), nullable=False, server_default=""),
    Column("notes", Text, nullable=False, server_default=""),
    Column("source", String(16), nullable=False, server_default="discovered"),
    Column("last_seen_at", Instant, nullable=True),
    PrimaryKeyConstraint("company_id", "name"),
)
"""What alerts are about. An alert adds a name and when it was seen; the rest comes from people and inventories."""


asset_dependency = Table(
    "asset_dependency",
    metadata,
    of_company(),
    Column("asset", String(255), nullable=False),
    Column("depends_on", String(255), nullable=False),
    PrimaryKeyConstraint("company_id", "asset", "depends_on"),
)
