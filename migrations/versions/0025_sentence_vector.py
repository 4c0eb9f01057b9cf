"""What the sentence model makes of signatures; and what people decided on advice, found by its signature."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

DECIDED = sa.text("decided_at IS NOT NULL")


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
    op.create_index(
        op.f("ix_advice_company_id_signature"), "advice", ["company_id", "signature"], sqlite_where=DECIDED,
        postgresql_where=DECIDED,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index(
        op.f("ix_advice_company_id_signature"), table_name="advice", sqlite_where=DECIDED, postgresql_where=DECIDED
    )
    op.drop_index(op.f("ix_sentence_vector_at"), table_name="sentence_vector")
    op.drop_table("sentence_vector")
