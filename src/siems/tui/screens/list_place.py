"""What screens with one list share: moving in it, by keys and by mouse, and the line about its end."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from siems import present
from siems.tui.looks import Piece
from siems.tui.screens.place import Place
from siems.tui.shelf import Shelf
from siems.tui.widgets.listing import Listing
from siems.tui.widgets.window import Window

OF_A_ROW = (
    "open", "run", "raw", "entry", "incident", "copy", "read", "read_all", "next_critical", "edit", "setup", "rotate",
    "only", "who", "expire", "longer", "held", "join", "leave",
)  # fmt: skip
"""Keys that are about the row under the cursor, or one of the rows."""


class ListPlace(Place):
    """Subclasses own a shelf, show it in a `Listing`, and say what follows a move."""

    shelf: Shelf[Any]

    def moved(self) -> None:
        """The cursor stands on another row."""
        self.repaint()

    @property
    def shown(self) -> bool:
        """Whether it is drawn, or lies under what is drawn."""
        return self.is_mounted and bool(self.size.width) and self in self.app.screen_stack

    @property
    def listing(self) -> Listing[Any]:
        return self.query_one(Listing)

    def idle(self) -> Collection[str]:
        return (*super().idle(), *OF_A_ROW) if not len(self.shelf) else super().idle()

    def no_daemon(self) -> list[list[Piece]]:
        """What stands where rows would be while nobody answers; nothing while somebody does."""
        state = self.siems.state
        if state.up or not state.lost_at:
            return []
        return [[("No daemon answers.", "bold")], [(state.why[:200], "")], [(state.hint, "key")]]

    def end_of(self, what: str) -> str:
        shelf = self.shelf
        if shelf.below > 0:
            return f"{shelf.below} more below"
        return f"{present.plural(len(shelf), what)}, end of list" if len(shelf) else ""

    # --- moving ---------------------------------------------------------------------------------------------

    def _go(self, index: int) -> None:
        self.shelf.go(index)
        self.moved()

    def do_down(self) -> None:
        self._go(self.shelf.index + 1)

    def do_up(self) -> None:
        self._go(self.shelf.index - 1)

    def do_first(self) -> None:
        self._go(0)

    def do_last(self) -> None:
        self._go(len(self.shelf) - 1)

    def do_page_down(self) -> None:
        self._go(self.shelf.index + self.shelf.height)

    def do_page_up(self) -> None:
        self._go(self.shelf.index - self.shelf.height)

    def do_back(self) -> None:
        self.siems.leave_place()

    # --- the mouse ------------------------------------------------------------------------------------------

    def clicked_twice(self) -> None:
        """What a double click on a row opens."""

    def on_window_clicked(self, event: Window.Clicked) -> None:
        event.stop()
        self.siems.touched()
        if self.shelf.at(event.line) is not None:
            self._go(self.shelf.top + event.line)
            if event.times > 1:
                self.clicked_twice()

    def on_window_wheeled(self, event: Window.Wheeled) -> None:
        event.stop()
        self.siems.touched()
        self.shelf.scroll(event.rows)
        self.moved()

    def on_window_resized(self, event: Window.Resized) -> None:
        event.stop()
        self.shelf.resize(event.height)
        self.repaint()
