"""A widget that shows given lines and repaints only those that changed: the one way text gets on a screen."""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from siems.tui.looks import Line, Looks


class Lines(Widget):
    """Lines from top to bottom. Every piece is made safe on its way to the terminal."""

    def __init__(self, looks: Looks, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.looks = looks
        self.lines: list[Line] = []

    def show(self, lines: Sequence[Line]) -> None:
        """Replace the lines; only those that differ are painted again."""
        fresh = [list(line) for line in lines]
        before, self.lines = self.lines, list(fresh)
        longest = max(len(before), len(fresh))
        changed = [y for y in range(longest) if before[y : y + 1] != self.lines[y : y + 1]]
        if not changed or not self.is_mounted:
            return
        width = self.size.width
        if width and len(changed) < longest:
            self.refresh(*(Region(0, y, width, 1) for y in changed))
        else:
            self.refresh()

    def render_line(self, y: int) -> Strip:
        line = self.lines[y] if y < len(self.lines) else []
        return self.looks.strip(line, self.size.width)
