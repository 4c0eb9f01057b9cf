"""What groups incidents of several clients, who watches single ones, and the index of what can be searched."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision: str | None = "0017"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

SQLITE = (
    "CREATE VIRTUAL TABLE search_words USING fts5("
    "scope, body, staff, content='search_doc', content_rowid='id', tokenize='unicode61 remove_diacritics 0')",
    "CREATE TRIGGER search_doc_added AFTER INSERT ON search_doc BEGIN"
    " INSERT INTO search_words (rowid, scope, body, staff) VALUES (new.id, new.scope, new.body, new.staff); END",
    "CREATE TRIGGER search_doc_removed AFTER DELETE ON search_doc BEGIN"
    " INSERT INTO search_words (search_words, rowid, scope, body, staff)"
    " VALUES ('delete', old.id, old.scope, old.body, old.staff); END",
)
POSTGRESQL = (
    "ALTER TABLE search_doc ADD COLUMN words tsvector GENERATED ALWAYS AS ("
    "setweight(to_tsvector('simple'::regconfig, body), 'A')"
    " || setweight(to_tsvector('simple'::regconfig, scope), 'B')"
    " || setweight(to_tsvector('simple'::regconfig, staff), 'C')) STORED",
    "CREATE INDEX search_doc_words ON search_doc USING gin (words)",
)


def upgrade() -> None:
    op.create_table(
        "parent",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_by", sa.String(length=64), nullable=True),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.String(length=64), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parent")),
    )
    op.create_index("ix_parent_state", "parent", ["state"])
    op.create_table(
        "parent_child",
        sa.Column("incident_id", ID, autoincrement=False, nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("parent_id", ID, nullable=False),
        sa.Column("added_by", sa.String(length=64), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_parent_child")),
    )
    op.create_index("ix_parent_child_parent_id", "parent_child", ["parent_id"])
    op.create_table(
        "parent_line",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("parent_id", ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parent_line")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_parent_line_parent_id", "parent_line", ["parent_id"])
    op.create_table(
        "watcher",
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "user_id", name=op.f("pk_watcher")),
    )
    op.execute("INSERT INTO counter (name, company_id, value) VALUES ('parent', 'msp', 0)")
    _search()


def _search() -> None:
    """The index is filled by the daemon, a little at a time, with all that is there."""
    op.create_table(
        "search_doc",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("object", sa.String(length=96), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("staff", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_doc")),
        sa.UniqueConstraint("kind", "object", name=op.f("uq_search_doc_kind_object")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "search_mark",
        sa.Column("name", sa.String(length=96), nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_search_mark")),
    )
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    """Groups across clients are forgotten; their incidents stay as they are."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE search_words")
    op.drop_table("search_mark")
    op.drop_table("search_doc")
    op.execute("DELETE FROM counter WHERE name = 'parent'")
    op.execute("DELETE FROM undo WHERE action IN ('merge', 'split', 'severity', 'edit')")
    for table in ("watcher", "parent_line", "parent_child", "parent"):
        op.drop_table(table)
