"""One incident: its clocks, its story, its alerts, and the facts."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal

from siems import present
from siems.tui import clocks, frame, run_lines, story_lines
from siems.tui.actions import Where
from siems.tui.looks import Line, Piece, spread, width_of
from siems.tui.messages import Story
from siems.tui.panes import state, where
from siems.tui.run_reads import Fitting
from siems.tui.screens.place import Place, bindings, filled
from siems.tui.widgets.lines import Lines
from siems.tui.widgets.window import WHEEL
from siems.wire import IncidentView

SECTIONS = ("Timeline", "Alerts", "Notes", "History", "Facts")
SIDE = 48


class DetailScreen(Place):
    """Screen 2. On wide terminals everything at once; on small ones a section at a time, Tab turns."""

    BINDINGS = bindings(Where.DETAIL)
    WHERE = Where.DETAIL

    def __init__(self, ref: str) -> None:
        super().__init__()
        self.ref = ref
        self.section = 0
        self.top = 0
        self.why = ""
        self.past: dict[str, list[IncidentView]] = {}
        self.fitting: dict[str, list[tuple[str, str]]] = {}
        self._past_asked = self._fitting_asked = ""

    def compose(self) -> ComposeResult:
        looks = self.siems.looks
        yield from self.compose_top()
        for name in ("path", "incident", "timers", "tabs", "line"):
            yield Lines(looks, id=name)
        with Horizontal(id="middle"):
            yield Lines(looks, id="main")
            yield Lines(looks, id="edge")
            yield Lines(looks, id="side")
        yield from self.compose_bottom()

    @property
    def view(self) -> IncidentView | None:
        """The incident: as the board knows it, since that is kept up to date, else as it was read."""
        app = self.siems
        story = app.stories.get(self.ref)
        known = app.model.views.get(self.ref) if self.ref != app.model.tombstone else None
        read = story.detail.incident if story is not None else None
        if known is not None and read is not None:
            return read if read.version > known.version else known
        return known or read

    def subjects(self) -> list[IncidentView]:
        return [self.view] if self.view is not None else []

    def story(self) -> Story | None:
        return self.siems.stories.get(self.ref)

    def take_past(self, ref: str, views: list[IncidentView]) -> None:
        """Earlier incidents on the same assets."""
        self.past = {ref: views}
        self.repaint()

    def _ask_past(self, view: IncidentView) -> None:
        """Asked for once, when somebody looks."""
        if self._past_asked != view.id and self.siems.state.up:
            self._past_asked = view.id
            self.siems.records.past(view)

    def take_fitting(self, event: Fitting) -> None:
        """The runbooks that fit, and the runs."""
        self.fitting = {event.ref: run_lines.rows(event.suggested, event.past)}
        self.repaint()

    def _ask_fitting(self, view: IncidentView) -> None:
        if self._fitting_asked != view.id and self.siems.state.up:
            self._fitting_asked = view.id
            self.siems.run_reads.fitting(view)

    # --- painting -------------------------------------------------------------------------------------------

    def tick(self) -> None:
        if not self.is_mounted or not self.size.width:
            return
        super().tick()
        view = self.view
        if view is None:
            return
        app, width = self.siems, self.size.width
        scene = self.scene()
        gap = "    " if self.wide else " | "
        line: list[Piece] = [
            ("Respond ", "dim"), *clocks.respond(view, scene.now, app.zone),
            (gap, "rule"), ("Resolve ", "dim"), *clocks.resolve(view, scene.now, app.zone),
        ]  # fmt: skip
        if self.wide:
            line += [("  ", ""), *story_lines.gauge(view, scene)]
        if self.wide or view.next_escalation is not None:
            line += [(gap, "rule"), *self._escalates(view, width - width_of(line) - len(gap))]
        self.lines("timers").show([spread(line, [], width)])

    def _escalates(self, view: IncidentView, room: int) -> list[Piece]:
        """To whom and when, in as many words as there is room for."""
        now, looks = self.scene().now, self.siems.looks
        told = clocks.escalate(view, now, looks.arrow)
        if width_of(told) + 9 < room:
            return [("Escalate ", "dim"), *told]
        when, *who = told
        left = max(0, room - 1 - width_of([when]))
        return [when, *((present.clip(text, left, mark=looks.cut), role) for text, role in who)]

    def repaint(self) -> None:
        if not self.is_mounted or not self.size.width:
            return
        app, view, story, wide = self.siems, self.view, self.story(), self.wide
        self._paint_path()
        for name in ("edge", "side"):
            if self.lines(name).display != wide:
                self.lines(name).display = wide
        self.lines("tabs").display = not wide
        if view is None:
            self.lines("main").show([[(self.why or "reading...", "error" if self.why else "dim")]])
            self.tick()
            return
        self.lines("incident").show([self._head(view)])
        self.lines("line").show([self._rule()])
        self.lines("tabs").show([self._tabs(view, story)])
        height = self.lines("main").size.height
        body = self._section(view, story)
        self.top = max(0, min(self.top, len(body) - height))
        self.lines("main").show(filled(body[self.top : self.top + height], height))
        if wide or SECTIONS[self.section] == "History":
            self._ask_past(view)
        if wide or SECTIONS[self.section] == "Facts":
            self._ask_fitting(view)
        if wide:
            self.lines("edge").show([[(app.looks.bar, "rule")]] * height)
            past, more = self.past.get(view.id), self.fitting.get(view.id, ())
            side = story_lines.side(view, story, self.scene(), SIDE - 1, height, past=past, more_rows=more)
            self.lines("side").show(filled(side, height))
        self.tick()

    def _paint_path(self) -> None:
        left: list[Piece] = [("Incidents", ""), (" > ", "dim"), (self.ref, "bold")]
        app = self.siems
        if not app.state.up and app.state.lost_at:
            self.lines("path").show([frame.lost_banner(app.state, app.monotonic(), app.zone)])
            return
        right: list[Piece] = [("[", "key"), (" previous  ", ""), ("]", "key"), (" next", "")]
        self.lines("path").show([spread(left, right, self.size.width)])

    def _head(self, view: IncidentView) -> Line:
        app = self.siems
        pending = app.desk.pending.get(view.id, "")
        left: list[Piece] = [
            (f"{view.id}  ", "title"), (present.severity_short(view.severity), view.severity),
            (f"  {pending or state(view)}  ", "pending" if pending else ""), (view.title[:400], "bold"),
        ]  # fmt: skip
        about = where(view) if self.wide else present.safe(view.company[:24])
        right: list[Piece] = [("  ", ""), (present.clip(about, self.size.width // 3), "")]
        if self.wide:
            right += [("   owner ", "dim"), (present.person(view.assignee_name), "")]
        return spread(left, right, self.size.width)

    def _rule(self) -> Line:
        if not self.wide:
            return [(self.siems.looks.rule(self.size.width), "rule")]
        left = self.siems.looks.rule(self.size.width - SIDE - 1)
        joint = "+" if self.siems.looks.ascii_only else "┬"
        return [(left + joint + self.siems.looks.rule(SIDE), "rule")]

    def _tabs(self, view: IncidentView, story: Story | None) -> Line:
        notes = sum(one.kind == "note" for one in story.timeline) if story else 0
        past = len(self.past.get(view.id, ()))
        counts = (len(story.timeline) if story else 0, clocks.arrivals(view), notes, past, 0)
        line: list[Piece] = []
        for place, name in enumerate(SECTIONS):
            text = f"{name} {counts[place]}" if counts[place] else name
            line += [(f"[{text}]", "tab") if place == self.section else (f" {text} ", ""), (" ", "")]
        owner = present.person(view.assignee_name)
        return spread(line, [("owner ", "dim"), (owner, ""), ("   tab", "key"), (" turns", "dim")], self.size.width)

    def _section(self, view: IncidentView, story: Story | None) -> list[Line]:
        scene = self.scene()
        width = self.size.width - SIDE - 2 if self.wide else self.size.width
        if story is None:
            return [[(self.why or "reading...", "error" if self.why else "dim")]]
        match "Timeline" if self.wide else SECTIONS[self.section]:
            case "Alerts":
                return story_lines.alerts(view, story, scene, width)
            case "Notes":
                return story_lines.notes(story.timeline, scene, width)
            case "History":
                return story_lines.history(self.past.get(view.id), scene, width)
            case "Facts":
                return story_lines.facts(view, story, scene, width, self.fitting.get(view.id, ()))
            case _:
                head: list[Line] = [[(f"TIMELINE {len(story.timeline)}", "head")]] if self.wide else []
                return head + story_lines.timeline(story.timeline, scene, width)

    # --- keys -----------------------------------------------------------------------------------------------

    def _scroll(self, rows: int) -> None:
        self.top += rows
        self.repaint()

    def do_down(self) -> None:
        self._scroll(1)

    def do_up(self) -> None:
        self._scroll(-1)

    def do_first(self) -> None:
        self._scroll(-self.top)

    def do_last(self) -> None:
        self._scroll(1_000_000)

    def do_page_down(self) -> None:
        self._scroll(self.lines("main").size.height - 1)

    def do_page_up(self) -> None:
        self._scroll(1 - self.lines("main").size.height)

    def do_section(self) -> None:
        self.section, self.top = (self.section + 1) % len(SECTIONS), 0
        self.repaint()

    def do_previous(self) -> None:
        self._turn(-1)

    def do_following(self) -> None:
        self._turn(1)

    def _turn(self, rows: int) -> None:
        """The incident above or below on the board, which the board's cursor goes along with."""
        model = self.siems.model
        model.go(self.ref)
        model.move(rows)
        if model.cursor is None or model.cursor == self.ref:
            self.siems.tell("no further incident in this list")
            return
        self.ref, self.top, self.why = model.cursor, 0, ""
        self.siems.read_story(self.ref)
        self.repaint()

    def do_back(self) -> None:
        self.siems.leave_incident()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._scroll(WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._scroll(-WHEEL)
