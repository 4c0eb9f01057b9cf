"""Rows under a cursor that belongs to a row and not to its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Shelf(Generic[T]):
    """A list that may change under its reader. Without a cursor the newest row is meant, whichever that is."""

    def __init__(self, key: Callable[[T], str]) -> None:
        self.key = key
        self.items: list[T] = []
        self.loaded = False
        self.cursor = ""
        self.gone = ""
        self.top = 0
        self.height = 1

    def __len__(self) -> int:
        return len(self.items)

    @property
    def index(self) -> int:
        if not self.cursor:
            return 0
        return next((place for place, one in enumerate(self.items) if self.key(one) == self.cursor), 0)

    @property
    def current(self) -> T | None:
        return self.items[self.index] if self.items else None

    @property
    def below(self) -> int:
        """Rows under the window."""
        return max(0, len(self.items) - self.top - self.height)

    def at(self, line: int) -> T | None:
        place = self.top + line
        return self.items[place] if 0 <= place < len(self.items) else None

    def replace(self, items: Sequence[T]) -> None:
        """Other rows: the cursor stays on its own, on the same line; one that is gone stays until it is left."""
        before, line = self.index, self.index - self.top
        here = self.current
        self.items, self.loaded, self.gone = list(items), True, ""
        if here is not None and self.cursor and all(self.key(one) != self.cursor for one in self.items):
            self.items.insert(min(before, len(self.items)), here)
            self.gone = self.cursor
        self.top = self.index - line if self.cursor else 0
        self._clamp()

    def extend(self, items: Sequence[T]) -> None:
        """Older rows at the end; those that are there already are left out."""
        known = {self.key(one) for one in self.items}
        self.items += [one for one in items if self.key(one) not in known]
        self._clamp()

    def go(self, index: int) -> None:
        """Move the cursor; the first row means: whichever is the first."""
        index = max(0, min(index, len(self.items) - 1))
        if self.gone and self.items and self.key(self.items[index]) != self.gone:
            left = next(place for place, one in enumerate(self.items) if self.key(one) == self.gone)
            del self.items[left]
            index -= left < index
            self.gone = ""
        self.cursor = self.key(self.items[index]) if 0 < index < len(self.items) else ""
        if index < self.top:
            self.top = index
        elif index >= self.top + self.height:
            self.top = index - self.height + 1
        self._clamp()

    def move(self, rows: int) -> None:
        self.go(self.index + rows)

    def scroll(self, rows: int) -> None:
        """Move the window, and the cursor only where it would leave it."""
        self.top += rows
        self._clamp()
        self.go(max(self.top, min(self.index, self.top + self.height - 1)))

    def resize(self, height: int) -> None:
        self.height = max(1, height)
        self.go(self.index)

    def _clamp(self) -> None:
        self.top = max(0, min(self.top, len(self.items) - self.height))
