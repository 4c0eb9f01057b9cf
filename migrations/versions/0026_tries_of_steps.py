"""Each try of a step is kept, with what it printed.

A schema without them keeps the last one only.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    with op.batch_alter_table("run_step") as table:
        table.add_column(sa.Column("attempt", sa.Integer(), nullable=False, server_default="1"))
        table.drop_constraint("pk_run_step", type_="primary")
        table.create_primary_key("pk_run_step", ["run_id", "host", "number", "attempt"])
    op.add_column("run_output", sa.Column("attempt", sa.Integer(), nullable=False, server_default="1"))


def downgrade() -> None:
    op.execute(
        "DELETE FROM run_step WHERE attempt < (SELECT max(l.attempt) FROM run_step l WHERE l.run_id = run_step.run_id"
        " AND l.host = run_step.host AND l.number = run_step.number)"
    )
    op.drop_column("run_output", "attempt")
    with op.batch_alter_table("run_step") as table:
        table.drop_constraint("pk_run_step", type_="primary")
        table.drop_column("attempt")
        table.create_primary_key("pk_run_step", ["run_id", "host", "number"])
