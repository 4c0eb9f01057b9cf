"""Heartbeats."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "heartbeat",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("every_seconds", sa.BigInteger(), nullable=False),
        sa.Column("grace_seconds", sa.BigInteger(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("token_hint", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_beat_at", sa.BigInteger(), nullable=True),
        sa.Column("expected_since", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("down_since", sa.BigInteger(), nullable=True),
        sa.Column("paused_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_heartbeat")),
        sa.UniqueConstraint("company_id", "name", name=op.f("uq_heartbeat_company_id_name")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_heartbeat_token_hash")),
    )
    op.execute("INSERT INTO counter (name, company_id, value) VALUES ('heartbeat', 'msp', 0)")


def downgrade() -> None:
    op.execute("DELETE FROM counter WHERE name = 'heartbeat'")
    op.execute("DELETE FROM deadline WHERE kind = 'heartbeat'")
    op.drop_table("heartbeat")
