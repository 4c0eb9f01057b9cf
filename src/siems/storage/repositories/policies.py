"""Escalation policies by name: few, changed rarely, and read when a company's memory is built."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, delete, select

from siems.domain.escalation import DEFAULT_POLICY, Policy
from siems.domain.policies import NamedPolicy
from siems.storage import tables as t
from siems.storage.policy_rows import policy_from, policy_json


def all_policies(connection: Connection) -> list[NamedPolicy]:
    """Every policy, those of the MSP first, by name."""
    p = t.policy.c
    found = [_named(row) for row in connection.execute(select(t.policy).order_by(p.company_id, p.name))]
    return sorted(found, key=lambda named: named.company_id != "msp")


def find(connection: Connection, policy_id: str) -> NamedPolicy | None:
    row = connection.execute(select(t.policy).where(t.policy.c.id == policy_id)).first()
    return None if row is None else _named(row)


def policy_in_force(connection: Connection, policy_id: str) -> Policy:
    """The policy of this id; the one that ships where there is none."""
    found = find(connection, policy_id)
    return DEFAULT_POLICY if found is None else found.policy


def add(connection: Connection, named: NamedPolicy) -> None:
    connection.execute(t.policy.insert().values(id=named.id, created_at=named.created_at, **_values(named)))


def put(connection: Connection, named: NamedPolicy) -> None:
    """A policy as it is now."""
    connection.execute(t.policy.update().where(t.policy.c.id == named.id).values(**_values(named)))


def remove(connection: Connection, policy_id: str) -> None:
    connection.execute(delete(t.policy).where(t.policy.c.id == policy_id))


def users_of(connection: Connection) -> dict[str, list[str]]:
    """For each policy id, the companies that use it, by id."""
    from siems.storage.rows import settings_from

    c = t.company.c
    found: dict[str, list[str]] = {}
    for company_id, settings in connection.execute(select(c.id, c.settings).order_by(c.id)):
        found.setdefault(settings_from(settings).policy_id, []).append(company_id)
    return found


def _values(named: NamedPolicy) -> dict[str, Any]:
    return {
        "company_id": named.company_id, "name": named.name, "body": json.dumps(policy_json(named.policy)),
        "version": named.version, "changed_at": named.changed_at,
    }  # fmt: skip


def _named(row: Any) -> NamedPolicy:
    return NamedPolicy(
        id=row.id, company_id=row.company_id, policy=policy_from(json.loads(row.body)), version=row.version,
        created_at=row.created_at, changed_at=row.changed_at,
    )  # fmt: skip
