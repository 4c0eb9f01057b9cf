"""The confirmation: it lists what is meant, takes what the action must be told, and acts on `y` alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from textual.app import ComposeResult

from siems import present
from siems.tui.actions import Deed
from siems.tui.desk import Target
from siems.tui.looks import Line, Piece
from siems.tui.screens.overlay import Overlay
from siems.tui.widgets.field import Field

LISTED = 8
HOLD_REASONS = ("client", "vendor", "parts", "scheduled")
HOLD_AT_MOST = timedelta(days=7)
_PART = re.compile(r"(\d+)([wdhm])")
_UNITS = {"w": 7 * 86_400, "d": 86_400, "h": 3_600, "m": 60}


@dataclass(frozen=True, slots=True)
class Slot:
    """One thing that an action is told: the key that opens its field, and what it must look like."""

    name: str
    key: str
    label: str
    hint: str = ""
    needed: bool = False
    value: str = ""
    check: Callable[[str], str] = lambda text: ""


def length(text: str) -> timedelta | None:
    """`30m`, `4h`, `1d12h`; None for anything else, a bare number too."""
    parts = _PART.findall(text.strip())
    if not parts or "".join(n + unit for n, unit in parts) != text.strip().replace(" ", ""):
        return None
    return timedelta(seconds=sum(int(n) * _UNITS[unit] for n, unit in parts))


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


class Confirm(Overlay[dict[str, str] | None]):
    """`y` outside a text field acts; Enter only ends a field, Esc leaves it or the dialog."""

    def __init__(self, deed: Deed, targets: Sequence[Target], *, to: str = "") -> None:
        count = f"{len(targets)} incidents" if len(targets) != 1 else targets[0].ref
        super().__init__(f" {deed.title.partition('...')[0].partition(' or ')[0]} {count} ")
        self.deed, self.targets, self.to = deed, targets, to
        self.slots = slots(deed, targets)
        self.complaint = ""

    def compose_fields(self) -> ComposeResult:
        for slot in self.slots:
            label = f"{slot.key}  {slot.label:<7}"
            need = "" if slot.needed else "(optional) "
            field = Field(self.siems.looks, label, value=slot.value, hint=need + slot.hint, id=f"slot-{slot.name}")
            field.awake = lambda: self.awake
            yield field

    def on_mount(self) -> None:
        super().on_mount()
        self._next_field()

    def _field(self, slot: Slot) -> Field:
        return self.query_one(f"#slot-{slot.name}", Field)

    def _next_field(self) -> None:
        """Go to the first field that is still needed; when there is none, wait for `y`."""
        for slot in self.slots:
            if slot.needed and not self._field(slot).value.strip():
                self._field(slot).focus()
                self.repaint()
                return
        self.set_focus(None)
        self.repaint()

    def content(self) -> list[Line]:
        lines: list[Line] = [self._target(one) for one in self.targets[:LISTED]]
        if len(self.targets) > LISTED:
            lines.append([(f"and {len(self.targets) - LISTED} more", "bold")])
        if self.to:
            lines.append([("to ", "dim"), (self.to, "bold")])
        return [*lines, []] if self.slots else lines

    def foot(self) -> list[Line]:
        typing = self.focused is not None
        ready: list[Piece] = [
            ("y", "off" if typing else "key"),
            (f" {self.deed.needs}", "off" if typing else "bold"),
        ]
        for slot in self.slots:
            ready += [
                (f"   {slot.key}", "off" if typing else "key"),
                (f" {slot.label}", "off" if typing else ""),
            ]
        ready += [("   esc", "key"), (" leave the field" if typing else " cancel", "")]
        if typing:
            ready += [("   enter", "key"), (" goes on", "")]
        return [[(self.complaint, "error")], ready]

    def _target(self, one: Target) -> Line:
        room = self.width - 30
        return [
            (present.cell(one.ref, 9), "bold"), (present.severity_short(one.severity) + "  ", one.severity),
            (present.cell(one.title, room, mark=self.siems.looks.cut), ""),
            ("  " + present.cell(one.company, 15), "dim"),
        ]  # fmt: skip

    def on_field_entered(self, event: Field.Entered) -> None:
        event.stop()
        self._check(event.field)
        if not self.complaint:
            self._next_field()
        self.repaint()

    def on_field_left(self, event: Field.Left) -> None:
        event.stop()
        if self.awake:
            self.set_focus(None)
            self.repaint()

    def _check(self, field: Field) -> None:
        self.complaint = ""
        for slot in self.slots:
            if self._field(slot) is field:
                self.complaint = self._fault(slot)

    def _fault(self, slot: Slot) -> str:
        value = self._field(slot).value.strip()
        if not value:
            return f"{slot.label} is needed: press {slot.key}" if slot.needed else ""
        fault = slot.check(value)
        return f"{slot.label}: {fault}" if fault else ""

    def key_pressed(self, key: str) -> None:
        slot = next((one for one in self.slots if one.key == key), None)
        if slot is not None:
            self._field(slot).focus()
            self.repaint()
        elif key == "y":
            self._act()
        else:
            super().key_pressed(key)

    def _act(self) -> None:
        faults = [fault for slot in self.slots if (fault := self._fault(slot))]
        if faults:
            self.complaint = faults[0]
            self.repaint()
            return
        self.dismiss({slot.name: self._field(slot).value for slot in self.slots})
