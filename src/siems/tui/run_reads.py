"""Runs of runbooks at the daemon: what the console asks about them and for them, and how the answers come back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from textual.message import Message

from siems.errors import Forbidden, SiemsError, Unavailable
from siems.tui.lanes import Lane
from siems.wire import (
    IncidentView,
    Page,
    RunbookDetail,
    RunbookView,
    RunDetail,
    RunMade,
    RunOutput,
    RunPiece,
    RunPlan,
    RunScripts,
    RunView,
    SuggestionView,
)

if TYPE_CHECKING:
    from siems.client import Client

LISTED = 200
WAITING = 50
PIECES = 500
UNREADABLE = "the daemon's answer cannot be read"


@dataclass
class RunMoved(Message):
    """The stream tells of a run; `kind` is its event."""

    ref: str
    kind: str


@dataclass
class RunsRead(Message):
    query: str
    runs: list[RunView]
    total: int


@dataclass
class RunsRefused(Message):
    query: str
    why: str
    hint: str = ""


@dataclass
class RunRead(Message):
    """A run as it is now, or why it cannot be read."""

    ref: str
    run: RunDetail | None
    why: str = ""


@dataclass
class Printed(Message):
    """What was printed after a piece. `more`: there is yet more."""

    ref: str
    after: int
    pieces: list[RunPiece]
    next: int
    more: bool


@dataclass
class ScriptsRead(Message):
    ref: str
    scripts: list[RunScripts]


@dataclass
class WaitingRead(Message):
    """Runs that wait for the reader's answer."""

    refs: list[str]


@dataclass
class BooksRead(Message):
    """The runbooks for an incident: those that match it first, then whatever else its client may use."""

    about: str
    suggested: list[SuggestionView] = field(default_factory=list)
    others: list[RunbookView] = field(default_factory=list)
    past: list[RunView] = field(default_factory=list)
    why: str = ""


@dataclass
class Fitting(Message):
    """What fits an incident, and its runs."""

    ref: str
    suggested: list[SuggestionView]
    past: list[RunView]


@dataclass
class BookRead(Message):
    """One runbook, to be run for an incident."""

    incident: IncidentView
    name: str
    book: RunbookDetail | None
    why: str = ""


@dataclass
class Rehearsed(Message):
    """What would be run where, or why it could not be. `number`: of which asking."""

    number: int
    plan: RunPlan | None
    why: str = ""


@dataclass
class RunDone(Message):
    """What became of something that was done about a run. `lost`: nobody knows."""

    cli: str
    said: str
    run: RunDetail | None
    why: str = ""
    lost: bool = False


