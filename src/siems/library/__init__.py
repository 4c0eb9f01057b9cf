"""The runbooks that ship: one YAML file each, named as the runbook is. Read when they are asked for, and kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files

from siems.domain.runbook import Runbook
from siems.domain.runbook_text import NAME, runbook_from

SUFFIX = ".yaml"


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """The names of all, sorted."""
    found = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(SUFFIX) for name in found if name.endswith(SUFFIX)))


def text_of(name: str) -> str | None:
    """The text of the runbook that ships under this name; None where there is none."""
    if not NAME.fullmatch(name) or name not in names():
        return None
    return (files(__name__) / f"{name}{SUFFIX}").read_text(encoding="utf-8")


@lru_cache(maxsize=256)
def find(name: str) -> Runbook | None:
    """The runbook that ships under this name."""
    text = text_of(name)
    return None if text is None else runbook_from(text)


def every() -> Iterator[Runbook]:
    """All that ship, by name."""
    for name in names():
        found = find(name)
        assert found is not None, "it was listed"
        yield found


SKELETONS = ("ssh", "powershell", "look")
"""What a new runbook may begin with."""


def skeleton(template: str, name: str) -> str:
    """The beginnings of a runbook of this name. `template` is one of SKELETONS."""
    text = (files(__name__) / "skeletons" / f"{template}{SUFFIX}").read_text(encoding="utf-8")
    return named(text, name)


def named(text: str, name: str) -> str:
    """The text of a runbook under another name."""
    return re.sub(r"(?m)^name:.*$", f"name: {name}", text, count=1)
