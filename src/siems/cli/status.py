"""`siems status`: how it stands in one line, for tmux and prompts; also when nobody answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from siems import errors, places
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Item, show_one

app = new_app("How it stands, in one line.")
COMMANDS = ("status",)

OPEN = "state:OPEN,ASSIGNED,IN_PROGRESS"
COUNTS = {
    "open": OPEN,
    "critical": f"{OPEN} severity:CRITICAL",
    "high": f"{OPEN} severity:HIGH",
    "breached": f"{OPEN} sla:breached",
    "mine": f"{OPEN} @me",
}


@app.command()
@leaf
def status(
    door: Door,
    line: Annotated[bool, typer.Option("--line", help="as short as it can be: 2C 5H x1 me3 maria 18:00")] = False,
    max_age: Annotated[str, typer.Option("--max-age", help="what is no older need not be asked again")] = "10s",
) -> None:
    """Open incidents, what is late, what is yours, and who is on call.

    tmux:  set -g status-right '#(siems status --line)'

    2 CRITICAL, 5 HIGH, 1 breached, 3 of them yours, and until when somebody is on call. When no daemon answers, the
    last line is shown again with its age.
    """
    from siems.grammar import parse_span

    kept = _kept()
    if kept is None or not timedelta(0) <= _age(kept) < parse_span(max_age):
        kept = _asked(door, kept)
    show_one(door, kept, lambda found: [short(found)] if line else long(found), id="as_of")


def _asked(door: Door, before: dict[str, Any] | None) -> dict[str, Any]:
    """How it stands now, or stood when somebody last answered."""
    try:
        found: dict[str, Any] = {name: door.client.incidents(query, limit=1)["total"] for name, query in COUNTS.items()}
        on_call = _on_call(door)
    except errors.Unavailable:
        if before is None:
            raise
        return before | {"stale": True}
    found |= on_call | {"as_of": datetime.now(UTC).isoformat(timespec="seconds"), "stale": False}
    try:
        places.write_private(_file(), json.dumps(found))
    except OSError as why:
        door.note(f"not kept for later: {why}")
    return found


def _on_call(door: Door) -> dict[str, Any]:
    """Whoever is on call by the first schedule that somebody serves, oneself before others."""
    until = door.client.me()["on_call_until"]
    if until is not None:
        return {"on_call": "me", "until": until}
    try:
        found = [one for one in door.client.on_call() if one["user"]]
    except errors.Forbidden:
        found = []
    return {"on_call": found[0]["user_name"], "until": found[0]["until"]} if found else {"on_call": None, "until": None}


def _file() -> Path:
    """Each context and session has its own."""
    import os
    from hashlib import sha256

    from siems import contexts

    name = contexts.chosen().name
    session = places.session_file(name)
    who = os.environ.get("SIEMS_TOKEN", "") or (session.read_text() if session.is_file() else "")
    return places.cache_dir() / f"status-{sha256(f'{name} {who}'.encode()).hexdigest()[:16]}.json"


def _kept() -> dict[str, Any] | None:
    """What was shown last. Nothing where it cannot be read, or what it says is not what is shown now."""
    known = {*COUNTS, "on_call", "until", "as_of", "stale"}
    try:
        found = json.loads(_file().read_text())
        if not isinstance(found, dict) or set(found) != known:
            return None
        _age(found)
        return found
    except (OSError, ValueError, TypeError):
        return None


def _age(found: Item) -> timedelta:
    from siems.present import instant

    return datetime.now(UTC) - instant(found["as_of"])


def short(found: Item) -> str:
    """`2C 5H x1 me3 maria 18:00`; what is zero is left out."""
    from siems.present import person

    parts = [f"{found[name]}{sign}" for name, sign in (("critical", "C"), ("high", "H")) if found[name]]
    parts += [f"{sign}{found[name]}" for name, sign in (("breached", "x"), ("mine", "me")) if found[name]]
    parts = parts or [f"{found['open']} open"]
    if found["on_call"]:
        parts.append(f"{person(found['on_call'], width=12)} {_until(found)}".strip())
    return " ".join([*parts, f"({_old(found)} old)"] if found["stale"] else parts)


def long(found: Item) -> list[str]:
    from siems.present import safe

    lines = [
        f"open      {found['open']}  ({found['critical']} CRITICAL, {found['high']} HIGH)",
        f"breached  {found['breached']}",
        f"mine      {found['mine']}",
        f"on call   {safe(found['on_call'])} until {_until(found)}" if found["on_call"] else "on call   nobody",
    ]
    return [*lines, f"no daemon answers: this is {_old(found)} old"] if found["stale"] else lines


def _old(found: Item) -> str:
    from siems.present import took

    return took(max(0.0, _age(found).total_seconds()))


def _until(found: Item) -> str:
    """18:00, or the day where that is not within one; on the clock of this machine."""
    from siems.present import instant

    if found["until"] is None:
        return ""
    there = instant(found["until"]).astimezone()
    far = there - datetime.now(UTC) >= timedelta(days=1)
    return f"{there:%a %H:%M}" if far else f"{there:%H:%M}"
