"""The query language over incidents that are in memory: what a played board is filtered by.

It means what the daemon's filter means (`services/filters.py`), as far as an incident says it of itself.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from siems.errors import InvalidField
from siems.grammar import And, Not, Or, Query, Term, parse_query, parse_span
from siems.tui.orders import next_due
from siems.vocabulary import Category, Severity, State
from siems.wire import IncidentView

_OPS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}  # fmt: skip
_FAR = datetime.max.replace(tzinfo=UTC)
NOT_ON_RECORD = ("signature",)
"""Fields of today's filter that a past board does not tell."""
TIMED = frozenset({"sla", "created", "created_at", "resolved"})


@dataclass(frozen=True, slots=True)
class Moment:
    """When it is asked, and by whom."""

    now: datetime
    me: str = ""


Test = Callable[[IncidentView, Moment], bool]


def compiled(text: str) -> Test:
    """Whether an incident matches a query. Raises InvalidField, naming what a past board cannot tell."""
    if not text.strip():
        return lambda view, moment: True
    query = parse_query(text, frozenset(_FIELDS) | frozenset(NOT_ON_RECORD))
    return _test(query)


def moves_with_time(text: str) -> bool:
    """Whether what matches changes by itself as time passes."""
    return any(f"{name}:" in text.lower() for name in TIMED)


def _test(query: Query) -> Test:
    match query:
        case And(parts):
            inner = [_test(part) for part in parts]
            return lambda view, moment: all(one(view, moment) for one in inner)
        case Or(parts):
            inner = [_test(part) for part in parts]
            return lambda view, moment: any(one(view, moment) for one in inner)
        case Not(part):
            wrong = _test(part)
            return lambda view, moment: not wrong(view, moment)
        case Term(field) if field in NOT_ON_RECORD:
            raise InvalidField(f"{field}: is not told by a past board", hint="asset:, title: or a word of the title")
        case Term(field):
            return _FIELDS[field](query)


# --- fields ------------------------------------------------------------------------------------------------------


def _contains(read: Callable[[IncidentView], Iterable[str | None]]) -> Callable[[Term], Test]:
    def field(term: Term) -> Test:
        _only_equal(term)
        wanted = [value.lower() for value in term.values]
        return lambda view, moment: any(value in (text or "").lower() for text in read(view) for value in wanted)

    return field


def _among(read: Callable[[IncidentView], str], known: Iterable[str]) -> Callable[[Term], Test]:
    words = {word.lower(): word for word in known}

    def field(term: Term) -> Test:
        _only_equal(term)
        unknown = next((value for value in term.values if value.lower() not in words), None)
        if unknown is not None:
            raise InvalidField(f"{term.field}: does not take {unknown!r}", hint=f"one of: {', '.join(words.values())}")
        wanted = {words[value.lower()].lower() for value in term.values}
        return lambda view, moment: read(view).lower() in wanted

    return field


def _severity(term: Term) -> Test:
    levels = []
    for value in term.values:
        found = next((s for s in Severity if value.upper() in (s.name, s.short)), None)
        if found is None:
            raise InvalidField(f"{value!r} is no severity", hint="LOW, MEDIUM, HIGH or CRITICAL")
        levels.append(found)
    if term.op == "=":
        return lambda view, moment: Severity[view.severity] in levels
    return lambda view, moment: _OPS[term.op](Severity[view.severity], levels[0])


def _number(read: Callable[[IncidentView], int]) -> Callable[[Term], Test]:
    def field(term: Term) -> Test:
        numbers = [_int(term, value) for value in term.values]
        if term.op == "=":
            return lambda view, moment: read(view) in numbers
        return lambda view, moment: _OPS[term.op](read(view), numbers[0])

    return field


def _ref(read: Callable[[IncidentView], str | None]) -> Callable[[Term], Test]:
    def field(term: Term) -> Test:
        _only_equal(term)
        wanted = {f"INC-{_int(term, value.upper().removeprefix('INC-'))}" for value in term.values}
        return lambda view, moment: read(view) in wanted

    return field


