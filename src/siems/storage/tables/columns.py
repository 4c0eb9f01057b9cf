"""What tables are made of: keys, times, tenants."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
    type_coerce,
)
from sqlalchemy.engine import Dialect

from siems.clock import from_micros, to_micros

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


# SQLite only numbers rows by itself for INTEGER keys
Id = BigInteger().with_variant(Integer(), "sqlite")


class Instant(TypeDecorator[datetime]):
    """An aware UTC time, kept as microseconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_micros(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else from_micros(value)


def of_company() -> Column[str]:
    return Column("company_id", String(64), nullable=False)


def raw_columns(table: Table) -> list[Any]:
    """The columns of a table with times left as microseconds: what `rows` takes."""
    return [type_coerce(c, BigInteger).label(c.name) if isinstance(c.type, Instant) else c for c in table.columns]
