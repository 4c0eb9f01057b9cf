"""A window that asks: text fields opened by their keys, and `y` outside of them, which alone acts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from textual.app import ComposeResult

from siems.tui.looks import Line, Piece, width_of
from siems.tui.screens.overlay import Overlay
from siems.tui.widgets.field import Field

_PART = re.compile(r"(\d+)([wdhm])")
_UNITS = {"w": 7 * 86_400, "d": 86_400, "h": 3_600, "m": 60}
_WHEN = re.compile(r"(?:(?P<day>[A-Za-z]{3}|\d{4}-\d{2}-\d{2})\s+)?(?P<hour>\d{1,2}):(?P<minute>\d{2})")
DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


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


def moment(text: str, now: datetime, zone: tzinfo) -> datetime | None:
    """`14:00` the next time it is, `Tue 14:00`, `2026-03-10 14:00`, or `4h` from now; None for anything else."""
    found = _WHEN.fullmatch(text.strip())
    if found is None:
        span = length(text)
        return None if span is None else now + span
    here = now.astimezone(zone)
    try:
        then = here.replace(hour=int(found["hour"]), minute=int(found["minute"]), second=0, microsecond=0)
        day = (found["day"] or "").lower()
        if not day:
            return then if then > here else then + timedelta(days=1)
        if day in DAY_NAMES:
            return then + timedelta(days=(DAY_NAMES.index(day) - here.weekday()) % 7)
        date = datetime.strptime(day, "%Y-%m-%d")  # noqa: DTZ007
        return then.replace(year=date.year, month=date.month, day=date.day)
    except ValueError:
        return None


def named(name: str) -> Slot:
    """The field of a severe act: it acts only after the name was typed in full."""

    def check(text: str) -> str:
        return "" if text.strip() == name else f"type {name} in full"

    return Slot("confirm", "t", "type", name, needed=True, check=check)


class Form(Overlay[dict[str, str] | None]):
    """`y` outside a text field acts; Enter only ends a field, Esc leaves it or the window."""

    def __init__(self, title: str, verb: str, slots: Sequence[Slot], lines: Sequence[Line] = ()) -> None:
        super().__init__(title)
        self.verb, self.slots, self.lines_above = verb, tuple(slots), list(lines)
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
        return [*self.lines_above, []] if self.slots else self.lines_above

    def foot(self) -> list[Line]:
        typing = self.focused is not None
        ready: list[Piece] = [("enter", "key"), (" goes on   ", ""), ("esc", "key"), (" leave the field", "")]
        if not typing:
            ends: list[Piece] = [("   esc", "key"), (" cancel", "")]
            act: list[Piece] = [("y", "key"), (f" {self.verb}", "bold")]
            fields = [piece for slot in self.slots for piece in ((f"   {slot.key}", "key"), (f" {slot.label}", ""))]
            # each key stands before its field as well
            ready = [*act, *fields, *ends] if width_of([*act, *fields, *ends]) <= self.width else [*act, *ends]
        return [[(self.complaint, "error")], ready]

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
