"""On-call schedules, overrides, swaps, the shifts that were, notes for the next shift, addresses for calendars."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = ("calendar_feed", "handoff_note", "shift", "swap", "oncall_override", "schedule")


def _company() -> sa.Column:
    return sa.Column("company_id", sa.String(length=64), nullable=False)


def upgrade() -> None:
    op.create_table(
        "schedule",
        sa.Column("id", sa.String(length=64), nullable=False),
        _company(),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("country", sa.String(length=16), nullable=False),
        sa.Column("layers", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule")),
    )
    op.create_table(
        "oncall_override",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        _company(),
        sa.Column("schedule_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("swap_id", ID, nullable=True),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oncall_override")),
    )
    op.create_index("ix_oncall_override_schedule_id_ends_at", "oncall_override", ["schedule_id", "ends_at"])
    op.create_table(
        "swap",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        _company(),
        sa.Column("schedule_id", sa.String(length=64), nullable=False),
        sa.Column("asker", sa.String(length=64), nullable=False),
        sa.Column("other", sa.String(length=64), nullable=False),
        sa.Column("mine", sa.Text(), nullable=False),
        sa.Column("theirs", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_swap")),
    )
    _shifts()
    op.execute(
        "INSERT INTO counter (name, company_id, value) VALUES ('override', 'msp', 0), ('swap', 'msp', 0),"
        " ('shift', 'msp', 0)"
    )


def _shifts() -> None:
    op.create_table(
        "shift",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        _company(),
        sa.Column("schedule_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("next_user", sa.String(length=64), nullable=True),
        sa.Column("given_at", sa.BigInteger(), nullable=True),
        sa.Column("kept", sa.Text(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift")),
    )
    op.create_index("ix_shift_schedule_id_starts_at", "shift", ["schedule_id", "starts_at"])
    op.create_index("ix_shift_user_id_starts_at", "shift", ["user_id", "starts_at"])
    op.create_table(
        "handoff_note",
        sa.Column("incident_id", ID, autoincrement=False, nullable=False),
        _company(),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_handoff_note")),
    )
    op.create_table(
        "calendar_feed",
        sa.Column("id", sa.String(length=32), nullable=False),
        _company(),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("schedule_id", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("hash", name=op.f("uq_calendar_feed_hash")),
    )


def downgrade() -> None:
    op.execute("DELETE FROM deadline WHERE kind LIKE 'handoff%'")
    op.execute("DELETE FROM counter WHERE name IN ('override', 'swap', 'shift')")
    for table in TABLES:
        op.drop_table(table)
