"""Windows about runs: which runbook for an incident, and the answer to whoever asks for a run."""

from __future__ import annotations

from collections.abc import Sequence

from siems import present
from siems.tui import run_lines
from siems.tui.looks import Line, Piece, wrap
from siems.tui.run_reads import BooksRead
from siems.tui.screens.form import Form, Slot, named
from siems.tui.screens.searched import Searched
from siems.wire import IncidentView, RunbookView, RunDetail, RunHostView, RunView, SuggestionView


class ChooseRunbook(Searched[SuggestionView | RunbookView]):
    """The runbooks that match an incident, then the others; typing searches. Leaves with a name."""

    WIDTH = 100
    PROMPT = "runbook: "
    HINT = "type a part of its name; enter shows what it would do"
    NOTHING = "no runbook of that name:  siems runbook new"

    def __init__(self, view: IncidentView) -> None:
        super().__init__(f" a runbook for {view.id} {view.company[:40]} ")
        self.view, self.read, self.loaded = view, BooksRead(view.id), False

    def fill(self, read: BooksRead) -> None:
        if read.about == self.view.id:
            self.read, self.loaded = read, True
            self.repaint()

    def every(self) -> Sequence[SuggestionView | RunbookView]:
        return [*self.read.suggested, *self.read.others]

    def said(self, one: SuggestionView | RunbookView) -> str:
        return f"{one.name} {one.title}"

    def content(self) -> Sequence[Line]:
        if self.read.why:
            return [[(self.read.why, "error")], self._keys()]
        if not self.loaded:
            return [[("reading...", "dim")]]
        rows, found = self.rows(max(3, min(16, self.room - 5))), self.found
        here: Line = [(present.safe(found[self.at].title[:200]), "dim")] if found else []
        return [*rows, here, self._keys()]

    def _keys(self) -> Line:
        return [("enter", "key"), (" what it would do   ", ""), ("up down", "key"), (" choose   ", ""),
                ("esc", "key"), (" close", "")]  # fmt: skip

    def row(self, one: SuggestionView | RunbookView, here: bool) -> Line:
        cut = self.siems.looks.cut
        if isinstance(one, SuggestionView):
            times = (
                f"fixed it {one.fixed} times before" if one.fixed > 1 else "fixed it before" if one.fixed else "matches"
            )
            why, role = times, "v" if one.fixed else "bold"
        else:
            why, role = one.category, "dim"
        needs = {"low": "runs at once", "medium": "needs a manager", "high": "needs an admin"}.get(one.risk, "")
        last = next((run for run in self.read.past if run.runbook == one.name), None)
        ran = f"last {run_lines.state(last)[0].lower()}" if last is not None else ""
        return [
            ("> " if here else "  ", "mark"), (present.cell(one.name, 26, mark=cut) + " ", "bold" if here else ""),
            (f"{one.risk:<7}", run_lines.RISKS.get(one.risk, "")), (f"{needs:<16}", "dim"),
            (present.cell(why, 24, mark=cut), role), (ran[:20], "dim"),
        ]  # fmt: skip


def numbered(run: RunView) -> Slot:
    """The field of what changes machines: the run's number, or for HIGH the id of its company."""
    if run.risk == "high":
        return named(run.company_id)
    number = run.id.removeprefix("RUN-")

    def check(text: str) -> str:
        return "" if text.strip().upper() in (number, run.id) else f"type {number}, the number of this run"

    return Slot("confirm", "t", "type", f"{number}, the number of the run", needed=True, check=check)


def about(run: RunView, width: int) -> list[Line]:
    """What a window about a run is about."""
    hosts = run_lines.names(run.hosts, 8) if isinstance(run, RunDetail) else present.plural(run.hosts_total, "host")
    lines: list[Line] = [
        [(f"{run.id} {run_lines.name(run)}", "bold"),
         (f"   {run.risk} risk", run_lines.RISKS.get(run.risk, "")), (f"   {present.safe(run.company[:40])}", "")],
        *([("on ", "dim"), (part, "")] for part in wrap(hosts, width - 3, most=2)),
        [("asked by ", "dim"), (present.person(run.requested_by_name), ""),
         (f': "{present.safe(run.reason[:200])}"' if run.reason else "", "")],
    ]  # fmt: skip
    if run.values:
        told = "  ".join(f"{name}={value}" for name, value in run.values.items())
        lines.append([("with ", "dim"), (present.safe(told[:400]), "")])
    return lines


