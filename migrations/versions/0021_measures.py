"""When an incident was first answered and last reopened, and how often it was escalated: what is measured."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision: str | None = "0020"


def upgrade() -> None:
    op.execute("DELETE FROM undo")  # it holds rows of the old form
    op.add_column("incident", sa.Column("reopened_at", sa.BigInteger(), nullable=True))
    op.add_column("incident", sa.Column("answered_at", sa.BigInteger(), nullable=True))
    op.add_column("incident", sa.Column("escalations", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE incident SET answered_at = response_met_at")
    op.execute(
        "UPDATE incident SET escalations = (SELECT count(*) FROM timeline WHERE timeline.incident_id = incident.id"
        " AND timeline.kind = 'escalation' AND timeline.data LIKE '%\"cause\"%'"
        " AND timeline.data NOT LIKE '%\"ack_timeout\"%')"
        " WHERE id IN (SELECT incident_id FROM timeline WHERE kind = 'escalation')"
    )


def downgrade() -> None:
    op.execute("DELETE FROM undo")
    op.drop_column("incident", "escalations")
    op.drop_column("incident", "answered_at")
    op.drop_column("incident", "reopened_at")
