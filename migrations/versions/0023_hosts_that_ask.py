"""Hosts of a run that ask: at which step, since when, and what a person has answered.

A schema without them knows no run that waits for an answer: going back ends such runs as failed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision: str | None = "0022"

COLUMNS = ("step", "asked_at", "answer", "answered_by")


def upgrade() -> None:
    op.add_column("run_host", sa.Column("step", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("run_host", sa.Column("asked_at", sa.BigInteger(), nullable=True))
    op.add_column("run_host", sa.Column("answer", sa.String(length=16), nullable=False, server_default=""))
    op.add_column("run_host", sa.Column("answered_by", sa.String(length=64), nullable=False, server_default=""))
    op.execute(
        "UPDATE run_host SET step = coalesce((SELECT max(number) FROM run_step WHERE run_step.run_id = run_host.run_id"
        " AND run_step.host = run_host.host), 0)"
    )


def downgrade() -> None:
    unanswered = "SELECT id FROM run WHERE state = 'asking'"
    asked = "state IN ('asking', 'held') OR (state = 'waiting' AND answer <> '')"
    op.execute(
        f"UPDATE run_host SET state = 'failed', ended_at = asked_at WHERE {asked}"  # noqa: S608
    )
    op.execute(f"UPDATE run_host SET state = 'skipped' WHERE state = 'waiting' AND run_id IN ({unanswered})")  # noqa: S608
    op.execute(
        "DELETE FROM deadline WHERE kind = 'run_timeout' AND object IN"
        " (SELECT 'RUN-' || id FROM run WHERE state = 'asking')"
    )
    op.execute(
        "UPDATE run SET state = 'failed', detail = 'nobody had answered', ended_at = (SELECT max(ended_at) FROM"
        " run_host WHERE run_host.run_id = run.id) WHERE state = 'asking'"
    )
    for column in reversed(COLUMNS):
        op.drop_column("run_host", column)
