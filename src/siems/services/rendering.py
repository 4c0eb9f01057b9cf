"""Filling in templates that operators write: a small, bounded part of Jinja in which nothing can be called.

A template is looked at before it is taken: only text, blanks, conditions, one level of loops over what is given, and
harmless filters are let in. So its cost grows with its length and with the facts, and not with its author's wishes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from siems.errors import InvalidField

BODY_AT_MOST = 8_000
TEXT_AT_MOST = 16_000
FILTERS = frozenset(
    ("upper", "lower", "title", "capitalize", "trim", "default", "d", "join", "length", "first", "last", "truncate",
     "sort", "unique", "round", "int")
)  # fmt: skip
_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Const, nodes.Filter, nodes.If,
    nodes.For, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Test,
)  # fmt: skip
_TESTS = frozenset(("defined", "undefined", "none", "in", "equalto", "eq"))

# nothing that it makes is shown by a browser: mail and web pages escape what they take from here
_ENVIRONMENT = ImmutableSandboxedEnvironment(
    autoescape=False, undefined=StrictUndefined, keep_trailing_newline=False, trim_blocks=True, lstrip_blocks=True
)  # fmt: skip
_ENVIRONMENT.globals.clear()
_NAMES_OF_JINJA = frozenset(("self", "super", "caller", "varargs", "kwargs"))


def check(body: str, facts: Mapping[str, Any]) -> str:
    """What the template makes of these facts. Raises InvalidField naming what is wrong, with its line."""
    if not body.strip():
        raise InvalidField("the template is empty", hint="siems template show NAME shows the one in force")
    if len(body) > BODY_AT_MOST:
        raise InvalidField(f"a template has at most {BODY_AT_MOST} characters, this one {len(body)}")
    try:
        tree = _ENVIRONMENT.parse(body)
    except TemplateSyntaxError as why:
        raise InvalidField(f"line {why.lineno}: {why.message}", hint="blanks are written {{ incident.title }}") from why
    _refuse_more(tree, loops=0)
    return fill(body, facts)


def fill(body: str, facts: Mapping[str, Any]) -> str:
    """A checked template with these facts. Raises InvalidField for a blank that nothing fills."""
    parts: list[str] = []
    size = 0
    try:
        for part in _compiled(body).generate(dict(facts)):
            parts.append(part)
            size += len(part)
            if size > TEXT_AT_MOST:
                raise InvalidField(f"the text would be longer than {TEXT_AT_MOST} characters")
    except (TemplateError, TypeError, ValueError, ArithmeticError) as why:
        known = ", ".join(_names(facts))
        raise InvalidField(f"the template cannot be filled in: {why}", hint=f"there are: {known}") from why
    return "".join(parts).strip()


@lru_cache(maxsize=256)
def _compiled(body: str) -> Template:
    return _ENVIRONMENT.from_string(body)


def _refuse_more(node: nodes.Node, *, loops: int) -> None:
    """Raise InvalidField for everything that is not known to be harmless."""
    line, what = getattr(node, "lineno", 0), type(node).__name__.lower()
    if not isinstance(node, _ALLOWED):
        raise InvalidField(f"line {line}: {what} is not for templates", hint="blanks, if, for and filters are")
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        raise InvalidField(f"line {line}: there is no filter {node.name!r} here", hint=", ".join(sorted(FILTERS)))
    if isinstance(node, nodes.Test) and node.name not in _TESTS:
        raise InvalidField(f"line {line}: there is no test {node.name!r} here", hint=", ".join(sorted(_TESTS)))
    if isinstance(node, nodes.Name) and node.ctx == "store" and loops == 0:
        raise InvalidField(f"line {line}: a template sets nothing")
    if isinstance(node, nodes.Name) and node.name in _NAMES_OF_JINJA:
        raise InvalidField(f"line {line}: there is no {node.name!r}")
    if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        raise InvalidField(f"line {line}: there is no {node.attr!r}")
    if isinstance(node, nodes.For):
        loops += 1
        if loops > 1 or node.recursive:
            raise InvalidField(f"line {line}: a loop inside a loop is not for templates")
        if not isinstance(node.iter, nodes.Name | nodes.Getattr):
            raise InvalidField(
                f"line {line}: a loop goes over what is given", hint="{% for asset in incident.assets %}"
            )
    for child in node.iter_child_nodes():
        _refuse_more(child, loops=loops)


def _names(facts: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield from _names(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
