"""The incident list: rows drawn when seen, whatever their number, and the SLA rail that ticks beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from siems import present
from siems.tui import clocks
from siems.tui.looks import Looks, Piece
from siems.tui.store import Board
from siems.tui.widgets.window import Window
from siems.wire import IncidentView

RAIL = 12


@dataclass(frozen=True, slots=True)
class Columns:
    """How wide each column is; 0 leaves it out."""

    ref: int
    company: int
    title: int
    who: int
    alerts: int


def columns(width: int, *, ref: int = 8) -> Columns:
    """Columns for a list of this width without its rail: ALR, WHO and COMPANY give way to the title."""
    fixed = 3 + ref + 1 + 9
    company, who, alerts = (12, 6, 4) if width < 90 else (16, 8, 4)
    for drop in range(4):
        kept = Columns(ref, company if drop < 3 else 0, 0, who if drop < 2 else 0, alerts if drop < 1 else 0)
        title = width - fixed - sum(size + 1 for size in (kept.company, kept.who, kept.alerts - 1) if size > 0)
        if title >= 20 or drop == 3:
            return Columns(ref, kept.company, max(4, title), kept.who, kept.alerts)
    raise AssertionError("the last round returns")


def heading(shape: Columns) -> list[Piece]:
    """The words over the columns, without the rail's."""
    line = f"P  {'ID':<{shape.ref}} {'STATE':<8} "
    line += f"{'COMPANY':<{shape.company}} " if shape.company else ""
    line += f"{'TITLE':<{shape.title}}"
    line += f" {'WHO':<{shape.who}}" if shape.who else ""
    line += f" {'ALR':>{shape.alerts - 1}}" if shape.alerts else ""
    return [(line, "head")]


def row(view: IncidentView, shape: Columns, looks: Looks, *, pending: str = "", gone: bool = False) -> list[Piece]:
    """One incident. Severity and state are always words; colour only underlines them."""
    state = pending or ("gone" if gone else present.state_short(view.state, on_hold=view.on_hold))
    line: list[Piece] = [
        (present.severity_short(view.severity) + " ", view.severity),
        (present.fit(present.safe(view.id), shape.ref) + " ", ""),
        (present.fit(state, 8) + " ", "pending" if pending else ("dim" if view.state == "RESOLVED" else "")),
    ]
    if shape.company:
        line.append((present.cell(view.company, shape.company, mark=looks.cut) + " ", ""))
    line.append((present.cell(view.title, shape.title, mark=looks.cut), "bold" if view.state == "OPEN" else ""))
    if shape.who:
        line.append((" " + present.fit(present.person(view.assignee_name), shape.who), ""))
    if shape.alerts:
        came = clocks.arrivals(view)
        count = str(came) if came < 1_000 else f"{min(99, came // 1_000)}k"
        line.append((" " + count.rjust(shape.alerts - 1), ""))
    return line


class Rail(Window):
    """Cursor, mark, glyph and timer of each row. It repaints only the timers that read differently."""

    def __init__(self, board: Board, looks: Looks, now: Callable[[], datetime]) -> None:
        super().__init__(looks, id="rail")
        self.board, self.now = board, now
        self._now = now()

    def line(self, y: int) -> tuple[list[Piece], str]:
        view = self.board.at(y)
        if view is None:
            return [], ""
        under = ""
        if view.id == self.board.cursor:
            under = "gone" if view.id == self.board.tombstone else "cursor"
        lead = ">" if view.id == self.board.cursor else "*" if view.id in self.board.marks else " "
        second = "*" if lead == ">" and view.id in self.board.marks else " "
        if view.id == self.board.tombstone:
            return [(lead, "cursor"), (f"{second}{'':9}", "")], under
        shown = clocks.board_cell(view, self._now)
        pieces = [(lead + second, "mark"), (shown.glyph + shown.text, shown.glyph)]
        return pieces, under

    def tick(self) -> None:
        """Repaint the lines that changed."""
        self.repaint()

    def repaint(self) -> None:
        self._now = self.now()
        super().repaint()

    def on_resize(self) -> None:
        self.tick()


class Rows(Window):
    """The rows themselves: what is drawn is the board's window."""

    def __init__(self, board: Board, looks: Looks, pending: Mapping[str, str]) -> None:
        super().__init__(looks, id="rows")
        self.board, self.pending = board, pending
        self.shape = columns(68)

    def line(self, y: int) -> tuple[list[Piece], str]:
        view = self.board.at(y)
        if view is None:
            return (self.empty[y - 1] if not len(self.board) and 0 < y <= len(self.empty) else []), ""
        gone = view.id == self.board.tombstone
        under = ("gone" if gone else "cursor") if view.id == self.board.cursor else ""
        return row(view, self.shape, self.looks, pending=self.pending.get(view.id, ""), gone=gone), under

    def repaint(self) -> None:
        self.shape = columns(self.size.width, ref=max(8, min(12, self.board.widest)))
        super().repaint()

    def on_resize(self) -> None:
        self.board.resize(self.size.height)
