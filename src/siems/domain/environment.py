"""What must never be the value of a script, whatever its pattern allows."""

from __future__ import annotations

import re
from collections.abc import Mapping

from siems.errors import InvalidField

MOST = 16_384
"""Characters of one value."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)


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
