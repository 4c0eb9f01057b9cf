"""What stands around the rows of the alert stream: rates, the chart, the selected one, its body."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta

from siems import present
from siems.tui import bodies
from siems.tui.bodies import Body
from siems.tui.frame import rule
from siems.tui.looks import Line, Looks, Piece, width_of
from siems.tui.panes import Scene
from siems.tui.widgets.stream import text_of, whither
from siems.wire import ArrivalView, Summary

CHART = 4
MINUTES = 60
SPARK = 15

# --- how much comes --------------------------------------------------------------------------------------------


def rates(summary: Summary | None, scene: Scene, room: int, *, spark: bool) -> list[Piece]:
    """New alerts in the last minute, their course and peak over an hour, and how many were repeats; what fits."""
    if summary is None:
        return []
    course = summary.alerts_per_minute or [0]
    new, peak = sum(course), max(course)
    share = 100 * summary.repeats // (new + summary.repeats) if new else 0
    drawn = present.sparkline(course, SPARK, ascii_only=scene.looks.ascii_only) if spark else ""
    pieces: dict[str, list[Piece]] = {
        "now": [("  new ", "dim"), (f"{course[-1]}/min", "bold")],
        "course": [(f" {drawn}" if drawn else "", "spark")],
        "peak": [("  peak ", "dim"), (str(peak), "")],
        "repeats": [("  repeats ", "dim"), (f"{share}%", "")],
    }
    kept = list(pieces)
    for give_way in ("course", "peak", "repeats", "now"):
        if sum(width_of(pieces[name]) for name in kept) > room:
            kept.remove(give_way)
    return [piece for name in kept for piece in pieces[name]]


def chart(course: Sequence[int], scene: Scene, width: int) -> list[Line]:
    """New alerts in each minute of the last hour, on a scale of tens: a full cell at 10 means ten or more."""
    ramp = present.BLOCKS
    head = ("new per minute, log scale", "", "", "")
    since, now = (scene.time(moment, seconds=False) for moment in (scene.now - timedelta(minutes=MINUTES), scene.now))
    lines: list[Line] = []
    for row in range(CHART - 1, -1, -1):
        cells = ""
        for value in course:
            level = math.log10(value) + 1 - row if value else 0.0
            if scene.looks.ascii_only:
                cells += "#" if level >= 1 else " "
            else:
                cells += ramp[round(8 * max(0.0, min(1.0, level)))]
        label = head[CHART - 1 - row]
        tail = f"  {since} .. {now}" if row == 0 else ""
        lines.append([
            (present.fit(label, max(0, min(27, width - 90))), "dim"), (f"{10**row:>5} ", "dim"),
            (scene.looks.bar, "rule"), (cells, "spark"), (tail, "dim"),
        ])  # fmt: skip
    return lines


# --- what is selected ------------------------------------------------------------------------------------------


def preview(row: ArrivalView, scene: Scene, width: int) -> list[Line]:
    """A line across and three more about the row under the cursor."""
    company = present.safe(row.company[:40])
    if row.refusal is not None:
        one = row.refusal
        said = present.safe(f"{one.cause}: {one.detail}"[:400])
        came = f"{one.count} {'delivery' if one.count == 1 else 'deliveries'} to {present.safe(one.source[:40])}"
        return [
            rule(scene.looks, width, f"refused, {company}", "d pane"),
            [(said, "bold")],
            [(f"{came} from {present.safe(one.address[:60]) or 'this machine'}, last {scene.time(one.at)}", "")],
            [("Its sender is not told why. Bodies of what is refused are not kept.", "dim")],
        ]
    alert = row.alert
    assert alert is not None
    head = rule(scene.looks, width, f"{alert.id} {company} / {present.safe(alert.asset_name[:60])}",
                "d pane  enter raw  o incident")  # fmt: skip
    status = present.safe(alert.status[:12])
    if alert.resolved_at is not None:
        status += f" {scene.time(alert.resolved_at)}"
    first: Line = [(present.safe(alert.severity[:10]), alert.severity), (f" {status}  ", ""), (text_of(row), "bold")]
    often = f"seen {alert.count} times " if alert.count > 1 else ""
    facts: Line = [
        ("signature ", "dim"), (present.safe(alert.signature[:30]), ""), ("   from ", "dim"),
        (present.safe(alert.tool_source[:16]), ""), (f"   {often}since {scene.time(alert.starts_at)}", ""),
    ]  # fmt: skip
    where, _ = whither(row, scene.looks)
    why = present.safe(alert.evidence[:200])
    cause = present.safe((alert.suppressed_by or alert.rule)[:80])
    grouped: Line = [
        (where, ""),
        (" by ", "dim") if cause else ("", ""),
        (cause, ""),
        (f": {why}" if why else "", "dim"),
    ]
    return [head, first, facts, grouped]


def why_no_incident(row: ArrivalView) -> str:
    """What is said instead of opening one."""
    if row.alert is None:
        return "what was refused has no incident: siems alert list --rejected tells more"
    where, _ = whither(row, Looks())
    return {
        "waits": f"{row.alert.id} has no incident yet: it waits for more of its kind",
        "silenced": f"{row.alert.id} has no incident: it is silenced",
    }.get(where, f"{row.alert.id} has no incident: it was over before one was opened")


def copies(row: ArrivalView, body: Body | None) -> list[tuple[str, str, str]]:
    """What can be copied of a row: letter, name, text."""
    if row.alert is None:
        assert row.refusal is not None
        one = row.refusal
        return [
            ("t", "text", f"{one.at:%Y-%m-%dT%H:%M:%SZ} {row.company} {one.cause}: {one.detail} from {one.address}"),
            ("c", "command", "siems alert list --rejected"),
        ]
    alert = row.alert
    ref = row.incident_id or alert.incident_id
    found = [
        ("i", "id", alert.id),
        ("c", "command", f"siems alert show {alert.id}"),
        ("t", "text", f"{alert.id} {alert.severity} {row.company} {alert.asset_name}: {text_of(row)}"),
    ]
    if ref:
        found.insert(1, ("o", "incident", ref))
    if body is not None and not body.cut:
        found.append(("b", "body", body.text))
    return found


# --- its body --------------------------------------------------------------------------------------------------


def body(found: Body, width: int) -> list[Line]:
    return bodies.lines(found, width)


def body_head(ref: str, found: Body | None, top: int, count: int, room: int, looks: Looks, width: int) -> Line:
    """The line over the body: whose it is, and how much of it is shown."""
    part = f"lines {top + 1}-{min(count, top + room)} of {count}  J K scroll  " if count > room else ""
    return rule(
        looks, width, bodies.title(ref, found) if found is not None else f"body of {ref}", f"{part}enter closes"
    )


def facts(row: ArrivalView, scene: Scene) -> Line:
    """The line under the body: when it came, and where it went."""
    alert = row.alert
    if alert is None:
        return []
    where, _ = whither(row, scene.looks)
    late = (alert.received_at - alert.starts_at).total_seconds()
    after = f", {late:.1f} s after it began" if 0.05 <= late < 3_600 else ""
    theirs = alert.original_severity[:20] or "none"
    many = f", {alert.count} times" if alert.count > 1 else ""
    said = f"first received {scene.time(alert.received_at)}{after}{many}   its severity there: {theirs}"
    return [
        (present.safe(said), "dim"),
        (f"   {where}", ""),
        (f" by {present.safe(alert.rule[:20])}" if alert.rule else "", "dim"),
    ]
