"""What the sentence model makes of signatures."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.create_table(
        "sentence_vector",
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "signature", name=op.f("pk_sentence_vector")),
    )
    op.create_index(op.f("ix_sentence_vector_at"), "sentence_vector", ["at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_sentence_vector_at"), table_name="sentence_vector")
    op.drop_table("sentence_vector")
