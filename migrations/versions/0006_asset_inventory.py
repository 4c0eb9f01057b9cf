"""Assets say where they are and what they depend on; incidents that others recur from are found by them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def columns() -> list[sa.Column[object]]:
    """What an asset says besides its name."""
    return [
        sa.Column("addresses", sa.Text(), nullable=False, server_default="[]"),
        sa.Column("instance_id", sa.String(length=128), nullable=False, server_default=""),
        sa.Column("cloud_account", sa.String(length=64), nullable=False, server_default=""),
        sa.Column("platform", sa.String(length=16), nullable=False, server_default=""),
        sa.Column("category", sa.String(length=16), nullable=False, server_default=""),
        sa.Column("notes", sa.Text(), nullable=False, server_default=""),
        sa.Column("source", sa.String(length=16), nullable=False, server_default="discovered"),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=True),
    ]


def upgrade() -> None:
    for column in columns():
        op.add_column("asset", column)
    op.execute(
        "UPDATE asset SET last_seen_at = (SELECT max(a.last_seen_at) FROM alert AS a"
        " WHERE a.company_id = asset.company_id AND a.asset_name = asset.name)"
    )
    op.create_table(
        "asset_dependency",
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("asset", sa.String(length=255), nullable=False),
        sa.Column("depends_on", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "asset", "depends_on", name=op.f("pk_asset_dependency")),
    )
    op.create_index(
        "ix_incident_recurrence_of",
        "incident",
        ["recurrence_of"],
        unique=False,
        sqlite_where=sa.text("recurrence_of IS NOT NULL"),
        postgresql_where=sa.text("recurrence_of IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_incident_recurrence_of", table_name="incident")
    op.drop_table("asset_dependency")
    for column in reversed(columns()):
        op.drop_column("asset", column.name)
