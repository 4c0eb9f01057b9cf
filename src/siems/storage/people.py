"""People, as far as paging and assigning need to know."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from siems.storage import tables as t
from siems.vocabulary import Availability, Category, Role


@dataclass(frozen=True, slots=True)
class Person:
    """A user who can log in. `assigned_at`: when they were last given an incident."""

    id: str
    name: str
    role: Role
    scope: frozenset[str]
    email: str = ""
    availability: Availability = Availability.AVAILABLE
    skills: frozenset[Category] = frozenset()
    assigned_at: datetime | None = None

    def covers(self, company_id: str) -> bool:
        return self.role is Role.ADMIN or company_id in self.scope


def load_people(connection: Connection) -> dict[str, Person]:
    """Everybody who can log in, by id."""
    scopes: dict[str, set[str]] = {}
    for user_id, company_id in connection.execute(select(t.user_company.c.user_id, t.user_company.c.company_id)):
        scopes.setdefault(user_id, set()).add(company_id)
    return {
        row.id: Person(
            id=row.id, name=row.name, role=Role(row.role), scope=frozenset(scopes.get(row.id, ())), email=row.email,
            availability=Availability(row.availability), skills=frozenset(map(Category, json.loads(row.skills))),
            assigned_at=row.assigned_at,
        )
        for row in connection.execute(select(t.user).where(t.user.c.disabled.is_(False)).order_by(t.user.c.id))
    }  # fmt: skip