class RunReads:
    """Asks on a lane of its own, so that output never waits for a long list."""

    def __init__(self, client: Client, post: Callable[[Message], object]) -> None:
        self.client, self.post = client, post
        self.lane = Lane("siems-runs")

    # --- what there is --------------------------------------------------------------------------------------

    def runs(self, query: str, incident: str) -> None:
        """The newest runs of a query, of one incident where one is named."""
        told = f"{query} {incident}".strip()

        def run() -> None:
            try:
                answer = self.client.runs(query, incident=incident, limit=LISTED)
                page = msgspec.convert(answer, Page[RunView])
            except SiemsError as why:
                self.post(RunsRefused(told, why.message, why.hint))
            except msgspec.ValidationError as why:
                self.post(RunsRefused(told, f"{UNREADABLE}: {why}", "upgrade siems"))
            else:
                self.post(RunsRead(told, page.items, page.total))

        self.lane.put("runs", run)

    def waiting(self) -> None:
        """What waits for an answer of the reader; nothing for whoever may not look at runs."""

        def run() -> None:
            try:
                answer = self.client.runs("state:pending_approval", limit=WAITING)
                found = msgspec.convert(answer, Page[RunView]).items
            except (SiemsError, msgspec.ValidationError):  # whatever is wrong, other reads tell it
                return
            self.post(WaitingRead([one.id for one in found if "approve" in one.actions]))

        self.lane.put("waiting", run)

    def run(self, ref: str) -> None:
        def run() -> None:
            try:
                self.post(RunRead(ref, msgspec.convert(self.client.run(ref), RunDetail)))
            except SiemsError as why:
                self.post(RunRead(ref, None, f"{why.message}  {why.hint}".strip()))
            except msgspec.ValidationError as why:
                self.post(RunRead(ref, None, f"{UNREADABLE}: {why}"))

        self.lane.put(f"run {ref}", run)

    def output(self, ref: str, after: int) -> None:
        """What its hosts printed after a piece."""

        def run() -> None:
            try:
                found = msgspec.convert(self.client.run_output(ref, after=after, limit=PIECES), RunOutput)
            except (SiemsError, msgspec.ValidationError):  # the run itself is read beside it, and tells why
                return
            self.post(Printed(ref, after, found.items, found.next, len(found.items) >= PIECES))

        self.lane.put(f"output {ref}", run)

    def scripts(self, ref: str) -> None:
        """Exactly what it does."""

        def run() -> None:
            try:
                self.post(ScriptsRead(ref, msgspec.convert(self.client.run_commands(ref), list[RunScripts])))
            except (SiemsError, msgspec.ValidationError):
                return

        self.lane.put(f"scripts {ref}", run)

    # --- before a run ---------------------------------------------------------------------------------------

    def books(self, view: IncidentView) -> None:
        """What could be run for an incident, and what was."""

        def run() -> None:
            try:
                suggested = msgspec.convert(self.client.suggested_runbooks(view.id), list[SuggestionView])
                known = {one.name for one in suggested}
                every = msgspec.convert(self.client.runbooks(company=view.company_id), list[RunbookView])
                others = [one for one in every if one.name not in known]
                past = msgspec.convert(self.client.runs("", incident=view.id, limit=20), Page[RunView]).items
            except Forbidden:
                self.post(BooksRead(view.id, why="runbooks are not for this account"))
            except SiemsError as why:
                self.post(BooksRead(view.id, why=f"{why.message}  {why.hint}".strip()))
            except msgspec.ValidationError as why:
                self.post(BooksRead(view.id, why=f"{UNREADABLE}: {why}"))
            else:
                self.post(BooksRead(view.id, suggested, others, past))

        self.lane.put("books", run)

    def fitting(self, view: IncidentView) -> None:
        """What fits an incident and what was run for it; nothing for whoever may not look at runs."""

        def run() -> None:
            try:
                suggested = msgspec.convert(self.client.suggested_runbooks(view.id), list[SuggestionView])
                past = msgspec.convert(self.client.runs("", incident=view.id, limit=20), Page[RunView]).items
            except (SiemsError, msgspec.ValidationError):  # whatever is wrong, other reads tell it
                return
            self.post(Fitting(view.id, suggested, past))

        self.lane.put("fitting", run)

    def book(self, view: IncidentView, name: str) -> None:
        def run() -> None:
            try:
                found = msgspec.convert(self.client.runbook(name, company=view.company_id), RunbookDetail)
            except SiemsError as why:
                self.post(BookRead(view, name, None, f"{why.message}  {why.hint}".strip()))
            except msgspec.ValidationError as why:
                self.post(BookRead(view, name, None, f"{UNREADABLE}: {why}"))
            else:
                self.post(BookRead(view, name, found))

        self.lane.put("book", run)

    def rehearse(self, number: int, ask: Mapping[str, Any]) -> None:
        """What this would do; nothing is asked for."""

        def run() -> None:
            try:
                made = msgspec.convert(self.client.rehearse_run(**ask), RunMade)
            except SiemsError as why:
                self.post(Rehearsed(number, None, f"{why.message}  {why.hint}".strip()))
            except msgspec.ValidationError as why:
                self.post(Rehearsed(number, None, f"{UNREADABLE}: {why}"))
            else:
                self.post(Rehearsed(number, made.plan))

        self.lane.put("rehearse", run)

    # --- doing ----------------------------------------------------------------------------------------------

    def do(self, job: Callable[[], Mapping[str, Any]], *, cli: str, said: str) -> None:
        """Ask for a run or change one; never twice. `job` answers with its `run`."""

        def run() -> None:
            try:
                found = msgspec.convert(job()["run"], RunDetail)
            except Unavailable as why:
                lost = "no answer: whether it was done is not known, 3 lists the runs"
                self.post(RunDone(cli, said, None, f"{lost}  ({why.message})", lost=True))
            except SiemsError as why:
                self.post(RunDone(cli, said, None, f"{why.message}  {why.hint}".strip()))
            except msgspec.ValidationError as why:
                self.post(RunDone(cli, said, None, f"{UNREADABLE}: {why}"))
            else:
                self.post(RunDone(cli, said, found))

        self.lane.put("", run)
