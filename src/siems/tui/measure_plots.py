"""The numbers of screen 5 as plots of plain characters: days as columns, a week by its hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from siems import present
from siems.tui.figures import Figures
from siems.tui.looks import Line, Piece
from siems.tui.panes import Scene
from siems.wire import MeasureReport

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def course(report: MeasureReport, measure: str) -> list[float]:
    return [one.figures[measure].value or 0.0 for one in report.lines]


def sparks(found: Figures, scene: Scene, width: int) -> Line:
    """Opened and resolved per day in one line."""
    days = found.reports.get("days")
    if days is None:
        return []
    room = max(4, (width - 34) // 2)
    pieces: list[Piece] = []
    for measure in ("opened", "resolved"):
        drawn = present.sparkline(course(days, measure), min(room, len(days.lines)), ascii_only=scene.looks.ascii_only)
        pieces += [(f"{'   ' if pieces else ''}{measure}/day  ", "dim"), (drawn, "spark")]
    return pieces


def plot(found: Figures, scene: Scene, width: int, height: int) -> list[Line]:
    """Opened and resolved as two columns for each day, or for several days where they are many."""
    days = found.reports.get("days")
    if days is None or height < 5:
        return []
    room = (width - 7) // 3
    step = -(-len(days.lines) // room)
    groups = [range(start, min(start + step, len(days.lines))) for start in range(0, len(days.lines), step)]
    opened, resolved = (
        [sum(course(days, name)[day] for day in group) for group in groups] for name in ("opened", "resolved")
    )
    top = max([*opened, *resolved, 1.0])
    signs = ("#", "o") if scene.looks.ascii_only else ("█", "▒")
    per = "per day" if step == 1 else f"per {step} days"
    lines: list[Line] = [[(f"opened ({signs[0]}) and resolved ({signs[1]}) {per}", "head")]]
    rows = height - 3
    for row in range(rows, 0, -1):
        label = f"{top * row / rows:>5.0f}" if row in (rows, (rows + 1) // 2) else "     "
        pieces: list[Piece] = [(f"{label} {scene.looks.bar}", "dim")]
        for one, other in zip(opened, resolved, strict=True):
            reached = [bool(value) and (row == 1 or value >= top * (row - 0.5) / rows) for value in (one, other)]
            pieces += [(signs[0] if reached[0] else " ", "spark"), (f"{signs[1] if reached[1] else ' '} ", "dim")]
        lines.append(pieces)
    lines.append([(f"      {'+' if scene.looks.ascii_only else '└'}{scene.looks.rule(3 * len(groups))}", "dim")])
    return [*lines, [("       " + _day_names(days, groups), "dim")]]


def _day_names(days: MeasureReport, groups: Sequence[range]) -> str:
    """`We Th Fr` under single days that are few, else the first day of some columns."""
    firsts = [date.fromisoformat(days.lines[group.start].group) for group in groups]
    if len(firsts) <= 8:
        return " ".join(f"{day:%a}"[:2] for day in firsts)
    names, at = "", 0
    for place, day in enumerate(firsts):
        if place * 3 >= at:
            names += f"{'':{place * 3 - len(names)}}{day:%d %b}"
            at = place * 3 + 9
    return names


def week(found: Figures, scene: Scene, width: int) -> list[Line]:
    """Alerts by the hour of the week; the darker the more."""
    report = found.reports.get("week")
    if report is None:
        return []
    values = course(report, "alerts")
    top = max([*values, 1.0])
    ramp = " .:-=+*#" if scene.looks.ascii_only else " ░▒▓█"
    cell = 3 if width >= 86 else 2
    zone = present.safe(report.zone[:30])
    hours = "".join(f"{hour:02d}".ljust(cell) if hour % 2 == 0 or cell > 2 else " " * cell for hour in range(24))
    lines: list[Line] = [[(f"ALERTS BY HOUR OF THE WEEK, {zone}; at most {top:.0f} an hour", "head")]]
    for day, name in enumerate(DAYS):
        drawn = ""
        for hour in range(24):
            value = values[day * 24 + hour]
            level = max(1, round(value / top * (len(ramp) - 1))) if value else 0
            drawn += (ramp[level] * (cell - 1)).ljust(cell)
        lines.append([(f"  {name}  ", "dim"), (drawn, "spark"), (f"{sum(values[day * 24 : day * 24 + 24]):>7.0f}", "")])
    return [*lines, [(f"       {hours}", "dim")]]
