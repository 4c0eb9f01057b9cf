"""Who is on call: a row per schedule, seven days of bars, and what is to be known of the selected one."""

from __future__ import annotations

from textual.app import ComposeResult

from siems import present
from siems.tui import duty_lines, frame
from siems.tui.actions import Where
from siems.tui.board_messages import Duty, WhoRead
from siems.tui.duty_lines import Grid
from siems.tui.looks import Line, Piece, spread
from siems.tui.screens.duty_place import DutyPlace
from siems.tui.screens.place import bindings, filled
from siems.tui.shelf import Shelf
from siems.tui.widgets.lines import Lines
from siems.tui.widgets.listing import Listing
from siems.wire import FairnessView, ScheduleDetail

LOW = 17
READ_EVERY = 60.0
FARTHEST = 28


class OncallScreen(DutyPlace):
    """Screen 4. The bars follow the cursor; h and l move them by a day, [ and ] by a week."""

    BINDINGS = bindings(Where.ONCALL)
    WHERE = Where.ONCALL

    def __init__(self) -> None:
        super().__init__()
        self.shelf: Shelf[ScheduleDetail] = Shelf(lambda one: one.schedule.id)
        self.duty = Duty()
        self.loads: dict[str, FairnessView] = {}
        self.day = 0
        self.read_at = 0.0
        self._load_asked = ""
        self.who: WhoRead | None = None
        self._who_asked = ("", "")

    def compose(self) -> ComposeResult:
        looks = self.siems.looks
        yield from self.compose_top()
        for name in ("screens", "view", "columns"):
            yield Lines(looks, id=name)
        yield Listing(self.shelf, looks, self._row, id="schedules")
        yield Lines(looks, id="week")
        yield Lines(looks, id="about")
        yield from self.compose_bottom()

    # --- data -----------------------------------------------------------------------------------------------

    def entered(self) -> None:
        self.read()

    def read(self) -> None:
        if self.siems.state.up:
            self.read_at = self.siems.monotonic()
            self._load_asked, self._who_asked = "", ("", "")
            self.siems.records.duty()

    def fill(self, duty: Duty) -> None:
        """All that is known of duty, anew; a schedule that nobody covers now comes first."""
        self.duty = duty
        self.shelf.replace(duty.schedules)
        self._ask_load()
        self.repaint()

    def _ask_load(self) -> None:
        one = self.shelf.current
        if one is not None and one.schedule.id != self._load_asked and self.siems.state.up:
            self._load_asked = one.schedule.id
            self.siems.records.load(one.schedule.id)

    # --- painting -------------------------------------------------------------------------------------------

    def _row(self, one: ScheduleDetail, here: bool) -> list[Piece]:
        return duty_lines.row(one, self.scene(), self.size.width, here=here)

    def tick(self) -> None:
        if not self.shown:
            return
        super().tick()
        self._paint_view()
        if self.siems.state.up and self.siems.monotonic() - self.read_at >= READ_EVERY:
            self.read()

    def repaint(self) -> None:
        if not self.shown:
            return
        width = self.size.width
        rows = self._arrange()
        self.listing.empty = self._empty()
        self.listing.repaint()
        self.lines("screens").show([self.screens_line()])
        self.lines("columns").show([duty_lines.heading(width)])
        if rows:
            self.lines("week").show(self._week(rows))
        one, about = self.shelf.current, self.lines("about")
        lines: list[Line] = []
        if one is not None:
            lines = duty_lines.about(one, self.duty, self.loads.get(one.schedule.id), self.scene(), width)
        about.show(filled([*lines, *self._who(about.size.height - len(lines))], about.size.height))
        self.tick()

    def _arrange(self) -> int:
        """The table takes what it needs, at most a third; as many bars under it where there is room."""
        many = max(1, len(self.shelf))
        table = max(3 if not len(self.shelf) else 1, min(many, (self.size.height - 12) // 3))
        self.listing.styles.height = table
        rows = table if self.size.height >= LOW and len(self.shelf) else 0
        week = self.lines("week")
        if week.display != bool(rows):
            week.display = bool(rows)
        if rows:
            week.styles.height = rows + 3
        return rows

    def _week(self, rows: int) -> list[Line]:
        scene, width = self.scene(), self.size.width
        grid = Grid(
            duty_lines.midnight(scene, self.day), width, width - duty_lines.DAYS * ((width - 14) // duty_lines.DAYS)
        )
        top = self.shelf.top
        current = self.shelf.index
        bars = [
            duty_lines.bar(one, grid, scene, here=top + place == current)
            for place, one in enumerate(self.shelf.items[top : top + rows])
        ]
        head: Line = [(scene.looks.rule(width), "rule")]
        return [head, duty_lines.days(grid, scene), *filled(bars, rows), duty_lines.now_mark(grid, scene)]

    def _who(self, room: int) -> list[Line]:
        """Who would be paged for the incident that is selected on the board, where there is room."""
        view, scene = self.siems.model.current, self.scene()
        if view is None or not self.wide or room < 6:
            return []
        if self._who_asked != (view.id, view.severity) and self.siems.state.up:
            self._who_asked = (view.id, view.severity)
            self.siems.records.who(view.id, view.company_id, view.severity)
        if self.who is None or self.who.view is None or self.who.about != view.id:
            return []
        said = f"WHO WOULD BE PAGED  for a {view.severity} of {present.safe(view.company[:40])} that opened now"
        head: Line = [(said, "head"), ("  as ", "dim"), (view.id, ""), ("   w", "key"), (" whole", "dim")]
        return [[], head, *duty_lines.who_lines(self.who.view, scene, self.size.width)][:room]

    def _paint_view(self) -> None:
        app, scene, width = self.siems, self.scene(), self.size.width
        if not app.state.up and app.state.lost_at:
            self.lines("view").show([frame.lost_banner(app.state, app.monotonic(), app.zone)])
            return
        open_now = sum(one.schedule.now is None for one in self.shelf.items)
        holes = sum(len(duty_lines.gaps(one, scene)) for one in self.shelf.items)
        left: list[Piece] = [(present.plural(len(self.shelf), "schedule") if self.shelf.loaded else "", "")]
        right: list[Piece] = []
        if open_now:
            right.append((f"  {open_now} without anybody now", "!"))
        if holes:
            right.append((f"  {present.plural(holes, 'gap')} in 14 days", "!"))
        if not right and len(self.shelf):
            right.append(("  covered for 14 days", "v"))
        begin = duty_lines.midnight(scene, self.day)
        right.append((f"  from {begin:%a %d %b}", "dim"))
        self.lines("view").show([spread(left, right, width)])

    def _empty(self) -> list[list[Piece]]:
        if lost := self.no_daemon():
            return lost
        if not self.shelf.loaded:
            return [[("reading who is on call...", "dim")]]
        return [
            [("There is no schedule yet: pages go to all technicians of a client.", "bold")],
            [("siems oncall schedule create NAME --members A,B", "key"), (" makes one.", "")],
        ]

    # --- keys -----------------------------------------------------------------------------------------------

    def moved(self) -> None:
        self._ask_load()
        self.repaint()

    def _turn(self, days: int) -> None:
        self.day = max(0, min(FARTHEST, self.day + days))
        self.repaint()

    def do_day_back(self) -> None:
        self._turn(-1)

    def do_day_on(self) -> None:
        self._turn(1)

    def do_previous(self) -> None:
        self._turn(-7)

    def do_following(self) -> None:
        self._turn(7)

    def do_export(self) -> None:
        one = self.shelf.current
        if one is None or not self.siems.state.up:
            self.siems.tell("export needs a schedule, and the daemon", "error")
        else:
            self.siems.records.export_calendar(one.schedule.id, self.siems.clock.now())

    def do_copy(self) -> None:
        one = self.shelf.current
        if one is None:
            self.siems.tell("copy: no schedule is selected")
            return
        who = one.schedule.now.user_name if one.schedule.now else "nobody"
        self.siems.offer_copies([
            ("i", "id", one.schedule.id), ("c", "command", f"siems oncall schedule show {one.schedule.id}"),
            ("t", "text", f"{one.schedule.name}: {who} is on call now"),
        ])  # fmt: skip
