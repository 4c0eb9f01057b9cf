"""Which tool is to send: its name is searched for."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult

from siems import present
from siems.tui.looks import Line
from siems.tui.screens.overlay import Overlay
from siems.tui.widgets.field import Field
from siems.wire import CompanyView, ToolView


class ChooseTool(Overlay[str | None]):
    """Which tool is to send; typing searches. Leaves with its name."""

    FIELD_FIRST = True

    def __init__(self, company: CompanyView) -> None:
        super().__init__(f" a way in for {company.name[:40]} ")
        self.tools: list[ToolView] | None = None
        self.at = 0

    def compose_fields(self) -> ComposeResult:
        field = Field(self.siems.looks, "tool: ", hint="type a part of its name; enter makes a key", id="tool")
        field.awake = lambda: self.awake
        yield field

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#tool", Field).focus()

    def fill(self, tools: list[ToolView]) -> None:
        self.tools = sorted(tools, key=lambda one: one.title.lower())
        self.repaint()

    @property
    def found(self) -> list[ToolView]:
        words = self.query_one("#tool", Field).value.lower().split()
        return [
            one
            for one in self.tools or ()
            if all(w in f"{one.name} {one.title} {' '.join(one.aliases)}".lower() for w in words)
        ]

    def content(self) -> Sequence[Line]:
        if self.tools is None:
            return [[("reading...", "dim")]]
        found, height = self.found, min(14, self.room - 3)
        self.at = max(0, min(self.at, len(found) - 1))
        top = max(0, min(self.at - height // 2, len(found) - height))
        rows: list[Line] = []
        for place, one in enumerate(found[top : top + height], start=top):
            here = place == self.at
            signs = "signs" if one.signs else ("proves itself" if one.proves else "key only")
            rows.append(
                [
                    (">" if here else " ", "mark"),
                    (present.fit(one.title, 30), "bold" if here else ""),
                    (present.fit(one.name, 24), "dim"),
                    (signs, "dim"),
                ]
            )
        if not rows:
            rows = [[("no tool of that name; generic takes any JSON", "dim")]]
        return [
            *rows,
            *([[]] * (height - len(rows))),
            [("enter", "key"), (" make a key   ", ""), ("esc", "key"), (" close", "")],
        ]

    def on_field_changed(self, event: Field.Changed) -> None:
        event.stop()
        self.at = 0
        self.repaint()

    def on_field_moved(self, event: Field.Moved) -> None:
        event.stop()
        self.at += {"down": 1, "up": -1, "pagedown": 10, "pageup": -10}[event.key]
        self.repaint()

    def on_field_entered(self, event: Field.Entered) -> None:
        event.stop()
        found = self.found
        if found:
            self.dismiss(found[self.at].name)

    def on_field_left(self, event: Field.Left) -> None:
        event.stop()
        if self.awake:
            self.dismiss(None)
