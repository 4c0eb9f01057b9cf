"""The incidents behind a number, and how it comes about."""

from __future__ import annotations

from siems import present
from siems.tui.figures import Behind, Number
from siems.tui.looks import Line, Piece, wrap
from siems.tui.measure_lines import said
from siems.tui.screens.overlay import ListOverlay
from siems.wire import MeasuredIncident


class BehindWindow(ListOverlay[str | None]):
    """A row for each incident, those that add most first; enter opens one."""

    WIDTH = 100

    def __init__(self, number: Number, cli: str) -> None:
        super().__init__(f" {present.safe(number.name)} ")
        self.number, self.cli = number, cli
        self.read: Behind | None = None

    def fill(self, read: Behind) -> None:
        if read.number == self.number:
            self.read = read
            self.repaint()

    @property
    def items(self) -> list[MeasuredIncident]:
        return self.read.found.items if self.read is not None and self.read.found is not None else []

    def size_of_list(self) -> int:
        return len(self.items)

    def content(self) -> list[Line]:
        if self.read is None:
            return [[("counting...", "dim")]]
        found = self.read.found
        if found is None:
            return [[(self.read.why, "error")]]
        first, last = (moment.astimezone(self.siems.zone) for moment in (found.since, found.until))
        head: Line = [(present.plural(found.total, "incident"), "bold"),
                      (f"   {first:%a %d %b %H:%M} to {last:%a %d %b %H:%M}", "dim")]  # fmt: skip
        meaning: list[Line] = [[(line, "dim")] for line in wrap(found.meaning, self.width, most=3)]
        rows = [self._row(one, found.unit, here=place == self.at) for place, one in enumerate(found.items)]
        height = max(1, self.room - 5 - len(meaning))
        return [head, *meaning, [], *self.window(rows, height), [], self._keys(found.total, height)]

    def _row(self, one: MeasuredIncident, unit: str, *, here: bool) -> Line:
        if one.clock:
            value, role = f"{'respond' if one.clock == 'response' else 'resolve'}", "x"
        elif one.met is not None:
            value, role = ("v kept", "v") if one.met else ("x missed", "x")
        else:
            value, role = said(one.value, unit) if one.value != 1 or unit == "seconds" else "", "bold"
        rest = self.width - 44
        cut = self.siems.looks.cut
        return [
            ("> " if here else "  ", "mark"), (f"{value:>8}  ", role), (present.fit(one.id, 9) + " ", ""),
            (present.severity_short(one.severity) + " ", one.severity),
            (present.cell(one.company, 12, mark=cut) + " ", ""),
            (present.cell(one.title, rest, mark=cut) + " ", "bold" if here else ""),
            (present.person(one.assignee_name, width=7), "dim"),
        ]  # fmt: skip

    def _keys(self, total: int, height: int) -> Line:
        keys: list[Piece] = []
        if total:
            keys += [("enter", "key"), (" open it   ", "")]
        if len(self.items) > height:
            keys += [("j k", "key"), (f" {self.at + 1} of {len(self.items)}   ", "")]
        keys += [("esc", "key"), (" close", "")]
        if total > len(self.items):
            keys.append((f"   all: {self.cli} --limit {total}", "dim"))
        return keys

    def chosen(self) -> None:
        if self.items:
            self.dismiss(self.items[self.at].id)
