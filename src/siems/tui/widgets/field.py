"""A one-line text field that leaves to multiplexers and shells the keys that are theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from siems import present
from siems.tui.looks import Looks, Piece

LONGEST = 4_000


class Field(Widget, can_focus=True, inherit_bindings=False):
    """A prompt and what is typed behind it. It takes keys only while it has the focus."""

    @dataclass
    class Entered(Message):
        field: Field
        value: str

        @property
        def control(self) -> Field:
            return self.field

    @dataclass
    class Left(Message):
        field: Field

        @property
        def control(self) -> Field:
            return self.field

    @dataclass
    class Changed(Message):
        field: Field
        value: str

        @property
        def control(self) -> Field:
            return self.field

    @dataclass
    class Moved(Message):
        """An arrow up or down: for the list that the field searches."""

        field: Field
        key: str

        @property
        def control(self) -> Field:
            return self.field

    def __init__(
        self, looks: Looks, prompt: str, *, value: str = "", hint: str = "", id: str | None = None,
        masked: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(id=id)
        self.looks, self.prompt, self.hint, self.masked = looks, prompt, hint, masked
        self.value = value
        self.at = len(value)
        self.awake: Callable[[], bool] = lambda: True
        self.leaves: frozenset[str] = frozenset()
        """Keys that are the form's, since they can be no part of an answer."""
        self.offers: Callable[[str], bool] = lambda key: False
        """Takes enter and the arrows first: for a list beside the field from which one may be picked."""

    def set(self, value: str) -> None:
        """Put text in, the caret behind it."""
        self.value, self.at = value[:LONGEST], len(value[:LONGEST])
        self.refresh()
        self.post_message(self.Changed(self, self.value))

    def _insert(self, text: str) -> None:
        room = LONGEST - len(self.value)
        text = text[:room]
        self.value = self.value[: self.at] + text + self.value[self.at :]
        self.at += len(text)
        self._changed()

    def _changed(self) -> None:
        self.refresh()
        self.post_message(self.Changed(self, self.value))

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self._insert(" ".join(event.text.split("\n")))

    def on_key(self, event: events.Key) -> None:
        """Edit. What is no editing key and no character is swallowed: keys stay in the field."""
        if event.key in ("tab", "shift+tab") or event.key in self.leaves:
            return
        event.stop()
        event.prevent_default()
        if not self.awake():
            return
        match event.key:
            case "enter" | "up" | "down" if self.offers(event.key):
                self.refresh()
            case "enter":
                self.post_message(self.Entered(self, self.value))
            case "escape" | "ctrl+c":
                self.post_message(self.Left(self))
            case "backspace" if self.at:
                self.value = self.value[: self.at - 1] + self.value[self.at :]
                self.at -= 1
                self._changed()
            case "delete":
                self.value = self.value[: self.at] + self.value[self.at + 1 :]
                self._changed()
            case "ctrl+u":
                self.value, self.at = self.value[self.at :], 0
                self._changed()
            case "up" | "down" | "pageup" | "pagedown":
                self.post_message(self.Moved(self, event.key))
            case "left" | "right" | "home" | "end":
                move = {"left": self.at - 1, "right": self.at + 1, "home": 0, "end": len(self.value)}
                self.at = max(0, min(len(self.value), move[event.key]))
                self.refresh()
            case _ if event.is_printable and event.character:
                self._insert(event.character)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y:
            return Strip.blank(width)
        text = "*" * len(self.value) if self.masked else self.value
        prompt: list[Piece] = [(self.prompt, "key")]
        room = max(1, width - present.cell_width(self.prompt) - 1)
        before = present.safe(text[: self.at])
        while present.cell_width(before) >= room:
            before = before[max(1, present.cell_width(before) - room) :]
        if not self.has_focus:
            shown = present.safe(text)
            return self.looks.strip([*prompt, (shown, "") if shown else (self.hint, "dim")], width)
        under, after = text[self.at : self.at + 1] or " ", text[self.at + 1 :]
        line: list[Piece] = [*prompt, (before, ""), (present.safe(under), "caret"), (present.safe(after), "")]
        if not self.value:
            line.append((f" {self.hint}", "dim"))
        return self.looks.strip(line, width)
