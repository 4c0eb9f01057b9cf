"""Screen 5 put together: which tables and plots fit, and where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from siems import present
from siems.tui import measure_lines, measure_plots
from siems.tui.figures import PARTS, Figures
from siems.tui.looks import Line, Looks, Piece, width_of
from siems.tui.measure_lines import Table
from siems.tui.panes import Scene

TOP = 10
"""Lines of the uppermost row: a heading and nine numbers."""
WEEK, WEEK_WIDTH = 9, 86
NUMBERS = 37
"""Columns of the nine numbers on wide terminals."""
TALL, HIGHER = 20, 31
"""From how many lines the wide form fits, and the week with it."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The room there is, and where the cursor stands."""

    width: int
    height: int
    wide: bool
    table: str
    row: int


def page(found: Figures, scene: Scene, sheet: Sheet) -> list[Line]:
    """How it stands now, and under it rows of parts."""
    rule: Line = [(scene.looks.rule(sheet.width), "rule")]
    lines: list[Line] = [measure_lines.now_line(found, scene), rule]
    for number, (parts, height) in enumerate(_rows(sheet, sheet.height - len(lines))):
        cells = [(_part(name, found, scene, sheet, (width, height)), width) for name, width in parts]
        lines += [rule] if number and height > 1 else []
        lines += beside(cells, height, scene.looks)
    return lines


def _rows(sheet: Sheet, height: int) -> list[tuple[list[tuple[str, int]], int]]:
    """Rows of parts from top to bottom: name and width of each, and how many lines they have."""
    width, below = sheet.width, height - TOP - 1
    if sheet.wide and height >= TALL:
        half, rest = (width - 3) // 2, width - 6 - NUMBERS
        top = [("numbers", NUMBERS), ("due", rest * 53 // 100), ("companies", rest - rest * 53 // 100)]
        middle = [("plot", half), ("severities and people", width - 3 - half)]
        if height >= HIGHER:
            last = [("week", WEEK_WIDTH), ("causes", width - 3 - WEEK_WIDTH)]
            return [(top, TOP), (middle, below - WEEK - 1), (last, WEEK)]
        if sheet.table == "causes":
            middle[0] = ("causes", half)
        return [(top, TOP), (middle, below)]
    left = (width - 3) * 37 // 77
    top = [("numbers", left), ("due", width - 3 - left)]
    if below < 4:
        return [(top, max(2, min(TOP, height)))]
    lower = sheet.table if sheet.table in ("people", "causes") else "severities"
    bottom = [("companies", left), (lower, width - 3 - left)]
    if below < 6:
        return [(top, TOP), (bottom, below - 1), ([("sparks", width)], 1)]
    return [(top, TOP), (bottom, below - 2), ([("sparks", width)], 1), ([("causes line", width)], 1)]


def _part(name: str, found: Figures, scene: Scene, sheet: Sheet, room: tuple[int, int]) -> list[Line]:
    width, height = room
    match name:
        case "plot":
            return measure_plots.plot(found, scene, width, height)
        case "week":
            return measure_plots.week(found, scene, width)
        case "causes line":
            return [measure_lines.causes_line(found)]
        case "sparks":
            return [measure_plots.sparks(found, scene, width)]
        case "severities and people":
            upper = _part("severities", found, scene, sheet, (width, 5))
            return [*upper, [], *_part("people", found, scene, sheet, (width, height - len(upper) - 1))]
    if name in PARTS and name not in found.reports:  # it is not for this reader
        return []
    return drawn(measure_lines.table(name, found, scene, width - 2), width, height, sheet)


def drawn(table: Table, width: int, height: int, sheet: Sheet) -> list[Line]:
    """A table in its room, around the cursor where it stands in it."""
    at = sheet.row if sheet.table == table.name else None
    rows = max(1, height - 1)
    start = max(0, min((at or 0) - rows // 2, len(table.spots) - rows))
    hidden = max(len(table.spots), table.total) - start - rows
    lines: list[Line] = [[("  ", ""), *table.head]]
    if hidden > 0 and width_of(lines[0]) + 6 <= width:
        lines[0] = [*lines[0], (f"  +{hidden}", "dim")]
    for place, spot in enumerate(table.spots[start : start + rows], start):
        line: list[Piece] = [("> " if place == at else "  ", "mark"), *spot.line]
        lines.append([(text, "cursor") for text, _ in fitted(line, width)] if place == at else line)
    if not table.spots and table.empty:
        lines.append([("  ", ""), (table.empty, "dim")])
    return lines


def fitted(line: Line, width: int) -> list[Piece]:
    """A line cut and padded to its width."""
    out: list[Piece] = []
    for text, role in line:
        shown = present.clip(present.safe(text), width)
        if shown:
            out.append((shown, role))
            width -= present.cell_width(shown)
    return [*out, (" " * width, "")] if width > 0 else out


def beside(parts: Sequence[tuple[list[Line], int]], height: int, looks: Looks) -> list[Line]:
    """Parts next to each other, with a bar between them."""
    lines: list[Line] = []
    for row in range(height):
        whole: list[Piece] = []
        for part, width in parts:
            if whole:
                whole += [(f" {looks.bar} ", "rule")]
            whole += fitted(part[row] if row < len(part) else [], width)
        lines.append(whole)
    return lines