def _int(term: Term, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise InvalidField(f"{term.field}: takes a number, not {value!r}")
    return int(value)


def _resolved_by(term: Term) -> Test:
    _only_equal(term)
    wanted = {value.lower() for value in term.values}
    return lambda view, moment: (view.resolved_by or "").lower() in wanted


def _flag(read: Callable[[IncidentView], bool]) -> Callable[[Term], Test]:
    def field(term: Term) -> Test:
        word = term.values[0].lower()
        if word not in ("true", "false"):
            raise InvalidField(f"{term.field}: is true or false, not {word!r}")
        return lambda view, moment: read(view) is (word == "true")

    return field


def _company(term: Term) -> Test:
    _only_equal(term)
    wanted = {value.lower() for value in term.values}
    return lambda view, moment: bool(
        wanted & {view.company_id, view.company_id.removeprefix("comp-"), view.company.lower()}
    )


def _assignee(term: Term) -> Test:
    _only_equal(term)

    def one(view: IncidentView, moment: Moment, value: str) -> bool:
        word = value.lower()
        if word in ("none", "nobody"):
            return view.assignee is None
        if word in ("@any", "any"):
            return view.assignee is not None
        wanted = moment.me if word == "@me" else word.removeprefix("@")
        return view.assignee in (wanted, f"user-{wanted}")

    return lambda view, moment: any(one(view, moment, value) for value in term.values)


def _time(read: Callable[[IncidentView], datetime | None]) -> Callable[[Term], Test]:
    def field(term: Term) -> Test:
        span, older = parse_span(term.values[0]), term.op in (">", ">=")

        def test(view: IncidentView, moment: Moment) -> bool:
            at = read(view)
            return at is not None and (at <= moment.now - span if older else at >= moment.now - span)

        return test

    return field


def _sla(term: Term) -> Test:
    word = term.values[0].lower()
    if term.op != "=":
        span = parse_span(word)

        def due(view: IncidentView, moment: Moment) -> bool:
            if view.state in ("RESOLVED", "CLOSED"):
                return False
            return next_due(view) < _FAR and _OPS[term.op](next_due(view), moment.now + span)

        return due
    states: dict[str, Callable[[IncidentView], bool]] = {
        "breached": _late,
        "ok": lambda view: not _late(view),
        "paused": lambda view: view.sla.resolution.paused,
        "met": lambda view: view.sla.resolution.met_at is not None and not _late(view),
    }
    if word not in states:
        raise InvalidField(f"sla: does not take {word!r}", hint=f"sla:<1h, or one of: {', '.join(states)}")
    return lambda view, moment: states[word](view)


def _late(view: IncidentView) -> bool:
    return view.sla.response.breached or view.sla.resolution.breached


def _only_equal(term: Term) -> None:
    if term.op != "=":
        raise InvalidField(f"{term.field}: cannot be compared with {term.op}", hint=f"{term.field}:value")


def _anywhere(term: Term) -> Test:
    """Text in the title, the assets, the notes of the resolution, or the number itself."""
    inner = _contains(lambda view: (view.title, view.resolution_notes, *view.assets))(term)
    number = term.values[0].upper().removeprefix("INC-")
    return lambda view, moment: inner(view, moment) or view.id == f"INC-{number}"


_FIELDS: Mapping[str, Callable[[Term], Test]] = {
    "": _anywhere,
    "id": _ref(lambda view: view.id),
    "company": _company,
    "company_id": _company,
    "title": _contains(lambda view: (view.title,)),
    "severity": _severity,
    "state": _among(lambda view: view.state, [state.value for state in State]),
    "category": _among(lambda view: view.category, [category.value for category in Category]),
    "assignee": _assignee,
    "asset": _contains(lambda view: view.assets),
    "source": _contains(lambda view: view.tool_sources),
    "priority_score": _number(lambda view: view.priority_score),
    "escalation_level": _number(lambda view: view.escalation_level),
    "alert_count": _number(lambda view: view.alert_count),
    "version": _number(lambda view: view.version),
    "on_hold": _flag(lambda view: view.on_hold),
    "flapping": _flag(lambda view: view.flapping),
    "acknowledged": _flag(lambda view: view.acknowledged_at is not None),
    "merged_into": _ref(lambda view: view.merged_into),
    "recurrence_of": _ref(lambda view: view.recurrence_of),
    "created": _time(lambda view: view.created_at),
    "created_at": _time(lambda view: view.created_at),
    "resolved": _time(lambda view: view.resolved_at),
    "resolved_by": _resolved_by,
    "cause": _contains(lambda view: (view.cause,)),
    "sla": _sla,
}