class AnswerRun(Form):
    """`y` approves once the run's number or the company's id was typed, `n` rejects once a reason was."""

    def __init__(self, run: RunView) -> None:
        reason = Slot("reason", "r", "reason", "why not, to reject it")
        super().__init__(f" {run.id} waits for your answer ", "approve", (numbered(run), reason))
        self.run = run

    def _next_field(self) -> None:
        """Nothing is typed before its key was pressed: a rejection needs another field than an approval."""
        self.set_focus(None)
        self.repaint()

    def content(self) -> list[Line]:
        return [*about(self.run, self.width), []]

    def foot(self) -> list[Line]:
        if self.focused is not None:
            return super().foot()
        slot = self.slots[0]
        keys: list[Piece] = [("t", "key"), (f" type {slot.hint}, then ", ""), ("y", "key"), (" approve   ", "bold")]
        more: list[Piece] = [("r", "key"), (" give a reason, then ", ""), ("n", "key"), (" reject   ", "bold"),
                             ("esc", "key"), (" decide later", "")]  # fmt: skip
        return [[(self.complaint, "error")], keys, more]

    def key_pressed(self, key: str) -> None:
        if key != "n":
            super().key_pressed(key)
        elif reason := self._field(self.slots[1]).value.strip():
            self.dismiss({"verb": "reject", "reason": reason})
        else:
            self.complaint = "whoever asked wants to know why: press r"
            self.repaint()

    def _act(self) -> None:
        if fault := self._fault(self.slots[0]):
            self.complaint = fault
            self.repaint()
            return
        confirm, reason = (self._field(slot).value.strip() for slot in self.slots)
        self.dismiss({"verb": "approve", "confirm": confirm, "reason": reason})


CHOICES = (
    ("t", "retry", "try this step again"), ("c", "go-on", "go on with the next step: you have put it right by hand"),
    ("s", "skip", "leave this host out; the others go on"), ("H", "hold", "hold it: somebody has it, answer later"),
)  # fmt: skip
"""(key, answer, what it does)."""


class AnswerHost(Form):
    """What becomes of a host on which a step failed: one key for each answer, none of them the one that opened it."""

    def __init__(self, run: RunDetail, host: RunHostView) -> None:
        super().__init__(f" {host.name} asks what now ", "", (Slot("reason", "r", "reason", "if there is one"),))
        self.run, self.host = run, host

    def content(self) -> list[Line]:
        step = self.host.steps[-1].name if self.host.steps else ""
        lines: list[Line] = [
            [(f"{self.run.id} {run_lines.name(self.run)}", "bold"), (f"   {present.safe(self.run.company[:40])}", "")],
            [("step ", "dim"), (f"{self.host.step} {present.safe(step[:60])}", "")],
            *([(part, "error")] for part in wrap(present.safe(self.host.detail[:400]), self.width, most=3)),
            [],
        ]
        able = self.host.actions
        lines += [
            [(f"{key}  ", "key" if answer in able else "dim"), (does, "" if answer in able else "dim")]
            for key, answer, does in CHOICES
        ]
        return [*lines, []]

    def foot(self) -> list[Line]:
        if self.focused is not None:
            return super().foot()
        keys: list[Piece] = [("r", "key"), (" give a reason   ", ""), ("esc", "key"), (" leave it waiting", "")]
        return [[(self.complaint, "error")], keys]

    def key_pressed(self, key: str) -> None:
        answer = next((answer for wanted, answer, _ in CHOICES if wanted == key), "")
        if answer in self.host.actions:
            self.dismiss({"answer": answer, "reason": self._field(self.slots[0]).value})
        elif answer:
            self.complaint = f"{answer} is not possible: {self.host.name} is {self.host.state}"
            self.repaint()
        elif key != "y":
            super().key_pressed(key)
