"""What a silence is about: `asset=dc*`, `severity!=CRITICAL`, `message~.*timeout.*`; several together are and.

Patterns are those of RE2, as in Alertmanager: they are matched in the thread that writes, so no pattern may take
longer than its text is long. Upper and lower case are alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from siems.domain.alert import Alert, Reading, category_of
from siems.errors import InvalidField
from siems.vocabulary import Category, Severity

Facts = Reading | Alert
MAX_MATCHERS = 16
MAX_VALUE = 255
MAX_PATTERN = 200
FIELDS = ("asset", "signature", "severity", "tool", "message", "category")
_ALIASES = {"source": "tool", "tool_source": "tool", "asset_name": "asset"}
_LABEL = "label."
_SAID = re.compile(r"\s*([A-Za-z_]+(?:\.[^=!~\s]+)?)\s*(!=|=~|!~|=|~)\s*(.*?)\s*", re.DOTALL)
_EXAMPLE = "write it like  asset=dc*  severity!=CRITICAL  message~.*timeout.*  label.env=test"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition. `op` is `=`, `!=` (both with `*` for anything), `~` or `!~` (the whole value, by a pattern)."""

    field: str
    op: str
    value: str

    def __str__(self) -> str:
        return f"{self.field}{self.op}{self.value}"


def parse(texts: list[str]) -> tuple[Matcher, ...]:
    """The conditions that people typed. Raises InvalidField naming the one at fault."""
    if not texts:
        raise InvalidField("a silence needs to say what it is about", hint=_EXAMPLE)
    if len(texts) > MAX_MATCHERS:
        raise InvalidField(f"a silence has at most {MAX_MATCHERS} matchers", hint="one can name many: asset=dc*")
    return tuple(dict.fromkeys(_parse(text) for text in texts))


def _parse(text: str) -> Matcher:
    found = _SAID.fullmatch(text)
    if found is None:
        raise InvalidField(f"{text[:80]!r} is no matcher", hint=_EXAMPLE)
    field, op, value = _field(found[1]), found[2].replace("=~", "~"), found[3]
    if not value and not field.startswith(_LABEL):
        raise InvalidField(f"{text[:80]!r} has no value", hint=f"{field}=*  is anything")
    pattern = op.endswith("~")
    if len(value) > (limit := MAX_PATTERN if pattern else MAX_VALUE):
        raise InvalidField(f"the value of {field} is longer than {limit} characters")
    if pattern:
        _check(value)
    elif field in ("severity", "category") and "*" not in value:
        value = _word(field, value)
    return Matcher(field, op, value)


def _field(word: str) -> str:
    name, dot, label = word.partition(".")
    name = name.lower()
    if dot and name in ("label", "labels"):
        return f"{_LABEL}{label}"
    name = _ALIASES.get(name, name)
    if dot or name not in FIELDS:
        raise InvalidField(f"alerts have no {word[:40]!r}", hint=f"one of: {', '.join(FIELDS)}, label.NAME")
    return name


def _word(field: str, value: str) -> str:
    """A severity or a category as it is written; what is none would silently match nothing."""
    known = [s.name for s in Severity] if field == "severity" else [c.value for c in Category]
    for word in known:
        if value.casefold() in (word.casefold(), word[:2].casefold() if field == "severity" else word):
            return word
    raise InvalidField(f"{value[:40]!r} is no {field}", hint=f"one of: {', '.join(known)}")


def _check(pattern: str) -> None:
    try:
        _compiled(pattern)
    except re2.error as why:
        said = why.args[0].decode("utf-8", "replace") if isinstance(why.args[0], bytes) else str(why.args[0])
        raise InvalidField(
            f"the pattern {pattern[:80]!r} cannot be read: {said}", hint="the syntax is that of RE2, as in Alertmanager"
        ) from why


@lru_cache(maxsize=1_024)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors, options.case_sensitive, options.dot_nl, options.max_mem = False, False, True, 1 << 20
    return re2.compile(pattern, options)


@lru_cache(maxsize=1_024)
def _glob(value: str) -> Any:
    return _compiled(".*".join(re2.escape(part) for part in value.split("*")))


def holds(matcher: Matcher, facts: Facts) -> bool:
    """Whether an alert meets the condition; a label that it lacks is empty."""
    said, op, value = _said(matcher.field, facts), matcher.op, matcher.value
    if op.endswith("~"):
        found = _compiled(value).fullmatch(said) is not None
    elif "*" in value:
        found = _glob(value).fullmatch(said) is not None
    else:
        found = said.casefold() == value.casefold()
    return found != op.startswith("!")


def _said(field: str, facts: Facts) -> str:
    match field:
        case "asset":
            return facts.asset_name
        case "signature":
            return facts.signature
        case "severity":
            return facts.severity.name
        case "tool":
            return facts.tool_source
        case "message":
            return facts.message
        case "category":
            return category_of(facts.signature).value
        case _:
            return str(facts.labels.get(field.removeprefix(_LABEL), ""))
