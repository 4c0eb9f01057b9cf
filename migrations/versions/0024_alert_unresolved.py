"""What is active is found as quickly as what is suppressed: one index for both."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

SUPPRESSED = sa.text("status = 'suppressed'")
UNRESOLVED = sa.text("status <> 'resolved'")


def upgrade() -> None:
    op.drop_index("ix_alert_suppressed", table_name="alert", sqlite_where=SUPPRESSED, postgresql_where=SUPPRESSED)
    op.create_index(
        "ix_alert_unresolved", "alert", ["status", "id"], sqlite_where=UNRESOLVED, postgresql_where=UNRESOLVED
    )


def downgrade() -> None:
    op.drop_index("ix_alert_unresolved", table_name="alert", sqlite_where=UNRESOLVED, postgresql_where=UNRESOLVED)
    op.create_index(
        "ix_alert_suppressed", "alert", ["company_id"], sqlite_where=SUPPRESSED, postgresql_where=SUPPRESSED
    )
