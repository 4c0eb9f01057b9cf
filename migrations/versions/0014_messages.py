"""How people are reached beyond the inbox, and the messages that leave the house."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

LIVE = "state IN ('pending', 'sending', 'failed', 'unknown')"


def upgrade() -> None:
    op.add_column("notification", sa.Column("severity", sa.Integer(), nullable=False, server_default="2"))
    op.add_column("notification", sa.Column("pages", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("notification", sa.Column("why", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "contact",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=24), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("hint", sa.String(length=64), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("verified_at", sa.BigInteger(), nullable=True),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("code_until", sa.BigInteger(), nullable=True),
        sa.Column("last_delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("last_failed_at", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
    )
    op.create_index(op.f("ix_contact_user_id"), "contact", ["user_id"])
    op.create_table(
        "notify_rule",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("contact_id", sa.String(length=80), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("wait_seconds", sa.Integer(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("about_company", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notify_rule")),
    )
    op.create_index(op.f("ix_notify_rule_user_id"), "notify_rule", ["user_id"])
    op.create_table(
        "notify_preference",
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("quiet_from", sa.String(length=5), nullable=False),
        sa.Column("quiet_until", sa.String(length=5), nullable=False),
        sa.Column("digest_at", sa.String(length=5), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_notify_preference")),
    )
    op.create_table(
        "subscription",
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "company_id", name=op.f("pk_subscription")),
    )
    op.create_table(
        "pace",
        sa.Column("contact_id", sa.String(length=80), nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("last_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("contact_id", "company_id", name=op.f("pk_pace")),
    )
    _messages()
    for name in ("bundle", "contact", "notify_rule"):
        op.execute(sa.text("INSERT INTO counter (name, company_id, value) VALUES (:n, 'msp', 0)").bindparams(n=name))


def _messages() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("dedup_key", sa.String(length=240), nullable=False),
        sa.Column("notice", sa.String(length=200), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("contact_id", sa.String(length=80), nullable=False),
        sa.Column("channel", sa.String(length=24), nullable=False),
        sa.Column("hint", sa.String(length=64), nullable=False),
        sa.Column("object", sa.String(length=64), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("pages", sa.Boolean(), nullable=False),
        sa.Column("unacknowledged", sa.Boolean(), nullable=False),
        sa.Column("rule", sa.String(length=24), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=False),
        sa.Column("lease_token", sa.String(length=32), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("unknown_at", sa.BigInteger(), nullable=True),
        sa.Column("provider_message_id", sa.Text(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("bundle_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("listed", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("stopped", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("dedup_key", name=op.f("uq_message_dedup_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_message_live", "message", ["severity", "next_at"],
        sqlite_where=sa.text(LIVE), postgresql_where=sa.text(LIVE),
    )  # fmt: skip
    op.create_index(
        "ix_message_contact", "message", ["contact_id", "company_id"],
        sqlite_where=sa.text(LIVE), postgresql_where=sa.text(LIVE),
    )  # fmt: skip
    op.create_index("ix_message_object", "message", ["object"])
    op.create_index("ix_message_notice", "message", ["notice"])
    op.create_index(
        "ix_message_bundle", "message", ["bundle_id"],
        sqlite_where=sa.text("bundle_id IS NOT NULL"), postgresql_where=sa.text("bundle_id IS NOT NULL"),
    )  # fmt: skip


def downgrade() -> None:
    for table in ("message", "pace", "subscription", "notify_preference", "notify_rule", "contact"):
        op.drop_table(table)
    op.execute("DELETE FROM counter WHERE name IN ('bundle', 'contact', 'notify_rule')")
    for column in ("why", "pages", "severity"):
        op.drop_column("notification", column)
