"""Silences and maintenance windows, and the alerts under them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SUPPRESSED = sa.text("status = 'suppressed'")


def upgrade() -> None:
    op.create_table(
        "silence",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("matchers", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("change", sa.String(length=64), nullable=False),
        sa.Column("recurrence", sa.Text(), nullable=True),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silence")),
    )
    op.create_index("ix_silence_company_id_ended_at", "silence", ["company_id", "ended_at"], unique=False)
    op.create_index(
        "ix_alert_suppressed", "alert", ["company_id"], sqlite_where=SUPPRESSED, postgresql_where=SUPPRESSED
    )
    op.execute("INSERT INTO counter (name, company_id, value) VALUES ('silence', 'msp', 0)")


def downgrade() -> None:
    """What is still suppressed becomes an alert without incident, as one that waits for others."""
    op.execute("UPDATE alert SET status = 'active', suppressed_by = NULL WHERE status = 'suppressed'")
    op.execute("DELETE FROM deadline WHERE kind LIKE 'silence%'")
    op.execute("DELETE FROM counter WHERE name = 'silence'")
    op.drop_index("ix_alert_suppressed", table_name="alert", sqlite_where=SUPPRESSED, postgresql_where=SUPPRESSED)
    op.drop_index("ix_silence_company_id_ended_at", table_name="silence")
    op.drop_table("silence")
