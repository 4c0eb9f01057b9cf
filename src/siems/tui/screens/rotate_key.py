"""A key of a client is rotated: which one, and the client's name typed in full."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult

from siems import present
from siems.tui.looks import Line, wrap
from siems.tui.screens.overlay import Overlay
from siems.tui.widgets.field import Field


class TypeName(Overlay[str | None]):
    """A severe act: which one of several, and the client's name typed in full. Leaves with the id that was chosen."""

    def __init__(self, title: str, name: str, warning: str, choices: Sequence[tuple[str, str]]) -> None:
        super().__init__(f" {title} ")
        self.name_wanted, self.warning, self.choices, self.at, self.said = name, warning, choices, 0, ""

    def compose_fields(self) -> ComposeResult:
        field = Field(
            self.siems.looks, "name: ", hint=f"type {self.name_wanted} and enter; up and down choose", id="name"
        )
        field.awake = lambda: self.awake
        yield field

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#name", Field).focus()

    def content(self) -> Sequence[Line]:
        lines: list[Line] = [[(part, "stale")] for part in wrap(self.warning, self.width)]
        lines.append([])
        for place, (_, words) in enumerate(self.choices):
            lines.append(
                [
                    (">" if place == self.at else " ", "mark"),
                    (f" {present.clip(words, self.width - 3)}", "bold" if place == self.at else ""),
                ]
            )
        return [*lines, []]

    def foot(self) -> Sequence[Line]:
        return [[(self.said, "error")], [("esc", "key"), (" leave it", "")]]

    def on_field_moved(self, event: Field.Moved) -> None:
        event.stop()
        self.at = max(0, min(len(self.choices) - 1, self.at + (1 if event.key in ("down", "pagedown") else -1)))
        self.repaint()

    def on_field_entered(self, event: Field.Entered) -> None:
        event.stop()
        if event.value.strip() == self.name_wanted:
            self.dismiss(self.choices[self.at][0])
        else:
            self.said = f"that is not {self.name_wanted}"
            self.repaint()

    def on_field_left(self, event: Field.Left) -> None:
        event.stop()
        if self.awake:
            self.dismiss(None)
