"""The alert stream: everything that arrives, newest first, with its rate and the body of what is selected."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult

from siems import present
from siems.tui import arrival_lines, frame
from siems.tui.actions import Where
from siems.tui.arrivals import Arrivals
from siems.tui.bodies import Body
from siems.tui.looks import Line, Piece, spread, width_of
from siems.tui.screens.place import Place, bindings, filled
from siems.tui.widgets.lines import Lines
from siems.tui.widgets.stream import Stream, heading
from siems.tui.widgets.window import WHEEL, Window

LOW = 17
"""Terminals lower than this show the list and nothing beside it."""
CHART_FROM = 32
PREVIEW = 4


class AlertsScreen(Place):
    """Screen 2. Its state is the app's model, so that it is the same when one comes back."""

    BINDINGS = bindings(Where.ALERTS)
    WHERE = Where.ALERTS

    def __init__(self) -> None:
        super().__init__()
        self.raw = False
        self.raw_top = 0
        self._set_out: tuple[object, int, list[Line]] = (None, 0, [])

    @property
    def model(self) -> Arrivals:
        return self.siems.arrivals

    def compose(self) -> ComposeResult:
        looks = self.siems.looks
        yield from self.compose_top()
        for name in ("screens", "view", "chart", "columns"):
            yield Lines(looks, id=name)
        yield Stream(self.model, looks)
        yield Lines(looks, id="end")
        yield Lines(looks, id="lower")
        yield from self.compose_bottom()

    def entered(self) -> None:
        self.siems.catch_up()

    def begin_with(self, query: str) -> None:
        if query:
            self.model.query = self.siems.saved.stream_filter = query

    # --- painting -------------------------------------------------------------------------------------------

    def _arrange(self) -> None:
        """Give each part its room: the chart on large terminals, the body where it was asked for."""
        height, low = self.size.height, self.size.height < LOW
        lower = 0 if low or not (self.raw or self.siems.saved.pane) else PREVIEW
        if self.raw and not low:
            lower = max(PREVIEW, (height - 5) // 2)
        chart = self.wide and height >= CHART_FROM and not self.siems.low_bandwidth
        for name, rows in (("chart", arrival_lines.CHART if chart else 0), ("lower", lower)):
            part = self.lines(name)
            if part.display != bool(rows):
                part.display = bool(rows)
            if rows:
                part.styles.height = rows

    def tick(self) -> None:
        if not self.is_mounted or not self.size.width:
            return
        super().tick()
        self._paint_view()

    def arrived(self) -> None:
        """Rows have come."""
        if self.siems.screen is self or self in self.siems.screen_stack:
            if self.raw:
                self.siems.read_body()
            self.repaint()

    def repaint(self) -> None:
        if not self.is_mounted or not self.size.width or self not in self.siems.screen_stack:
            return
        self._arrange()
        scene, stream, width = self.scene(), self.query_one(Stream), self.size.width
        stream.empty = self._empty()
        stream.show(scene)
        self.lines("screens").show([self.screens_line()])
        self.lines("columns").show([heading(stream.shape)])
        if self.lines("chart").display:
            summary = self.siems.summary
            course = summary.alerts_per_minute if summary is not None else []
            self.lines("chart").show(arrival_lines.chart(course, scene, width))
        self.lines("end").show([spread([("", "")], [(f"{self._end()} ", "dim")], width)])
        if self.lines("lower").display:
            height = self.lines("lower").size.height
            self.lines("lower").show(filled(self._body(height) if self.raw else self._preview(), height))
        self.tick()

    def _paint_view(self) -> None:
        app, model, width = self.siems, self.model, self.size.width
        if not app.state.up and app.state.lost_at:
            self.lines("view").show([frame.lost_banner(app.state, app.monotonic(), app.zone)])
            return
        left: list[Piece] = [("FROZEN (z)", "stale") if model.frozen else
                             ("FOLLOWING", "live") if model.following else ("PAUSED (f)", "stale")]  # fmt: skip
        if model.newer:
            left.append((f"  ^{model.newer_text}", "stale"))
        left.append(("  filter: ", "dim"))
        left.append((model.query, "bold") if model.query else ("none", ""))
        room = width - width_of(left)
        chart = self.lines("chart").display
        right = arrival_lines.rates(app.summary, self.scene(), room, spark=not chart and not app.low_bandwidth)
        self.lines("view").show([spread(left, right, width)])

    def _preview(self) -> list[Line]:
        row = self.model.current
        if row is None:
            return [[(self.siems.looks.rule(self.size.width), "rule")], [("nothing selected", "dim")]]
        return arrival_lines.preview(row, self.scene(), self.size.width)

    def _body(self, height: int) -> list[Line]:
        """The body under the cursor, from the line to which it was scrolled."""
        row, width, looks = self.model.current, self.size.width, self.siems.looks
        if row is None or row.alert is None:
            return self._preview()
        found = self.siems.bodies.get(row.alert.id)
        lines: list[Line]
        if isinstance(found, Body):
            if self._set_out[:2] != (found, width):
                self._set_out = (found, width, arrival_lines.body(found, width))
            lines = self._set_out[2]
        else:
            lines = [[(found or ("reading..." if self.siems.state.up else "no daemon answers"), "dim")]]
        room = max(1, height - 2)
        self.raw_top = max(0, min(self.raw_top, len(lines) - room))
        shown = lines[self.raw_top : self.raw_top + room]
        size = found if isinstance(found, Body) else None
        head = arrival_lines.body_head(row.alert.id, size, self.raw_top, len(lines), room, looks, width)
        return [head, *filled(shown, room), arrival_lines.facts(row, self.scene())]

    def _end(self) -> str:
        model = self.model
        if model.below > 0:
            return f"{model.below} more below"
        if not model.loaded:
            return ""
        if model.older is not None:
            return "reading older ones..." if self.siems.state.up else "older ones need the daemon"
        return f"{present.plural(len(model), 'row')}, nothing older is kept" if len(model) else ""

    def _empty(self) -> list[list[Piece]]:
        app, model = self.siems, self.model
        if not app.state.up and app.state.lost_at:
            return [[("No daemon answers.", "bold")], [(app.state.why[:200], "")], [(app.state.hint, "key")]]
        if not model.loaded or model.older is not None:
            return [[("reading what arrived...", "dim")]]
        if model.query:
            return [[("Nothing that arrived matches this filter.", "bold")], [("esc", "key"), (" clears it", "")]]
        return [
            [("Nothing has arrived yet.", "bold")],
            [("What tools send appears here by itself, and what was refused.", "dim")],
            [("siems company onboard NAME", "key"), (" makes a key and shows how to send with it.", "")],
        ]

    # --- moving ---------------------------------------------------------------------------------------------

    def _moved(self) -> None:
        self.raw_top = 0
        if self.raw:
            self.siems.read_body()
        self.siems.ask_older()
        self.repaint()

    def _go(self, index: int) -> None:
        self.model.go(index)
        self._moved()

    def do_down(self) -> None:
        self._go(self.model.index + 1)

    def do_up(self) -> None:
        self._go(self.model.index - 1)

    def do_first(self) -> None:
        self._go(0)

    def do_last(self) -> None:
        self._go(len(self.model) - 1)

    def do_page_down(self) -> None:
        self._go(self.model.index + self.model.height)

    def do_page_up(self) -> None:
        self._go(self.model.index - self.model.height)

    def do_next_critical(self) -> None:
        self._critical(1)

    def do_previous_critical(self) -> None:
        self._critical(-1)

    def _critical(self, step: int) -> None:
        found = self.model.critical(step)
        if found is None:
            side = "older" if step > 0 else "newer"
            self.siems.tell(f"no {side} critical one among these {present.plural(len(self.model), 'row')}")
        else:
            self._go(found)

    def do_follow(self) -> None:
        if self.model.follow():
            self.siems.catch_up()
        self.siems.tell("following the newest")
        self._moved()

    def do_freeze(self) -> None:
        if self.model.freeze():
            self.siems.catch_up()
        self.siems.tell("frozen: what comes is only counted until z" if self.model.frozen else "live again")
        self._moved()

    # --- what is selected -----------------------------------------------------------------------------------

    def do_raw(self) -> None:
        if self.model.current is None:
            return
        self.raw = not self.raw
        self.model.pause()
        self._arrange()
        self.call_after_refresh(self._moved)

    def do_pane(self) -> None:
        self.siems.saved.pane = not self.siems.saved.pane
        self.raw = False
        self._arrange()
        self.call_after_refresh(self._moved)

    def do_pane_down(self) -> None:
        self._scroll_body(max(1, self.lines("lower").size.height - 3))

    def do_pane_up(self) -> None:
        self._scroll_body(-max(1, self.lines("lower").size.height - 3))

    def _scroll_body(self, rows: int) -> None:
        if not self.raw:
            self.siems.tell("enter shows the body that J and K scroll")
        self.raw_top = max(0, self.raw_top + rows)
        self.repaint()

    def do_incident(self) -> None:
        row = self.model.current
        if row is None:
            return
        self.model.pause()
        ref = row.incident_id or (row.alert.incident_id if row.alert else None)
        if ref:
            self.siems.open_incident(ref)
        else:
            self.siems.tell(arrival_lines.why_no_incident(row))
            self.repaint()

    def do_copy(self) -> None:
        row = self.model.current
        if row is None:
            self.siems.tell("copy: nothing is selected")
            return
        self.model.pause()
        found = self.siems.bodies.get(row.alert.id) if row.alert else None
        self.siems.offer_copies(arrival_lines.copies(row, found if isinstance(found, Body) else None))

    # --- filter, leaving ------------------------------------------------------------------------------------

    def do_filter(self) -> None:
        self.prompt("filter", "/", value=self.model.query, hint='severity:>=HIGH #acme source:zabbix "disk full"')

    def take_filter(self, text: str) -> None:
        self.siems.filter_arrivals(text)

    def prompted(self, purpose: str, value: str) -> None:
        if purpose == "filter":
            self.take_filter(value)
        else:
            super().prompted(purpose, value)

    def do_back(self) -> None:
        if self.raw:
            self.do_raw()
        elif self.model.query:
            self.take_filter("")
        else:
            self.siems.pop_screen()
            self.siems.peek()

    # --- the mouse ------------------------------------------------------------------------------------------

    def on_window_clicked(self, event: Window.Clicked) -> None:
        event.stop()
        self.siems.touched()
        if self.model.at(event.line) is not None:
            self._go(self.model.top + event.line)
            if event.times > 1:
                self.do_raw()

    def on_window_wheeled(self, event: Window.Wheeled) -> None:
        event.stop()
        self.siems.touched()
        self.model.scroll(event.rows)
        self._moved()

    def on_window_resized(self, event: Window.Resized) -> None:
        event.stop()
        self.model.resize(event.height)
        self.repaint()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._scroll_body(WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._scroll_body(-WHEEL)
