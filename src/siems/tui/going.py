"""Where one is and could go: the screens by their digits, deep links, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from siems.tui.actions import Where
from siems.tui.commands import ref as ref_of
from siems.tui.commands import run_ref
from siems.tui.screens.board import BoardScreen
from siems.tui.screens.detail import DetailScreen
from siems.tui.screens.place import Place
from siems.tui.screens.run import RunScreen

if TYPE_CHECKING:
    from siems.tui.app import SiemsApp

TARGETS = {
    "incidents": Where.BOARD, "incident": Where.BOARD, "board": Where.BOARD,
    "alerts": Where.ALERTS, "alert": Where.ALERTS, "oncall": Where.ONCALL, "on-call": Where.ONCALL,
    "audit": Where.AUDIT, "inbox": Where.INBOX, "sla": Where.SLA, "companies": Where.CLIENTS, "company": Where.CLIENTS,
    "runs": Where.RUNS, "users": Where.PEOPLE, "user": Where.PEOPLE, "policies": Where.CHAINS, "policy": Where.CHAINS,
    "silences": Where.SILENCES, "silence": Where.SILENCES, "maintenance": Where.SILENCES,
    "parents": Where.PARENTS, "parent": Where.PARENTS,
}  # fmt: skip
"""What a deep link may name; behind a `?` stands the filter of its list."""
LINKS = {
    Where.ALERTS: "alerts", Where.ONCALL: "oncall", Where.SLA: "sla", Where.AUDIT: "audit", Where.INBOX: "inbox",
    Where.CLIENTS: "companies", Where.PEOPLE: "users", Where.CHAINS: "policies",
    Where.RUNS: "runs", Where.SILENCES: "silences", Where.PARENTS: "parents",
}  # fmt: skip
"""The deep link to each list."""


def read_target(text: str) -> tuple[Where, str, str] | None:
    """(screen, filter, incident or run) of `INC-12`, `RUN-9`, `oncall`, `alerts?severity:>=HIGH`; None for others."""
    head, _, query = text.partition("?")
    if (ref := ref_of(head)) is not None:
        return Where.DETAIL, "", ref
    if (run := run_ref(head.rpartition("runs/")[2] if "/" in head else head)) is not None:
        return Where.RUN, "", run
    where = TARGETS.get(head.lower())
    return None if where is None else (where, query.strip(), "")


class Going:
    """The half of the app that changes screens. Each list is one screen, wherever one comes from."""

    @property
    def _app(self) -> SiemsApp:
        return cast("SiemsApp", self)

    def go_to(self, where: Where) -> None:
        """To a list; back to it where it lies under what is shown."""
        app = self._app
        place = app.lists[where]
        if app.screen is place:
            return
        if place in app.screen_stack:
            while app.screen is not place:
                app.pop_screen()
        else:
            app.push_screen(place)
        place.entered()

    def do_board(self) -> None:
        """To the incidents, wherever one is."""
        app = self._app
        if isinstance(app.screen, BoardScreen):
            app.screen.do_first()
        while isinstance(app.screen, Place) and not isinstance(app.screen, BoardScreen):
            app.pop_screen()
        app.peek()

    def do_alerts(self) -> None:
        self.go_to(Where.ALERTS)

    def do_oncall(self) -> None:
        self.go_to(Where.ONCALL)

    def do_audit(self) -> None:
        self.go_to(Where.AUDIT)

    def do_inbox(self) -> None:
        self.go_to(Where.INBOX)

    def do_clients(self) -> None:
        self.go_to(Where.CLIENTS)

    def do_people(self) -> None:
        self.go_to(Where.PEOPLE)

    def do_chains(self) -> None:
        self.go_to(Where.CHAINS)

    def do_silences(self) -> None:
        self.go_to(Where.SILENCES)

    def do_parents(self) -> None:
        self.go_to(Where.PARENTS)

    def open_incident(self, ref: str) -> None:
        """Go to an incident's own screen."""
        app = self._app
        app.model.go(ref)
        here = app.places()[-1] if app.places() else None
        if isinstance(here, DetailScreen):
            here.ref, here.top, here.why = ref, 0, ""
            here.repaint()
        else:
            app.push_screen(self.incident_screen(ref))
        app.read_story(ref)

    def incident_screen(self, ref: str) -> DetailScreen:
        return DetailScreen(ref)

    def leave_incident(self) -> None:
        if isinstance(self._app.screen, DetailScreen):
            self.leave_place()

    def leave_place(self) -> None:
        """Back to where one came from."""
        app = self._app
        if len(app.places()) > 1:
            app.pop_screen()
            app.peek()

    def open_target(self, text: str) -> None:
        """A deep link, once the board is there."""
        found = read_target(text)
        if found is None:
            return
        where, query, ref = found
        if where is Where.RUN:
            self._app.open_run(ref)
        elif ref:
            self.open_incident(ref)
        elif where is not Where.BOARD:
            self._app.lists[where].begin_with(query)
            self.go_to(where)

    def target_now(self) -> str:
        """A deep link to where the reader stands; nothing for the board."""
        for place in reversed(self._app.places()):
            if isinstance(place, (DetailScreen, RunScreen)):
                return place.ref
            if place.WHERE in LINKS:
                return LINKS[place.WHERE]
        return ""
