"""One incident's story in lines: timeline, alerts, notes, facts."""

from __future__ import annotations

from collections.abc import Sequence

from siems import present
from siems.tui.looks import Line, Piece, wrap
from siems.tui.messages import Story
from siems.tui.panes import Scene, alert_lines, alerts_head
from siems.wire import AlertView, IncidentView, TimelineEntry

WHEN, KIND = 10, 8
GAUGE = 22
KIND_ROLE = {"note": "bold", "state": "live", "escalation": "!", "sla": "x", "open": "title"}
KIND_WORD = {"escalation": "escal", "recovery": "ok"}


def gauge(view: IncidentView, scene: Scene) -> list[Piece]:
    """`[####------------------]`: how much of the time to resolve is used."""
    clock = view.sla.resolution
    if clock.met_at is not None or not clock.target_seconds or clock.paused:
        return []
    left = (clock.due_at - scene.now).total_seconds()
    used = max(0, min(GAUGE, round(GAUGE * (1 - left / clock.target_seconds))))
    full, blank = ("#", "-") if scene.looks.ascii_only else ("█", "░")
    role = "x" if left <= 0 else "~" if used > GAUGE * 3 // 4 else "spark"
    return [("[", "dim"), (full * used, role), (blank * (GAUGE - used), "dim"), ("]", "dim")]


def timeline(entries: Sequence[TimelineEntry], scene: Scene, width: int) -> list[Line]:
    """Newest first; what does not fit on a line goes on under itself."""
    lines: list[Line] = []
    for one in entries:
        when = present.fit(scene.time(one.at), WHEN)
        kind = KIND_WORD.get(one.kind, one.kind)
        who = f"{present.person(one.actor)} " if one.kind in ("note", "state") else ""
        via = f"  via {one.via}" if one.kind in ("note", "state") and one.via in ("cli", "api", "portal") else ""
        texts = wrap(f"{who}{one.text}{via}", max(20, width - WHEN - KIND))
        role = KIND_ROLE.get(one.kind, "")
        lines.append([(when, "dim"), (present.cell(kind, KIND), role), (texts[0], "")])
        lines += [[(" " * (WHEN + KIND), ""), (text, "")] for text in texts[1:]]
    return lines or [[("Nothing happened yet.", "dim")]]


def alerts(view: IncidentView, story: Story, scene: Scene, width: int) -> list[Line]:
    """Each alert with what it is about, and why they stand together."""
    lines: list[Line] = [alerts_head(view, story.alerts, scene, width)]
    for one, short in zip(story.alerts, alert_lines(story.alerts, scene, width), strict=True):
        lines.append(short)
        lines.append([(" " * 12, ""), (_about(one), "dim")])
    return [*lines, *_together(view, story.alerts, width)]


def _about(one: AlertView) -> str:
    return f"{one.id}  {present.safe(one.asset_name[:60])}  {present.safe(one.tool_source[:20])}  {one.status}"


def _together(view: IncidentView, alerts: Sequence[AlertView], width: int) -> list[Line]:
    reasons = sorted({one.evidence for one in alerts if one.evidence})
    text = f"why together: {'; '.join(reasons[:3]) or view.rule}"
    return [[(part, "dim")] for part in wrap(text, width, most=3)]


def notes(entries: Sequence[TimelineEntry], scene: Scene, width: int) -> list[Line]:
    """What people wrote, newest first."""
    lines: list[Line] = []
    for one in entries:
        if one.kind == "note":
            head = f"{scene.time(one.at, seconds=False)} {present.person(one.actor)}  "
            texts = wrap(one.text, max(20, width - present.cell_width(head)))
            lines.append([(head, "dim"), (texts[0], "")])
            lines += [[(" " * present.cell_width(head), ""), (text, "")] for text in texts[1:]]
    return lines or [[("No notes: n writes one.", "dim")]]


