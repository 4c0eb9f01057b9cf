"""One cause at several clients: what groups their incidents, and which ones belong to it (DOMAIN §5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from siems.domain.incident import Incident
from siems.errors import InvalidField
from siems.grammar import And, Not, Or, Query, Term, parse_query
from siems.vocabulary import Severity

TITLE_AT_MOST = 200


class ParentState(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """A group of incidents of several clients. While it is open, new ones that its query matches join it."""

    id: int
    title: str
    query: str = ""
    state: ParentState = ParentState.OPEN
    created_by: str
    created_at: datetime
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    ended_by: str | None = None
    ended_at: datetime | None = None

    @property
    def ref(self) -> str:
        return f"PAR-{self.id}"

    @property
    def open(self) -> bool:
        return self.state is ParentState.OPEN


# --- which incidents belong to it --------------------------------------------------------------------------------

Test = Callable[[Incident, Term], bool]


def _in(text: str, term: Term) -> bool:
    return any(value.lower() in text.lower() for value in term.values)


def _severity(incident: Incident, term: Term) -> bool:
    levels = [_level(value) for value in term.values]
    match term.op:
        case ">":
            return incident.severity > levels[0]
        case ">=":
            return incident.severity >= levels[0]
        case "<":
            return incident.severity < levels[0]
        case "<=":
            return incident.severity <= levels[0]
        case _:
            return incident.severity in levels


def _level(word: str) -> Severity:
    found = next((s for s in Severity if word.upper() in (s.name, s.short)), None)
    if found is None:
        raise InvalidField(f"{word!r} is no severity", hint="LOW, MEDIUM, HIGH or CRITICAL")
    return found


def _company(incident: Incident, term: Term) -> bool:
    return any(incident.company_id in (value.lower(), f"comp-{value.lower()}") for value in term.values)


_FIELDS: Mapping[str, Test] = MappingProxyType(
    {
        "": lambda i, term: any(_in(text, term) for text in (i.title, i.signature, *i.assets)),
        "signature": lambda i, term: _in(i.signature, term),
        "title": lambda i, term: _in(i.title, term),
        "asset": lambda i, term: any(_in(asset, term) for asset in i.assets),
        "source": lambda i, term: any(_in(tool, term) for tool in i.tool_sources),
        "category": lambda i, term: i.category.value in [value.lower() for value in term.values],
        "severity": _severity,
        "company": _company,
    }
)
"""What an incident can be known by when it opens."""


@lru_cache(maxsize=256)
def compiled(query: str) -> Query:
    """The query as a tree. Raises InvalidField for one that says nothing, or more than is known when it opens."""
    if not query.strip():
        raise InvalidField("the query says nothing", hint="--match 'signature:vpn_down'")
    tree = parse_query(query, frozenset(_FIELDS))
    _check(tree)
    return tree


def _check(query: Query) -> None:
    match query:
        case And(parts) | Or(parts):
            for part in parts:
                _check(part)
        case Not(part):
            _check(part)
        case Term("severity", _, values):
            for value in values:
                _level(value)
        case Term(field, op, _) if op != "=":
            raise InvalidField(f"{field}: cannot be compared with {op}", hint=f"{field}:value")
        case _:
            pass


def matches(query: str, incident: Incident) -> bool:
    """Whether an incident is one of those that a query means; none is for an empty query."""
    return bool(query) and _holds(compiled(query), incident)


def _holds(query: Query, incident: Incident) -> bool:
    match query:
        case And(parts):
            return all(_holds(part, incident) for part in parts)
        case Or(parts):
            return any(_holds(part, incident) for part in parts)
        case Not(part):
            return not _holds(part, incident)
        case Term(field):
            return _FIELDS[field](incident, query)
