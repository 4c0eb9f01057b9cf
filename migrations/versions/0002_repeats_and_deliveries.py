"""Repeats have a log of their own; deliveries are kept in the order of their arrival."""

from collections.abc import Iterator
from hashlib import blake2b
from itertools import islice
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEPT = ("company_id", "source", "delivery_id", "body_hash", "answer", "at")


def upgrade() -> None:
    op.create_table(
        "repeat_log",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("alert_id", ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repeat_log")),
    )
    op.execute("ALTER TABLE delivery RENAME TO delivery_before")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER INDEX pk_delivery RENAME TO pk_delivery_before")
    op.create_table(
        "delivery",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("delivery_id", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.BigInteger(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
    )
    _copy("delivery_before", "delivery", with_digest=True)
    op.create_index("ix_delivery_digest", "delivery", ["digest"], unique=False)
    op.drop_table("delivery_before")


def downgrade() -> None:
    op.drop_index("ix_delivery_digest", table_name="delivery")
    op.execute("ALTER TABLE delivery RENAME TO delivery_after")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER INDEX pk_delivery RENAME TO pk_delivery_after")
    op.create_table(
        "delivery",
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("delivery_id", sa.String(length=200), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "source", "delivery_id", name=op.f("pk_delivery")),
        sqlite_with_rowid=False,
    )
    _copy("delivery_after", "delivery", with_digest=False)
    op.drop_table("delivery_after")
    _count_repeats()
    op.drop_table("repeat_log")


def _copy(source: str, target: str, *, with_digest: bool) -> None:
    """The rows of one table in the form of the other, some thousand at a time."""
    bind = op.get_bind()
    columns = [sa.column(name) for name in (*KEPT, *(("digest",) if with_digest else ()))]
    old, new = sa.table(source, *(sa.column(name) for name in KEPT)), sa.table(target, *columns)
    rows = iter(bind.execute(sa.select(*old.c).order_by(old.c.at)).mappings().all())
    for part in _parts(rows, 5_000):
        made = [dict(row) | ({"digest": _digest(row)} if with_digest else {}) for row in part]
        bind.execute(new.insert(), made)


def _parts(rows: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while part := list(islice(rows, size)):
        yield part


def _digest(row: Any) -> int:
    said = f"{row['company_id']}\x1f{row['source']}\x1f{row['delivery_id']}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(said, digest_size=8).digest(), "big", signed=True)


def _count_repeats() -> None:
    """What the log holds is counted in the alerts; their incidents are counted again."""
    op.execute(
        "UPDATE alert SET last_seen_at = (SELECT max(at) FROM repeat_log WHERE alert_id = alert.id),"
        " count = (SELECT max(r.count) FROM repeat_log AS r WHERE r.alert_id = alert.id)"
        " WHERE EXISTS (SELECT 1 FROM repeat_log AS r WHERE r.alert_id = alert.id AND r.count > alert.count)"
    )
    op.execute(
        "UPDATE incident SET repeat_count ="
        " (SELECT coalesce(sum(a.count - 1), 0) FROM alert AS a WHERE a.incident_id = incident.id)"
        " WHERE id IN (SELECT a.incident_id FROM alert AS a JOIN repeat_log AS r ON r.alert_id = a.id)"
    )
