"""The runs: what waits for an answer, what goes on, and what became of the others."""

from __future__ import annotations

from collections.abc import Sequence

from siems import present
from siems.tui import frame, run_lines
from siems.tui.actions import Deed, Where
from siems.tui.looks import Line, Piece, spread
from siems.tui.screens.place import bindings
from siems.tui.screens.roster import Column, Roster
from siems.wire import RunView


class RunsScreen(Roster[RunView]):
    """Screen 3: the newest first. Its filter is one of the daemon's queries, or an incident."""

    BINDINGS = bindings(Where.RUNS)
    WHERE = Where.RUNS
    NOUNS = ("run", "runs")

    def __init__(self) -> None:
        super().__init__()
        self.incident = ""
        self.all_runs = 0
        self._kept = ("", "")

    # --- what is read ---------------------------------------------------------------------------------------

    @property
    def asked(self) -> str:
        return f"{self.query_text} {self.incident}".strip()

    def entered(self) -> None:
        self.read_again()

    def read(self) -> None:
        self.siems.run_reads.runs(self.query_text, self.incident)

    def take(self, query: str, runs: list[RunView], total: int) -> None:
        """An answer; one to what is not asked any more is too late."""
        if query == self.asked:
            self.all_runs, self._kept = total, (self.query_text, self.incident)
            self.fill(runs)

    def not_taken(self, query: str, why: str) -> None:
        """The daemon does not take this query: what was shown stays."""
        if query == self.asked:
            self.query_text, self.incident = self._kept
            self.siems.tell(f"runs: {why}", "error")
            self.shelf.loaded = True
            self.repaint()

    def _matching(self) -> list[RunView]:
        return self.all

    def about_incident(self, ref: str) -> None:
        """Only the runs of one incident."""
        self.incident, self.query_text, self.shelf.cursor = ref, "", ""

    def take_filter(self, text: str) -> None:
        if not self.siems.state.up:
            self.siems.tell("a filter needs the daemon; it is unreachable (ctrl+r retry)", "error")
            return
        self.query_text, self.shelf.cursor = text.strip(), ""
        self.read_again()
        self.repaint()

    def do_filter(self) -> None:
        self.prompt("filter", "/", value=self.query_text, hint="state:failed,running risk:high #acme restart")

    def do_back(self) -> None:
        if self.query_text or self.incident:
            self.incident = ""
            self.take_filter("")
        else:
            self.siems.leave_place()

    # --- what is shown --------------------------------------------------------------------------------------

    def key(self, row: RunView) -> str:
        return row.id

    def columns(self) -> Sequence[Column[RunView]]:
        now = self.siems.clock.now()
        return (
            Column("ID", 7, lambda one: (one.id, "bold")),
            Column("STATE", 13, self._state),
            Column("RUNBOOK", 0, lambda one: (run_lines.name(one), "")),
            Column("HOSTS", 7, self._hosts, right=True),
            Column("RISK", 6, lambda one: (one.risk, run_lines.RISKS.get(one.risk, ""))),
            Column("COMPANY", 12, lambda one: (one.company, "")),
            Column("INCIDENT", 9, lambda one: (one.incident_id or "", "link"), wide=True),
            Column("BY", 8, lambda one: (present.person(one.requested_by_name), ""), wide=True),
            Column("ASKED", 8, lambda one: (present.ago(one.requested_at, now), "dim")),
        )

    def _state(self, one: RunView) -> Piece:
        if one.state == "pending_approval":
            mine = "approve" in one.actions
            return ("? Y to answer" if mine else "? waits", "!" if mine else "~")
        word, role = run_lines.STATES.get(one.state, (one.state, ""))
        return (word.lower(), role)

    @staticmethod
    def _hosts(one: RunView) -> Piece:
        return (f"{one.hosts_succeeded}/{one.hosts_total}", "x" if one.hosts_failed else "")

    def about(self, row: RunView, width: int) -> list[Line]:
        scene = self.scene()
        lines: list[Line] = [frame.rule(self.siems.looks, width, f"{row.id} {row.title}", "enter opens")]
        word, role = run_lines.state(row)
        left: list[Piece] = [(word, role), (f"   {run_lines.answered(row, scene)}", "dim")]
        lines.append(spread(left, [(run_lines.span(row.started_at, row.ended_at, scene.now), "bold")], width))
        why = f': "{row.reason}"' if row.reason else ""
        lines.append([("asked by ", "dim"), (present.person(row.requested_by_name), ""), (present.safe(why[:300]), "")])
        lines.append([(present.safe(row.detail[:300]), "error" if row.state == "failed" else "")])
        return lines

    def _paint_view(self) -> None:
        app = self.siems
        if not app.state.up and app.state.lost_at:
            super()._paint_view()
            return
        left: list[Piece] = [(f"{len(self.shelf)} of {present.plural(self.all_runs, 'run')}", "bold")]
        if count := len(app.runs_waiting):
            left += [("   ", ""), (f"{count} wait{'s' if count == 1 else ''} for your answer", "!")]
        if self.asked:
            left += [("   filter: ", "dim"), (self.asked, ""), ("  (esc clears)", "dim")]
        below = f"{self.shelf.below} more below " if self.shelf.below else ""
        self.lines("view").show([spread(left, [(below, "dim")], self.size.width)])

    def nothing(self) -> list[list[Piece]]:
        if self.asked:
            return [[("No run matches.", "bold")], [("esc", "key"), (" shows all", "")]]
        return [[("Nothing has been run yet.", "bold")],
                [("R", "key"), (" on an incident chooses a runbook for it", "")]]  # fmt: skip

    # --- keys -----------------------------------------------------------------------------------------------

    def able(self) -> set[str]:
        return set(self.current.actions) if self.current is not None and not self.siems.read_only else set()

    def standing(self) -> str:
        one = self.current
        return f"{one.id} is {one.state.replace('_', ' ')}" if one is not None else "no run"

    def refusal(self, deed: Deed) -> str:
        return super().refusal(deed) or self.siems.run_refusal(deed, self.current)

    def clicked_twice(self) -> None:
        self.do_run()

    def do_run(self) -> None:
        if self.current is not None:
            self.siems.open_run(self.current.id)

    def do_incident(self) -> None:
        if self.current is not None and self.current.incident_id:
            self.siems.open_incident(self.current.incident_id)
        else:
            self.siems.tell("this run is about no incident")

    def do_approve(self) -> None:
        if self.current is not None and "answer" in self.current.actions:
            self.siems.open_run(self.current.id)  # what is asked there is about one host
        else:
            self.siems.answer_run(self.current)

    def do_cancel(self) -> None:
        self.siems.cancel_run(self.current)

    def do_roll_back(self) -> None:
        self.siems.roll_back_run(self.current)

    def do_copy(self) -> None:
        one = self.current
        if one is None:
            self.siems.tell("copy: nothing is selected")
            return
        choices = [("i", "id", one.id), ("l", "link", f"siems tui {one.id}"),
                   ("c", "command", f"siems runbook status {one.id}")]  # fmt: skip
        self.siems.offer_copies(choices)
