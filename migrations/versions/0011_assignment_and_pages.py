"""People have skills and a last assignment; paging a person is an object of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("user_account", sa.Column("skills", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("user_account", sa.Column("assigned_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "page",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("people", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("dedup_key", sa.String(length=200), nullable=True),
        sa.Column("incident_id", ID, nullable=True),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("times_sent", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=64), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page")),
    )
    op.create_index("ix_page_company_id_ended_at", "page", ["company_id", "ended_at"], unique=False)
    op.execute("INSERT INTO counter (name, company_id, value) VALUES ('page', 'msp', 0)")


def downgrade() -> None:
    """What was paged by hand is forgotten, and nothing more is sent of it."""
    op.execute("DELETE FROM deadline WHERE kind = 'page'")
    op.execute("DELETE FROM counter WHERE name = 'page'")
    op.drop_index("ix_page_company_id_ended_at", table_name="page")
    op.drop_table("page")
    op.drop_column("user_account", "assigned_at")
    op.drop_column("user_account", "skills")
