"""Queries as SQL: what each field means for incidents and for alerts. Values only ever travel as parameters."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)

from siems.clock import to_micros
from siems.domain.permissions import Actor
from siems.errors import InvalidField
from siems.grammar import And, Not, Or, Query, Term, parse_query, parse_span
from siems.services.due import NEVER, next_due, raw
from siems.storage import tables as t
from siems.storage.tables import Instant
from siems.vocabulary import AlertStatus, Category, Role, Severity, State

Clause = ColumnElement[bool]

_OPS: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {"=": operator.eq, ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and when: `@me` and `sla:<1h` depend on it."""

    actor: Actor
    now: datetime


Field = Callable[[Term, Asker], Clause]


def in_scope(column: Any, actor: Actor) -> Clause:
    """Only rows of companies that the caller may see."""
    return true() if actor.role is Role.ADMIN else column.in_(sorted(actor.scope))


def incident_filter(text: str, asker: Asker) -> Clause:
    """A query over incidents. Raises InvalidField."""
    return _clause(text, _INCIDENT, asker)


def alert_filter(text: str, asker: Asker) -> Clause:
    """A query over alerts. Raises InvalidField."""
    return _clause(text, _ALERT, asker)


def _clause(text: str, fields: Mapping[str, Field], asker: Asker) -> Clause:
    if not text.strip():
        return true()
    if "---" in text and any(word.lstrip("(").startswith("---") for word in text.split()):
        raise InvalidField("a term is turned round once", hint="write one - before it")
    try:
        return _compile(parse_query(text, frozenset(fields)), fields, asker)
    except OverflowError as why:
        raise InvalidField("the query names a time that no calendar has", hint="created:>30d") from why


def _compile(query: Query, fields: Mapping[str, Field], asker: Asker) -> Clause:
    match query:
        case And(parts):
            return and_(true(), *(_compile(part, fields, asker) for part in parts))
        case Or(parts):
            return or_(false(), *(_compile(part, fields, asker) for part in parts))
        case Not(part):
            return not_(_compile(part, fields, asker))
        case Term(field):
            return fields[field](query, asker)


# --- fields ----------------------------------------------------------------------------------------------------


def _word(column: Any) -> Field:
    def clause(term: Term, asker: Asker) -> Clause:
        _only_equal(term)
        return func.lower(column).in_([value.lower() for value in term.values])

    return clause


def _contains(*columns: Any) -> Field:
    def clause(term: Term, asker: Asker) -> Clause:
        _only_equal(term)
        found = [func.lower(c).contains(v.lower(), autoescape=True) for c in columns for v in term.values]
        # SQLite's lower() leaves letters beyond ASCII as they are
        found += [c.contains(v, autoescape=True) for c in columns for v in term.values if not v.isascii()]
        return or_(*found)

    return clause


def _among(column: Any, kind: Any) -> Field:
    def clause(term: Term, asker: Asker) -> Clause:
        _only_equal(term)
        known = {member.value.lower(): member.value for member in kind}
        found: Clause = column.in_([_known(term, known, value) for value in term.values])
        return found

    return clause


def _known(term: Term, known: Mapping[str, str], value: str) -> str:
    try:
        return known[value.lower()]
    except KeyError as why:
        raise InvalidField(
            f"{term.field}: does not take {value!r}", hint=f"one of: {', '.join(known.values())}"
        ) from why


def alert_status(term: Term, asker: Asker) -> Clause:
    """What is not resolved is asked for in the words of its index, so that it can be used."""
    found = _among(_ALR.status, AlertStatus)(term, asker)
    if AlertStatus.RESOLVED.value in (value.lower() for value in term.values):
        return found
    return and_(found, _ALR.status != literal(AlertStatus.RESOLVED.value, literal_execute=True))


def _severity(column: Any) -> Field:
    def clause(term: Term, asker: Asker) -> Clause:
        levels = []
        for value in term.values:
            found = next((s for s in Severity if value.upper() in (s.name, s.short)), None)
            if found is None:
                raise InvalidField(f"{value!r} is no severity", hint="LOW, MEDIUM, HIGH or CRITICAL")
            levels.append(int(found))
        clause: Clause = column.in_(levels) if term.op == "=" else _OPS[term.op](column, levels[0])
        return clause

    return clause


def _number(column: Any) -> Field:
    wide = raw(column)  # a number too large for the column is no error, there just is none

    def clause(term: Term, asker: Asker) -> Clause:
        numbers = [_int(term, value) for value in term.values]
        found: Clause = wide.in_(numbers) if term.op == "=" else _OPS[term.op](wide, numbers[0])
        return found

    return clause


def _ref(column: Any, prefix: str) -> Field:
    def clause(term: Term, asker: Asker) -> Clause:
        _only_equal(term)
        found: Clause = column.in_([_int(term, value.upper().removeprefix(f"{prefix}-")) for value in term.values])
        return found

    return clause


