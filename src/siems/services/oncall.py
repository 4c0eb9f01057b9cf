"""Who is on call."""

from __future__ import annotations

from datetime import datetime

from siems.storage.memory import Person
from siems.storage.unit_of_work import UnitOfWork


def on_call(uow: UnitOfWork, company_id: str, at: datetime | None = None) -> list[Person]:
    """Who is on call for a company at a time (default: now), in the order they are paged. Empty: nobody."""
    return []


def on_schedule(uow: UnitOfWork, schedule: str, at: datetime | None = None) -> list[Person]:
    """Who is on call by one schedule at a time (default: now)."""
    return []
