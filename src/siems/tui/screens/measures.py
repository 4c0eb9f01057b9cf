"""What falls due next, how well it went in a range, and the incidents behind every number."""

from __future__ import annotations

from dataclasses import replace

from textual.app import ComposeResult

from siems import present
from siems.tui import frame, measure_lines
from siems.tui.actions import Where
from siems.tui.figures import RANGES, Behind, Figures, FiguresRefused, Number, Scope, spreadsheet
from siems.tui.looks import Line, Piece, spread
from siems.tui.measure_lines import Spot, Table
from siems.tui.measure_page import Sheet, page
from siems.tui.screens.behind import BehindWindow
from siems.tui.screens.place import Place, bindings, filled
from siems.tui.widgets.lines import Lines

READ_EVERY = 60.0
SEVERITIES = ("", "CRITICAL", "HIGH", "MEDIUM", "LOW")


class MeasuresScreen(Place):
    """Screen 5. tab goes from table to table, enter to the incidents behind a number."""

    BINDINGS = bindings(Where.SLA)
    WHERE = Where.SLA

    def __init__(self) -> None:
        super().__init__()
        self.wanted = Scope()
        self.found: Figures | None = None
        self.why = ("", "")
        self.read_at = 0.0
        self.table = "numbers"
        self.rows: dict[str, int] = {}

    def compose(self) -> ComposeResult:
        looks = self.siems.looks
        yield from self.compose_top()
        for name in ("screens", "view", "figures"):
            yield Lines(looks, id=name)
        yield from self.compose_bottom()

    @property
    def shown(self) -> bool:
        return self.is_mounted and bool(self.size.width) and self in self.app.screen_stack

    # --- data -----------------------------------------------------------------------------------------------

    def entered(self) -> None:
        self.read()

    def read(self) -> None:
        """Ask for all of it, as of now."""
        app = self.siems
        if app.state.up:
            self.read_at = app.monotonic()
            zone = str(getattr(app.zone, "key", "UTC"))
            self.wanted = replace(self.wanted, zone=zone)
            app.figures.read(self.wanted, app.clock.now())

    def fill(self, found: Figures) -> None:
        """The numbers have come; those of a scope that was left are too late."""
        if found.scope == self.wanted:
            self.found, self.why = found, ("", "")
            self.repaint()

    def refused(self, event: FiguresRefused) -> None:
        if event.scope != self.wanted:
            return
        self.siems.tell(f"{event.why}  {event.hint}".strip(), "error")
        if self.found is not None:
            self.wanted = self.found.scope
        self.why = (event.why, event.hint)
        self.repaint()

    def _ask_for(self, scope: Scope) -> None:
        if not self.siems.state.up:
            self.siems.tell("numbers need the daemon; it is unreachable (ctrl+r retry)", "error")
            return
        self.wanted = scope
        self.read()
        self.repaint()

    # --- painting -------------------------------------------------------------------------------------------

    def tick(self) -> None:
        if not self.shown:
            return
        super().tick()
        self._paint_view()
        self._paint_figures()
        pace = READ_EVERY * (5 if self.siems.low_bandwidth else 1)
        if self.siems.state.up and self.siems.monotonic() - self.read_at >= pace:
            self.read()

    def repaint(self) -> None:
        if not self.shown:
            return
        self.lines("screens").show([self.screens_line()])
        self.tick()

    def _paint_view(self) -> None:
        app, scope, width = self.siems, self.wanted, self.size.width
        if not app.state.up and app.state.lost_at:
            self.lines("view").show([frame.lost_banner(app.state, app.monotonic(), app.zone)])
            return
        left: list[Piece] = [
            ("range ", "dim"), (scope.span, "bold"), (" (r)   client ", "dim"),
            (scope.company or "all", "bold" if scope.company else ""), (" (c)   severity ", "dim"),
            (scope.severity or "all", "bold" if scope.severity else ""), (" (p)", "dim"),
        ]  # fmt: skip
        right: list[Piece] = []
        if self.found is not None:
            asking = "   reading..." if self.found.scope != scope else ""
            right = [(f"{asking}  as of {self.scene().time(self.found.at)}", "stale" if asking else "dim")]
        self.lines("view").show([spread(left, right, width)])

    def _paint_figures(self) -> None:
        part = self.lines("figures")
        height = part.size.height
        part.show(filled(self._figures(height), height)[:height])

    def _figures(self, height: int) -> list[Line]:
        found, state = self.found, self.siems.state
        if found is not None:
            table = self.here
            where = (table.name, self._row(table)) if table is not None else ("", 0)
            return page(found, self.scene(), Sheet(self.size.width, height, self.wide, *where))
        if not state.up and state.lost_at:
            return [[], [("No daemon answers.", "bold")], [(state.why[:200], "")], [(state.hint, "key")]]
        return [[], [(self.why[0] or "counting...", "dim")], [(self.why[1], "key")]]

    def _row(self, table: Table) -> int:
        return max(0, min(self.rows.get(table.name, 0), len(table.spots) - 1))

    # --- moving ---------------------------------------------------------------------------------------------

    @property
    def tables(self) -> list[Table]:
        """What the cursor can go to."""
        if self.found is None:
            return []
        made = [measure_lines.table(name, self.found, self.scene(), 40) for name in measure_lines.TABLES]
        return [one for one in made if one.spots]

    @property
    def here(self) -> Table | None:
        tables = self.tables
        return next((one for one in tables if one.name == self.table), tables[0] if tables else None)

    @property
    def spot(self) -> Spot | None:
        table = self.here
        return table.spots[self._row(table)] if table is not None else None

    def do_section(self) -> None:
        names = [one.name for one in self.tables]
        if names:
            at = names.index(self.table) if self.table in names else -1
            self.table = names[(at + 1) % len(names)]
            self.repaint()

    def _go(self, row: int) -> None:
        table = self.here
        if table is not None:
            self.table, self.rows[table.name] = table.name, max(0, min(row, len(table.spots) - 1))
            self.repaint()

    def _move(self, rows: int) -> None:
        table = self.here
        if table is not None:
            self._go(self._row(table) + rows)

    def do_down(self) -> None:
        self._move(1)

    def do_up(self) -> None:
        self._move(-1)

    def do_page_down(self) -> None:
        self._move(8)

    def do_page_up(self) -> None:
        self._move(-8)

    def do_first(self) -> None:
        self._go(0)

    def do_last(self) -> None:
        self._go(1_000_000)

    # --- what it is about -----------------------------------------------------------------------------------

    def do_range(self) -> None:
        names = list(RANGES)
        self._ask_for(replace(self.wanted, span=names[(names.index(self.wanted.span) + 1) % len(names)]))

    def do_one_severity(self) -> None:
        at = SEVERITIES.index(self.wanted.severity)
        self._ask_for(replace(self.wanted, severity=SEVERITIES[(at + 1) % len(SEVERITIES)]))

    def do_one_client(self) -> None:
        """Only one client: that under the cursor is proposed."""
        spot = self.spot
        under = spot.number.group if spot is not None and spot.number and self.table == "companies" else ""
        self.prompt("client", "client> ", value=self.wanted.company or under.removeprefix("comp-"), hint="empty: all")

    def prompted(self, purpose: str, value: str) -> None:
        if purpose == "client":
            self._ask_for(replace(self.wanted, company=value.strip()))
        else:
            super().prompted(purpose, value)

    # --- what is behind -------------------------------------------------------------------------------------

    def do_behind(self) -> None:
        spot = self.spot
        if spot is None:
            return
        if spot.ref:
            self.siems.open_incident(spot.ref)
            return
        if not self.siems.state.up:
            self.siems.tell("what is behind a number needs the daemon; it is unreachable (ctrl+r retry)", "error")
            return
        assert spot.number is not None
        assert self.found is not None

        def go(ref: str | None) -> None:
            if ref:
                self.siems.open_incident(ref)

        self.siems.push_screen(BehindWindow(spot.number, self._shell(spot.number)), go)
        self.siems.figures.behind(self.found.scope, spot.number, self.found.at)

    def take_behind(self, event: Behind) -> None:
        for screen in self.siems.screen_stack:
            if isinstance(screen, BehindWindow):
                screen.fill(event)

    def _shell(self, number: Number) -> str:
        more = {"behind": number.measure} | ({"group": number.group} if number.group else {})
        scope = self.found.scope if self.found is not None else self.wanted
        return scope.shell(number.kind, number.by, **more)

    def do_copy(self) -> None:
        spot = self.spot
        if spot is None:
            self.siems.tell("copy: there is no number yet")
            return
        text = " ".join(present.safe("".join(text for text, _ in spot.line)).split())
        choices = [("t", "text", text)]
        if spot.ref:
            choices = [("i", "id", spot.ref), *choices]
        else:
            assert spot.number is not None
            choices = [("c", "command", self._shell(spot.number)), *choices]
        self.siems.offer_copies(choices)

    def do_export(self) -> None:
        if self.found is None:
            self.siems.tell("export: there is no number yet", "error")
            return
        found = self.found
        self.siems.records.export("report", "csv", self.siems.clock.now(), lambda: spreadsheet(found))

    def do_back(self) -> None:
        if self.wanted.company or self.wanted.severity:
            self._ask_for(replace(self.wanted, company="", severity=""))
        else:
            self.siems.leave_place()
