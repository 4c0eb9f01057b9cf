"""Queries over the audit log as SQL: `actor:maria action:incident. since:24h "disk full"`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import func, or_

from siems.grammar import Term
from siems.services.filters import Asker, Clause, Field, _clause, _company, _contains, _number, _time, _word
from siems.storage import tables as t

_E = t.audit_entry.c


def trail_filter(text: str, asker: Asker) -> Clause:
    """A query over audit entries. Raises InvalidField."""
    return _clause(text, _FIELDS, asker)


def _actor(term: Term, asker: Asker) -> Clause:
    """`actor:maria`, `actor:user-maria`, `@me`."""
    names: list[str] = []
    for value in term.values:
        word = asker.actor.id if value.lower() == "@me" else value.lower().removeprefix("@")
        names += [word, f"user-{word}"]
    found: Clause = func.lower(_E.actor).in_(names)
    return found


def _begins(column: Any) -> Field:
    """`action:incident` finds incident.opened: a name, or the noun that it begins with."""

    def clause(term: Term, asker: Asker) -> Clause:
        words = [value.lower().rstrip(".") for value in term.values]
        return or_(column.in_(words), *(column.startswith(f"{word}.", autoescape=True) for word in words))

    return clause


def _object(term: Term, asker: Asker) -> Clause:
    """Batches of alerts are not about one object, though one stands there."""
    return func.lower(_E.object).in_([value.lower() for value in term.values]) & (_E.action != "alerts.accepted")


_FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "": _contains(_E.action, _E.object, _E.actor, _E.reason),
        "actor": _actor,
        "assignee": _actor,  # what @me is short for
        "via": _word(_E.via),
        "action": _begins(_E.action),
        "object": _object,
        "target": _object,
        "company": _company(_E.company_id),
        "chain": _word(_E.chain),
        "seq": _number(_E.seq),
        "reason": _contains(_E.reason),
        "since": _time(_E.at),
        "at": _time(_E.at),
    }
)
