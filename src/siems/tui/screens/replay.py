"""A past hour: the board as it was, what happened last, and the bar with the played clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.binding import Binding, BindingType

from siems import present
from siems.tui import frame
from siems.tui.actions import DEEDS, Where
from siems.tui.looks import Line, Piece, spread
from siems.tui.panes import Scene
from siems.tui.screens.board import BoardScreen
from siems.tui.screens.detail import DetailScreen
from siems.tui.screens.place import bindings
from siems.tui.story_lines import KIND_ROLE, KIND_WORD
from siems.tui.tape import Tape
from siems.wire import IncidentView, PlaybackStep

if TYPE_CHECKING:
    from siems.tui.replay import ReplayApp

PAST = "REPLAY: this is the past, nothing can be done to it (Q leaves)"


def speed_word(speed: float) -> str:
    """`x60`, `x0.5`."""
    return f"x{speed:g}"


def bar(tape: Tape, scene: Scene, width: int) -> Line:
    """`REPLAY Fri 2026-11-20 14:12:31  > x60  [####----]  14:00-15:00  18 of 64`."""
    at = tape.at.astimezone(scene.zone)
    sign = "end" if tape.ended else ">" if tape.running else "paused"
    left: list[Piece] = [
        (" REPLAY ", "lost"), (f" {at:{'%a ' if width >= 100 else ''}%Y-%m-%d %H:%M:%S} ", "bold"),
        (f" {sign} ", "live" if sign == ">" else "stale"),
        (f"{speed_word(tape.speed)}  ", "key"),
    ]  # fmt: skip
    ends = [one.astimezone(scene.zone) for one in (tape.begin, tape.end)]
    more = "" if tape.known >= tape.end else "+"
    right: list[Piece] = [
        (f"  {ends[0]:%H:%M}-{ends[1]:%H:%M}", "dim"), (f"  {tape.place} of {len(tape.steps)}{more}", ""),
    ]  # fmt: skip
    room = width - sum(len(text) for text, _ in left + right) - 4
    if room >= 5:
        full, blank = ("#", "-") if scene.looks.ascii_only else ("█", "░")
        done = round(tape.share * room)
        left += [("[", "dim"), (full * done, "spark"), (blank * (room - done), "dim"), ("]", "dim")]
    return spread(left, right, width)


def happened(step: PlaybackStep, scene: Scene, width: int) -> Line:
    """`14:12:31 state  INC-42  Acme  jon  acknowledged`."""
    who = "" if step.kind == "open" else f"{present.person(step.actor, width=10)} "
    head: list[Piece] = [
        (f"{scene.time(step.at)} ", "dim"),
        (present.cell(KIND_WORD.get(step.kind, step.kind), 8), KIND_ROLE.get(step.kind, "")),
        (present.fit(present.safe(step.incident_id or "-"), 9), "bold"),
        (present.cell(step.company, 12 if width < 100 else 16) + " ", ""),
    ]  # fmt: skip
    if step.severity and step.kind in ("alert", "open", "repeat"):
        head.append((f"{present.severity_short(step.severity)} ", step.severity))
    room = width - sum(present.cell_width(text) for text, _ in head)
    text = " ".join(f"{who}{step.text[:300]}".split())
    return [*head, (present.clip(present.safe(text), room, mark=scene.looks.cut), "")]


def refused(where: Where) -> list[BindingType]:
    """The keys of today's screens that mean nothing here: each says why."""
    own = {key for deed in DEEDS if where in deed.where for key in deed.keys}
    rest = {key for deed in DEEDS for key in deed.keys} - own
    return [Binding(",".join(sorted(rest)), "past", PAST, show=False)]


