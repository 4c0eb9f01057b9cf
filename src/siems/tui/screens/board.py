"""The incidents board: the list by what is due next, the selected incident, and today."""

from __future__ import annotations

from collections.abc import Collection

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from siems import present
from siems.tui import frame, panes
from siems.tui.actions import Where
from siems.tui.looks import Piece, spread
from siems.tui.messages import Story
from siems.tui.saved import View
from siems.tui.screens.logs import ViewsWindow
from siems.tui.screens.place import Place, bindings
from siems.tui.widgets.lines import Lines
from siems.tui.widgets.rows import RAIL, Rail, Rows, heading
from siems.tui.widgets.window import Window
from siems.wire import IncidentView

PANE = 36
PREVIEW = 5
LOW = 17
"""Terminals lower than this show the list and nothing beside it."""
SORT_NAMES = {"sla": "SLA ^", "-priority_score": "score v", "-created_at": "newest"}


class BoardScreen(Place):
    """Screen 1."""

    BINDINGS = bindings(Where.BOARD)
    WHERE = Where.BOARD

    def compose(self) -> ComposeResult:
        looks = self.siems.looks
        yield from self.compose_top()
        yield Lines(looks, id="screens")
        yield Lines(looks, id="view")
        with Horizontal(id="middle"):
            with Vertical(id="list"):
                yield Lines(looks, id="columns")
                with Horizontal(id="body"):
                    yield Rail(self.siems.model, looks, self.siems.clock.now)
                    yield Rows(self.siems.model, looks, self.siems.desk.pending)
                yield Lines(looks, id="end")
            yield Lines(looks, id="edge")
            yield Lines(looks, id="pane")
        yield Lines(looks, id="preview")
        yield Lines(looks, id="today")
        yield from self.compose_bottom()

    def subjects(self) -> list[IncidentView]:
        return self.siems.model.targets()

    def idle(self) -> Collection[str]:
        rowless = ("mark", "span", "runbook", "copy") if not len(self.siems.model) else ()
        return (*super().idle(), *rowless)

    @property
    def bulk(self) -> bool:
        return bool(self.siems.model.marks)

    # --- painting -------------------------------------------------------------------------------------------

    def _arrange(self) -> None:
        """Give each part its room: beside the list on wide terminals, under it on small ones."""
        wide, height = self.wide, self.size.height
        show = self.siems.saved.pane and height >= LOW
        for name, on in (
            ("pane", show and wide), ("edge", show and wide), ("preview", show and not wide),
            ("today", wide and height >= 28),
        ):  # fmt: skip
            part = self.lines(name)
            if part.display != on:
                part.display = on

    def tick(self) -> None:
        if not self.is_mounted or not self.size.width:
            return
        super().tick()
        self.query_one(Rail).tick()
        self._paint_view()
        self._paint_selected()

    def repaint(self) -> None:
        if not self.is_mounted or not self.size.width:
            return
        self._arrange()
        app = self.siems
        rows = self.query_one(Rows)
        rows.empty = self._empty()
        rows.repaint()
        self.lines("columns").show([[(f"{'   SLA':<{RAIL}}", "head"), *heading(rows.shape)]])
        self.lines("screens").show([self.screens_line()])
        if self.lines("edge").display:
            self.lines("edge").show([[(app.looks.bar, "rule")]] * self.size.height)
        if self.lines("today").display:
            self.lines("today").show(panes.today(app.summary, self.scene(), self.size.width, app.whos))
        self._paint_end()
        self.tick()

    def _paint_view(self) -> None:
        app, model = self.siems, self.siems.model
        if not app.state.up and app.state.lost_at:
            self.lines("view").show([frame.lost_banner(app.state, app.monotonic(), app.zone)])
            return
        shown = len(model) - (model.tombstone is not None)
        line: list[Piece] = [("view: ", "dim"), (app.saved.view, "bold"), ("  ", "")] if app.saved.view else []
        line.append(("filter: ", "dim"))
        line.append((app.saved.filter, "bold") if app.saved.filter else ("not closed", ""))
        line += [("  sort: ", "dim"), (SORT_NAMES.get(model.sort, model.sort), "")]
        right: list[Piece] = [(f"  {shown} of {max(model.total, shown)}", "")]
        if model.marks:
            right.append((f"  {len(model.marks)} marked", "mark"))
        if model.frozen:
            right.append(("  FROZEN (z)", "stale"))
        if model.held:
            right.append((f"  ^{present.plural(len(model.held), 'change')} held", "stale"))
        self.lines("view").show([spread(line, right, self.size.width)])

    def _paint_selected(self) -> None:
        app, view = self.siems, self.siems.model.current
        preview, pane = self.lines("preview"), self.lines("pane")
        if not preview.display and not pane.display:
            return
        width = pane.size.width if pane.display else self.size.width
        if view is None:
            text = "gone from this list" if app.model.tombstone else "nothing selected"
            preview.show([[(app.looks.rule(width), "rule")], [(text, "dim")]])
            pane.show([[(text, "dim")]])
        elif preview.display:
            preview.show(panes.preview(view, self.story(), self.scene(), width))
        else:
            pane.show(panes.pane(view, self.story(), self.scene(), width, pane.size.height))

    def _paint_end(self) -> None:
        model = self.siems.model
        below = len(model) - model.top - model.height
        if below > 0:
            text = f"{below} more below"
        else:
            text = f"{present.plural(len(model), 'row')}, end of list" if len(model) else ""
        self.lines("end").show([spread(self._above(), [(f"{text} ", "dim")], self._list_width())])

    def _above(self) -> list[Piece]:
        """What is out of sight above: rows that come keep those where they are that are being read."""
        model = self.siems.model
        if not model.top:
            return [("", "")]
        worst = sum(model.views[ref].severity == "CRITICAL" for ref in model.order[: model.top])
        return [(f"  ^ {model.top} more above", "dim"), (f", {worst} CR" if worst else "", "bold"), ("  g", "key")]

    def _list_width(self) -> int:
        return self.query_one("#list").size.width or self.size.width

    def _empty(self) -> list[list[Piece]]:
        app = self.siems
        if not app.loaded:
            if app.state.lost_at:
                return [
                    [("No daemon answers.", "bold")],
                    [(app.state.why[:200], "")],
                    [(app.state.hint, "key")],
                ]
            return [[("reading the list...", "dim")]]
        if app.saved.filter:
            return [[("No incident matches this filter.", "bold")], [("esc", "key"), (" clears it", "")]]
        return [
            [("All quiet: nothing is open.", "bold")],
            [("New incidents appear here by themselves.", "dim")],
        ]

    def story(self) -> Story | None:
        view = self.siems.model.current
        return self.siems.stories.get(view.id) if view is not None else None

    # --- moving and marking ---------------------------------------------------------------------------------

    def _moved(self) -> None:
        self.siems.peek()
        self.repaint()

    def do_down(self) -> None:
        self.siems.model.move(1)
        self._moved()

    def do_up(self) -> None:
        self.siems.model.move(-1)
        self._moved()

    def do_first(self) -> None:
        self.siems.model.move(-len(self.siems.model))
        self._moved()

    def do_last(self) -> None:
        self.siems.model.move(len(self.siems.model))
        self._moved()

    def do_page_down(self) -> None:
        self.siems.model.move(self.siems.model.height)
        self._moved()

    def do_page_up(self) -> None:
        self.siems.model.move(-self.siems.model.height)
        self._moved()

    def do_mark(self) -> None:
        self.siems.model.mark()
        self._moved()

    def do_span(self) -> None:
        open_ = self.siems.model.span()
        self.siems.tell("marking a range: move, then v ends it" if open_ else "range ended")
        self._moved()

    def do_mark_all(self) -> None:
        self.siems.model.mark_all()
        self._moved()

    def do_mark_none(self) -> None:
        self.siems.model.mark_none()
        self._moved()

    def do_open(self) -> None:
        view = self.siems.model.current
        if view is not None:
            self.siems.open_incident(view.id)

    def do_freeze(self) -> None:
        model = self.siems.model
        model.frozen = not model.frozen
        if not model.frozen:
            model.release()
        self.siems.tell("frozen: changes wait until z" if model.frozen else "live again")
        self._moved()

    def do_pane(self) -> None:
        self.siems.saved.pane = not self.siems.saved.pane
        self._arrange()
        self.call_after_refresh(self._moved)

    def do_filter(self) -> None:
        self.prompt("filter", "/", value=self.siems.saved.filter, hint='severity:>=HIGH #acme @me sla:<1h "disk full"')

    def do_views(self) -> None:
        def chosen(view: View | None) -> None:
            if view is not None:
                self.siems.use_view(view)

        self.siems.push_screen(ViewsWindow(self.siems.saved.view), chosen)

    def do_save_view(self) -> None:
        self.prompt("view", "save this view as> ", value=self.siems.saved.view, hint="a name; enter saves it")

    def do_back(self) -> None:
        app = self.siems
        if app.model.marks:
            app.model.mark_none()
            self._moved()
        elif app.saved.filter:
            app.set_filter("")
        else:
            app.tell("this is the first screen: Q quits")

    def prompted(self, purpose: str, value: str) -> None:
        if purpose == "filter":
            self.siems.set_filter(value.strip())
        elif purpose == "view":
            self.siems.save_view(value.strip())
        else:
            super().prompted(purpose, value)

    # --- the mouse ------------------------------------------------------------------------------------------

    def on_window_clicked(self, event: Window.Clicked) -> None:
        event.stop()
        self.siems.touched()
        view = self.siems.model.at(event.line)
        if view is not None:
            self.siems.model.go(view.id)
            self._moved()
            if event.times > 1:
                self.do_open()

    def on_window_wheeled(self, event: Window.Wheeled) -> None:
        event.stop()
        self.siems.touched()
        self.siems.model.scroll(event.rows)
        self._moved()

    def on_window_resized(self, event: Window.Resized) -> None:
        event.stop()
        self.repaint()
