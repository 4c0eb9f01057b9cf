"""Before a run: its parameters, the hosts that it would reach, every command, and who has to approve it."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from textual.app import ComposeResult

from siems import present
from siems.tui import run_lines
from siems.tui.looks import Line, Piece, wrap
from siems.tui.run_reads import Rehearsed
from siems.tui.screens.form import Form, Slot
from siems.tui.widgets.field import Field
from siems.wire import IncidentView, ParameterView, RunbookDetail, RunPlan

DIGITS = "123456789"
OPTIONS = ("parallel", "canary", "failures", "executor")


def _number(low: int, high: int) -> Any:
    def check(text: str) -> str:
        return "" if text.isdigit() and low <= int(text) <= high else f"a number from {low} to {high}"

    return check


def _parameter(place: int, one: ParameterView) -> Slot:
    choices = f"{' '.join(one.choices)}; " if one.choices else ""
    default = f"[{one.default}] " if one.default else ""
    told = f"{default}{choices}{one.description or one.wants}"[:200]
    return Slot(f"p-{one.name}", DIGITS[place], one.name, told, needed=one.default is None)


class PlanWindow(Form):
    """Whatever is entered is tried at once, without effect; `y` alone asks for the run."""

    WIDTH = 116

    def __init__(self, view: IncidentView, book: RunbookDetail, *, armed: bool) -> None:
        parameters = [_parameter(place, one) for place, one in enumerate(book.parameters[: len(DIGITS)])]
        hosts = Slot("hosts", "h", "hosts", f"all of {view.id}: {', '.join(view.assets[:6])}")
        slots = (
            *parameters, hosts,
            Slot("parallel", "p", "parallel", "4 at a time", check=_number(1, 100)),
            Slot("canary", "k", "canary", "1 goes first, alone", check=_number(0, 500)),
            Slot("failures", "m", "failures", "0 may fail before no other host begins", check=_number(0, 500)),
            Slot("executor", "e", "executor", "as each host is reached; ssh, ssm, winrm, local"),
            Slot("reason", "r", "reason", "why, for whoever approves it and for the record"),
            Slot("confirm", "t", "type", ""),
        )  # fmt: skip
        super().__init__(f" {book.name} for {view.id} ", "start it", slots)
        self.view, self.book, self.armed = view, book, armed
        self.plan: RunPlan | None = None
        self.why = ""
        self.number = self.top = 0
        self.exact = self.options = False

    # --- fields ---------------------------------------------------------------------------------------------

    def compose_fields(self) -> ComposeResult:
        wide = max(len(slot.label) for slot in self.slots)
        for slot in self.slots:
            label, need = f"{slot.key}  {slot.label:<{wide}}  ", "(needed) " if slot.needed else ""
            field = Field(self.siems.looks, label, hint=need + slot.hint, id=f"slot-{slot.name}")
            field.awake = lambda: self.awake
            yield field

    def on_mount(self) -> None:
        super().on_mount()
        self._show_fields()
        self.rehearse()

    def _show_fields(self) -> None:
        for slot in self.slots:
            hidden = (slot.name in OPTIONS and not self.options) or (slot.name == "confirm" and not self.wanted)
            self._field(slot).display = not (hidden or self.exact)

    @property
    def wanted(self) -> str:
        """What has to be typed: the company's id for HIGH, its short name in an armed context."""
        if self.plan is not None and self.plan.risk == "high":
            return self.plan.company_id
        return self.view.company_id.removeprefix("comp-") if self.armed else ""

    def _value(self, name: str) -> str:
        return self.query_one(f"#slot-{name}", Field).value.strip()

    def ask(self) -> dict[str, Any]:
        """As the daemon takes it."""
        given = {one.name: self._value(f"p-{one.name}") for one in self.book.parameters[: len(DIGITS)]}
        said: dict[str, Any] = {
            "runbook": self.book.name, "company": self.view.company_id, "incident": self.view.id,
            "hosts": self._value("hosts").replace(",", " ").split(),
            "values": {name: value for name, value in given.items() if value},
            "executor": self._value("executor"), "reason": self._value("reason"),
        }  # fmt: skip
        for name, field in (("parallel", "parallel"), ("canary", "canary"), ("max_failures", "failures")):
            if self._value(field).isdigit():
                said[name] = int(self._value(field))
        if self.plan is not None and self.plan.risk == "high":
            said["confirm"] = self._value("confirm")
        return said

    def shell(self) -> str:
        """The command line that asks for the same."""
        return shell_line(self.ask())

    def rehearse(self) -> None:
        if self.siems.state.up:
            self.number += 1
            self.siems.run_reads.rehearse(self.number, self.ask())

    def fill(self, found: Rehearsed) -> None:
        """What it would do, as of what was entered last."""
        if found.number == self.number:
            self.plan, self.why = found.plan, found.why
            if self.plan is not None:
                self.verb = "ask for approval" if self.plan.approval and not self.plan.standing else "start it"
            field = self.query_one("#slot-confirm", Field)
            field.hint = f"{self.wanted} in full"
            self._show_fields()
            self.repaint()

    def on_field_entered(self, event: Field.Entered) -> None:
        super().on_field_entered(event)
        if event.field.id != "slot-confirm":
            self.rehearse()

    def _fault(self, slot: Slot) -> str:
        if slot.name == "confirm":
            right = not self.wanted or self._value("confirm") == self.wanted
            return "" if right else f"press t and type {self.wanted} in full"
        return super()._fault(slot)

    # --- what is shown --------------------------------------------------------------------------------------

    def _height(self) -> int:
        shown = sum(self._field(slot).display for slot in self.slots)
        return max(4, self.room - shown - 2)

    def content(self) -> list[Line]:
        height = self._height()
        if self.exact:
            lines = self._commands()
            self.top = max(0, min(self.top, len(lines) - height))
            return (lines or self._unknown())[self.top : self.top + height]
        lines = [*self._head(), *self._targets(height - len(self._head()) - 1)]
        return [*lines[: height - 1], []]

    def _head(self) -> list[Line]:
        plan = self.plan
        lines: list[Line] = [[(present.safe(self.book.title[:200]), "bold")]]
        if plan is None:
            return [*lines, *self._unknown()]
        where = f"   {present.plural(len(plan.targets), 'host')} of {present.safe(plan.company[:40])}"
        lines.append([(f"{plan.risk.upper()} risk", run_lines.RISKS.get(plan.risk, "")), (where, "bold")])
        lines.append([run_lines.needs(plan)])
        return [*lines, *([("note: ", "dim"), (present.safe(note[:200]), "")] for note in plan.notes[:3])]

    def _targets(self, room: int) -> list[Line]:
        targets = self.plan.targets if self.plan is not None else []
        shown = targets if len(targets) <= room else targets[: max(0, room - 1)]
        lines: list[Line] = [
            [("  ", ""), (present.cell(one.name, 20), "bold"), (f"  {one.platform} by {one.executor}  ", ""),
             (present.safe(one.address[:40]), "dim"), (f"  {present.safe(one.note[:60])}" if one.note else "", "!")]
            for one in shown
        ]  # fmt: skip
        if len(shown) < len(targets):
            lines.append([(f"  and {len(targets) - len(shown)} more: d lists all", "dim")])
        return lines

    def _commands(self) -> list[Line]:
        """Every command, under the names of the hosts where it is the same."""
        lines: list[Line] = []
        for commands, group in groupby(self.plan.targets if self.plan else (), key=lambda target: target.commands):
            told = ", ".join(target.name for target in group)
            lines += [[("on ", "dim"), (part, "bold")] for part in wrap(told, self.width - 3)]
            lines += [*run_lines.commands(commands, self.width), []]
        return lines

    def _unknown(self) -> list[Line]:
        """Why there is no command to show."""
        told = self.why or "looking where it would run..."
        return [[(part, "error" if self.why else "dim")] for part in wrap(told, self.width, most=4)]

    def foot(self) -> list[Line]:
        if self.focused is not None:
            return super().foot()
        if self.exact:
            return [[("j k", "key"), (" scroll   ", ""), ("d", "key"), (" back to the plan   ", ""),
                     ("y", "key"), (f" {self.verb}   ", "bold"), ("esc", "key"), (" cancel", "")]]  # fmt: skip
        line: list[Piece] = [("y", "key"), (f" {self.verb}   ", "bold"), ("d", "key"), (" every command   ", ""),
                             ("o", "key"), (" options   ", ""), ("esc", "key"), (" cancel", "")]  # fmt: skip
        return [[(self.complaint, "error")], line]

    # --- keys -----------------------------------------------------------------------------------------------

    def key_pressed(self, key: str) -> None:
        page = max(1, self._height() - 1)
        moves = {
            "j": 1,
            "down": 1,
            "k": -1,
            "up": -1,
            "pagedown": page,
            "pageup": -page,
            "g": -1_000_000,
            "G": 1_000_000,
        }
        if key == "d" or (self.exact and key in moves):
            self.exact = self.exact if key in moves else not self.exact
            self.top = max(0, self.top + moves.get(key, 0))
            self._show_fields()
            self.repaint()
        elif key == "o":
            self.options = not self.options
            self._show_fields()
            self.repaint()
        elif (self.exact and key != "y") or (key in ("p", "k", "m", "e") and not self.options):
            return
        elif key != "t" or self.wanted:
            super().key_pressed(key)

    def _act(self) -> None:
        if self.plan is None:
            self.complaint = self.why or "it is not known yet what this would do"
            self.repaint()
        else:
            super()._act()


def shell_line(ask: dict[str, Any]) -> str:
    """`siems runbook run ...` of what is asked for."""
    import shlex

    words = ["siems", "runbook", "run", ask["runbook"], "--incident", ask["incident"]]
    for host in ask["hosts"]:
        words += ["--host", host]
    for name, value in ask["values"].items():
        words += ["--var", f"{name}={value}"]
    for flag in ("executor", "parallel", "canary", "max_failures", "confirm", "reason"):
        if ask.get(flag) not in (None, ""):
            words += [f"--{flag.replace('_', '-')}", str(ask[flag])]
    return shlex.join(words)
