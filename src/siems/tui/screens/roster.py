"""Lists of what is not an incident: rows in columns, a filter over what is shown, and a strip about the row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult

from siems import present
from siems.tui import frame
from siems.tui.looks import Line, Piece, spread, wrap
from siems.tui.screens.list_place import ListPlace
from siems.tui.screens.place import filled
from siems.tui.shelf import Shelf
from siems.tui.widgets.lines import Lines
from siems.tui.widgets.listing import Listing

Row = TypeVar("Row")
LOW = 14
"""Terminals lower than this show the list and nothing beside it."""
OLD = 30.0
"""After so many seconds on the screen a list is read again."""


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column: its word, its width (0: what is left), what stands in it, and whether only wide terminals have it."""

    title: str
    width: int
    show: Callable[[Row], Piece]
    right: bool = False
    wide: bool = False


class Roster(ListPlace, Generic[Row]):
    """Subclasses say what is read, what its columns are, and what is told about the row under the cursor."""

    NOUNS: ClassVar[tuple[str, str]] = ("row", "rows")
    STRIP: ClassVar[int] = 4
    NEEDS: ClassVar[Mapping[str, str]] = {}
    """Key -> what the reader must be allowed to do for it, in the daemon's words: the keys of others are not shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shelf: Shelf[Row] = Shelf(self.key)
        self.all: list[Row] = []
        self.query_text = ""
        self._read_at = -OLD
        self.why = ""

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
        self.why = ""
        self.all = rows
        self.shelf.replace(self._matching())
        self.repaint()

    def refused(self, why: str) -> None:
        """The daemon does not show it to this reader, or cannot."""
        self.why = why
        if not self.shelf.loaded:
            self.repaint()

    def _matching(self) -> list[Row]:
        words = self.query_text.lower().split()
        return [row for row in self.all if all(word in self.words(row).lower() for word in words)]

    @property
    def current(self) -> Row | None:
        return self.shelf.current

    def begin_with(self, query: str) -> None:
        self.query_text = query

    def idle(self) -> Collection[str]:
        return (*super().idle(), *(key for key, permission in self.NEEDS.items() if not self.siems.may(permission)))

    # --- painting -------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        looks = self.siems.looks
        yield from self.compose_top()
        for name in ("screens", "view", "columns"):
            yield Lines(looks, id=name)
        yield Listing(self.shelf, looks, self._row, id="rows")
        yield Lines(looks, id="strip")
        yield from self.compose_bottom()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self.read_again()

    def read_again(self) -> None:
        if self.siems.state.up:
            self._read_at = self.siems.monotonic()
            self.read()

    def tick(self) -> None:
        if not self.shown:
            return
        super().tick()
        self._paint_view()
        if self.siems.state.up and self.siems.monotonic() - self._read_at >= OLD:
            self.read_again()

    def repaint(self) -> None:
        if not self.shown:
            return
        width, strip, here = self.size.width, self.lines("strip"), self.current
        strip.display = self.size.height >= LOW
        strip.styles.height = self.STRIP
        self.lines("screens").show([self.screens_line()])
        heads = [
            present.fit(f"{one.title:>{size}}" if one.right else one.title, size) for one, size in self._shape(width)
        ]
        self.lines("columns").show([[("  " + " ".join(heads), "head")]])
        self.listing.empty = self._empty()
        self.listing.repaint()
        strip.show(filled(list(self.about(here, width)) if here is not None else [], self.STRIP))
        self.tick()

    def total(self) -> str:
        """How much there is, in words."""
        return f"{len(self.all)} {self.NOUNS[len(self.all) != 1]}"

    def _paint_view(self) -> None:
        app, width, shown = self.siems, self.size.width, len(self.shelf)
        if not app.state.up and app.state.lost_at:
            self.lines("view").show([frame.lost_banner(app.state, app.monotonic(), app.zone)])
            return
        total = self.total() if self.shelf.loaded else ""
        left: list[Piece] = [(f"{shown} of {total}" if self.query_text else total, "bold")]
        if self.query_text:
            left += [("   filter: ", "dim"), (self.query_text, "")]
        below = f"{self.shelf.below} more below " if self.shelf.below else ""
        self.lines("view").show([spread(left, [(below, "dim")], width)])

    def _empty(self) -> list[list[Piece]]:
        if lost := self.no_daemon():
            return lost
        if self.why and not self.shelf.loaded:
            return [[(part, "error")] for part in wrap(self.why, self.size.width - 6, most=3)]
        if not self.shelf.loaded:
            return [[("reading...", "dim")]]
        if self.query_text:
            return [[("Nothing here matches this filter.", "bold")], [("esc", "key"), (" clears it", "")]]
        return self.nothing()

    def _shape(self, width: int) -> list[tuple[Column[Row], int]]:
        kept = [one for one in self.columns() if self.wide or not one.wide]
        fixed = sum(one.width for one in kept) + len(kept) + 1
        free = max(8, width - fixed - 1)
        growing = sum(1 for one in kept if not one.width) or 1
        return [(one, one.width or free // growing) for one in kept]

    def _row(self, row: Row, here: bool) -> list[Piece]:
        pieces: list[Piece] = [("> " if here else "  ", "mark")]
        for one, size in self._shape(self.size.width):
            text, role = one.show(row)
            shown = present.safe(text)
            if one.right:
                shown = " " * max(0, size - present.cell_width(shown)) + shown
            pieces += [(present.cell(shown, size, mark=self.siems.looks.cut), role), (" ", "")]
        return pieces

    # --- keys -----------------------------------------------------------------------------------------------

    def do_filter(self) -> None:
        self.prompt("filter", "/", value=self.query_text, hint="part of what is shown")

    def take_filter(self, text: str) -> None:
        self.query_text, self.shelf.cursor = text.strip(), ""
        self.shelf.replace(self._matching())
        self.moved()

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
            super().do_back()
