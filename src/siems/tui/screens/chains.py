"""Escalation policies: their steps, who uses them, and who would be paged at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from types import MappingProxyType

from textual.app import ComposeResult

from siems import present
from siems.tui.actions import Where
from siems.tui.chain_lines import steps, trial_lines
from siems.tui.frame import rule
from siems.tui.looks import Line
from siems.tui.panes import Scene
from siems.tui.screens.overlay import Overlay
from siems.tui.screens.place import bindings
from siems.tui.screens.roster import Column, Roster
from siems.tui.widgets.choice import Choice
from siems.tui.widgets.field import Field
from siems.wire import PolicyTrial, PolicyView

SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW")


class ChainsScreen(Roster[PolicyView]):
    """The policies that the reader may see."""

    BINDINGS = bindings(Where.CHAINS)
    WHERE = Where.CHAINS
    NOUNS = ("escalation policy", "escalation policies")
    NEEDS = MappingProxyType({"new": "company_settings", "edit": "company_settings", "expire": "company_settings"})
    STRIP = 6

    def read(self) -> None:
        self.siems.read_policies()

    def key(self, row: PolicyView) -> str:
        return row.id

    def words(self, row: PolicyView) -> str:
        return f"{row.id} {row.name} {row.company_id} {' '.join(row.companies)}"

    def columns(self) -> Sequence[Column[PolicyView]]:
        now = self.siems.clock.now()
        return (
            Column("POLICY", 18, lambda p: (p.name, "bold")),
            Column("OF", 14, lambda p: ("MSP" if p.company_id == "msp" else p.company_id.removeprefix("comp-"), "")),
            Column("STEPS", 5, lambda p: (str(len(p.policy.get("steps", ()))), ""), right=True),
            Column("REPEAT", 6, lambda p: (str(p.policy.get("repeat", 0)), ""), right=True),
            Column(
                "USED BY", 0, lambda p: (", ".join(c.removeprefix("comp-") for c in p.companies) or "no client", "")
            ),
            Column("CHANGED", 10, lambda p: (present.ago(p.changed_at, now), "dim")),
        )

    def about(self, row: PolicyView, width: int) -> list[Line]:
        lines: list[Line] = [
            rule(self.siems.looks, width, f"{row.name}, version {row.version}", "w who would be paged")
        ]
        return [*lines, *([(present.clip(present.safe(text), width), "")] for text in steps(row)[: self.STRIP - 1])]

    def nothing(self) -> list[list[tuple[str, str]]]:
        return [[("There is no policy that you may see.", "bold")], [("N", "key"), (" makes one", "")]]

    def clicked_twice(self) -> None:
        self.do_edit()

    def do_who(self) -> None:
        """Whom it would page for an incident that is pretended."""
        if self.current is not None:
            self.siems.push_screen(TryChain(self.current))

    def do_new(self) -> None:
        if self.siems.may_change("a new policy"):
            self.siems.open_chain(None)

    def do_edit(self) -> None:
        if self.current is not None and self._mine(self.current) and self.siems.may_change("changing a policy"):
            self.siems.open_chain(self.current)

    def do_expire(self) -> None:
        if self.current is not None and self._mine(self.current):
            self.siems.end_chain(self.current)

    def _mine(self, row: PolicyView) -> bool:
        """Those of the MSP are for admins; the daemon decides all the same."""
        if self.siems.may("administer") or row.company_id != "msp":
            return True
        self.siems.tell(f"{row.name} is the MSP's: an admin changes it; N makes one of a client", "error")
        return False


class TryChain(Overlay[None]):
    """One policy, and who it would page for an incident that opens then."""

    WIDTH = 110

    def __init__(self, view: PolicyView) -> None:
        super().__init__(f" policy {view.name} ")
        self.view, self.said, self.top = view, "", 0
        self.trial: PolicyTrial | None = None

    def compose_fields(self) -> ComposeResult:
        looks = self.siems.looks
        yield Choice(looks, "severity  ", SEVERITIES, id="severity")
        yield Field(looks, "opened at ", hint="now; or 2026-03-14 03:00 (times as on the first line)", id="at")

    def on_mount(self) -> None:
        super().on_mount()
        for field in self.query(Field):
            field.awake = lambda: self.awake
        self._ask()

    def _ask(self) -> None:
        text = self.query_one("#at", Field).value.strip()
        moment: datetime | None = None
        if text:
            try:
                found = datetime.fromisoformat(text)
            except ValueError:
                self.said = f"{text} is no time: write 2026-03-14 03:00"
                self.repaint()
                return
            moment = found if found.tzinfo else found.replace(tzinfo=self.siems.zone)
        self.said = "asking ..."
        self.siems.try_policy(self.view.id, self.query_one("#severity", Choice).value, moment)
        self.repaint()

    def fill(self, trial: PolicyTrial) -> None:
        if trial.policy_id == self.view.id:
            self.trial, self.said, self.top = trial, "", 0
            self.repaint()

    def told(self, why: str) -> None:
        self.said = why
        self.repaint()

    def content(self) -> Sequence[Line]:
        lines: list[Line] = [[(text, "")] for text in steps(self.view)]
        p = self.view.policy
        lines += [
            [(f"repeat {p.get('repeat', 0)}, {'reassigns' if p.get('reassign') else 'does not reassign'}", "dim")],
            [],
        ]
        trial = self.trial
        if trial is not None:
            scene = Scene(self.siems.clock.now(), self.siems.looks, self.siems.zone)
            lines += trial_lines(trial, scene, self.width)
        room = max(3, self.room - 6)
        self.top = max(0, min(self.top, len(lines) - room))
        return [*lines[self.top : self.top + room], []]

    def foot(self) -> Sequence[Line]:
        said: list[Line] = [[(present.safe(self.said), "stale")]] if self.said else []
        return [
            *said,
            [
                ("s", "key"),
                (" severity  ", ""),
                ("a", "key"),
                (" time  ", ""),
                ("j k", "key"),
                (" scroll  ", ""),
                ("q esc", "key"),
                (" close", ""),
            ],
        ]

    def on_field_entered(self, event: Field.Entered) -> None:
        event.stop()
        self.set_focus(None)
        self._ask()

    def on_field_changed(self, event: Field.Changed) -> None:
        event.stop()
        if event.field.id == "severity":
            self._ask()

    def on_field_moved(self, event: Field.Moved) -> None:
        event.stop()

    def on_field_left(self, event: Field.Left) -> None:
        event.stop()
        if self.awake:
            self.set_focus(None)
            self.repaint()

    def key_pressed(self, key: str) -> None:
        if key in ("s", "a"):
            self.query_one("#severity" if key == "s" else "#at", Field).focus()
        elif key in ("j", "down", "k", "up"):
            self.top = max(0, self.top + (1 if key in ("j", "down") else -1))
        else:
            super().key_pressed(key)
            return
        self.repaint()
