"""The confirmation: it lists what is meant, takes what the action must be told, and acts on `y` alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from siems import present
from siems.tui.actions import Deed
from siems.tui.desk import Target
from siems.tui.looks import Line
from siems.tui.screens.form import Form, Slot, length, named

LISTED = 8
HOLD_REASONS = ("client", "vendor", "parts", "scheduled")
HOLD_AT_MOST = timedelta(days=7)


def _hold_for(text: str) -> str:
    return "" if text in HOLD_REASONS else f"one of {', '.join(HOLD_REASONS)}"


def _until(text: str) -> str:
    if text.strip().isdigit():
        return f"a length with its unit: {text.strip()}m or {text.strip()}h"
    found = length(text)
    if found is None:
        return "a length such as 30m, 4h or 1d12h"
    return "" if timedelta(0) < found <= HOLD_AT_MOST else "at most 7d"


def _level(text: str) -> str:
    return "" if not text or text in ("2", "3") else "2 or 3; empty for the next one"


NOTE = Slot("note", "n", "note", "what was done", needed=True)
REASON = Slot("reason", "r", "reason", "why", needed=True)


def slots(deed: Deed, targets: Sequence[Target]) -> tuple[Slot, ...]:
    """What the dialog of an action asks for."""
    match deed.id:
        case "resolve":
            late = any(one.breached for one in targets)
            return (NOTE, Slot("cause", "c", "cause", "what it was", needed=late))
        case "reopen":
            return (REASON,)
        case "escalate":
            return (REASON, Slot("level", "l", "level", "empty: the next one", check=_level))
        case "close":
            return (Slot("reason", "r", "reason", "if there is one"),)
        case "note":
            return (Slot("note", "n", "note", "the text", needed=True),)
        case "hold":
            return (
                Slot("hold_for", "f", "for", " ".join(HOLD_REASONS), needed=True, check=_hold_for),
                Slot("until", "u", "until", "30m, 4h, 1d12h; at most 7d", needed=True, value="4h", check=_until),
            )
        case _:
            return ()


def told(values: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """The fields of the request that were filled in."""
    out: dict[str, Any] = {name: text.strip() for name, text in values.items() if text.strip()}
    if "level" in out:
        out["level"] = int(out["level"])
    if "until" in out:
        span = length(out["until"])
        assert span is not None
        out["until"] = (now + span).isoformat()
    return out


class Confirm(Form):
    """What is meant, and what the action must be told."""

    def __init__(self, deed: Deed, targets: Sequence[Target], *, to: str = "", typed: str = "") -> None:
        count = f"{len(targets)} incidents" if len(targets) != 1 else targets[0].ref
        asked = (*slots(deed, targets), *([named(typed)] if typed else []))
        super().__init__(f" {deed.title.partition('...')[0].partition(' or ')[0]} {count} ", deed.needs, asked)
        self.deed, self.targets, self.to = deed, targets, to

    def content(self) -> list[Line]:
        lines: list[Line] = [self._target(one) for one in self.targets[:LISTED]]
        if len(self.targets) > LISTED:
            lines.append([(f"and {len(self.targets) - LISTED} more", "bold")])
        if self.to:
            lines.append([("to ", "dim"), (self.to, "bold")])
        return [*lines, []] if self.slots else lines

    def _target(self, one: Target) -> Line:
        room = self.width - 30
        return [
            (present.cell(one.ref, 9), "bold"), (present.severity_short(one.severity) + "  ", one.severity),
            (present.cell(one.title, room, mark=self.siems.looks.cut), ""),
            ("  " + present.cell(one.company, 15), "dim"),
        ]  # fmt: skip