def facts(
    view: IncidentView, story: Story, scene: Scene, width: int, more_rows: Sequence[tuple[str, str]] = ()
) -> list[Line]:  # fmt: skip
    """What else is known; `more_rows`: what is known elsewhere."""
    terms = " ".join(f"{name} {value:+d}" for name, value in story.detail.priority_terms.items() if value)
    more = f" and {view.asset_count - 6} more" if view.asset_count > 6 else ""
    rows: list[tuple[str, str]] = [
        *_advice(view),
        *more_rows,
        ("opened", scene.time(view.created_at)),
        ("owner", view.assignee_name or "nobody"),
        ("score", f"{view.priority_score}   ({terms})" if terms else str(view.priority_score)),
        ("level", str(view.escalation_level)),
        ("category", view.category),
        ("tools", ", ".join(view.tool_sources)),
        ("assets", ", ".join(view.assets[:6]) + more),
        ("grouped by", view.rule),
    ]
    if view.on_hold:
        until = present.short_time(view.hold_until, scene.now, scene.zone) if view.hold_until else "?"
        rows.append(("on hold", f"for {view.hold_reason} until {until}"))
    if view.resolved_at is not None:
        by = (view.resolved_by or "").removeprefix("user-")
        said = f": {view.resolution_notes}" if view.resolution_notes else ""
        rows.append(("resolved", f"{scene.time(view.resolved_at)} by {by}{said}"))
    if view.cause:
        rows.append(("cause", view.cause))
    if view.recurrence_of:
        rows.append(("seen before", view.recurrence_of))
    if view.related:
        rows.append(("related", ", ".join(view.related[:8])))
    if view.merged_into:
        rows.append(("folded into", view.merged_into))
    lines: list[Line] = []
    for name, text in rows:
        parts = wrap(text, max(20, width - 12), most=4)
        lines.append([(f"{name:<12}", "dim"), (parts[0], "")])
        lines += [[(" " * 12, ""), (part, "")] for part in parts[1:]]
    return lines


def _advice(view: IncidentView) -> list[tuple[str, str]]:
    """What is advised, and what to type where it waits for somebody."""
    i = view.insight
    if i is None:
        return []
    rows = [("advice", f"{i.pattern} ({i.confidence:.2f}, {i.provider}): {i.root_cause}")]
    if i.recommendation:
        rows.append(("try", i.recommendation))
    if i.similar:
        rows.append(("looks like", ", ".join(i.similar[:5])))
    for name, value in (("severity", i.severity), ("category", i.category)):
        if value is not None and value.standing == "waiting":
            said = f"{name} {value.value} ({value.confidence:.2f})"
            rows.append(("waits", f"{said}: W accepts or declines it"))
        elif value is not None and value.standing in ("applied", "accepted") and value.before:
            said = f"{name} {value.before} -> {value.value} ({value.confidence:.2f})"
            rows.append(("advised", f"{said}, {value.standing}"))
    return rows


def history(past: Sequence[IncidentView] | None, scene: Scene, width: int) -> list[Line]:
    """Earlier incidents on the same asset, newest first, with how they ended."""
    if past is None:
        return [[("reading...", "dim")]]
    lines: list[Line] = []
    for one in past:
        day = one.created_at.astimezone(scene.zone).strftime("%m-%d")
        took = ""
        if one.resolved_at is not None:
            took = f" in {present.duration((one.resolved_at - one.created_at).total_seconds())}"
        head: list[Piece] = [
            (f"{day} ", "dim"), (present.cell(one.id, 8) + " ", "bold"),
            (present.severity_short(one.severity), one.severity),
            (f" {present.state_short(one.state).lower()}{took} ", "dim"),
        ]  # fmt: skip
        room = max(0, width - sum(present.cell_width(text) for text, _ in head))
        lines.append([*head, (present.cell(one.title, room, mark=scene.looks.cut), "")])
        ended = ": ".join(part for part in (one.cause or "", one.resolution_notes or "") if part)
        if ended:
            said = present.clip(present.safe(ended[: 2 * width]), width - 15, mark=scene.looks.cut)
            lines.append([(" " * 15, ""), (said, "dim")])
    return lines or [[("Nothing happened on this asset before.", "dim")]]


def side(
    view: IncidentView,
    story: Story | None,
    scene: Scene,
    width: int,
    height: int,
    *,
    past: Sequence[IncidentView] | None = None,
    more_rows: Sequence[tuple[str, str]] = (),
) -> list[Line]:
    """The right half of a wide terminal: alerts, notes, what was before, facts; the alerts take what is left."""
    if story is None:
        return []
    rule: Line = [(scene.looks.rule(width + 1), "rule")]
    known = facts(view, story, scene, width, more_rows)
    written = notes(story.timeline, scene, width)[:8]
    before: list[Line] = [rule, [("HISTORY", "head")], *history(past, scene, width)[:6]] if past else []
    below: list[Line] = [rule, [("NOTES", "head")], *written, *before, rule, [("FACTS", "head")], *known]
    why = _together(view, story.alerts, width)
    room = max(3, height - len(below) - len(why) - 1)
    listed = alert_lines(story.alerts, scene, width)
    if len(listed) > room:
        listed = [*listed[: room - 1], [(f"and {len(listed) - room + 1} more", "dim")]]
    return [alerts_head(view, story.alerts, scene, width), *listed, *why, *below]
