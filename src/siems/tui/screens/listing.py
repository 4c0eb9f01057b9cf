"""Lists of what is not an incident: rows with a cursor that belongs to an id, a filter, and a strip on the row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult

from siems import present
from siems.tui.looks import Line, Looks, Piece
from siems.tui.screens.place import Place, filled
from siems.tui.widgets.lines import Lines
from siems.tui.widgets.window import Window

Row = TypeVar("Row")
LOW = 14
"""Terminals lower than this show the list and nothing beside it."""


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column: its word, its width (0: what is left), what stands in it, and whether only wide terminals have it."""

    title: str
    width: int
    show: Callable[[Row], Piece]
    right: bool = False
    wide: bool = False


class Roll(Window, Generic[Row]):
    """The rows that are seen."""

    def __init__(self, looks: Looks) -> None:
        super().__init__(looks, id="roll")
        self.rows: list[tuple[list[Piece], bool]] = []

    def line(self, y: int) -> tuple[list[Piece], str]:
        if y < len(self.rows):
            pieces, here = self.rows[y]
            return pieces, "cursor" if here else ""
        return (self.empty[y - 1] if not self.rows and 0 < y <= len(self.empty) else []), ""


class Listing(Place, Generic[Row]):
    """Subclasses say what is read, what its columns are, and what is told about the row under the cursor."""

    NOUN: ClassVar[str] = "row"
    STRIP: ClassVar[int] = 4

    def __init__(self) -> None:
        super().__init__()
        self.all: list[Row] | None = None
        self.cursor = ""
        self.query_text = ""
        self._top = 0
        self._read_at = 0.0

    # --- what subclasses say ----------------------------------------------------------------------------------

    def read(self) -> None:
        """Ask the daemon; the answer comes to `fill`."""
        raise NotImplementedError

    def key(self, row: Row) -> str:
        raise NotImplementedError

    def columns(self) -> Sequence[Column[Row]]:
        raise NotImplementedError

    def about(self, row: Row, width: int) -> list[Line]:
        """The strip under the list, its heading first."""
        return []

    def words(self, row: Row) -> str:
        """What the filter looks in."""
        return self.key(row)

    def nothing(self) -> list[list[Piece]]:
        return [[("Nothing here yet.", "bold")]]

    # --- the rows -------------------------------------------------------------------------------------------

    def fill(self, rows: list[Row]) -> None:
        """The daemon has answered: the cursor stays on its row."""
        at = self.index
        self.all = rows
        shown = self.rows
        if shown and all(self.key(row) != self.cursor for row in shown):
            self.cursor = self.key(shown[max(0, min(at, len(shown) - 1))])
        self.repaint()

    @property
    def rows(self) -> list[Row]:
        words = self.query_text.lower().split()
        return [row for row in self.all or () if all(word in self.words(row).lower() for word in words)]

    @property
    def index(self) -> int:
        return next((at for at, row in enumerate(self.rows) if self.key(row) == self.cursor), 0)

    @property
    def current(self) -> Row | None:
        rows = self.rows
        return rows[self.index] if rows else None

    def _go(self, index: int) -> None:
        rows = self.rows
        if rows:
            self.cursor = self.key(rows[max(0, min(len(rows) - 1, index))])
        self.repaint()

    # --- painting -------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        looks = self.siems.looks
        yield from self.compose_top()
        for name in ("screens", "view", "columns"):
            yield Lines(looks, id=name)
        yield Roll[Row](looks)
        yield Lines(looks, id="strip")
        yield from self.compose_bottom()

    def on_mount(self) -> None:
        super().on_mount()
        self.read_again()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self.read_again()

    def read_again(self) -> None:
        if self.siems.state.up:
            self._read_at = self.siems.monotonic()
            self.read()

    def tick(self) -> None:
        super().tick()
        if self.is_mounted and self.siems.state.up and self.siems.monotonic() - self._read_at >= 30.0:
            self.read_again()

    def repaint(self) -> None:
        if not self.is_mounted or not self.size.width:
            return
        self.tick()
        width, rows = self.size.width, self.rows
        strip = self.lines("strip")
        strip.display = self.size.height >= LOW
        strip.styles.height = self.STRIP
        self.lines("screens").show([self.screens_line()])
        self.lines("view").show([self._view(len(rows))])
        shape = self._shape(width)
        heads = [present.fit(f"{one.title:>{size}}" if one.right else one.title, size) for one, size in shape]
        self.lines("columns").show([[("  " + " ".join(heads), "head")]])
        roll, at = self.query_one(Roll), self.index
        height = max(1, roll.size.height)
        self._top = max(0, min(self._top, at, len(rows) - 1))
        if at >= self._top + height:
            self._top = at - height + 1
        roll.empty = self._empty()
        roll.rows = [
            (self._line(row, shape, here=self._top + y == at), self._top + y == at)
            for y, row in enumerate(rows[self._top : self._top + height])
        ]
        roll.repaint()
        here = self.current
        strip.show(filled(list(self.about(here, width)) if here is not None else [], self.STRIP))

    def _view(self, shown: int) -> list[Piece]:
        total = len(self.all or ())
        count = present.plural(total, self.NOUN) if shown == total else f"{shown} of {present.plural(total, self.NOUN)}"
        line: list[Piece] = [(count, "bold")]
        if self.query_text:
            line += [("   /", "key"), (present.safe(self.query_text), "")]
        return line

    def _empty(self) -> list[list[Piece]]:
        if self.all is None:
            lost = not self.siems.state.up and bool(self.siems.state.lost_at)
            return [[("No daemon answers.", "bold")]] if lost else [[("reading...", "dim")]]
        if self.query_text:
            return [[("Nothing here matches this filter.", "bold")], [("esc", "key"), (" clears it", "")]]
        return self.nothing()

    def _shape(self, width: int) -> list[tuple[Column[Row], int]]:
        kept = [one for one in self.columns() if self.wide or not one.wide]
        fixed = sum(one.width for one in kept) + len(kept) + 1
        free = max(8, width - fixed - 1)
        growing = sum(1 for one in kept if not one.width) or 1
        return [(one, one.width or free // growing) for one in kept]

    def _line(self, row: Row, shape: Sequence[tuple[Column[Row], int]], *, here: bool) -> list[Piece]:
        pieces: list[Piece] = [("> " if here else "  ", "mark")]
        for one, size in shape:
            text, role = one.show(row)
            shown = present.safe(text)
            if one.right:
                shown = " " * max(0, size - present.cell_width(shown)) + shown
            pieces += [(present.cell(shown, size, mark=self.siems.looks.cut), role), (" ", "")]
        return pieces

    # --- keys -----------------------------------------------------------------------------------------------

    def do_down(self) -> None:
        self._go(self.index + 1)

    def do_up(self) -> None:
        self._go(self.index - 1)

    def do_first(self) -> None:
        self._go(0)

    def do_last(self) -> None:
        self._go(len(self.rows) - 1)

    def do_page_down(self) -> None:
        self._go(self.index + max(1, self.query_one(Roll).size.height))

    def do_page_up(self) -> None:
        self._go(self.index - max(1, self.query_one(Roll).size.height))

    def do_filter(self) -> None:
        self.prompt("filter", "/", value=self.query_text, hint="part of what is shown")

    def take_filter(self, text: str) -> None:
        self.query_text = text.strip()
        self._go(0)

    def prompted(self, purpose: str, value: str) -> None:
        if purpose == "filter":
            self.take_filter(value)
        else:
            super().prompted(purpose, value)

    def do_copy(self) -> None:
        if self.current is None:
            self.siems.tell("copy: nothing is selected")
        else:
            self.siems.copy(self.key(self.current))

    def do_back(self) -> None:
        if self.query_text:
            self.take_filter("")
        else:
            self.siems.pop_screen()

    # --- the mouse ------------------------------------------------------------------------------------------

    def on_window_clicked(self, event: Window.Clicked) -> None:
        event.stop()
        self.siems.touched()
        rows = self.rows
        if self._top + event.line < len(rows):
            self._go(self._top + event.line)
            if event.times > 1:
                self.opened()

    def opened(self) -> None:
        """A row was clicked twice."""

    def on_window_wheeled(self, event: Window.Wheeled) -> None:
        event.stop()
        self._go(self.index + event.rows)

    def on_window_resized(self, event: Window.Resized) -> None:
        event.stop()
        self.repaint()
