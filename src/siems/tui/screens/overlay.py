"""Windows over a screen: a frame, lines, text fields, and keys that are dropped for the first moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from siems import present
from siems.tui.letting_go import let_go
from siems.tui.looks import Line
from siems.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from siems.tui.app import SiemsApp

Answer = TypeVar("Answer")
GRACE = 0.3
"""Seconds in which a new window takes no key, so that nothing typed before it opened is meant for it."""


class Overlay(ModalScreen[Answer], Generic[Answer], inherit_bindings=False):
    """A framed window. Keys come as `key_pressed`; Esc and q leave with nothing."""

    AUTO_FOCUS: ClassVar[str | None] = ""
    WIDTH: ClassVar[int] = 76
    FIELD_FIRST: ClassVar[bool] = False

    def __init__(self, title: str) -> None:
        super().__init__()
        self.heading = title.strip()
        self.offset_row = 0
        self._born = 0.0

    @property
    def siems(self) -> SiemsApp:
        from siems.tui.app import SiemsApp

        assert isinstance(self.app, SiemsApp)
        return self.app

    def compose(self) -> ComposeResult:
        with Vertical(id="window"):
            if self.FIELD_FIRST:
                yield from self.compose_fields()
            yield Lines(self.siems.looks, id="body")
            if not self.FIELD_FIRST:
                yield from self.compose_fields()
            yield Lines(self.siems.looks, id="foot")

    def compose_fields(self) -> ComposeResult:
        """Text fields under or over the lines."""
        yield from ()

    def on_mount(self) -> None:
        self._born = self.siems.monotonic()
        window = self.query_one("#window")
        window.styles.border = ("ascii" if self.siems.looks.ascii_only else "round", "ansi_bright_black")
        window.border_title = Content(present.safe(self.heading[:200]))  # a str would be read as markup
        window.styles.width = min(self.WIDTH, self.app.size.width)
        self.repaint()

    def on_unmount(self) -> None:
        let_go()

    @property
    def awake(self) -> bool:
        return self.siems.monotonic() - self._born >= GRACE

    @property
    def width(self) -> int:
        return min(self.WIDTH, self.app.size.width) - 4

    @property
    def room(self) -> int:
        """Lines that fit on this terminal beside frame and fields."""
        return max(3, self.app.size.height - 4)

    def content(self) -> Sequence[Line]:
        """What the window shows now."""
        return []

    def foot(self) -> Sequence[Line]:
        """What stands at the bottom, under the text fields."""
        return []

    def repaint(self) -> None:
        for id, content in (("body", self.content()), ("foot", self.foot())):
            lines, part = list(content), self.query_one(f"#{id}", Lines)
            part.styles.height = min(len(lines), self.room)
            part.show(lines)

    def tick(self) -> None:
        """What moves with time."""

    def on_resize(self) -> None:
        if self.is_mounted:
            self.query_one("#window").styles.width = min(self.WIDTH, self.app.size.width)
            self.repaint()

    def on_descendant_focus(self) -> None:
        self.repaint()

    def on_descendant_blur(self) -> None:
        self.repaint()

    def on_key(self, event: events.Key) -> None:
        if self.focused is not None and event.key not in ("tab", "shift+tab"):
            return
        event.stop()
        event.prevent_default()
        if not self.awake:
            return
        if event.key in ("escape", "ctrl+c"):
            self.dismiss(None)
        else:
            self.key_pressed(event.key)

    def key_pressed(self, key: str) -> None:
        """A key that is not for leaving and not for a text field."""
        if key == "q":
            self.dismiss(None)


class ListOverlay(Overlay[Answer], Generic[Answer]):
    """A window with rows to choose from."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.at = 0

    def size_of_list(self) -> int:
        return 0

    def chosen(self) -> None:
        """Enter was pressed on a row."""

    def step(self, key: str) -> bool:
        """Move the cursor; False when the key is no movement."""
        last, page = self.size_of_list() - 1, max(1, self.room - 4)
        moves = {
            "j": self.at + 1, "down": self.at + 1, "k": self.at - 1, "up": self.at - 1, "g": 0, "home": 0,
            "G": last, "end": last, "pagedown": self.at + page, "pageup": self.at - page,
        }  # fmt: skip
        if key not in moves:
            return False
        self.at = max(0, min(last, moves[key]))
        self.repaint()
        return True

    def window(self, lines: Sequence[Line], height: int) -> list[Line]:
        """The part of a long list around the cursor."""
        top = max(0, min(self.at - height // 2, len(lines) - height))
        return list(lines[top : top + height])

    def key_pressed(self, key: str) -> None:
        if key == "enter":
            self.chosen()
        elif not self.step(key):
            super().key_pressed(key)
