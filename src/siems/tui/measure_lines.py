"""The numbers of screen 5 as tables whose rows the cursor can stand on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from siems import present
from siems.tui.figures import Figures, Number
from siems.tui.looks import Line, Looks, Piece
from siems.tui.panes import Scene
from siems.wire import BoardLine, Figure, MeasureLine

TREND_FROM, TREND_WIDTH = 33, 8
"""How wide the table of clients is for a trend to stand in it."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A row that the cursor can stand on: an incident, or a number with incidents behind it."""

    line: list[Piece]
    ref: str = ""
    number: Number | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A titled part of the screen. `empty`: what is said where it has no rows; `total`: how many there are, where not
    all were read."""

    name: str
    head: list[Piece]
    spots: list[Spot] = field(default_factory=list)
    empty: str = ""
    total: int = 0


# --- figures in words ------------------------------------------------------------------------------------------


def said(value: float | None, unit: str) -> str:
    """4m12s, 96.2 %, 18 402."""
    if value is None:
        return "--"
    if unit == "seconds":
        return present.took(value)
    return f"{value:.1f} %" if unit == "percent" else f"{value:,.0f}".replace(",", " ")


def moved(figure: Figure, unit: str) -> str:
    """How it moved against the range before: percent, and points for percentages."""
    if figure.change is None:
        return ""
    if unit == "percent":
        return f"{figure.change:+.1f}"
    return f"{figure.change:+.0f} %" if abs(figure.change) < 1_000 else ("up" if figure.change > 0 else "down")


def bar(share: float, width: int, looks: Looks) -> str:
    """A share of 1 as a bar."""
    full = max(0, min(width, round(share * width)))
    return ("#" if looks.ascii_only else "█") * full + ("." if looks.ascii_only else "░") * (width - full)


# --- tables ----------------------------------------------------------------------------------------------------

NUMBERS: tuple[tuple[str, str, str, str], ...] = (
    ("companies", "opened", "opened", "count"),
    ("severities", "resolved", "resolved", "count"),
    ("companies", "response", "responded in time", "percent"),
    ("companies", "resolution", "resolved in time", "percent"),
    ("severities", "mtta", "time to answer", "seconds"),
    ("severities", "mttr", "time to resolve", "seconds"),
    ("severities", "escalation_rate", "escalated", "percent"),
    ("noise", "self_healed_rate", "healed by itself", "percent"),
    ("noise", "noise_reduction", "less noise", "percent"),
)
"""(part, measure, what it is called, unit)."""


def numbers(found: Figures, scene: Scene, width: int) -> Table:
    """The whole range in nine numbers, against the one before it."""
    spots = []
    for part, measure, name, unit in NUMBERS:
        report = found.reports.get(part)
        if report is None or measure not in report.total.figures:
            continue
        figure = report.total.figures[measure]
        value, change = said(figure.value, unit), moved(figure, unit)
        name_width = max(0, width - 18)
        line: list[Piece] = [(present.cell(name, name_width), ""), (f"{value:>10}", "bold"), (f"{change:>8}", "")]
        spots.append(Spot(line, number=Number(report.kind, report.by, measure, name)))
    return Table("numbers", [(present.cell(f"LAST {found.scope.span}", max(0, width - 8)) + "vs prior", "head")], spots)


def due(found: Figures, scene: Scene, width: int) -> Table:
    """What falls due next, with timers that tick."""
    spots = [Spot(_due_line(one, scene, width), ref=one.incident.id) for one in found.due]
    return Table("due", [("NEXT DEADLINES", "head")], spots, "nothing is open", found.open)


def _due_line(one: BoardLine, scene: Scene, width: int) -> list[Piece]:
    view = one.incident
    target = view.sla.response.target_seconds if one.clock == "response" else view.sla.resolution.target_seconds
    left = (one.due_at - scene.now).total_seconds()
    cell = present.sla_cell(left, target, paused=one.standing == "paused", breached=left < 0)
    room = max(4, width - 29)
    return [
        (cell, cell[0]), (f" {present.fit(view.id, 8)} ", ""),
        (present.severity_short(view.severity) + " ", view.severity),
        (present.cell(view.company, room, mark=scene.looks.cut) + " ", ""),
        ("respond" if one.clock == "response" else "resolve", "dim"),
    ]  # fmt: skip


def companies(found: Figures, scene: Scene, width: int) -> Table:
    """How well deadlines of each client were kept, and how that went from range to range; the worst first.

    Where there is no room for both, the trend stands in the place of the number of incidents.
    """
    report = found.reports.get("companies")
    trends, counts = width >= TREND_FROM, width >= TREND_FROM + 6 or width < TREND_FROM
    room = max(0, width - 14 - (TREND_WIDTH + 1) * trends - 6 * counts)
    titles = f"{' trend'.ljust(TREND_WIDTH + 1) if trends else ''} resp % reso %{'     n' if counts else ''}"
    spots = []
    for one in sorted(report.lines if report else (), key=lambda one: (_worst(one), one.name.lower())):
        answered, resolved, opened = (one.figures[name] for name in ("response", "resolution", "opened"))
        drawn = trend(resolved.trend or (), TREND_WIDTH, scene.looks) if trends else ""
        line: list[Piece] = [
            (present.cell(one.name, room, mark=scene.looks.cut), ""), (f" {drawn}" if trends else "", "spark"),
            (f" {_share(answered)} {_share(resolved)}{f' {opened.value or 0:>5.0f}' if counts else ''}", ""),
        ]  # fmt: skip
        number = Number("sla", "company", "resolution", f"{one.name}: resolved in time", one.group)
        spots.append(Spot(line, number=number))
    head = present.cell("CLIENTS IN TIME" if room > 15 else "CLIENTS", room) + titles
    return Table("companies", [(head, "head")], spots, "nothing opened in this range")


def trend(values: Sequence[float | None], width: int, looks: Looks) -> str:
    """The course of a percentage, on a scale from just under its lowest to 100; a gap where there was nothing."""
    known = [value for value in values if value is not None]
    if not known:
        return " " * width
    lowest = min(known)
    floor = lowest - max(1.0, 100.0 - lowest) / 8
    shares = [0.0 if value is None else (value - floor) / (100.0 - floor) for value in values]
    return present.sparkline([*shares, 1.0], len(shares) + 1, ascii_only=looks.ascii_only)[:-1].rjust(width)[-width:]


def _worst(one: MeasureLine) -> float:
    shares = [one.figures[name].value for name in ("response", "resolution")]
    return min((share for share in shares if share is not None), default=100.0)


def _share(figure: Figure) -> str:
    return f"{'--':>6}" if figure.value is None else f"{figure.value:>6.1f}"


def severities(found: Figures, scene: Scene, width: int) -> Table:
    """Time to resolve, by severity; the bars are medians on one scale."""
    report = found.reports.get("severities")
    head = present.cell("TIME TO RESOLVE", max(0, width - 23)) + "    n   median      p90"
    longest = max((one.figures["mttr_median"].value or 0.0 for one in report.lines), default=0.0) if report else 0.0
    spots = []
    for one in report.lines if report else ():
        middle, slow = one.figures["mttr_median"], one.figures["mttr_p90"]
        room = width - 23 - 9
        drawn = bar(middle.value / longest, room - 1, scene.looks) if middle.value and room > 3 else ""
        line: list[Piece] = [
            (present.cell(one.name, max(0, min(width - 23, 9))), one.group),
            (f"{drawn:<{max(0, room)}}", "spark"),
            (f"{middle.of:>5} {said(middle.value, 'seconds'):>8} {said(slow.value, 'seconds'):>8}", ""),
        ]
        spots.append(Spot(line, number=Number("mttr", "severity", "mttr", f"{one.name}: time to resolve", one.group)))
    return Table("severities", [(head, "head")], spots, "nothing was resolved in this range")


def people(found: Figures, scene: Scene, width: int) -> Table:
    """What each technician has and did."""
    report = found.reports.get("people")
    head = present.cell("TECHNICIANS", max(0, width - 26)) + " open  done    mttr reso %"
    spots = []
    for one in report.lines if report else ():
        now, done, took, kept = (one.figures[name] for name in ("open_now", "resolved", "mttr", "resolution"))
        line: list[Piece] = [
            (present.cell("nobody" if one.group == "none" else one.name, max(0, width - 26), mark=scene.looks.cut), ""),
            (f" {now.value or 0:>4.0f} {done.value or 0:>5.0f} {said(took.value, 'seconds'):>7} {_share(kept)}", ""),
        ]
        number = Number("workload", "technician", "resolved", f"{one.name}: resolved", one.group)
        spots.append(Spot(line, number=number))
    return Table("people", [(head, "head")], spots, "nobody has worked on anything in this range")


CAUSES: Mapping[str, str] = {
    "nobody_on_call": "nobody on call", "not_answered": "not answered", "waiting_approval": "waited for approval",
    "waiting_client": "waited for the client", "waiting_vendor": "waited for a vendor",
    "waiting_parts": "waited for parts", "waiting_scheduled": "waited for a date", "unowned": "with nobody",
    "handed_on": "handed on and on", "work": "the work took longer",
}  # fmt: skip


def _counted(found: Figures) -> list[tuple[str, int]]:
    """The causes that there were, the most frequent first."""
    report = found.reports.get("causes")
    figures = report.total.figures if report is not None else {}
    counts = [(name, int(figures[name].value or 0)) for name in CAUSES if name in figures]
    return sorted(((name, count) for name, count in counts if count), key=lambda one: -one[1])


def causes(found: Figures, scene: Scene, width: int) -> Table:
    """Why targets were missed."""
    counts = _counted(found)
    most = max((count for _, count in counts), default=1)
    spots = []
    for name, count in counts:
        drawn = bar(count / most, 4, scene.looks)
        line: list[Piece] = [
            (present.cell(CAUSES[name], max(0, width - 10), mark=scene.looks.cut), ""), (f"{count:>5} ", "bold"),
            (drawn, "spark"),
        ]  # fmt: skip
        spots.append(Spot(line, number=Number("causes", "company", name, f"missed: {CAUSES[name]}")))
    total = sum(count for _, count in counts)
    head = f"MISSED TARGETS BY CAUSE  {total}" if total else "MISSED TARGETS BY CAUSE"
    return Table("causes", [(head, "head")], spots, "none was missed" if "causes" in found.reports else "")


def causes_line(found: Figures) -> Line:
    """The same in one line."""
    counts = _counted(found)
    if not counts:
        return []
    pieces: list[Piece] = [("missed: ", "dim")]
    for name, count in counts:
        pieces += [(f"{CAUSES[name]} ", ""), (f"{count}   ", "bold")]
    return pieces


# --- now ---------------------------------------------------------------------------------------------------


def now_line(found: Figures, scene: Scene) -> Line:
    """How it stands at this moment."""
    report = found.reports.get("people")
    pieces: list[Piece] = [("NOW  ", "head")]
    if report is not None:
        pieces += [("open ", "dim"), (said(report.total.figures["open_now"].value, "count"), "bold"), ("   ", "")]
    pieces += [("due within the hour ", "dim"), (str(found.soon), "!" if found.soon else "bold")]
    pieces += [("   breached ", "dim"), (str(found.breached), "x" if found.breached else "bold")]
    return [*pieces, ("   paused ", "dim"), (str(found.paused), "bold")]


def table(name: str, found: Figures, scene: Scene, width: int) -> Table:
    """The table of a name; without rows where there is no report for it."""
    return TABLES[name](found, scene, width)


TABLES: dict[str, Callable[[Figures, Scene, int], Table]] = {
    "numbers": numbers, "due": due, "companies": companies, "severities": severities, "people": people,
    "causes": causes,
}  # fmt: skip
"""In the order in which one goes through them."""
