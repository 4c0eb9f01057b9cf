"""Searching alerts as Opsgenie's API does: what an alert looks like there, and which of them a query means.

https://support.atlassian.com/opsgenie/docs/search-queries-for-alerts/: `status: open AND tag: (db OR web)`, `createdAt
> 1470394841148`. Texts contain the words, all else is equal; `*` stands for anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from sqlalchemy import Connection

from siems.clock import rfc3339
from siems.domain.alert import Alert
from siems.domain.incident import Incident
from siems.errors import InvalidField
from siems.services import senders
from siems.sources.reading import instant
from siems.vocabulary import AlertStatus, Severity

MAX_QUERY = 1_000
_DEEPEST = 20
_PRIORITY = {Severity.CRITICAL: "P1", Severity.HIGH: "P2", Severity.MEDIUM: "P3", Severity.LOW: "P4"}
_OWN = frozenset(["alias", "tags", "source", "entity", "user"])
"""Labels that are fields of an alert of Opsgenie, not among its details."""

View = Mapping[str, Any]
Match = Callable[[View], bool]


def view(alert: Alert, incident: Incident | None) -> dict[str, Any]:
    """An alert as Opsgenie shows it."""
    labels, over = alert.labels, alert.status is AlertStatus.RESOLVED
    taken = incident is not None and incident.acknowledged_at is not None
    word = alert.original_severity.upper()
    return {
        "id": f"ALR-{alert.id}", "tinyId": str(alert.id), "alias": labels.get("alias", ""),
        "message": alert.signature, "status": "closed" if over else "open", "acknowledged": taken, "isSeen": taken,
        "tags": [tag for tag in labels.get("tags", "").split(", ") if tag], "snoozed": False, "count": alert.count,
        "lastOccurredAt": rfc3339(alert.last_seen_at), "createdAt": rfc3339(alert.received_at),
        "updatedAt": rfc3339(alert.resolved_at or alert.last_seen_at), "source": labels.get("source", ""), "owner": "",
        "priority": word if word in ("P1", "P2", "P3", "P4", "P5") else _PRIORITY[alert.severity], "responders": [],
        "integration": {"name": "siems", "type": "API"}, "actions": [], "entity": labels.get("entity", ""),
        "description": alert.message.removeprefix(alert.signature).lstrip("\n"),
        "details": {name: value for name, value in labels.items() if name not in _OWN},
    }  # fmt: skip


def found(connection: Connection, company_id: str, tool: str, query: str) -> list[dict[str, Any]]:
    """The alerts of a sender that a query means, newest first, as `senders.newest` finds them. Raises InvalidField."""
    wanted = _Reader(query).match()
    views = (view(*one) for one in senders.newest(connection, company_id, tool))
    return [one for one in views if wanted(one)]


# --- fields ----------------------------------------------------------------------------------------------------

_TEXTS = ("message", "description", "source", "entity")
_EXACT = ("alias", "tinyId", "status", "priority", "isSeen", "acknowledged", "snoozed", "owner")
_TIMES = ("createdAt", "lastOccurredAt", "updatedAt")


def _field(name: str) -> Callable[[View], list[Any]]:
    return lambda v: [v[name]]


_FIELDS: dict[str, Callable[[View], list[Any]]] = {
    **{name: _field(name) for name in (*_TEXTS, *_EXACT, *_TIMES, "count", "id")},
    "alertId": lambda v: [v["id"]],
    "tag": lambda v: v["tags"],
    "tags": lambda v: v["tags"],
    "teams": lambda v: [],
    "details.key": lambda v: list(v["details"]),
    "details.value": lambda v: list(v["details"].values()),
    "integration.name": lambda v: [v["integration"]["name"]],
    "integration.type": lambda v: [v["integration"]["type"]],
}
_NAMES = {name.lower(): name for name in _FIELDS}
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip


def _is(field: str, order: str, value: str) -> Match:
    """That a field is, or contains, a value, or stands in that order to it."""
    get = _FIELDS[field]
    if field in _TIMES or field == "count":
        return _ordered(field, order, value)
    if order not in (":", "="):
        raise InvalidField(f"query: {field} cannot be compared by {order}")
    word = value.lower()
    if "*" in word:
        pattern = f"*{word}*" if field in _TEXTS else word
        pattern = pattern.replace("[", "[[]")
        return lambda v: any(fnmatchcase(_text(one), pattern) for one in get(v))
    if field in _TEXTS or field == "details.value":
        return lambda v: any(word in _text(one) for one in get(v))
    return lambda v: any(word == _text(one) for one in get(v))


def _ordered(field: str, order: str, value: str) -> Match:
    wanted: Any
    if field == "count":
        if not (value.isascii() and value.isdigit() and len(value) < 16):
            raise InvalidField(f"query: {_shown(value)} is no number")
        wanted = int(value)
    else:
        wanted = _time(value)

    def matches(v: View) -> bool:
        has = v[field] if field == "count" else datetime.fromisoformat(v[field])
        return bool(_ORDERS[order](has, wanted)) if order in _ORDERS else bool(has == wanted)

    return matches


def _time(value: str) -> datetime:
    """Milliseconds since 1970, a day as Opsgenie writes it (31-12-2030), or RFC 3339."""
    try:
        return datetime.strptime(value, "%d-%m-%Y").replace(tzinfo=UTC)
    except ValueError:
        at, _ = instant(value)
    if at is None:
        raise InvalidField(f"query: {_shown(value)} is no time")
    return at


def _anywhere(word: str) -> Match:
    word = word.lower().strip("*")
    return lambda v: any(word in _text(v[name]) for name in (*_TEXTS, "alias")) or word in map(_text, v["tags"])


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value).lower()


def _shown(word: str) -> str:
    return word[:40].replace(";", ",")  # faults are told apart by semicolons


# --- the grammar -----------------------------------------------------------------------------------------------

_TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|(<=|>=|[()<>:=])|([^\s()<>:="]+))')


_SIGNS = (":", "=", *_ORDERS)


@dataclass(frozen=True, slots=True)
class _Token:
    said: str
    quoted: bool
    close: bool
    """Whether nothing stands between it and the one before."""

    def is_sign(self) -> bool:
        return not self.quoted and self.said in _SIGNS


class _Reader:
    """A query, read from left to right: OR binds less than AND, AND less than NOT; words side by side are an AND."""

    def __init__(self, query: str) -> None:
        if len(query) > MAX_QUERY:
            raise InvalidField(f"query: has at most {MAX_QUERY} characters")
        self._tokens: list[_Token] = []
        at, query = 0, query.rstrip()
        while at < len(query):
            token = _TOKEN.match(query, at)
            if token is None:
                raise InvalidField("query: a quotation mark has no other")
            quoted, sign, word = token.groups()
            said = re.sub(r"\\(.)", r"\1", quoted[1:-1]) if quoted else sign or word
            self._tokens.append(_Token(said, bool(quoted), not query[at].isspace()))
            at = token.end()
        self._at, self._depth = 0, 0

    def match(self) -> Match:
        if not self._tokens:
            return lambda v: True
        wanted = self._any(self._condition)
        if not self._ends():
            raise InvalidField(f"query: {_shown(self._tokens[self._at].said)} is not expected there")
        return wanted

    def _any(self, part: Callable[[], Match]) -> Match:
        parts = [self._all(part)]
        while self._takes("OR"):
            parts.append(self._all(part))
        return parts[0] if len(parts) == 1 else lambda v: any(one(v) for one in parts)

    def _all(self, part: Callable[[], Match]) -> Match:
        parts = [self._one(part)]
        while self._takes("AND") or not (self._ends() or self._sees("OR") or self._sees(")")):
            parts.append(self._one(part))
        return parts[0] if len(parts) == 1 else lambda v: all(one(v) for one in parts)

    def _one(self, part: Callable[[], Match]) -> Match:
        if self._takes("NOT"):
            unwanted = self._one(part)
            return lambda v: not unwanted(v)
        if not self._takes("("):
            return part()
        self._depth += 1
        if self._depth > _DEEPEST:
            raise InvalidField("query: has too many parentheses")
        inside = self._any(part)
        if not self._takes(")"):
            raise InvalidField("query: a parenthesis is not closed")
        self._depth -= 1
        return inside

    def _condition(self) -> Match:
        word = self._word()
        if word.quoted or self._ends() or not self._tokens[self._at].is_sign():
            return _anywhere(word.said)
        field, order = _NAMES.get(word.said.lower()), self._tokens[self._at].said
        self._at += 1
        if field is None:
            raise InvalidField(f"query: {_shown(word.said)} is no field that siems can search")
        if self._sees("("):  # tag: (db OR web)
            return self._one(lambda: _is(field, order, self._value()))
        return _is(field, order, self._value())

    def _value(self) -> str:
        """A word; what stands close to it belongs to it: 2030-12-31T10:00:00Z, host:disk."""
        first = self._word()
        said = first.said
        while not first.quoted and not self._ends() and not self._sees(")"):
            following = self._tokens[self._at]
            if following.quoted or not following.close:
                break
            said += following.said
            self._at += 1
        return said

    def _word(self) -> _Token:
        if self._ends():
            raise InvalidField("query: something is missing at its end")
        token = self._tokens[self._at]
        if token.is_sign() or (not token.quoted and token.said in ("(", ")")):
            raise InvalidField(f"query: {token.said} is not expected there")
        self._at += 1
        return token

    def _ends(self) -> bool:
        return self._at >= len(self._tokens)

    def _sees(self, word: str) -> bool:
        if self._ends() or self._tokens[self._at].quoted:
            return False
        return self._tokens[self._at].said in (word, word.lower())

    def _takes(self, word: str) -> bool:
        if not self._sees(word):
            return False
        self._at += 1
        return True
