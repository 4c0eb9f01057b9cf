"""Tickets in other systems, with what is to be done there; texts of status updates."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "ticket_account",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("project", sa.String(length=80), nullable=False),
        sa.Column("username", sa.String(length=255), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("hook_hash", sa.String(length=64), nullable=True),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("polled_at", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("error_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_account")),
        sa.UniqueConstraint("hook_hash", name=op.f("uq_ticket_account_hook_hash")),
    )
    op.create_table(
        "ticket",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("external_id", sa.String(length=64), nullable=True),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.Column("known", sa.String(length=16), nullable=False),
        sa.Column("told", sa.String(length=16), nullable=False),
        sa.Column("local_at", sa.BigInteger(), nullable=False),
        sa.Column("local_human", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("relates_to", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
        sa.UniqueConstraint("account_id", "external_id", name=op.f("uq_ticket_account_id_external_id")),
    )
    op.create_index("ix_ticket_incident_id", "ticket", ["incident_id"])
    op.create_table(
        "ticket_comment",
        sa.Column("ticket_id", ID, nullable=False),
        sa.Column("external_id", sa.String(length=80), nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("ours", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ticket_id", "external_id", name=op.f("pk_ticket_comment")),
    )
    op.create_table(
        "ticket_job",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("ticket_id", ID, nullable=True),
        sa.Column("verb", sa.String(length=16), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("lease_owner", sa.String(length=80), nullable=False),
        sa.Column("lease_token", sa.String(length=32), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_job")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ticket_job_state_next_at", "ticket_job", ["state", "next_at"])
    op.create_index("ix_ticket_job_ticket_id", "ticket_job", ["ticket_id"])
    op.create_table(
        "template",
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=48), nullable=False),
        sa.Column("channel", sa.String(length=24), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("updated_by", sa.String(length=64), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "name", name=op.f("pk_template")),
    )
    op.create_index("ix_template_event_channel", "template", ["event", "channel"])
    op.execute("INSERT INTO counter (name, company_id, value) VALUES ('ticket', 'msp', 0)")


def downgrade() -> None:
    """Tickets stay where they are, over there; nothing here knows of them any more."""
    op.execute("DELETE FROM deadline WHERE kind IN ('ticket_poll', 'status_update')")
    op.execute("DELETE FROM counter WHERE name = 'ticket'")
    op.drop_table("template")
    op.drop_table("ticket_job")
    op.drop_table("ticket_comment")
    op.drop_table("ticket")
    op.drop_table("ticket_account")