def _int(term: Term, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise InvalidField(f"{term.field}: takes a number, not {value!r}")
    return int(value)


def _flag(clause_when_true: Clause) -> Field:
    def clause(term: Term, asker: Asker) -> Clause:
        word = term.values[0].lower()
        if word not in ("true", "false"):
            raise InvalidField(f"{term.field}: is true or false, not {word!r}")
        return clause_when_true if word == "true" else not_(clause_when_true)

    return clause


def _company(column: Any) -> Field:
    def clause(term: Term, asker: Asker) -> Clause:
        _only_equal(term)
        wanted = [value.lower() for value in term.values]
        c, ids = t.company.c, [*wanted, *(f"comp-{value}" for value in wanted)]
        # one list of companies, and no OR: so that an index by company can be used
        named: Clause = column.in_(select(c.id).where(or_(c.id.in_(ids), func.lower(c.name).in_(wanted))))
        return named

    return clause


def _suppressed_by(term: Term, asker: Asker) -> Clause:
    """`suppressed_by:SIL-3`, which is how the label begins."""
    _only_equal(term)
    numbers = [_int(term, value.upper().removeprefix("SIL-")) for value in term.values]
    label = func.coalesce(_ALR.suppressed_by, "")
    return or_(*(or_(label == f"SIL-{n}", label.startswith(f"SIL-{n} ")) for n in numbers))


def _assignee(term: Term, asker: Asker) -> Clause:
    _only_equal(term)
    column = t.incident.c.assignee
    parts: list[Clause] = []
    for value in term.values:
        word = value.lower()
        if word in ("none", "nobody"):
            parts.append(column.is_(None))
        elif word in ("@any", "any"):
            parts.append(column.is_not(None))
        elif word == "@me":
            parts.append(column == asker.actor.id)
        else:
            word = word.removeprefix("@")
            parts.append(column.in_([word, f"user-{word}"]))
    return or_(*parts)


def _time(column: Any) -> Field:
    """`created:>2h` is older than two hours ago; `created:<1d` within the last day."""

    def clause(term: Term, asker: Asker) -> Clause:
        ago = asker.now - parse_span(term.values[0])
        bound = literal(ago, Instant)
        found: Clause = column <= bound if term.op in (">", ">=") else column >= bound
        return found

    return clause


def _sla(term: Term, asker: Asker) -> Clause:
    i = t.incident.c
    word = term.values[0].lower()
    if term.op == "=":
        breached = or_(i.response_breached_at.is_not(None), i.resolution_breached_at.is_not(None))
        states: dict[str, Clause] = {
            "breached": breached,
            "ok": not_(breached),
            "paused": i.paused_since.is_not(None),
            "met": and_(i.resolution_met_at.is_not(None), not_(breached)),
        }
        if word not in states:
            raise InvalidField(f"sla: does not take {word!r}", hint=f"sla:<1h, or one of: {', '.join(states)}")
        return states[word]
    bound = to_micros(asker.now + parse_span(word))
    return and_(next_due() < NEVER, _OPS[term.op](next_due(), bound))


def _only_equal(term: Term) -> None:
    if term.op != "=":
        raise InvalidField(f"{term.field}: cannot be compared with {term.op}", hint=f"{term.field}:value")


def _seen_by(term: Term, asker: Asker) -> Clause:
    """Text in the title, the assets, the notes of the resolution, or the number itself."""
    i, value = t.incident.c, term.values[0]
    number = value.upper().removeprefix("INC-")
    found = _contains(i.title, i.assets, i.signature, i.resolution_notes)(term, asker)
    return or_(found, i.id == int(number)) if number.isascii() and number.isdigit() and len(number) < 18 else found


_INC, _ALR = t.incident.c, t.alert.c

_INCIDENT: Mapping[str, Field] = MappingProxyType(
    {
        "": _seen_by,
        "id": _ref(_INC.id, "INC"),
        "company": _company(_INC.company_id),
        "company_id": _company(_INC.company_id),
        "title": _contains(_INC.title),
        "severity": _severity(_INC.severity),
        "state": _among(_INC.state, State),
        "category": _among(_INC.category, Category),
        "assignee": _assignee,
        "asset": _contains(_INC.assets),
        "source": _contains(_INC.tool_sources),
        "signature": _contains(_INC.signature),
        "priority_score": _number(_INC.static_score),
        "escalation_level": _number(_INC.escalation_level),
        "alert_count": _number(_INC.alert_count),
        "version": _number(_INC.version),
        "on_hold": _flag(_INC.hold_until.is_not(None)),
        "flapping": _flag(_INC.flapping.is_(True)),
        "acknowledged": _flag(_INC.acknowledged_at.is_not(None)),
        "merged_into": _ref(_INC.merged_into, "INC"),
        "recurrence_of": _ref(_INC.recurrence_of, "INC"),
        "created": _time(_INC.created_at),
        "created_at": _time(_INC.created_at),
        "resolved": _time(_INC.resolved_at),
        "resolved_by": _word(_INC.resolved_by),
        "cause": _contains(_INC.cause),
        "sla": _sla,
    }
)

_ALERT: Mapping[str, Field] = MappingProxyType(
    {
        "": _contains(_ALR.message, _ALR.asset_name, _ALR.signature),
        "id": _ref(_ALR.id, "ALR"),
        "incident": _ref(_ALR.incident_id, "INC"),
        "incident_id": _ref(_ALR.incident_id, "INC"),
        "company": _company(_ALR.company_id),
        "company_id": _company(_ALR.company_id),
        "severity": _severity(_ALR.severity),
        "status": alert_status,
        "suppressed_by": _suppressed_by,
        "asset": _contains(_ALR.asset_name),
        "asset_name": _contains(_ALR.asset_name),
        "signature": _contains(_ALR.signature),
        "message": _contains(_ALR.message),
        "source": _word(_ALR.tool_source),
        "tool_source": _word(_ALR.tool_source),
        "fingerprint": _word(_ALR.fingerprint),
        "count": _number(_ALR.count),
        "received": _time(_ALR.received_at),
        "received_at": _time(_ALR.received_at),
        "last_seen": _time(_ALR.last_seen_at),
    }
)
ALERT_FIELDS, INCIDENT_FIELDS = frozenset(_ALERT), frozenset(_INCIDENT)
