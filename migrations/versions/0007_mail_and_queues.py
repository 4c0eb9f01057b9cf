"""Integrations have particulars: the rules of mail, the queue that is emptied; how far each queue has been emptied."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("integration", sa.Column("particulars", sa.Text(), nullable=False, server_default="{}"))
    op.create_table(
        "pull",
        sa.Column("integration_id", sa.String(length=64), nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("polled_at", sa.BigInteger(), nullable=True),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("error_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("integration_id", name=op.f("pk_pull")),
    )


def downgrade() -> None:
    op.drop_table("pull")
    op.drop_column("integration", "particulars")
