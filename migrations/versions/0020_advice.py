"""Advice on incidents, what people think of it, and what asking for it has cost."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision: str | None = "0019"

TABLES = ("advice", "advice_job", "advice_feedback", "advice_use", "advice_cache")


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "advice",
        sa.Column("incident_id", number, autoincrement=False, nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("alert_count", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("pattern", sa.String(length=16), nullable=False),
        sa.Column("root_cause", sa.Text(), nullable=False),
        sa.Column("recommendation", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("similar", sa.Text(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=True),
        sa.Column("severity_confidence", sa.Float(), nullable=False),
        sa.Column("severity_why", sa.Text(), nullable=False),
        sa.Column("severity_standing", sa.String(length=16), nullable=False),
        sa.Column("severity_before", sa.Integer(), nullable=True),
        sa.Column("category", sa.String(length=16), nullable=True),
        sa.Column("category_confidence", sa.Float(), nullable=False),
        sa.Column("category_why", sa.Text(), nullable=False),
        sa.Column("category_standing", sa.String(length=16), nullable=False),
        sa.Column("category_before", sa.String(length=16), nullable=True),
        sa.Column("dues", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_advice")),
    )
    op.create_index(op.f("ix_advice_company_id_at"), "advice", ["company_id", "at"])
    op.create_table(
        "advice_job",
        sa.Column("incident_id", number, autoincrement=False, nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("lease_token", sa.String(length=32), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_advice_job")),
    )
    op.create_index(op.f("ix_advice_job_next_at"), "advice_job", ["next_at"])
    op.create_table(
        "advice_feedback",
        sa.Column("incident_id", number, autoincrement=False, nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("useful", sa.Boolean(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "user_id", name=op.f("pk_advice_feedback")),
    )
    op.create_table(
        "advice_use",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "company_id", "provider", name=op.f("pk_advice_use")),
    )
    op.create_table(
        "advice_cache",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_advice_cache")),
    )
    op.create_index(op.f("ix_advice_cache_at"), "advice_cache", ["at"])


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    connection = op.get_bind()
    for number, settings in connection.execute(sa.text("SELECT id, settings FROM company")).all():
        kept = {name: value for name, value in json.loads(settings).items() if not name.startswith("advice")}
        connection.execute(
            sa.text("UPDATE company SET settings = :s WHERE id = :i"), {"s": json.dumps(kept), "i": number}
        )
