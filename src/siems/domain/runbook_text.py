"""Runbooks as people write them: a text in YAML in, a runbook out, or every problem with its line and column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from difflib import get_close_matches
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import Any, TypeVar

import re2
import yaml

from siems.domain.runbook import Kind, OnFailure, Parameter, Phase, Runbook, Step
from siems.domain.runbook_values import MAX_PATTERN, MAX_VALUE, SHARP, checked, compiled, variable
from siems.domain.yaml_nodes import Problem, Problems, compose, fields, flag, items, pairs, scalar
from siems.errors import InvalidField
from siems.grammar import parse_span
from siems.vocabulary import Category, Platform, Risk

MAX_TEXT = 128 * 1024
MAX_SCRIPT = 24 * 1024
"""AWS takes 64 KB for a document with all its parameters, and Windows 32 KB for a command line."""
MAX_STEPS, MAX_PARAMETERS, MAX_MATCHES, MAX_CHOICES = 20, 20, 50, 50
LONGEST = timedelta(hours=12)
SHORTEST = timedelta(seconds=1)
NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
LONGEST_NAME = 48
_PARAMETER_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_FIELDS = (
    "name", "title", "category", "description", "risk", "platforms", "parameters", "matches", "timeout", "precheck",
    "steps", "verify", "rollback",
)  # fmt: skip
_PARAMETER = ("type", "pattern", "default", "choices", "description", "secret")
_STEP = ("name", "run", "timeout", "on_failure")
_NEEDED = ("name", "title", "risk", "platforms", "steps")
_DEFAULT_PATTERNS = {Kind.INTEGER: "[0-9]{1,9}", Kind.BOOLEAN: "true|false"}
_USED = re.compile(r"\bSIEMS_[A-Z0-9_]+", re.IGNORECASE)
W = TypeVar("W", bound=StrEnum)


def runbook_from(text: str) -> Runbook:
    """The runbook that a text describes. Raises InvalidField with the first problem, its line and column."""
    runbook, problems = read(text)
    errors = [problem for problem in problems if not problem.warning]
    if runbook is not None and not errors:
        return runbook
    first, more = errors[0], len(errors) - 1
    also = f" (and {more} more)" if more else ""
    raise InvalidField(
        f"line {first.line}, column {first.column}: {first.message}{also}", hint=first.hint or "siems runbook validate"
    )


def read(text: str) -> tuple[Runbook | None, tuple[Problem, ...]]:
    """(the runbook, None where there are errors; all problems and warnings from top to bottom)."""
    problems = Problems()
    if len(text.encode("utf-8", "replace")) > MAX_TEXT:
        problems.at(1, 1, f"it is larger than {MAX_TEXT // 1024} KB", "a runbook is a few short scripts")
        return None, tuple(problems.found)
    text = text.replace("\r\n", "\n")
    root = compose(text, problems)
    found = _Reader(text, problems).runbook(root) if root is not None else None
    said = tuple(sorted(dict.fromkeys(problems.found)))
    return (None if problems.errors else found), said


class _Reader:
    """One reading of one text."""

    def __init__(self, text: str, problems: Problems) -> None:
        self.lines = text.split("\n")
        self.text = text
        self.problems = problems
        self.used: set[str] = set()

    def runbook(self, root: Any) -> Runbook | None:
        data = fields(root, "a runbook", _FIELDS, self.problems)
        if not isinstance(root, yaml.MappingNode):
            return None
        for name in _NEEDED:
            if name not in data:
                self.problems.add(root, f"{name} is missing", f"{name}: ...")
        name = self._name(data.get("name"))
        parameters, names = self._parameters(data.get("parameters"))
        platforms = self._platforms(data.get("platforms"))
        timeout = self._span(data.get("timeout"), "timeout") or timedelta(minutes=5)
        phases = {phase: self._steps(data.get(phase.value), phase, platforms, names) for phase in Phase}
        risk = self._word(data.get("risk"), "risk", Risk, Risk.HIGH)
        self._whole(root, data, risk, platforms, phases, names)
        return Runbook(
            name=name,
            title=self._line(data.get("title"), "title", 120),
            category=self._word(data.get("category"), "category", Category, Category.OTHER).value,
            description=self._prose(data.get("description")),
            risk=risk, platforms=platforms, timeout=timeout, parameters=parameters,
            matches=self._matches(data.get("matches")), phases=MappingProxyType(phases), text=self.text,
            digest=digest_of(self.text),
        )  # fmt: skip

    # --- what it is called -------------------------------------------------------------------------------------

    def _name(self, node: Any) -> str:
        if node is None:
            return ""
        word = scalar(node, "name", self.problems, longest=LONGEST_NAME)
        if word and not NAME.fullmatch(word):
            self.problems.add(node, f"{word!r} is no name for a runbook", "small letters, digits and -: restart-vpn")
        return word

    def _line(self, node: Any, what: str, longest: int) -> str:
        if node is None:
            return ""
        text = scalar(node, what, self.problems, longest=longest).strip()
        if "\n" in text:
            self.problems.add(node, f"{what} is one line")
        return text

    def _prose(self, node: Any) -> str:
        return "" if node is None else scalar(node, "description", self.problems, longest=4_000).strip()

    def _word(self, node: Any, what: str, kind: type[W], otherwise: W) -> W:
        if node is None:
            return otherwise
        word = scalar(node, what, self.problems, longest=100).strip().lower()
        known = [item.value for item in kind]
        if word in known:
            return kind(word)
        near = get_close_matches(word, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"one of: {', '.join(known)}"
        self.problems.add(node, f"{word[:40]!r} is no {what}", hint)
        return otherwise

    def _platforms(self, node: Any) -> tuple[Platform, ...]:
        if node is None:
            return ()
        nodes = [node] if isinstance(node, yaml.ScalarNode) else items(node, "platforms", self.problems)
        if isinstance(node, yaml.SequenceNode) and not nodes:
            self.problems.add(node, "a runbook is for at least one platform", "platforms: [linux]")
        return tuple(dict.fromkeys(self._word(n, "platform", Platform, Platform.OTHER) for n in nodes))

    def _span(self, node: Any, what: str) -> timedelta | None:
        if node is None:
            return None
        word = scalar(node, what, self.problems, longest=20)
        try:
            span = parse_span(word)
        except InvalidField as why:
            self.problems.add(node, f"{what}: {why.message}", why.hint)
            return None
        if not SHORTEST <= span <= LONGEST:
            self.problems.add(node, f"{what} is between 1s and 12h", "5m")
        return span

    def _matches(self, node: Any) -> tuple[str, ...]:
        if node is None:
            return ()
        nodes = items(node, "matches", self.problems)
        if len(nodes) > MAX_MATCHES:
            self.problems.add(nodes[MAX_MATCHES], f"a runbook has at most {MAX_MATCHES} matches")
        return tuple(dict.fromkeys(self._pattern(n, "a match") for n in nodes))

    def _pattern(self, node: Any, what: str) -> str:
        pattern = scalar(node, what, self.problems, longest=MAX_PATTERN)
        try:
            compiled(pattern)
        except InvalidField as why:
            self.problems.add(node, why.message, why.hint)
            return ""
        return pattern

    # --- parameters --------------------------------------------------------------------------------------------

    def _parameters(self, node: Any) -> tuple[tuple[Parameter, ...], dict[str, Any]]:
        """(the parameters, the node of each by the name of its variable)."""
        if node is None:
            return (), {}
        found, names = [], {}
        told = pairs(node, "parameters", self.problems)
        for key, value in told[:MAX_PARAMETERS]:
            if not _PARAMETER_NAME.fullmatch(key.value):
                self.problems.add(key, f"{key.value[:40]!r} is no name for a parameter", "small letters, digits and _")
                continue
            names[variable(key.value)] = key
            found.append(self._parameter(key, value))
        if len(told) > MAX_PARAMETERS:
            self.problems.add(told[MAX_PARAMETERS][0], f"a runbook has at most {MAX_PARAMETERS} parameters")
        return tuple(found), names

    def _parameter(self, key: Any, node: Any) -> Parameter:
        data = fields(node, f"parameter {key.value}", _PARAMETER, self.problems)
        kind = self._word(data.get("type"), "type", Kind, Kind.TEXT)
        choices = self._choices(key, data.get("choices"), kind)
        default = None
        if "default" in data:
            default = scalar(data["default"], "default", self.problems, longest=MAX_VALUE)
            default = default.lower() if kind is Kind.BOOLEAN else default
        parameter = Parameter(
            name=key.value, kind=kind, pattern=self._allowed(key, data.get("pattern"), kind, choices), default=default,
            choices=choices, description=self._line(data.get("description"), "description", 200),
            secret="secret" in data and flag(data["secret"], "secret", self.problems),
        )  # fmt: skip
        if default is not None and parameter.secret:
            self.problems.add(data["default"], "a secret has no default: everybody may read this text")
        elif default is not None and parameter.pattern:
            try:
                checked(parameter, default)
            except InvalidField as why:
                self.problems.add(data["default"], f"the default of {why.message}", why.hint)
        return parameter

    def _choices(self, key: Any, node: Any, kind: Kind) -> tuple[str, ...]:
        if (node is not None) != (kind is Kind.CHOICE):
            said = "has choices, so its type is choice" if node is not None else "is a choice of what?"
            self.problems.add(key, f"{key.value} {said}", "type: choice, choices: [a, b]")
        if node is None:
            return ()
        nodes = items(node, "choices", self.problems)
        if not 1 <= len(nodes) <= MAX_CHOICES:
            self.problems.add(node, f"there are 1 to {MAX_CHOICES} choices")
        return tuple(dict.fromkeys(scalar(n, "a choice", self.problems, longest=100) for n in nodes))

    def _allowed(self, key: Any, node: Any, kind: Kind, choices: tuple[str, ...]) -> str:
        """The pattern that values have to match."""
        if kind is Kind.CHOICE:
            if node is not None:
                self.problems.add(node, "a choice needs no pattern", "leave it out")
            return "|".join(re2.escape(choice) for choice in choices)
        if node is None:
            if kind is Kind.TEXT:
                self.problems.add(key, f"{key.value} needs a pattern of what it takes", "pattern: '[A-Za-z0-9._-]+'")
            return _DEFAULT_PATTERNS.get(kind, "")
        pattern = self._pattern(node, "pattern")
        taken = "".join(sorted(c for c in SHARP if c.isprintable() and pattern and _takes(pattern, c)))
        if taken and kind is Kind.TEXT and not set(taken) & set(pattern):
            hint = f"values with {taken} are refused as long as the pattern does not name them"
            self.problems.add(node, "the pattern is wide: say which characters belong", hint, warning=True)
        return pattern

    # --- steps -------------------------------------------------------------------------------------------------

    def _steps(
        self, node: Any, phase: Phase, platforms: tuple[Platform, ...], names: Mapping[str, Any]
    ) -> tuple[Step, ...]:
        if node is None:
            return ()
        nodes = items(node, phase.value, self.problems)
        if len(nodes) > MAX_STEPS:
            self.problems.add(nodes[MAX_STEPS], f"{phase.value} has at most {MAX_STEPS} steps")
        if phase is Phase.STEPS and isinstance(node, yaml.SequenceNode) and not nodes:
            self.problems.add(node, "a runbook has at least one step")
        return tuple(self._step(n, f"step {i} of {phase.value}", platforms, names) for i, n in enumerate(nodes, 1))

    def _step(self, node: Any, what: str, platforms: tuple[Platform, ...], names: Mapping[str, Any]) -> Step:
        data = fields(node, what, _STEP, self.problems)
        for name in ("name", "run"):
            if name not in data and isinstance(node, yaml.MappingNode):
                self.problems.add(node, f"{what} has no {name}", f"{name}: ...")
        scripts: dict[Platform, str] = {}
        run = data.get("run")
        if isinstance(run, yaml.MappingNode):
            for key, value in pairs(run, f"run of {what}", self.problems):
                platform = self._word(key, "platform", Platform, Platform.OTHER)
                if platforms and platform not in platforms:
                    self.problems.add(key, f"{platform} is none of its platforms", f"platforms: [..., {platform}]")
                scripts[platform] = self._script(value, what, names)
        elif run is not None:
            if len(platforms) > 1:
                said = ", ".join(platforms)
                self.problems.add(run, f"{what}: this is for {said}: say which script is for which", "run: {linux: |")
            script = self._script(run, what, names)
            scripts = dict.fromkeys(platforms[:1], script)
        return Step(
            name=self._line(data.get("name"), f"the name of {what}", 80), run=MappingProxyType(scripts),
            timeout=self._span(data.get("timeout"), "timeout"),
            on_failure=self._word(data.get("on_failure"), "on_failure", OnFailure, OnFailure.STOP),
        )  # fmt: skip

    def _script(self, node: Any, what: str, names: Mapping[str, Any]) -> str:
        text = scalar(node, f"the script of {what}", self.problems, longest=MAX_SCRIPT)
        if not text.strip():
            self.problems.add(node, f"the script of {what} is empty")
        begin, end = node.start_mark.line, node.end_mark
        for number, line in enumerate(self.lines[begin : end.line + bool(end.column)], begin + 1):
            if "{{" in line:
                self.problems.at(
                    number, line.index("{{") + 1, "{{ in a script would be filled in by AWS on its way",
                    "write  o='{'; docker ps --format \"$o$o.Names}}\"",
                )  # fmt: skip
            for found in _USED.finditer(line):
                self.used.add(found[0])
                if found[0] not in names:
                    near = get_close_matches(found[0].upper(), names, n=1)
                    hint = f"did you mean {near[0]}?" if near else "declare it below parameters"
                    self.problems.at(number, found.start() + 1, f"{found[0]} is no parameter of this runbook", hint)
        return text

    # --- the whole ---------------------------------------------------------------------------------------------

    def _whole(
        self, root: Any, data: Mapping[str, Any], risk: Risk, platforms: tuple[Platform, ...],
        phases: Mapping[Phase, tuple[Step, ...]], names: Mapping[str, Any],
    ) -> None:  # fmt: skip
        """What only shows when all parts are there."""
        for platform in platforms:
            if phases[Phase.STEPS] and not any(platform in step.run for step in phases[Phase.STEPS]):
                self.problems.add(data["platforms"], f"no step is for {platform}", f"run: {{{platform}: |")
        for name, node in names.items():
            if name not in self.used:
                self.problems.add(node, f"no script uses ${name}", "take it out", warning=True)
        if risk is not Risk.LOW and "verify" not in data:
            hint = "without one a run is taken for a success when its steps end with 0"
            self.problems.add(root, "there is no verify", hint, warning=True)
        if risk is not Risk.LOW and "rollback" not in data:
            self.problems.add(root, "there is no rollback", "rollback: []  where nothing can be undone", warning=True)


def _takes(pattern: str, char: str) -> bool:
    """Whether a pattern lets a character through, as far as a few tries show."""
    return any(compiled(pattern).fullmatch(text) for text in (char, f"a{char}", f"a{char}a", f"/{char}a"))


def digest_of(text: str) -> str:
    """What people approve when they approve a text: its SHA-256, in hex."""
    return sha256(text.encode()).hexdigest()
