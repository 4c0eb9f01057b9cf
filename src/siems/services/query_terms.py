"""What a query says of everything that it finds, for those who choose where to look."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from siems.grammar import And, Term, parse_query
from siems.services.filters import INCIDENT_FIELDS
from siems.vocabulary import State


def terms_of(text: str, fields: Collection[str]) -> Iterator[Term]:
    """What must be true of everything that a query finds, said by one term each."""
    query = parse_query(text, frozenset(fields)) if text.strip() else And(())
    for part in query.parts if isinstance(query, And) else (query,):
        if isinstance(part, Term):
            yield part


def says_lately(text: str) -> bool:
    """Whether a query over incidents finds only what was resolved within so long: few of many, by an index."""
    return any(term.field == "resolved" and term.op in ("<", "<=") for term in terms_of(text, INCIDENT_FIELDS))


def says_open(text: str) -> bool:
    """Whether a query over incidents finds none that has ended."""
    ended = {State.RESOLVED.value.lower(), State.CLOSED.value.lower()}
    return any(
        term.field == "state" and term.op == "=" and ended.isdisjoint(value.lower() for value in term.values)
        for term in terms_of(text, INCIDENT_FIELDS)
    )
