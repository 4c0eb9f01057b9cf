"""What can be searched: one row per text, kept apart from what it is of, so that nothing that arrives waits for it.

The words themselves are indexed by the database: on SQLite by the FTS5 table `search_words`, which triggers keep in
step with these rows; on PostgreSQL by the generated column `words` of this table. Both are made by the migration.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table, Text, UniqueConstraint

from siems.storage.tables.columns import Id, Instant, metadata, of_company

search_doc = Table(
    "search_doc",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    of_company(),
    Column("kind", String(16), nullable=False),  # incident, alert, note, audit
    Column("object", String(96), nullable=False),
    Column("at", Instant, nullable=False),
    Column("scope", Text, nullable=False),  # words for its kind, its company and, of the audit log, who did it
    Column("body", Text, nullable=False),  # plain words that whoever sees the object may read
    Column("staff", Text, nullable=False),  # plain words that only staff may read
    UniqueConstraint("kind", "object"),
    sqlite_autoincrement=True,
)


search_mark = Table(
    "search_mark",
    metadata,
    Column("name", String(96), primary_key=True),
    of_company(),
    Column("position", BigInteger, nullable=False),
)
"""How far the index has come, by source."""
