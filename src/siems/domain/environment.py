"""Values of a script as its environment: quoted so that no shell reads anything else in them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from siems.domain.runbook import Shell
from siems.errors import InvalidField

MOST = 16_384
"""Characters of one value."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")
"""What PowerShell takes for the end of a text in single quotes."""


def refuse(values: Mapping[str, str]) -> None:
    """Raises InvalidField for what must not reach any shell or service, whatever its pattern allows."""
    for name, value in values.items():
        if not _NAME.fullmatch(name):
            raise InvalidField(f"{name[:40]!r} is no name of a variable", hint="letters, digits and _")
        if "{{" in value:
            raise InvalidField(f"{name} holds {{{{, which Systems Manager would replace", hint="nothing was run")
        if len(value) > MOST:
            raise InvalidField(f"{name} has {len(value)} characters, at most {MOST} are taken", hint="nothing was run")
        if any(ord(c) < 32 or ord(c) == 127 for c in value):
            raise InvalidField(f"{name} holds a line break or a control character", hint="nothing was run")


def prelude(shell: Shell, values: Mapping[str, str]) -> list[str]:
    """Lines that set the variables, before any line of the script. Raises InvalidField."""
    refuse(values)
    if shell is Shell.POWERSHELL:
        return [f"$env:{name} = '{_QUOTES.sub(lambda q: q[1] * 2, value)}'" for name, value in values.items()]
    return ["export {}='{}'".format(name, value.replace("'", "'\\''")) for name, value in values.items()]
