"""Escalation policies: their steps, who uses them, and who would be paged at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual.app import ComposeResult

from siems import present
from siems.tui.actions import Where
from siems.tui.frame import rule
from siems.tui.looks import Line, wrap
from siems.tui.panes import Scene
from siems.tui.screens.overlay import Overlay
from siems.tui.screens.place import bindings
from siems.tui.screens.roster import Column, Roster
from siems.tui.widgets.choice import Choice
from siems.tui.widgets.field import Field
from siems.wire import PolicyTrial, PolicyView

SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW")


def steps(view: PolicyView) -> list[str]:
    """`2  role:manager, after 5m (CRITICAL 15m)`: the steps in words."""
    lines = []
    for level, step in enumerate(view.policy.get("steps", ()), 1):
        waits = step.get("wait") or {}
        after = ", ".join(f"{word} {span}" for word, span in waits.items()) if isinstance(waits, dict) else str(waits)
        quiet = "" if step.get("important", True) else "   quietly"
        lines.append(f"{level}  {', '.join(step.get('targets', ()))}{f'   after {after}' if after else ''}{quiet}")
    return lines


class ChainsScreen(Roster[PolicyView]):
    """The policies that the reader may see."""

    BINDINGS = bindings(Where.CHAINS)
    WHERE = Where.CHAINS
    NOUNS = ("escalation policy", "escalation policies")
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
        lines: list[Line] = [rule(self.siems.looks, width, f"{row.name}, version {row.version}", "enter try it")]
        return [*lines, *([(present.clip(present.safe(text), width), "")] for text in steps(row)[: self.STRIP - 1])]

    def nothing(self) -> list[list[tuple[str, str]]]:
        return [[("There is no policy that you may see.", "bold")], [("siems escalation policy create NAME", "key")]]

    def clicked_twice(self) -> None:
        self.do_try()

    def do_try(self) -> None:
        if self.current is not None:
            self.siems.push_screen(TryChain(self.current))


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
            whose, opened = trial.company_id.removeprefix("comp-"), scene.time(trial.opened_at)
            lines.append([(f"{trial.severity} of {whose}, opened {opened}, if nobody does anything:", "bold")])
            for one in trial.steps:
                who = ", ".join((*one.people, *one.webhooks))
                quiet = f"  inbox: {', '.join(one.inbox)}" if one.inbox else ""
                said = f"{one.text}: {who}" if who and who not in one.text else one.text
                known = one.level is None or f"level {one.level}" in said
                text = f"{one.kind:<6} {'' if known else f'level {one.level} '}{said.removeprefix(': ')}{quiet}"
                parts = wrap(text, self.width - 12)
                lines += [
                    [(f"{scene.time(one.at) if at == 0 else '':<12}", "dim"), (part, "")]
                    for at, part in enumerate(parts)
                ]
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
