"""Escalation policies are objects with names; incidents know until when their owner is not asked."""

import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

DEFAULT = {
    "name": "default",
    "repeat": 2,
    "reassign": True,
    "steps": [
        {"level": 1, "targets": [["owner", ""]], "waits": {"HIGH": 900.0, "CRITICAL": 300.0}},
        {"level": 2, "targets": [["role", "manager"]], "waits": {"HIGH": 1800.0, "CRITICAL": 600.0}},
        {"level": 3, "targets": [["role", "admin"]], "waits": {"HIGH": 2700.0, "CRITICAL": 900.0}},
    ],
}
"""What every company had until now, as its settings held it."""
KNOWN_BEFORE = ("owner", "user", "role")
SINCE = ("opening_hours", "ack_timeouts", "strategies")


def upgrade() -> None:
    op.create_table(
        "policy",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy")),
        sa.UniqueConstraint("company_id", "name", name=op.f("uq_policy_company_id_name")),
    )
    op.add_column("incident", sa.Column("ack_due_at", sa.BigInteger(), nullable=True))
    op.add_column("incident", sa.Column("asked_at", sa.BigInteger(), nullable=True))
    op.add_column("incident", sa.Column("advanced_by", sa.Text(), nullable=False, server_default="[]"))
    op.execute("DELETE FROM undo")  # the rows that they hold have gained columns
    connection = op.get_bind()
    if connection.execute(sa.text("SELECT 1 FROM company WHERE id = 'msp'")).first() is None:
        return  # nobody lives here yet: `siems init` makes it
    now = int(datetime.now(UTC).timestamp() * 1_000_000)
    connection.execute(
        sa.text(
            "INSERT INTO policy (id, company_id, name, body, version, created_at, changed_at)"
            " VALUES ('pol-default', 'msp', 'default', :body, 1, :now, :now)"
        ),
        {"body": json.dumps(DEFAULT), "now": now},
    )


def downgrade() -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT id, body FROM policy")).all()
    bodies = {row.id: _as_before(json.loads(row.body)) for row in rows}
    for row in connection.execute(sa.text("SELECT id, settings FROM company")).all():
        settings = json.loads(row.settings)
        settings["policy"] = bodies.get(settings.pop("policy_id", "pol-default"), DEFAULT)
        _put(connection, "company", "settings", row.id, settings)
    for row in connection.execute(sa.text("SELECT id, body FROM snapshot WHERE kind = 'policy'")).all():
        body = json.loads(row.body)
        before = _as_before(body)
        if before != body:
            _put(connection, "snapshot", "body", row.id, before)
    op.execute("DELETE FROM deadline WHERE kind IN ('strategy', 'ack_timeout')")
    op.execute("DELETE FROM undo")
    op.drop_column("incident", "advanced_by")
    op.drop_column("incident", "asked_at")
    op.drop_column("incident", "ack_due_at")
    op.drop_table("policy")


def _put(connection: sa.Connection, table: str, column: str, id: str, value: object) -> None:
    connection.execute(
        sa.text(f"UPDATE {table} SET {column} = :value WHERE id = :id"),  # noqa: S608
        {"value": json.dumps(value), "id": id},
    )


def _as_before(body: dict) -> dict:
    """A policy without what the schema before could not say; a step that is left with nobody pages the owner."""
    kept = {name: value for name, value in body.items() if name not in SINCE}
    kept["steps"] = [
        {
            "level": step["level"],
            "targets": [target for target in step["targets"] if target[0] in KNOWN_BEFORE] or [["owner", ""]],
            "waits": step["waits"],
        }
        for step in body["steps"]
    ]
    return kept
