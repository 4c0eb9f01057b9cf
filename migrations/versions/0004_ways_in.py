"""Integrations have a name, a rate, networks and an end; keys overlap when replaced; MSP-wide ones map clients."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COLUMNS = ("name", "rate_per_minute", "networks", "expires_at", "tenant_field")


def upgrade() -> None:
    with op.batch_alter_table("integration") as table:
        table.add_column(sa.Column("name", sa.String(length=255), nullable=False, server_default=""))
        table.add_column(sa.Column("rate_per_minute", sa.Integer(), nullable=True))
        table.add_column(sa.Column("networks", sa.Text(), nullable=False, server_default="[]"))
        table.add_column(sa.Column("expires_at", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("tenant_field", sa.String(length=255), nullable=False, server_default=""))
    op.create_table(
        "old_key",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("integration_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("hint", sa.String(length=16), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_old_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_old_key_integration_id", "old_key", ["integration_id"], unique=False)
    op.create_table(
        "sighting",
        sa.Column("integration_id", sa.String(length=64), nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("refused_at", sa.BigInteger(), nullable=True),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("integration_id", name=op.f("pk_sighting")),
    )
    op.create_table(
        "tenant",
        sa.Column("integration_id", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("target_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("integration_id", "value", name=op.f("pk_tenant")),
    )


def downgrade() -> None:
    op.drop_table("tenant")
    op.drop_table("sighting")
    op.drop_index("ix_old_key_integration_id", table_name="old_key")
    op.drop_table("old_key")
    with op.batch_alter_table("integration") as table:
        for name in reversed(COLUMNS):
            table.drop_column(name)
