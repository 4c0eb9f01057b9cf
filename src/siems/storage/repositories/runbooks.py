"""Runbooks that people wrote: few, changed rarely, and read when somebody asks for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select, update

from siems.domain.permissions import Actor
from siems.domain.runbook import Runbook
from siems.domain.runbook_found import Approval, Found, written
from siems.domain.runbook_text import runbook_from
from siems.storage import tables as t
from siems.vocabulary import MSP, Risk, Role


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a text, and whether its content was approved."""

    version: int
    current: bool
    text: str
    digest: str
    risk: Risk
    author: str
    at: datetime
    reason: str
    approval: Approval | None


def current(connection: Connection, companies: Sequence[str], name: str) -> list[Found]:
    """What these companies (or `msp`) have under a name, in no order."""
    r = t.runbook.c
    return _select(connection, r.company_id.in_(companies), r.name == name)


def all_of(connection: Connection, companies: Sequence[str]) -> list[Found]:
    """Everything that these companies (or `msp`) have, by name."""
    return _select(connection, t.runbook.c.company_id.in_(companies))


def in_scope(connection: Connection, actor: Actor) -> list[Found]:
    """Everything that somebody may see, by name: the MSP's is for every company."""
    if actor.role is Role.ADMIN:
        return _select(connection)
    return all_of(connection, sorted({MSP, *actor.scope}))


def _select(connection: Connection, *where: ColumnElement[bool]) -> list[Found]:
    r = t.runbook.c
    rows = connection.execute(_with_approval().where(r.current.is_(True), *where).order_by(r.name, r.company_id))
    return [
        written(
            _read(row.text), row.company_id, _approval(row), version=row.version, author=row.author, at=row.at
        ) for row in rows
    ]  # fmt: skip


def _with_approval() -> Select[Any]:
    r, a = t.runbook.c, t.runbook_approval.c
    same = and_(a.company_id == r.company_id, a.name == r.name, a.digest == r.digest)
    columns = (t.runbook, a.risk.label("approved_risk"), a.approved_by, a.approved_at)
    return select(*columns).select_from(t.runbook.outerjoin(t.runbook_approval, same))


@lru_cache(maxsize=512)
def _read(text: str) -> Runbook:
    """What was checked when it was kept; the same text is read once."""
    return runbook_from(text)


def _approval(row: Any) -> Approval | None:
    if row.approved_by is None:
        return None
    return Approval(risk=Risk(row.approved_risk), by=row.approved_by, at=row.approved_at)


def versions(connection: Connection, company_id: str, name: str) -> list[Version]:
    """All versions, the newest first; also of one that was deleted."""
    r = t.runbook.c
    rows = connection.execute(
        _with_approval().where(r.company_id == company_id, r.name == name).order_by(r.version.desc())
    )
    return [
        Version(
            row.version, row.current, row.text, row.digest, Risk(row.risk), row.author, row.at, row.reason,
            _approval(row),
        ) for row in rows
    ]  # fmt: skip


def count(connection: Connection, company_id: str) -> int:
    r = t.runbook.c
    return connection.execute(
        select(func.count()).select_from(t.runbook).where(r.company_id == company_id, r.current.is_(True))
    ).scalar_one()


def add(connection: Connection, company_id: str, runbook: Runbook, *, author: str, at: datetime, reason: str) -> int:
    """The next version, from now on the current one; its number."""
    retire(connection, company_id, runbook.name)
    r = t.runbook.c
    last = connection.execute(
        select(func.max(r.version)).where(r.company_id == company_id, r.name == runbook.name)
    ).scalar_one()
    number = (last or 0) + 1
    connection.execute(
        t.runbook.insert().values(
            company_id=company_id, name=runbook.name, version=number, current=True, text=runbook.text,
            digest=runbook.digest, risk=runbook.risk.value, author=author, at=at, reason=reason,
        )
    )  # fmt: skip
    return number


def retire(connection: Connection, company_id: str, name: str) -> None:
    """No version of it is current any more."""
    r = t.runbook.c
    connection.execute(
        update(t.runbook).where(r.company_id == company_id, r.name == name, r.current.is_(True)).values(current=False)
    )


def approve(connection: Connection, found: Found, approval: Approval, *, reason: str) -> None:
    """Instead of what was said of this text before."""
    withdraw(connection, found)
    connection.execute(
        t.runbook_approval.insert().values(
            company_id=found.company_id, name=found.runbook.name, digest=found.runbook.digest,
            risk=approval.risk.value, approved_by=approval.by, approved_at=approval.at, reason=reason,
        )
    )  # fmt: skip


def withdraw(connection: Connection, found: Found) -> None:
    a = t.runbook_approval.c
    connection.execute(
        t.runbook_approval.delete().where(
            a.company_id == found.company_id, a.name == found.runbook.name, a.digest == found.runbook.digest
        )
    )
