"""What `sla check --once` has told to whom; an index over what was resolved lately."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

RESOLVED = sa.text("resolved_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "sla_told",
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("token", sa.String(length=100), nullable=False),
        sa.Column("incident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("clock", sa.String(length=16), nullable=False),
        sa.Column("standing", sa.String(length=16), nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("actor", "token", "incident_id", "clock", "standing", name=op.f("pk_sla_told")),
    )
    op.create_index(op.f("ix_sla_told_incident_id"), "sla_told", ["incident_id"])
    op.create_index(
        "ix_incident_company_id_resolved_at",
        "incident",
        ["company_id", "resolved_at"],
        sqlite_where=RESOLVED,
        postgresql_where=RESOLVED,
    )


def downgrade() -> None:
    op.drop_index("ix_incident_company_id_resolved_at", table_name="incident")
    op.drop_table("sla_told")
    # snapshots were targets alone before there were calendars
    connection = op.get_bind()
    for name, body in connection.execute(sa.text("SELECT id, body FROM snapshot WHERE kind = 'sla'")).all():
        said = json.loads(body)
        if "targets" in said:
            connection.execute(
                sa.text("UPDATE snapshot SET body = :body WHERE id = :name"),
                {"body": json.dumps(said["targets"]), "name": name},
            )
