"""When an incident was first answered and last reopened: what measures and strategies count from."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0014"


def upgrade() -> None:
    op.execute("DELETE FROM undo")  # it holds rows of the old form
    op.add_column("incident", sa.Column("reopened_at", sa.BigInteger(), nullable=True))
    op.add_column("incident", sa.Column("answered_at", sa.BigInteger(), nullable=True))
    op.execute("UPDATE incident SET answered_at = response_met_at")


def downgrade() -> None:
    op.execute("DELETE FROM undo")
    op.drop_column("incident", "answered_at")
    op.drop_column("incident", "reopened_at")
