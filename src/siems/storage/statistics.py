"""What is in the database: rows, room and the oldest row of each table."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import DBAPIError

from siems.storage import tables as t

_AGES = {
    "alert": "received_at", "asset": "first_seen_at", "company": "created_at", "contact": "created_at",
    "incident": "created_at", "integration": "created_at", "message": "created_at", "notification": "created_at",
    "notify_rule": "created_at", "pace": "last_at", "page": "created_at", "token": "created_at",
    "user_account": "created_at",
}  # fmt: skip
"""The column that tells the age of a row, where it is not `at`."""
_POSTGRES = "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r' AND relname = ANY(:names)"
_SQLITE = """
SELECT m.tbl_name, sum(s.pgsize) FROM dbstat AS s JOIN sqlite_master AS m ON m.name = s.name
WHERE s.aggregate = TRUE GROUP BY m.tbl_name
"""


def tables(connection: Connection) -> list[dict[str, Any]]:
    """Each table with its rows, its bytes (indexes included; None where the database cannot say) and its oldest row.

    Counts every row: seconds for a large database.
    """
    sizes = _sizes(connection)
    found = []
    for table in t.metadata.sorted_tables:
        column = table.columns.get(_AGES.get(table.name, "at"))
        rows = connection.execute(select(func.count()).select_from(table)).scalar_one()
        oldest: datetime | None = None
        if column is not None:
            oldest = connection.execute(select(func.min(column))).scalar()
        found.append({"table": table.name, "rows": rows, "bytes": sizes.get(table.name), "oldest": oldest})
    return sorted(found, key=lambda row: (-(row["bytes"] or 0), -row["rows"], row["table"]))


def room(connection: Connection) -> tuple[int, int]:
    """(bytes of the whole, bytes of it that are free to be used again)."""
    if connection.dialect.name != "sqlite":
        return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()), 0
    size, pages, free = (
        int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
        for name in ("page_size", "page_count", "freelist_count")
    )
    return size * pages, size * free


def _sizes(connection: Connection) -> dict[str, int]:
    if connection.dialect.name != "sqlite":
        rows = connection.execute(text(_POSTGRES), {"names": list(t.metadata.tables)})
        return {name: int(size) for name, size in rows}
    try:
        return {name: int(size) for name, size in connection.execute(text(_SQLITE))}
    except DBAPIError:  # this SQLite was built without the table that knows
        return {}