class ReplayScreen(BoardScreen):
    """The board of a replay: it looks and moves as the live one does."""

    BINDINGS = bindings(Where.REPLAY) + refused(Where.REPLAY)
    WHERE = Where.REPLAY

    def action_past(self) -> None:
        self.siems.tell(PAST, "error")

    @property
    def played(self) -> ReplayApp:
        from siems.tui.replay import ReplayApp

        assert isinstance(self.app, ReplayApp)
        return self.app

    def subjects(self) -> list[IncidentView]:
        view = self.siems.model.current
        return [view] if view is not None else []

    # --- painting -------------------------------------------------------------------------------------------

    def screens_line(self) -> list[Piece]:
        model, filter_ = self.siems.model, self.siems.saved.filter
        left: list[Piece] = [("[Incidents, as they were]", "tab")]
        if filter_:
            named = f"{self.siems.saved.view}: " if self.siems.saved.view else ""
            board = len(self.played.tape.board())
            left += [("  filter: ", "dim"), (f"{named}{filter_}", "bold"), (f"  {len(model)} of {board}", "")]
            return left
        gaps = self.played.tape.gaps
        if gaps:
            left.append((f"  not on record: {gaps[0]}", "stale"))
            return left
        return frame.beside(left, frame.tally(*self.siems.model.tally()), self.size.width)

    def _arrange(self) -> None:
        """What happened last stands under the list; the selected incident beside it, where there is room."""
        wide, height = self.wide, self.size.height
        on = {"pane": wide and self.siems.saved.pane, "edge": wide and self.siems.saved.pane}
        on |= {"preview": height >= 17 and not wide, "today": wide}
        for name, show in on.items():
            if self.lines(name).display != show:
                self.lines(name).display = show

    def repaint(self) -> None:
        super().repaint()
        if self.is_mounted and self.size.width and self.lines("today").display:
            self.lines("today").show(self._happenings(self.lines("today").size.height))

    def _paint_view(self) -> None:
        app = self.siems
        if not app.state.up and app.state.lost_at:
            self.lines("view").show([[(" REPLAY ", "lost"), (f" {app.state.why}  {app.state.hint}", "error")]])
            return
        self.lines("view").show([bar(self.played.tape, self.scene(), self.size.width)])

    def _paint_selected(self) -> None:
        super()._paint_selected()
        preview = self.lines("preview")
        if preview.display:
            preview.show(self._happenings(preview.size.height or 5))

    def _happenings(self, height: int) -> list[Line]:
        width, scene = self.size.width, self.scene()
        lines: list[Line] = [frame.rule(scene.looks, width, "what happened", "newest first")]
        lines += [happened(step, scene, width) for step in self.played.tape.last(max(0, height - 1))]
        if len(lines) == 1:
            lines.append([("nothing yet: . goes to what happens first", "dim")])
        return [*lines, *([[]] * (height - len(lines)))]

    def _empty(self) -> list[list[Piece]]:
        if not self.siems.loaded and not self.siems.state.lost_at:
            return [[("reading the record...", "dim")]]
        if self.siems.state.lost_at and not self.siems.loaded:
            return super()._empty()
        if self.siems.saved.filter:
            return [[("No incident matched this filter then.", "bold")], [("esc", "key"), (" clears it", "")]]
        return [[("All quiet: nothing was open.", "bold")]]

    # --- keys -----------------------------------------------------------------------------------------------

    def do_play(self) -> None:
        tape = self.played.tape
        if tape.ended:
            self.played.jump(lambda: tape.seek(tape.begin))
        tape.running = not tape.running
        self.repaint()

    def do_step_on(self) -> None:
        self._on(loud=False)

    def do_next_event(self) -> None:
        self._on(loud=True)

    def _on(self, *, loud: bool) -> None:
        tape = self.played.tape
        tape.running = False
        passed = tape.on(loud=loud)
        if not passed:
            self.siems.tell("the hour ends here" if tape.ended else "still reading the record")
        self.played.show(passed)

    def do_step_back(self) -> None:
        self.played.jump(self.played.tape.back)

    def do_previous_event(self) -> None:
        tape = self.played.tape
        self.played.jump(lambda: tape.back(loud=True))

    def do_faster(self) -> None:
        self.played.tape.faster()
        self.repaint()

    def do_slower(self) -> None:
        self.played.tape.slower()
        self.repaint()

    def prompted(self, purpose: str, value: str) -> None:
        if purpose == "command":
            self.siems.run_command(value.strip())
        else:
            super().prompted(purpose, value)


class ReplayDetail(DetailScreen):
    """An incident of a replay: what it knows ends at the played moment."""

    BINDINGS = bindings(Where.REPLAYED) + refused(Where.REPLAYED)
    WHERE = Where.REPLAYED

    def action_past(self) -> None:
        self.siems.tell(PAST, "error")

    def _ask_past(self, view: IncidentView) -> None:
        """What was before is asked of today's list: not here."""

    def _ask_fitting(self, view: IncidentView) -> None:
        """Nor are the runbooks that would fit today, or its runs since."""
