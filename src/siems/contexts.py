"""Contexts: several daemons by name, with a colour, and how carefully one writes there.

They lie in `contexts.toml` of the configuration folder. `local`, the daemon of this machine, is always there.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from siems import errors, places

LOCAL = "local"
COLORS = ("", "red", "yellow", "green", "blue", "magenta", "cyan")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")


@dataclass(frozen=True, slots=True)
class Context:
    """A daemon by name. `confirm_writes`: armed, each change is confirmed and severe ones name the client."""

    name: str
    url: str = ""
    color: str = ""
    read_only: bool = False
    confirm_writes: bool = False
    token_file: str = ""


def contexts_file() -> Path:
    return places.config_dir() / "contexts.toml"


def load() -> tuple[str, dict[str, Context]]:
    """(the one in use, all by name). Raises UsageError naming what the file has wrong."""
    known = {LOCAL: Context(LOCAL)}
    if not contexts_file().exists():
        return LOCAL, known
    import tomllib

    try:
        kept = tomllib.loads(contexts_file().read_text())
        for name, fields in dict(kept.get("context", {})).items():
            known[name] = checked(Context(name=name, **fields))
    except (OSError, ValueError, TypeError, AttributeError) as why:
        raise errors.UsageError(f"{contexts_file()} cannot be read: {why}", hint="siems context list") from why
    current = str(kept.get("current", LOCAL))
    return (current if current in known else LOCAL), known


def checked(one: Context) -> Context:
    """The same, when it makes sense. Raises UsageError."""
    if not _NAME.fullmatch(one.name):
        raise errors.UsageError(f"{one.name!r} is no name for a context", hint="small letters, digits and -: prod-eu")
    parts = urlsplit(one.url)
    if one.name != LOCAL and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise errors.UsageError(f"{one.url!r} is no URL", hint="--url https://siems.example")
    if one.color not in COLORS:
        raise errors.UsageError(f"there is no colour {one.color!r}", hint=f"one of: {', '.join(COLORS[1:])}")
    flags: tuple[object, ...] = (one.read_only, one.confirm_writes)
    if not all(isinstance(flag, bool) for flag in flags):
        raise errors.UsageError(f"{one.name}: read_only and confirm_writes are true or false")
    return one


def chosen() -> Context:
    """SIEMS_CONTEXT, else the one in use. Raises NotFound for one that is not there."""
    current, known = load()
    return named(os.environ.get("SIEMS_CONTEXT", "") or current, known)


def named(name: str, known: dict[str, Context]) -> Context:
    """Raises NotFound that lists what there is."""
    if name not in known:
        raise errors.NotFound(
            f"there is no context {name!r}",
            hint=f"there are: {', '.join(sorted(known))};  siems context add {name} --url https://...",
        )
    return known[name]


def save(current: str, known: dict[str, Context]) -> None:
    """Write the file anew."""
    lines = [f'current = "{current}"', ""]
    for one in known.values():
        if one == Context(LOCAL):
            continue
        lines.append(f"[context.{one.name}]")
        lines += [f"{key} = {_quoted(value)}" for key, value in _fields(one).items() if value not in ("", False)]
        lines.append("")
    places.write_private(contexts_file(), "\n".join(lines))


def _fields(one: Context) -> dict[str, str | bool]:
    return {
        "url": one.url, "color": one.color, "read_only": one.read_only, "confirm_writes": one.confirm_writes,
        "token_file": one.token_file,
    }  # fmt: skip


def _quoted(value: str | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
