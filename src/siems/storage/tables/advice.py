"""Advice on incidents: what was said, what people think of it, what is to be asked, and what asking has cost."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

from siems.storage.tables.columns import Id, Instant, metadata, of_company

advice = Table(
    "advice",
    metadata,
    Column("incident_id", Id, primary_key=True, autoincrement=False),
    of_company(),
    Column("at", Instant, nullable=False),
    Column("signature", Text, nullable=False),
    Column("alert_count", Integer, nullable=False),
    Column("provider", String(32), nullable=False),
    Column("pattern", String(16), nullable=False),
    Column("root_cause", Text, nullable=False),
    Column("recommendation", Text, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("evidence", Text, nullable=False),  # JSON: numbers of alerts
    Column("similar", Text, nullable=False),  # JSON: numbers of incidents
    Column("severity", Integer, nullable=True),
    Column("severity_confidence", Float, nullable=False),
    Column("severity_why", Text, nullable=False),
    Column("severity_standing", String(16), nullable=False),
    Column("severity_before", Integer, nullable=True),
    Column("category", String(16), nullable=True),
    Column("category_confidence", Float, nullable=False),
    Column("category_why", Text, nullable=False),
    Column("category_standing", String(16), nullable=False),
    Column("category_before", String(16), nullable=True),
    Column("dues", Text, nullable=False),  # JSON: what was due before and after a raise, or nulls
    Column("decided_by", String(64), nullable=False),
    Column("decided_at", Instant, nullable=True),
    Index("ix_advice_company_id_at", "company_id", "at"),
    # what people made of advice on a signature is asked for each time; few is decided, and only that pays for it
    Index(
        "ix_advice_company_id_signature",
        "company_id",
        "signature",
        sqlite_where=text("decided_at IS NOT NULL"),
        postgresql_where=text("decided_at IS NOT NULL"),
    ),
)
"""The latest advice on each incident."""


advice_job = Table(
    "advice_job",
    metadata,
    Column("incident_id", Id, primary_key=True, autoincrement=False),
    of_company(),
    Column("severity", Integer, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("again", Boolean, nullable=False),
    Column("lease_token", String(32), nullable=False),
    Column("lease_until", Instant, nullable=True),
    Index("ix_advice_job_next_at", "next_at"),
)
"""Incidents that are to be looked at: written in the transaction that changed them. `again`: changed while somebody
looks."""


advice_feedback = Table(
    "advice_feedback",
    metadata,
    Column("incident_id", Id, nullable=False),
    Column("user_id", String(64), nullable=False),
    of_company(),
    Column("at", Instant, nullable=False),
    Column("provider", String(32), nullable=False),
    Column("useful", Boolean, nullable=False),
    Column("comment", Text, nullable=False),
    PrimaryKeyConstraint("incident_id", "user_id"),
)


advice_use = Table(
    "advice_use",
    metadata,
    Column("day", String(10), nullable=False),
    of_company(),
    Column("provider", String(32), nullable=False),
    Column("calls", Integer, nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("kept", Integer, nullable=False),  # answered from the cache
    PrimaryKeyConstraint("day", "company_id", "provider"),
)
"""What was asked outside of this machine, by day of UTC."""


advice_cache = Table(
    "advice_cache",
    metadata,
    Column("key", String(64), primary_key=True),
    of_company(),
    Column("provider", String(32), nullable=False),
    Column("at", Instant, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_advice_cache_at", "at"),
)
"""Answers as they came, with placeholders in place of names."""


sentence_vector = Table(
    "sentence_vector",
    metadata,
    of_company(),
    Column("signature", Text, nullable=False),
    Column("model", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Column("vector", LargeBinary, nullable=False),
    PrimaryKeyConstraint("company_id", "signature"),
    Index("ix_sentence_vector_at", "at"),
)
"""What the sentence model makes of an alert with this signature; those of another model are made anew."""
