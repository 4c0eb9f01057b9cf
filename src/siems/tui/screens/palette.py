"""The command line of the console: `:` or ctrl+p, with what fits listed under it."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult

from siems import present
from siems.tui.actions import Where
from siems.tui.commands import Entry, matching
from siems.tui.looks import Line
from siems.tui.screens.overlay import Overlay
from siems.tui.widgets.field import Field

SHOWN = 12


class Palette(Overlay[str | None]):
    """Leaves with the command to run."""

    FIELD_FIRST = True

    def __init__(self, where: Where) -> None:
        super().__init__(" command ")
        self.where, self.at, self.picked = where, 0, False

    def compose_fields(self) -> ComposeResult:
        field = Field(self.siems.looks, ":", hint="inc 121, ack 12 13, co acme, theme cb-safe", id="line")
        field.awake = lambda: self.awake
        yield field

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#line", Field).focus()

    @property
    def found(self) -> list[Entry]:
        return matching(self.query_one("#line", Field).value, self.where, self.siems.keymap.keys)

    def content(self) -> list[Line]:
        found = self.found
        top = max(0, min(self.at - SHOWN // 2, len(found) - SHOWN))
        lines: list[Line] = []
        for place, one in enumerate(found[top : top + SHOWN], start=top):
            here = place == self.at
            lines.append([
                (">" if here else " ", "mark"), (present.fit(one.text, 40), "bold" if here else ""),
                (present.fit(one.keys, 8), "key"), (one.title, "dim"),
            ])  # fmt: skip
        lines += [[]] * (SHOWN - len(lines))
        keys: Line = [("enter", "key"), (" run   ", ""), ("tab", "key"), (" complete   ", ""), ("up down",
        "key"),
                      (" choose   ", ""), ("esc", "key"), (" close", "")]  # fmt: skip
        return [*lines, keys]

    def _word(self) -> str:
        found = self.found
        return found[min(self.at, len(found) - 1)].text if found else ""

    def on_key(self, event: events.Key) -> None:
        if event.key == "tab" and self._word():
            event.stop()
            event.prevent_default()
            self.query_one("#line", Field).set(self._word().split(" ")[0] + " ")
        else:
            super().on_key(event)

    def on_field_changed(self, event: Field.Changed) -> None:
        event.stop()
        self.at, self.picked = 0, False
        self.repaint()

    def on_field_moved(self, event: Field.Moved) -> None:
        event.stop()
        self.at = max(0, min(len(self.found) - 1, self.at + (1 if event.key == "down" else -1)))
        self.picked = True
        self.repaint()

    def on_field_entered(self, event: Field.Entered) -> None:
        """What was typed; the marked entry when it was chosen or when the typing is its start."""
        event.stop()
        typed, word = event.value.strip(), self._word()
        whole = word and " " not in typed and not any(char.isupper() or char == "|" for char in word)
        if whole and (self.picked or (typed and word.startswith(typed))):
            typed = word
        self.dismiss(typed or None)

    def on_field_left(self, event: Field.Left) -> None:
        event.stop()
        if self.awake:
            self.dismiss(None)
