"""What the app does with runs: it goes to them, asks before it acts, and takes in what the daemon tells."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, cast

from siems.tui import run_lines, run_reads
from siems.tui.actions import BY_ID, Deed, Level, Where
from siems.tui.desk import LogLine
from siems.tui.printouts import KnownRun
from siems.tui.screens.detail import DetailScreen
from siems.tui.screens.form import Form, Slot, named
from siems.tui.screens.plan import PlanWindow, shell_line
from siems.tui.screens.run import RunScreen
from siems.tui.screens.run_windows import AnswerHost, AnswerRun, ChooseRunbook, about, numbered
from siems.wire import IncidentView, RunDetail, RunHostView, RunView

if TYPE_CHECKING:
    from siems.tui.app import SiemsApp

KEPT = 12
"""Runs whose output is kept while they are not looked at."""
ANSWERS = ("requested", "approved", "rejected", "expired", "finished", "cancelling", "paused", "resumed")
"""What changes how many runs wait for an answer."""


class Running:
    """The half of the app that is about runs."""

    _run_gathering = False
    _waiting_stale = False

    @property
    def _app(self) -> SiemsApp:
        return cast("SiemsApp", self)

    # --- going ----------------------------------------------------------------------------------------------

    def do_runs(self) -> None:
        self._app.go_to(Where.RUNS)

    def open_run(self, ref: str) -> None:
        """Go to a run's own screen."""
        app = self._app
        here = app.places()[-1] if app.places() else None
        if isinstance(here, RunScreen):
            here.ref, here.top, here.exact, here.whole = ref, None, False, False
            here.shelf.cursor = ""
            here.filled()
        else:
            app.push_screen(RunScreen(ref))
        while len(app.runs) > KEPT:
            app.runs.pop(next(iter(app.runs)))
        self.read_run(ref)

    def read_run(self, ref: str) -> None:
        app = self._app
        if app.state.up:
            known = app.runs.setdefault(ref, KnownRun(ref))
            app.run_reads.run(ref)
            if not known.scripts:
                app.run_reads.scripts(ref)
            app.run_reads.output(ref, known.output.next)

    def read_runs_again(self) -> None:
        """After a return, or when something has changed: whatever of it is looked at."""
        app = self._app
        app.run_reads.waiting()
        for place in app.places():
            if isinstance(place, RunScreen):
                self.read_run(place.ref)
            elif place is app.runs_screen:
                app.runs_screen.read_again()

    def do_its_runs(self) -> None:
        """The runs of the selected incident."""
        app = self._app
        view = next(iter(app.places()[-1].subjects()), None)
        if view is None:
            app.tell("runs: no incident is selected", "error")
            return
        app.runs_screen.about_incident(view.id)
        app.go_to(Where.RUNS)

    # --- before a run ---------------------------------------------------------------------------------------

    def do_runbook(self) -> None:
        """Choose a runbook for the selected incident."""
        app = self._app
        view = next(iter(app.places()[-1].subjects()), None)
        if view is None:
            app.tell("runbook: no incident is selected", "error")
        elif not app.state.up:
            app.tell("runbook needs the daemon; it is unreachable (ctrl+r retry)", "error")
        else:
            app.push_screen(ChooseRunbook(view), lambda name: self.plan_run(view, name) if name else None)
            app.run_reads.books(view)

    def plan_run(self, view: IncidentView, name: str) -> None:
        """Show what a runbook would do for an incident."""
        app = self._app
        if not app.state.up:
            app.tell("runbook needs the daemon; it is unreachable (ctrl+r retry)", "error")
        else:
            app.run_reads.book(view, name)

    def run_named(self, name: str) -> None:
        """As typed behind `:run`: for the selected incident."""
        view = next(iter(self._app.places()[-1].subjects()), None)
        if view is None:
            self._app.tell(f"run {name}: select the incident that it is for", "error")
        else:
            self.plan_run(view, name)

    def on_books_read(self, event: run_reads.BooksRead) -> None:
        for screen in self._app.screen_stack:
            if isinstance(screen, ChooseRunbook):
                screen.fill(event)

    def on_fitting(self, event: run_reads.Fitting) -> None:
        for place in self._app.places():
            if isinstance(place, DetailScreen):
                place.take_fitting(event)

    def on_book_read(self, event: run_reads.BookRead) -> None:
        app = self._app
        if event.book is None:
            app.tell(event.why, "error")
            return

        def asked(values: dict[str, Any] | None) -> None:
            if values is not None:
                self._ask_for(window.ask())

        window = PlanWindow(event.incident, event.book, armed=app.armed)
        app.push_screen(window, asked)

    def on_rehearsed(self, event: run_reads.Rehearsed) -> None:
        for screen in self._app.screen_stack:
            if isinstance(screen, PlanWindow):
                screen.fill(event)

    def _ask_for(self, ask: dict[str, Any]) -> None:
        app = self._app
        if why := app.hands.held_back(BY_ID["runbook"]):
            app.tell(why, "error")
            return
        key = uuid.uuid4().hex
        app.run_reads.do(
            lambda: app.client.ask_for_run(idempotency_key=key, **ask), cli=shell_line(ask), said=ask["runbook"]
        )

    # --- answers --------------------------------------------------------------------------------------------

    def run_refusal(self, deed: Deed, run: RunView | None) -> str:
        """Why something cannot be done to a run now, or nothing. The daemon says what it allows."""
        if deed.about != "run":
            return ""
        if run is None:
            return f"{deed.needs}: no run is selected"
        if deed.needs in run.actions or (deed.id == "approve" and "answer" in run.actions):
            return ""
        me = self._app.me.user.id if self._app.me is not None else ""
        if deed.id == "approve" and run.state == "pending_approval":
            if run.requested_by == me:
                return f"you asked for {run.id}: somebody else has to approve it"
            who = "an admin" if run.risk == "high" else "a manager or an admin"
            return f"{run.id} has {run.risk} risk: {who} answers it"
        able = ", ".join(run.actions) or "nothing"
        return f"{deed.needs} is not possible: {run.id} is {run.state.replace('_', ' ')}; possible: {able}"

    def answer_run(self, run: RunView | None) -> None:
        """Approve or reject."""
        if run is None:
            return

        def answered(values: dict[str, str] | None) -> None:
            if values is not None:
                self._change(values.pop("verb"), run, values)

        self._app.push_screen(AnswerRun(run), answered)

    def answer_host(self, run: RunDetail, host: RunHostView | None) -> None:
        """Say what becomes of a host that asks."""
        app = self._app
        if host is None or not host.actions:
            name = host.name if host is not None else "no host"
            app.tell(f"{name} asks nothing; tab goes to the next one", "error")
            return
        key = uuid.uuid4().hex

        def answered(values: dict[str, str] | None) -> None:
            if values is None:
                return
            if why := app.hands.held_back(BY_ID["approve"]):
                app.tell(why, "error")
                return
            said, reason = values["answer"], values["reason"].strip()
            flags = f" --reason {_quoted(reason)}" if reason else ""
            app.run_reads.do(
                lambda: app.client.answer_run(run.id, said, [host.name], reason=reason, idempotency_key=key),
                cli=f"siems runbook answer {run.id} {said} --host {_quoted(host.name)}{flags}", said=said,
            )  # fmt: skip

        app.push_screen(AnswerHost(run, host), answered)

    def cancel_run(self, run: RunView | None) -> None:
        if run is not None:
            self._confirm(BY_ID["cancel"], run, "cancel the run", [])

    def roll_back_run(self, run: RunView | None) -> None:
        if run is not None:
            self._confirm(BY_ID["roll_back"], run, "roll back", [numbered(run)])

    def _confirm(self, deed: Deed, run: RunView, verb: str, slots: list[Slot]) -> None:
        app = self._app
        if app.armed and deed.level is Level.CONFIRM:
            slots = [named(run.company_id.removeprefix("comp-"))]
        slots = [*slots, Slot("reason", "r", "reason", "if there is one")]

        def answered(values: dict[str, str] | None) -> None:
            if values is not None:
                self._change(deed.needs, run, {"reason": values["reason"].strip()})

        title = f" {deed.title.partition('...')[0]} {run.id} "
        app.push_screen(Form(title, verb, slots, about(run, 66)), answered)

    def _change(self, verb: str, run: RunView, fields: dict[str, str]) -> None:
        app = self._app
        if why := app.hands.held_back(BY_ID["approve"]):
            app.tell(why, "error")
            return
        told = {name: value for name, value in fields.items() if value}
        flags = " ".join(f"--{name} {_quoted(value)}" for name, value in told.items())
        key = uuid.uuid4().hex
        app.run_reads.do(
            lambda: app.client.change_run(verb, run.id, idempotency_key=key, **told),
            cli=f"siems runbook {verb} {run.id} {flags}".strip(), said=verb,
        )  # fmt: skip

    def on_run_done(self, event: run_reads.RunDone) -> None:
        app, run = self._app, event.run
        outcome = event.why or (run_lines.told(run, event.said) if run is not None else event.said)
        app.desk.log.append(LogLine(app.clock.now(), event.cli, outcome))
        app.tell(outcome, "error" if event.why else "toast")
        if run is not None:
            known = app.runs.setdefault(run.id, KnownRun(run.id))
            known.run, known.why = run, ""
            if event.said not in ("approve", "reject", "cancel", *run_lines.ANSWERED):
                self.open_run(run.id)
        self.read_runs_again()
        if event.lost:
            app.link.start()

    # --- hearing --------------------------------------------------------------------------------------------

    def on_run_moved(self, event: run_reads.RunMoved) -> None:
        """Changes are gathered for a moment, and only what is looked at is read again."""
        app = self._app
        app.state.told(app.monotonic())
        if event.kind.removeprefix("run.") in ANSWERS:
            self._waiting_stale = True
        app.runs_dirty.add(event.ref)
        if not self._run_gathering:
            self._run_gathering = True
            app.set_timer(app.coalesce * (5 if app.low_bandwidth else 1), self._gather_runs)

    def _gather_runs(self) -> None:
        app = self._app
        self._run_gathering = False
        refs, app.runs_dirty = app.runs_dirty, set()
        if not app.state.up:
            return
        if self._waiting_stale:
            self._waiting_stale = False
            app.run_reads.waiting()
            if app.runs_screen in app.screen_stack:
                app.runs_screen.read_again()
            for place in app.places():
                if isinstance(place, DetailScreen) and place.view is not None:
                    app.run_reads.fitting(place.view)
        for place in app.places():
            if isinstance(place, RunScreen) and place.ref in refs:
                self.read_run(place.ref)

    def on_run_read(self, event: run_reads.RunRead) -> None:
        known = self._app.runs.setdefault(event.ref, KnownRun(event.ref))
        known.run, known.why = event.run or known.run, event.why
        self._refill(event.ref)

    def on_printed(self, event: run_reads.Printed) -> None:
        known = self._app.runs.setdefault(event.ref, KnownRun(event.ref))
        known.output.take(event.pieces)
        if event.more and self._app.state.up:
            self._app.run_reads.output(event.ref, event.next)
        if event.pieces:
            self._refill(event.ref)

    def on_scripts_read(self, event: run_reads.ScriptsRead) -> None:
        self._app.runs.setdefault(event.ref, KnownRun(event.ref)).scripts = event.scripts
        self._refill(event.ref)

    def _refill(self, ref: str) -> None:
        for place in self._app.places():
            if isinstance(place, RunScreen) and place.ref == ref:
                place.filled()

    def on_runs_read(self, event: run_reads.RunsRead) -> None:
        self._app.runs_screen.take(event.query, event.runs, event.total)

    def on_runs_refused(self, event: run_reads.RunsRefused) -> None:
        self._app.runs_screen.not_taken(event.query, f"{event.why}  {event.hint}".strip())

    def on_waiting_read(self, event: run_reads.WaitingRead) -> None:
        if self._app.runs_waiting != event.refs:
            self._app.runs_waiting = event.refs
            self._app.repaint_all()


def _quoted(text: str) -> str:
    import shlex

    return shlex.quote(text)
