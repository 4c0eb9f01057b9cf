"""A field whose answer is one of a few."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.strip import Strip

from siems import present
from siems.tui.looks import Looks, Piece
from siems.tui.widgets.field import Field


class Choice(Field, inherit_bindings=False):
    """Left, right and space choose; a letter jumps to the next choice that begins with it."""

    def __init__(
        self, looks: Looks, prompt: str, choices: Sequence[str], *, value: str = "", id: str | None = None
    ) -> None:
        super().__init__(looks, prompt, value=value or (choices[0] if choices else ""), id=id)
        self.choices = list(choices)

    def offer(self, choices: Sequence[str]) -> None:
        """Other choices; the answer stays, even if it is none of them."""
        self.choices = list(choices)
        self.refresh()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()

    def on_key(self, event: events.Key) -> None:
        steps = {"left": -1, "right": 1, "space": 1}
        if event.key in self.leaves:
            return
        if event.key in steps:
            event.stop()
            event.prevent_default()
            if self.awake() and self.choices:
                here = self.choices.index(self.value) if self.value in self.choices else -1
                self.set(self.choices[(here + steps[event.key]) % len(self.choices)])
        elif event.is_printable and event.character and self.awake():
            event.stop()
            event.prevent_default()
            self._jump(event.character.lower())
        elif event.key in ("backspace", "delete", "ctrl+u", "home", "end"):
            event.stop()
            event.prevent_default()
        else:
            super().on_key(event)

    def _jump(self, letter: str) -> None:
        here = self.choices.index(self.value) + 1 if self.value in self.choices else 0
        for one in (*self.choices[here:], *self.choices[:here]):
            if one.lower().startswith(letter):
                self.set(one)
                return

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y:
            return Strip.blank(width)
        line: list[Piece] = [(self.prompt, "key")]
        room = width - present.cell_width(self.prompt)
        listed = sum(present.cell_width(one) + 4 for one in self.choices) <= room
        for one in self.choices if listed else [self.value]:
            chosen = one == self.value
            mark = ("(o) " if chosen else "( ) ") if listed else "< "
            line += [(mark, "dim"), (one, ("caret" if self.has_focus else "bold") if chosen else "")]
            line.append((" " if listed else " >", "dim"))
        if listed and self.value not in self.choices:
            line.append((f" now: {self.value}", "bold"))
        return self.looks.strip(line, width)
