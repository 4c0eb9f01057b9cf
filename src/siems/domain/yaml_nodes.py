"""YAML as nodes that know where they stand, so that whoever wrote it is told the line and column of what is wrong."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import yaml

DEEPEST = 10
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of characters that nobody sees, or that make a text look like another one."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong and where; lines and columns count from 1. A warning stops nobody."""

    line: int
    column: int
    message: str
    hint: str = ""
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {'warning: ' if self.warning else ''}{self.message}"


class Problems:
    """What was found so far."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, node: Any, message: str, hint: str = "", *, warning: bool = False) -> None:
        """At a node's beginning."""
        mark = node.start_mark
        self.at(mark.line + 1, mark.column + 1, message, hint, warning=warning)

    def at(self, line: int, column: int, message: str, hint: str = "", *, warning: bool = False) -> None:
        self.found.append(Problem(line, column, message, hint, warning))

    @property
    def errors(self) -> bool:
        return any(not problem.warning for problem in self.found)


def compose(text: str, problems: Problems) -> Any:
    """The root node, or None where it is no YAML that is taken: one document, plain values, no aliases."""
    for line, column, char in hidden(text):
        problems.at(line, column, f"U+{ord(char):04X} cannot be seen, so nobody could approve it", "take it out")
        return None
    try:
        return yaml.compose(text, Loader=_LOADER) if _plain(text, problems) else None
    except yaml.YAMLError as why:
        mark = getattr(why, "problem_mark", None)
        said = getattr(why, "problem", None) or "it is no YAML"
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        problems.at(line, column, f"it is no YAML: {said}", "scripts go below a bar:  run: |")
        return None


def hidden(text: str) -> Iterator[tuple[int, int, str]]:
    """(line, column, character) of what cannot be seen; tabs and ends of lines may be there."""
    if text.isascii() and text.isprintable():
        return
    for number, line in enumerate(text.split("\n"), 1):
        for column, char in enumerate(line.removesuffix("\r"), 1):
            if char != "\t" and unicodedata.category(char) in _HIDDEN:
                yield number, column, char


def _plain(text: str, problems: Problems) -> bool:
    """Look at the events before anything is built of them: a small text can stand for an enormous one."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                problems.add(event, "a second document: a file holds one runbook", "leave out the line  ---")
                return False
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            problems.add(event, "anchors and aliases (& and *) are not taken", "write it out")
            return False
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                problems.add(event, "this is nested too deeply")
                return False
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    if documents == 0:
        problems.at(1, 1, "it is empty", "siems runbook new NAME shows what belongs into it")
    return documents == 1


def fields(node: Any, what: str, known: Sequence[str], problems: Problems) -> dict[str, Any]:
    """The values of a mapping by name; names that nothing knows and names that come twice are reported."""
    found: dict[str, Any] = {}
    for key, value in pairs(node, what, problems):
        if key.value not in known:
            near = get_close_matches(key.value, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it takes: {', '.join(known)}"
            problems.add(key, f"{what} takes no {key.value[:40]!r}", hint)
        else:
            found[key.value] = value
    return found


def pairs(node: Any, what: str, problems: Problems) -> list[tuple[Any, Any]]:
    """(key, value) of a mapping whose keys are plain words, each once."""
    if not isinstance(node, yaml.MappingNode):
        problems.add(node, f"{what} is no mapping of names to values", "name: value")
        return []
    found: dict[str, tuple[Any, Any]] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            problems.add(key, "a name is one word", "name: value")
        elif key.value in found:
            first = found[key.value][0].start_mark.line + 1
            problems.add(key, f"{key.value[:40]!r} is there already, in line {first}", "each name once")
        else:
            found[key.value] = (key, value)
    return list(found.values())


def items(node: Any, what: str, problems: Problems) -> list[Any]:
    """The nodes of a list."""
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    problems.add(node, f"{what} is no list", "each on a line of its own, after  - ")
    return []


def scalar(node: Any, what: str, problems: Problems, *, longest: int) -> str:
    """A plain text; empty where it is none, which is reported."""
    if not isinstance(node, yaml.ScalarNode) or node.tag.endswith(":null"):
        problems.add(node, f"{what} has no text")
        return ""
    if len(node.value) > longest:
        problems.add(node, f"{what} is longer than {longest:,} characters")
        return ""
    return str(node.value)


def flag(node: Any, what: str, problems: Problems) -> bool:
    word = scalar(node, what, problems, longest=8).lower()
    if word not in ("true", "false"):
        problems.add(node, f"{what} is neither true nor false", "true or false")
    return word == "true"
