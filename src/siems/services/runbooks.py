"""Which runbook a name stands for in a company, and what its content counts as."""

from __future__ import annotations

from difflib import get_close_matches

from sqlalchemy import Connection

from siems import library
from siems.domain.permissions import missing
from siems.domain.runbook_found import Found, Origin, shipped
from siems.errors import NotFound
from siems.storage.repositories import runbooks as rows
from siems.vocabulary import MSP

__all__ = ["Found", "Origin", "find", "usable"]


def find(connection: Connection, company_id: str, name: str) -> Found:
    """The runbook of this name: the company's own, else the MSP's, else the one that ships. Raises NotFound.

    It asks no permission: the caller has asked for `company_id`. In a verb give it `uow.connection`.
    """
    word = name.strip()
    written = rows.current(connection, (company_id, MSP), word)
    own = [found for found in written if found.company_id == company_id]
    if own or written:
        return (own or written)[0]
    ships = library.find(word)
    if ships is not None:
        return shipped(ships)
    refused = missing(f"runbook {word[:64]!r}")
    near = get_close_matches(word, [found.runbook.name for found in usable(connection, company_id)], n=1)
    raise NotFound(refused.message, hint=f"did you mean {near[0]}?" if near else "siems runbook list")


def usable(connection: Connection, company_id: str) -> list[Found]:
    """Every runbook that a company may use, by name; what is hidden by one of the same name is left out."""
    found = {runbook.name: shipped(runbook) for runbook in library.every()}
    written = rows.all_of(connection, (company_id, MSP))
    found |= {one.runbook.name: one for one in sorted(written, key=lambda one: one.company_id != MSP)}
    return [found[name] for name in sorted(found)]
