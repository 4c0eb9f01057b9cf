"""Which tool is to send: its name is searched for."""

from __future__ import annotations

from collections.abc import Sequence

from siems import present
from siems.tui.looks import Line
from siems.tui.screens.searched import Searched
from siems.wire import CompanyView, ToolView


class ChooseTool(Searched[ToolView]):
    """Which tool is to send; typing searches. Leaves with its name."""

    PROMPT = "tool: "
    HINT = "type a part of its name; enter makes a key"
    NOTHING = "no tool of that name; generic takes any JSON"

    def __init__(self, company: CompanyView) -> None:
        super().__init__(f" a way in for {company.name[:40]} ")
        self.tools: list[ToolView] | None = None

    def fill(self, tools: list[ToolView]) -> None:
        self.tools = sorted(tools, key=lambda one: one.title.lower())
        self.repaint()

    def every(self) -> Sequence[ToolView]:
        return self.tools or ()

    def said(self, one: ToolView) -> str:
        return f"{one.name} {one.title} {' '.join(one.aliases)}"

    def row(self, one: ToolView, here: bool) -> Line:
        signs = "signs" if one.signs else ("proves itself" if one.proves else "key only")
        return [
            (">" if here else " ", "mark"), (present.fit(one.title, 30), "bold" if here else ""),
            (present.fit(one.name, 24), "dim"), (signs, "dim"),
        ]  # fmt: skip

    def content(self) -> Sequence[Line]:
        if self.tools is None:
            return [[("reading...", "dim")]]
        keys: Line = [("enter", "key"), (" make a key   ", ""), ("esc", "key"), (" close", "")]
        return [*self.rows(min(14, self.room - 3)), keys]
