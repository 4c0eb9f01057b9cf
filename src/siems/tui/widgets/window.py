"""A window on a list: rows are drawn when they are seen, whatever their number."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from siems.tui.looks import Looks, Piece

WHEEL = 3


class Window(Widget):
    """Subclasses say what stands on a line; only lines that look different are painted again."""

    @dataclass
    class Clicked(Message):
        line: int
        times: int

    @dataclass
    class Wheeled(Message):
        rows: int

    @dataclass
    class Resized(Message):
        height: int

    def __init__(self, looks: Looks, *, id: str) -> None:
        super().__init__(id=id)
        self.looks = looks
        self.empty: list[list[Piece]] = []
        self._shown: list[tuple[list[Piece], str]] = []

    def line(self, y: int) -> tuple[list[Piece], str]:
        """The pieces of a line and the role that lies under all of them."""
        raise NotImplementedError

    def repaint(self) -> None:
        """Draw again the lines that look different."""
        fresh = [self.line(y) for y in range(self.size.height)]
        changed = [y for y, line in enumerate(fresh) if self._shown[y : y + 1] != [line]]
        self._shown = fresh
        if len(changed) > len(fresh) // 2:
            self.refresh()
        elif changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def render_line(self, y: int) -> Strip:
        pieces, under = self._shown[y] if y < len(self._shown) else self.line(y)
        return self.looks.strip(pieces, self.size.width, under=under)

    def on_resize(self) -> None:
        self.post_message(self.Resized(self.size.height))

    def on_click(self, event: events.Click) -> None:
        self.post_message(self.Clicked(event.y, event.chain))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.post_message(self.Wheeled(WHEEL))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.post_message(self.Wheeled(-WHEEL))
