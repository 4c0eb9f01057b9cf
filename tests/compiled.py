"""Statements that are compiled once in a test process, whatever database they are for.

Each test has a database of its own and so engines of its own, and SQLAlchemy compiles for each engine anew: that was a
fifth of what the tests of the services cost. The databases of one kind are alike, so their engines share what was
compiled, and the dialect, by which it is found.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.util import LRUCache

MOST_STATEMENTS = 4_000
_dialects: dict[str, Dialect] = {}
_compiled: LRUCache[Any, Any] = LRUCache(MOST_STATEMENTS)


def engine(url: URL, **how: Any) -> Engine:
    """As `create_engine`."""
    made = create_engine(url, execution_options={"compiled_cache": _compiled}, **how)
    known = _dialects.get(url.drivername)
    if known is not None:
        made.dialect = known
        return made

    @event.listens_for(made, "connect")
    def connected(connection: Any, record: Any) -> None:
        """By now it knows the server that it speaks to."""
        _dialects.setdefault(url.drivername, made.dialect)

    return made
