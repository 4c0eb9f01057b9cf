"""Changing one setting in siems.toml, and leaving everything else in it as somebody wrote it."""

from __future__ import annotations

import json
import re

from siems import errors

_HEAD = re.compile(r"^\s*\[\s*([A-Za-z0-9_-]+)\s*\]")
_INTEGER = re.compile(r"[+-]?[0-9]+(_[0-9]+)*")


def changed(text: str, section: str, name: str, value: str | None) -> str:
    """The file with the setting at this value, or without it. Raises UsageError where it lies in no plain section."""
    lines = text.splitlines()
    start = next((i for i, line in enumerate(lines) if (m := _HEAD.match(line)) and m[1] == section), None)
    assigned = f"{name} = {_toml(value)}" if value is not None else None
    if start is None:
        if re.search(rf"^\s*(\[\s*)?{section}\s*[.=]", text, re.MULTILINE):
            raise errors.UsageError(
                f"[{section}] is written in a way that only you can change", hint="siems config path"
            )
        return text if assigned is None else "\n".join([*lines, *([""] if lines else []), f"[{section}]", assigned, ""])
    end = next((i for i in range(start + 1, len(lines)) if lines[i].lstrip().startswith("[")), len(lines))
    spelt = rf"\s*{re.escape(name)}\s*="
    if "_" in name:
        spelt = rf"\s*{re.escape(name).replace('_', '[._]')}\s*="
    kept = [line for line in lines[start + 1 : end] if not re.match(spelt, line)]
    place = next((i for i, line in enumerate(lines[start + 1 : end]) if re.match(spelt, line)), None)
    if assigned is not None:
        if place is None:
            place = len(kept)
            while place and not kept[place - 1].strip():
                place -= 1
        kept.insert(place, assigned)
    return "\n".join([*lines[: start + 1], *kept, *lines[end:]]) + "\n"


def _toml(value: str) -> str:
    """A value as TOML writes it: what looks like a number, true or false is one."""
    if value in ("true", "false") or _INTEGER.fullmatch(value):
        return value
    return json.dumps(value)
