"""The query language: one parser for `--query`, the `/` filter and the API.

Terms joined by space mean and; `-term` not; `OR`; parentheses. `field:value`, `field:>=value`, `field:a,b`; bare
words and "quoted text" search text; `@me` and `#company` are short for `assignee:@me` and `company:company`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches

from siems.errors import InvalidField

MAX_QUERY = 2_000
MAX_TERMS = 64

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<open>-?\() | (?P<close>\)) |
      (?P<term>-?(?:
          [A-Za-z_]+:(?:>=|<=|>|<|=)?(?:"[^"]*"|[^\s()"]+)
        | "[^"]*"
        | [^\s()"]+
      ))
    )""",
    re.VERBOSE,
)
_FIELD = re.compile(r"^([A-Za-z_]+):(>=|<=|>|<|=)?(.*)$", re.DOTALL)
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(w|d|h|m|s)")
_UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}


@dataclass(frozen=True, slots=True)
class Term:
    """`field:op value,value`; an empty field searches text."""

    field: str
    op: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Query


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Query, ...]


Query = Term | Not | And | Or


def parse_query(text: str, fields: frozenset[str]) -> Query:
    """The query as a tree. Raises InvalidField that names the part, and the field that was probably meant."""
    if len(text) > MAX_QUERY:
        raise InvalidField(f"the query is longer than {MAX_QUERY} characters")
    tokens = _tokens(text)
    if len(tokens) > MAX_TERMS:
        raise InvalidField(f"the query has more than {MAX_TERMS} terms")
    query, rest = _alternatives(tokens, fields)
    if rest:
        raise InvalidField("the query has a ) too many")
    return query


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise InvalidField(f"the query cannot be read from {text[at : at + 20]!r}", hint='is a " missing?')
        found.append(match.group().strip())
        at = match.end()
    return found


def _alternatives(tokens: list[str], fields: frozenset[str]) -> tuple[Query, list[str]]:
    parts: list[Query] = []
    while True:
        part, tokens = _all_of(tokens, fields)
        parts.append(part)
        if not tokens or tokens[0] != "OR":
            return (parts[0] if len(parts) == 1 else Or(tuple(parts))), tokens
        tokens = tokens[1:]


def _all_of(tokens: list[str], fields: frozenset[str]) -> tuple[Query, list[str]]:
    parts: list[Query] = []
    while tokens and tokens[0] not in (")", "OR"):
        head, tokens = tokens[0], tokens[1:]
        if head in ("(", "-("):
            inner, tokens = _alternatives(tokens, fields)
            if not tokens or tokens[0] != ")":
                raise InvalidField("the query lacks a )")
            tokens = tokens[1:]
            parts.append(Not(inner) if head == "-(" else inner)
        else:
            parts.append(_term(head, fields))
    return (parts[0] if len(parts) == 1 else And(tuple(parts))), tokens


def _term(word: str, fields: frozenset[str]) -> Query:
    if word.startswith("-") and len(word) > 1:
        return Not(_term(word[1:], fields))
    if word.startswith("@") and len(word) > 1:
        return _short("assignee", word, word, fields)
    if word.startswith("#") and len(word) > 1:
        return _short("company", word[1:], word, fields)
    match = _FIELD.match(word)
    if match is None:
        return Term("", "=", (word.strip('"'),))
    name, op, value = match.group(1).lower(), match.group(2) or "=", match.group(3)
    if name not in fields:
        near = get_close_matches(name, fields, n=1)
        hint = f"did you mean {near[0]}:?" if near else f"fields: {', '.join(sorted(f for f in fields if f))}"
        raise InvalidField(f"there is no field {name!r} in a query", hint=hint)
    values = (value.strip('"'),) if value.startswith('"') else tuple(v for v in value.split(",") if v)
    if not values:
        raise InvalidField(f"{name}: needs a value", hint=f"{name}:something")
    return Term(name, op, values)


def _short(field: str, value: str, word: str, fields: frozenset[str]) -> Term:
    if field not in fields:
        raise InvalidField(
            f"{word!r} asks for the {field}, which nothing here has",
            hint=f"fields: {', '.join(sorted(f for f in fields if f))}",
        )
    return Term(field, "=", (value,))


def parse_span(text: str) -> timedelta:
    """`90s 30m 2h 1d12h 2w`. Raises InvalidField; a bare number is refused with a suggestion."""
    word = text.strip().lower()
    if word.isascii() and word.isdigit():
        raise InvalidField(f"{text!r} has no unit", hint=f"did you mean {word}m?")
    parts = _SPAN.findall(word)
    if not parts or "".join(number + unit for number, unit in parts) != word:
        raise InvalidField(f"{text!r} is no duration", hint="write it like 90s, 30m, 2h, 1d12h or 2w")
    return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))
