"""The selected incident in words: the strip under the list, the pane beside it, the figures of today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from siems import present
from siems.tui import clocks
from siems.tui.frame import rule
from siems.tui.looks import Line, Looks, Piece, spread, width_of, wrap
from siems.tui.messages import Story
from siems.wire import AlertView, IncidentView, Summary, TimelineEntry, WhoView


@dataclass
class Scene:
    """What every builder needs to know: the time, the zone, the signs."""

    now: datetime
    looks: Looks
    zone: tzinfo = UTC
    low_bandwidth: bool = False

    def time(self, moment: datetime, *, seconds: bool = True) -> str:
        """A time of day today, with the day when it was another one."""
        there, here = moment.astimezone(self.zone), self.now.astimezone(self.zone)
        if there.date() != here.date():
            return there.strftime("%m-%d %H:%M")
        return present.clock_time(moment, self.zone, seconds=seconds)


def where(view: IncidentView) -> str:
    """`Borealis / fw-edge-02`, `Borealis / fw-edge-02 +3`."""
    asset = view.assets[0] if view.assets else ""
    more = f" +{view.asset_count - 1}" if view.asset_count > 1 else ""
    return present.safe(view.company[:80]) + (f" / {present.safe(asset[:80])}{more}" if asset else "")


def state(view: IncidentView) -> str:
    level = f" L{view.escalation_level}" if view.escalation_level > 1 else ""
    flap = " FLAPPING" if view.flapping else ""
    return f"{'ON HOLD' if view.on_hold else present.safe(view.state[:12])}{level}{flap}"


def last_word(timeline: Sequence[TimelineEntry]) -> TimelineEntry | None:
    """The newest thing that a person did."""
    return next((one for one in timeline if one.kind in ("note", "state")), None)


def preview(view: IncidentView, story: Story | None, scene: Scene, width: int) -> list[Line]:
    """Five lines under the list on a small terminal."""
    short = present.SEVERITY_SHORT.get(view.severity, "")
    head = rule(scene.looks, width, f"{view.id} {view.company[:40]} {short}", "d pane  enter open")
    asset = f" ({present.safe(view.assets[0][:40])})" if view.assets else ""
    seen = f"{present.plural(clocks.arrivals(view), 'alert')}  last {scene.time(view.last_alert_at)}"
    first: Line = spread([(present.safe(view.title[:200]), "bold"), (asset, "")], [(seen, "")], width)
    timers: list[Piece] = [
        ("Respond ", "dim"), *tight(clocks.respond(view, scene.now, scene.zone)),
        ("   Resolve ", "dim"), *tight(clocks.resolve(view, scene.now, scene.zone)),
    ]  # fmt: skip
    if view.next_escalation is not None:
        room = width - 3 - sum(len(text) for text, _ in timers)
        said = clocks.escalates(view, scene.now)
        if len(said) > room:
            said = clocks.escalates(view, scene.now, arrow=scene.looks.arrow)
        timers.append((f"   {said}", ""))
    owner = present.person(view.assignee_name)
    facts: Line = [
        ("owner ", "dim"), (owner, ""), ("   score ", "dim"), (str(view.priority_score), ""),
        ("   from ", "dim"), (present.safe(", ".join(view.tool_sources)[:60]), ""),
        ("   grouped by ", "dim"), (present.safe(view.rule[:60]), ""),
    ]  # fmt: skip
    return [head, first, timers, facts, _last_line(story, scene)]


def tight(pieces: Sequence[Piece]) -> list[Piece]:
    """The same words without the blanks that align them elsewhere."""
    return [(text.replace("  ", " ") if place else text.lstrip(), role) for place, (text, role) in enumerate(pieces)]


def _last_line(story: Story | None, scene: Scene) -> Line:
    said = last_word(story.timeline) if story is not None else None
    if said is None:
        return [("", "")]
    text = present.safe(said.text[:300])
    quoted = f'"{text}"' if said.kind == "note" else text
    return [
        ("Last: ", "dim"),
        (f"{present.person(said.actor)} {scene.time(said.at, seconds=False)} {quoted}", ""),
    ]


def pane(view: IncidentView, story: Story | None, scene: Scene, width: int, height: int) -> list[Line]:
    """The pane beside the list on a wide terminal."""
    lines: list[Line] = [
        [(view.id, "title"), ("  ", ""), (present.severity_short(view.severity), view.severity),
         (f"  {state(view)}", "")],
        *([(text, "bold")] for text in wrap(view.title, width, most=2)),
        [(where(view), "")],
        [(scene.looks.rule(width), "rule")],
        [("Respond  ", "dim"), *clocks.respond(view, scene.now, scene.zone)],
        [("Resolve  ", "dim"), *clocks.resolve(view, scene.now, scene.zone)],
        [("Escalate ", "dim"), *clocks.escalate(view, scene.now, scene.looks.arrow)],
        [("Owner    ", "dim"), (f"  {present.person(view.assignee_name)}", ""), ("   score ", "dim"),
         (str(view.priority_score), "")],
        [],
    ]  # fmt: skip
    if story is None:
        return [*lines, [("reading...", "dim")]][:height]
    room = height - len(lines) - 3
    alerts = alert_lines(story.alerts[:height], scene, width)
    shown = alerts[: max(3, min(len(alerts), room // 2))]
    lines += [alerts_head(view, story.alerts, scene, width), *shown, [], [("TIMELINE", "head")]]
    lines += timeline_short(story.timeline[:height], scene, width)
    return lines[:height]


def alerts_head(view: IncidentView, alerts: Sequence[AlertView], scene: Scene, width: int) -> Line:
    """`ALERTS 6 in 21m`, with their course when there is something to see."""
    line: list[Piece] = [(f"ALERTS {clocks.arrivals(view)}", "head")]
    span = (view.last_alert_at - view.created_at).total_seconds()
    if span >= 60:
        line.append((f" in {present.duration(max(span, 600) if span >= 600 else span)}", ""))
    course = rate(alerts, scene.now)
    if len(alerts) > 2 and not scene.low_bandwidth:
        line.append(("  " + present.sparkline(course, 10, ascii_only=scene.looks.ascii_only).strip(), "spark"))
    return line


def rate(alerts: Sequence[AlertView], now: datetime, *, buckets: int = 10) -> list[int]:
    """Alerts per stretch of time from the first to now."""
    if not alerts:
        return []
    first = min(one.received_at for one in alerts)
    step = max((now - first) / buckets, timedelta(seconds=1))
    counts = [0] * buckets
    for one in alerts:
        counts[max(0, min(buckets - 1, int((one.received_at - first) / step)))] += 1
    return counts


def alert_lines(alerts: Sequence[AlertView], scene: Scene, width: int) -> list[Line]:
    """One line for each alert: when, how bad, what, how often."""
    lines: list[Line] = []
    for one in alerts:
        when = scene.time(one.last_seen_at)
        count = f" x{one.count}" if one.count > 1 else ""
        over = {"resolved": " ok", "suppressed": " silenced"}.get(one.status, "")
        room = width - len(when) - 4 - len(count) - len(over)
        what = present.clip(present.safe((one.message or one.signature)[:200]), room, mark=scene.looks.cut)
        lines.append([
            (f"{when} ", "dim"), (present.severity_short(one.severity), "" if over else one.severity),
            (f" {what}", "dim" if over else ""), (count, "bold"), (over, "v"),
        ])  # fmt: skip
    return lines


def timeline_short(timeline: Sequence[TimelineEntry], scene: Scene, width: int) -> list[Line]:
    """`14:01 maria started`, newest first."""
    lines: list[Line] = []
    for one in timeline:
        when = scene.time(one.at, seconds=False)
        who = present.person(one.actor, width=10)
        human = one.kind in ("note", "state")
        room = width - len(when) - 1
        first, *more = wrap(f"{who} {' '.join(one.text[:400].split())}", room)
        if len(more) > 2:
            more = [more[0], present.clip(more[1], room - 1) + scene.looks.cut]
        lines.append([(f"{when} ", "dim"), (first, "bold" if human else "")])
        lines += [[(" " * (len(when) + 1), ""), (text, "")] for text in more]
    return lines


def on_call(whos: Sequence[WhoView], scene: Scene) -> list[Piece]:
    """`on call: maria till 18:00, jon`; a schedule without anybody stands out."""
    line: list[Piece] = [("on call: ", "dim")]
    for place, one in enumerate(sorted(whos, key=lambda one: not one.user)[:4]):
        name = present.person(one.user_name) if one.user else f"nobody ({present.cell(one.schedule, 12).rstrip()})"
        till = f" till {present.short_time(one.until, scene.now, scene.zone)}" if one.until and not place else ""
        line.append((f"{', ' if place else ''}{name}{till}", "" if one.user else "!"))
    return [*line, ("", "")] if whos else []


def _by_company(summary: Summary, room: int) -> list[Piece]:
    """Open incidents of each company, as many as fit; the rest are counted."""
    texts = [f"{present.cell(one.company, 16).rstrip()} {one.open}" for one in summary.by_company]
    shown, lead = list(texts), "open: "
    while len(shown) > 1 and len(lead) + len("  ".join(shown)) + 9 > room:
        shown.pop()
    more = [f"+{len(texts) - len(shown)} more"] if len(shown) < len(texts) else []
    return [(lead, "dim"), ("  ".join([*shown, *more]) if texts else "none", "" if texts else "dim")]


def today(summary: Summary | None, scene: Scene, width: int, whos: Sequence[WhoView] = ()) -> list[Line]:
    """Three lines at the foot of a wide board."""
    head: Line = [(f"{scene.looks.rule(3)} today ", "head"), (scene.looks.rule(width - 10), "rule")]
    if summary is None:
        return [head, [("reading...", "dim")], []]
    figures: list[Piece] = []
    for word, value, role in (
        ("opened", str(summary.opened_today), ""), ("resolved", str(summary.resolved_today), ""),
        ("breached", str(summary.breached_today), "x" if summary.breached_today else ""),
        ("MTTA", present.took(summary.mtta_seconds), ""), ("MTTR", present.took(summary.mttr_seconds), ""),
    ):  # fmt: skip
        figures += [(f"{word} ", "dim"), (f"{value}  ", role)]
    course = present.sparkline(summary.alerts_per_minute, 30, ascii_only=scene.looks.ascii_only)
    right: list[Piece] = [("alerts/min  ", "dim"), (course, "spark"), ("  last 60 min", "dim")]
    noise = f"{present.plural(summary.alerts, 'alert')} in {present.plural(summary.incidents, 'incident')}"
    cut: list[Piece] = [(noise, ""), (f", {summary.noise_reduction:.0f}% less noise", "dim")]
    head = spread([(f"{scene.looks.rule(3)} today ", "head"), (scene.looks.rule(width), "rule")], cut, width)
    duty = on_call(whos, scene)
    companies = _by_company(summary, width - width_of(duty) - 2)
    return [head, spread(figures, [] if scene.low_bandwidth else right, width), spread(companies, duty, width)]
