"""What a run's parameters may be: refused here is everything that a shell might read as more than a value.

A value reaches a script as an environment variable, never as text of it. That alone is not trusted: it has to match
the whole of its pattern, and a character that a shell acts on is taken only where the pattern names it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

import re2

from siems.domain.runbook import Kind, Parameter, Runbook
from siems.errors import InvalidField

MAX_VALUE = 2_048
MAX_PATTERN = 400
PREFIX = "SIEMS_"
SHARP = frozenset(";&|<>$`\"'\\!*?()[]{}~#%\n\r\t")
"""What shells act on."""
_META = frozenset(".^$*+?()[]{}|\\")
_GROUP = re.compile(r"\(\?(?:P?<\w*>|[A-Za-z-]*:?)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_SPELT = {"\n": "a new line", "\r": "a carriage return", "\t": "a tab", "\x00": "NUL", " ": "a space"}


def values(runbook: Runbook, given: Mapping[str, Any]) -> dict[str, str]:
    """The value of every parameter: as given, else its default.

    `given` maps names to text (numbers and booleans are taken as they are written). Raises InvalidField naming the
    parameter that is unknown, missing or refused, and why.
    """
    known = {parameter.name: parameter for parameter in runbook.parameters}
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            takes = f"it takes: {', '.join(known)}" if known else f"{runbook.name} takes none"
            hint = f"did you mean {near[0]}?" if near else takes
            raise InvalidField(f"{runbook.name} has no parameter {shown(name)}", hint=hint)
    found: dict[str, str] = {}
    for parameter in runbook.parameters:
        value = given.get(parameter.name)
        if value is not None:
            found[parameter.name] = checked(parameter, _text(parameter, value))
        elif parameter.default is not None:
            found[parameter.name] = parameter.default
        else:
            raise InvalidField(
                f"{parameter.name} is missing: {parameter.description or wants(parameter)}",
                hint=f"--var {parameter.name}=...  ({wants(parameter)})",
            )
    return found


def environment(found: Mapping[str, str]) -> dict[str, str]:
    """Values under the names that scripts know them by: `top` is `SIEMS_TOP`."""
    return {variable(name): value for name, value in found.items()}


def variable(name: str) -> str:
    return f"{PREFIX}{name.upper()}"


def _text(parameter: Parameter, value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int():
            return str(value)
    raise InvalidField(f"{parameter.name} takes a text", hint=wants(parameter))


def checked(parameter: Parameter, value: str) -> str:
    """The value, or InvalidField naming the parameter, what was given (a secret is never shown) and what it takes."""
    why = _refusal(parameter, value)
    if why:
        given = "the value" if parameter.secret else shown(value)
        raise InvalidField(f"{parameter.name}: {given} {why}", hint=f"it takes {wants(parameter)}")
    return value


def _refusal(parameter: Parameter, value: str) -> str:
    """Why a value is refused; empty where it is not. Cheap looks first: what is refused may be enormous."""
    if len(value) > MAX_VALUE:
        return f"is longer than {MAX_VALUE:,} characters"
    if "{{" in value:
        return "holds {{, which some ways to reach hosts would fill in"
    named = _named(parameter.pattern)
    for char in value:
        if unicodedata.category(char)[0] == "C" and not (char in "\n\t\r" and char in named):
            return f"holds {_spelt(char)}"
        if char in SHARP and char not in named:
            return f"holds {_spelt(char)}, which its pattern does not name"
    if value.startswith("-") and not _dash_first(parameter.pattern):
        return "begins with -, so a program would take it for an option"
    if parameter.kind is Kind.CHOICE and value not in parameter.choices:
        return "is none of its choices"
    if not compiled(parameter.pattern).fullmatch(value):
        return "is not what it takes"
    return ""


def wants(parameter: Parameter) -> str:
    """In words, what a parameter takes."""
    match parameter.kind:
        case Kind.CHOICE:
            return f"one of: {', '.join(parameter.choices)}"
        case Kind.BOOLEAN:
            return "true or false"
        case Kind.INTEGER:
            return f"a whole number that matches {parameter.pattern}"
        case Kind.TEXT:
            return f"what matches {parameter.pattern} as a whole"


def shown(value: str) -> str:
    """A value in a message: short, and without anything that a terminal would act on."""
    said = ascii(value if len(value) <= 40 else value[:37])
    return said if len(value) <= 40 else f"{said[:-1]}...' ({len(value):,} characters)"


def _spelt(char: str) -> str:
    said = _SPELT.get(char)
    if said:
        return said
    return char if char.isprintable() else f"U+{ord(char):04X}"


@lru_cache(maxsize=1_024)
def compiled(pattern: str, *, fold: bool = False) -> Any:
    """A pattern of RE2; with `fold` upper and lower case are alike. Raises InvalidField."""
    options = re2.Options()
    options.case_sensitive = not fold
    options.log_errors, options.max_mem = False, 1 << 20
    try:
        return re2.compile(pattern, options)
    except re2.error as why:
        said = why.args[0].decode("utf-8", "replace") if isinstance(why.args[0], bytes) else str(why.args[0])
        raise InvalidField(f"the pattern {shown(pattern)} cannot be read: {said}", hint="the syntax of RE2") from why


@lru_cache(maxsize=1_024)
def _named(pattern: str) -> frozenset[str]:
    """The characters that a pattern names, one by one: as themselves, escaped, or in a class that is not turned round.

    `.` names none, nor does the middle of a range: who wants a semicolon in a value has to say so.
    """
    found: set[str] = set()
    index = 0
    while index < len(pattern):
        char = pattern[index]
        if char == "\\" and index + 1 < len(pattern):
            found.add(_ESCAPES.get(pattern[index + 1], pattern[index + 1]))
            index += 2
        elif pattern.startswith("(?", index):  # what a group is called or does is none of it
            index += len(_GROUP.match(pattern, index)[0])  # type: ignore[index]
        elif char == "[":
            index = _class(pattern, index + 1, found)
        else:
            if char not in _META:
                found.add(char)
            index += 1
    return frozenset(found)


def _class(pattern: str, index: int, found: set[str]) -> int:
    """Read a class from behind its bracket; where it ends."""
    turned = pattern[index : index + 1] == "^"
    index += turned
    first = True
    while index < len(pattern) and (first or pattern[index] != "]"):
        char = pattern[index]
        if pattern.startswith("[:", index):
            index = max(pattern.find(":]", index) + 1, index)
        elif char == "\\" and index + 1 < len(pattern):
            index += 1
            char = _ESCAPES.get(pattern[index], pattern[index])
            found.update(() if turned else char)
        else:
            found.update(() if turned else char)
        first = False
        index += 1
    return index + 1


def _dash_first(pattern: str) -> bool:
    """Whether a pattern says that a value may begin with a dash."""
    rest = pattern.lstrip("^(").removeprefix("?:").lstrip("(")
    return rest.startswith(("-", "\\-", "[-", "[\\-", "[+-"))
