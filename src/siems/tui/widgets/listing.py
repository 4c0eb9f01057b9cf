"""The rows of a shelf that are in its window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from siems.tui.looks import Looks, Piece
from siems.tui.shelf import Shelf
from siems.tui.widgets.window import Window

T = TypeVar("T")


class Listing(Window, Generic[T]):
    """`draw` makes the pieces of a row; the cursor's row is told so."""

    def __init__(self, shelf: Shelf[T], looks: Looks, draw: Callable[[T, bool], list[Piece]], *, id: str) -> None:
        super().__init__(looks, id=id)
        self.shelf, self.draw = shelf, draw

    def line(self, y: int) -> tuple[list[Piece], str]:
        row = self.shelf.at(y)
        if row is None:
            return (self.empty[y - 1] if not len(self.shelf) and 0 < y <= len(self.empty) else []), ""
        here = self.shelf.top + y == self.shelf.index
        under = "gone" if self.shelf.key(row) == self.shelf.gone else "cursor" if here else ""
        return self.draw(row, here), under
