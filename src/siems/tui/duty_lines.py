"""Who is on call in words and bars: a row per schedule, seven days of each, and what is to be known of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from siems import present
from siems.tui.board_messages import Duty
from siems.tui.frame import rule
from siems.tui.looks import Line, Piece, flow, spread
from siems.tui.panes import Scene
from siems.vocabulary import MSP
from siems.wire import (
    FairnessView,
    GapView,
    HandoffView,
    OverrideView,
    ScheduleDetail,
    ShiftView,
    SpanView,
    SwapView,
    WhatIfView,
)

DAYS = 7
WIDE = 110
NAME = 13
AHEAD = timedelta(days=14)


def midnight(scene: Scene, days: int) -> datetime:
    """The beginning of the day that lies so many days from today, on the reader's clock."""
    here = scene.now.astimezone(scene.zone)
    day = (here + timedelta(days=days)).date()
    return datetime(day.year, day.month, day.day, tzinfo=scene.zone)


def until(moment: datetime, scene: Scene) -> str:
    """`18:00` today, `Mon 08:00` later."""
    return present.short_time(moment, scene.now, scene.zone)


def gaps(one: ScheduleDetail, scene: Scene) -> list[GapView]:
    """What nobody covers within two weeks."""
    return [gap for gap in one.gaps if gap.starts_at < scene.now + AHEAD and gap.ends_at > scene.now]


def coverage(one: ScheduleDetail, scene: Scene) -> float:
    """How much of the next two weeks somebody covers, in per cent."""
    end = scene.now + AHEAD
    open_ = sum((min(gap.ends_at, end) - max(gap.starts_at, scene.now)).total_seconds() for gap in gaps(one, scene))
    return max(0.0, 100.0 * (1 - open_ / AHEAD.total_seconds()))


# --- the table -----------------------------------------------------------------------------------------------------


def heading(width: int) -> list[Piece]:
    if width < WIDE:
        return [(f"  {'SCHEDULE':<{NAME}} {'ON CALL NOW':<22} {'NEXT':<22} FOR", "head")]
    words = f"  {'SCHEDULE':<18} {'ON CALL NOW':<22} {'NEXT':<22} {'14 DAYS':<8} {'ITS ZONE':<14} FOR"
    return [(words, "head")]


def row(one: ScheduleDetail, scene: Scene, width: int, *, here: bool) -> list[Piece]:
    """One schedule on a line. `!` stands before it when nobody is on call now."""
    wide, cut = width >= WIDE, scene.looks.cut
    current, following, view = one.schedule.now, one.schedule.next, one.schedule
    name, who = (18, 22) if wide else (NAME, 22)
    mark: Piece = (">", "mark") if here else ("!", "!") if current is None else (" ", "")
    pieces: list[Piece] = [mark, (" ", ""), (present.cell(view.name, name, mark=cut) + " ", "bold" if here else "")]
    if current is None:
        after = f" till {until(following.starts_at, scene)}" if following is not None else ""
        pieces.append((present.fit(f"NOBODY{after}", who) + " ", "!"))
    else:
        pieces.append((present.fit(_with_time(current.user_name, "till", current.ends_at, scene, who), who) + " ", ""))
    text = _with_time(following.user_name, "from", following.starts_at, scene, who) if following else "--"
    pieces.append((present.fit(text, who) + " ", "dim"))
    if wide:
        covered = coverage(one, scene)
        shown = f"{covered:.0f} %" if covered in (0, 100) else f"{min(99.9, covered):.1f} %"
        pieces.append((f"{shown:<8} ", "" if covered == 100 else "!"))
        pieces.append((present.cell(view.time_zone, 14, mark=cut) + " ", "dim"))
    room = width - sum(present.cell_width(part) for part, _ in pieces)
    return [*pieces, (present.clip(serves(one), room, mark=cut), "dim")]


def _with_time(name: str, word: str, moment: datetime, scene: Scene, width: int) -> str:
    """`maria till 18:00`: the name gives way to the time."""
    when = f" {word} {until(moment, scene)}"
    return present.clip(present.person(name), width - len(when), mark=scene.looks.cut) + when


def serves(one: ScheduleDetail) -> str:
    """The clients that go by a schedule."""
    known = [name for name in one.schedule.used_by if name != MSP]
    names = [present.safe(name[:40]).removeprefix("comp-") for name in known[:12]]
    return ", ".join(names) + (f" and {len(known) - 12} more" if len(known) > 12 else "") if names else "no client"


# --- seven days ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Grid:
    """Seven days from one midnight, in columns; the last day may be an hour longer or shorter than others."""

    start: datetime
    width: int
    label: int

    @property
    def day(self) -> int:
        return (self.width - self.label) // DAYS

    @property
    def columns(self) -> int:
        return self.day * DAYS

    def edge(self, number: int) -> datetime:
        """Midnight so many days after the start."""
        day = (self.start + timedelta(days=number)).date()
        return datetime(day.year, day.month, day.day, tzinfo=self.start.tzinfo)

    def column(self, moment: datetime) -> int:
        """Where a moment stands; outside of the grid below 0 or beyond its columns."""
        for number in range(DAYS):
            begin, end = self.edge(number), self.edge(number + 1)
            if moment < end:
                share = (moment - begin).total_seconds() / (end - begin).total_seconds()
                return number * self.day + int(share * self.day) if share >= 0 else -1
        return self.columns


def days(grid: Grid, scene: Scene) -> Line:
    """`Mon 09`, with today standing out."""
    line: list[Piece] = [(" " * grid.label, "")]
    today = scene.now.astimezone(scene.zone).date()
    for number in range(DAYS):
        day = grid.edge(number).date()
        line.append((f"{day:%a %d}".ljust(grid.day), "bold" if day == today else "dim"))
    return line


def bar(one: ScheduleDetail, grid: Grid, scene: Scene, *, here: bool) -> Line:
    """A schedule's shifts as a bar: `|maria----|sam---`, overrides with `=`, what nobody covers with `!`."""
    fill = "-" if scene.looks.ascii_only else "─"
    cells = [" "] * grid.columns
    roles = [""] * grid.columns
    parts = [(gap.starts_at, gap.ends_at, "nobody", "!", "!") for gap in one.gaps]
    for shift in one.shifts:
        stands_in = shift.source.startswith("OVR-")
        name = present.person(shift.user_name)
        parts.append((shift.starts_at, shift.ends_at, name, "=" if stands_in else fill, "mark" if stands_in else ""))
    for starts, ends, name, sign, role in sorted(parts, key=lambda part: part[0]):
        first, last = max(0, grid.column(starts)), min(grid.columns, grid.column(ends))
        if ends <= grid.start or first >= grid.columns or last <= first:
            continue
        lead = "|" if starts >= grid.start and last - first > 1 else ""
        text = present.clip(lead + name, last - first)
        if sign == "!" and last - first < 8:
            text = ""
        for place in range(first, last):
            cells[place], roles[place] = sign, role
        at = first
        for char in text:
            if at + max(1, present.cell_width(char)) > last:
                break
            cells[at] = char
            for more in range(1, present.cell_width(char)):
                cells[at + more] = ""
            at += max(1, present.cell_width(char))
    name = ("> " if here else "  ") + present.cell(one.schedule.name, grid.label - 3, mark=scene.looks.cut) + " "
    return [(name, "bold" if here else ""), *_runs(cells, roles)]


def _runs(cells: Sequence[str], roles: Sequence[str]) -> list[Piece]:
    """Neighbours of one role as one piece."""
    pieces: list[Piece] = []
    for char, role in zip(cells, roles, strict=True):
        if pieces and pieces[-1][1] == role:
            pieces[-1] = (pieces[-1][0] + char, role)
        else:
            pieces.append((char, role))
    return pieces


def now_mark(grid: Grid, scene: Scene) -> Line:
    at = grid.column(scene.now)
    if not 0 <= at < grid.columns:
        return [("", "")]
    return [(" " * (grid.label + at), ""), ("^now", "bold")]


# --- what is to be known of one ------------------------------------------------------------------------------------


def about(one: ScheduleDetail, duty: Duty, load: FairnessView | None, scene: Scene, width: int) -> list[Line]:
    """Gaps, who stands in, swaps, the brief, and how this month is shared; the most urgent first."""
    ref = one.schedule.id
    lines: list[Line] = [rule(scene.looks, width, one.schedule.name, f"in {present.safe(one.schedule.time_zone[:40])}")]
    lines += _gap_lines(gaps(one, scene), scene)
    for handoff in [h for h in duty.handoffs if h.schedule_id == ref][:2]:
        lines.append(brief_line(handoff, scene))
    lines += [swap_line(swap, scene) for swap in duty.swaps if swap.schedule_id == ref and swap.state == "asked"][:4]
    mine = sorted((o for o in duty.overrides if o.schedule_id == ref), key=lambda o: o.starts_at)
    lines += [override_line(override, scene) for override in mine[:6]]
    lines = [part for line in lines for part in flow(line, width)]
    if load is not None:
        lines += _load_lines(load, scene, width)
    return lines


def _gap_lines(found: Sequence[GapView], scene: Scene) -> list[Line]:
    if not found:
        return [[("covered", "v"), ("  somebody is on call at every moment of the next 14 days", "")]]
    first = found[0]
    more = f", and {present.plural(len(found) - 1, 'gap')} more in 14 days" if len(found) > 1 else ""
    when = f"{until(first.starts_at, scene)} to {until(first.ends_at, scene)}"
    return [[("! nobody ", "!"), (f"{when} ({present.duration(max(600, first.seconds))}){more}", ""),
             ("   i", "key"), (" somebody stands in", "dim")]]  # fmt: skip


def brief_line(one: HandoffView, scene: Scene) -> Line:
    """`shift brief  maria -> sam at 18:00, 3 incidents`."""
    when = f" at {until(one.hands_over_at, scene)}" if one.hands_over_at is not None else ""
    words = {"on": "goes on", "given": "given, not accepted yet", "waiting": "waits to be accepted"}
    late = one.state == "waiting"
    return [
        ("shift brief  ", "dim"),
        (f"{present.person(one.user_name)} {scene.looks.arrow} {present.person(one.next_user_name)}{when}", ""),
        (f", {present.plural(len(one.incidents), 'incident')}", ""),
        (f"  {words.get(one.state, present.safe(one.state[:20]))}", "stale" if late else "dim"),
        ("   b", "key"), (" reads it", "dim"),
    ]  # fmt: skip


def swap_line(one: SwapView, scene: Scene) -> Line:
    able: list[Piece] = [("   p", "key"), (" answers", "dim")] if one.actions else []
    return [("swap  ", "dim"), (swap_words(one, scene), ""), *able]


def swap_words(one: SwapView, scene: Scene) -> str:
    """`jon gives Sat 08:00 to sam and takes Sun 08:00 for it`."""
    back = f" and takes {_spans(one.theirs, scene)} for it" if one.theirs else ""
    other, asker = present.person(one.other_name), present.person(one.asker_name)
    why = f' "{present.safe(one.reason[:60])}"' if one.reason else ""
    return f"{asker} gives {_spans(one.mine, scene)} to {other}{back}{why}"


def _spans(spans: Sequence[SpanView], scene: Scene) -> str:
    return ", ".join(f"{until(s.starts_at, scene)}-{until(s.ends_at, scene)}" for s in spans[:3]) or "nothing"


def override_line(one: OverrideView, scene: Scene) -> Line:
    why = f'  "{present.safe(one.reason[:60])}"' if one.reason else ""
    by = f"  by {present.person(one.created_by_name)}"
    on = one.starts_at <= scene.now < one.ends_at
    return [
        ("override  ", "dim"), (present.person(one.user_name), "bold"),
        (f"  {until(one.starts_at, scene)} to {until(one.ends_at, scene)}", ""), (why, ""), (by, "dim"),
        ("  now", "mark") if on else ("", ""), (f"  {present.safe(one.id[:20])}", "dim"),
    ]  # fmt: skip


def _load_lines(load: FairnessView, scene: Scene, width: int) -> list[Line]:
    """How this month is shared: hours on call, nights, pages."""
    if not load.people:
        return []
    if width < WIDE:
        parts = [f"{present.person(p.user_name)} {p.seconds // 3600}h {p.pages} paged" for p in load.people[:6]]
        while parts and len("   ".join(parts)) > width - 12:
            parts.pop()
        return [[(f"{present.safe(load.month[:10])}  ", "dim"), ("   ".join(parts), "")]]
    most = max(one.seconds for one in load.people) or 1
    month = "LOAD " + present.safe(load.month[:10])
    head = f"{month:<20} {'HOURS':>6} {'NIGHT':>6} {'WEEKEND':>8} {'PAGED':>6} {'WOKEN':>6}"
    lines: list[Line] = [[], [(head, "head")]]
    for one in load.people[:8]:
        hours = [one.seconds // 3600, one.night_seconds // 3600, one.weekend_seconds // 3600]
        sign = "#" if scene.looks.ascii_only else "▇"
        share = sign * max(1 if one.seconds else 0, round(24 * one.seconds / most))
        lines.append([
            (present.cell(one.user_name, 20), ""),
            (f" {hours[0]:>6} {hours[1]:>6} {hours[2]:>8} {one.pages:>6} {one.wake_ups:>6}  ", ""), (share, "spark"),
        ])  # fmt: skip
    return lines


def who_lines(view: WhatIfView, scene: Scene, width: int) -> list[Line]:
    """Who would be told when, one line for each person and step."""
    lines: list[Line] = [[(present.safe(note[:300]), "stale")] for note in view.notes]
    for step in view.steps:
        after = present.duration((step.at - view.at).total_seconds())
        level = f"L{step.level}  " if step.level else ""
        lines.append([(f"{after:>7}  ", "bold"), (level, "dim"), (present.safe(step.text[:200]), "")])
        for one in step.people:
            ways = ", ".join(f"{m.channel} {m.hint}" for m in one.messages) or ("inbox only" if not one.why else "")
            said = present.safe(" ".join(part for part in (ways, one.why) if part)[:200])
            lines.append([(" " * 9, ""), (present.cell(one.name, 18) + " ", "bold" if one.pages else ""),
                          (present.clip(said, width - 28, mark=scene.looks.cut), "dim")])  # fmt: skip
        lines += [[(" " * 9, ""), (present.safe(hook[:80]), "dim")] for hook in step.webhooks]
    return lines or [[("Nobody would be told.", "!")]]


def shift_of(one: ScheduleDetail, user: str) -> ShiftView | None:
    """The next shift of somebody, which they might swap."""
    return next((shift for shift in one.shifts if shift.user == user), None)


def title_line(left: str, right: str, width: int) -> Line:
    return spread([(left, "head")], [(right, "dim")], width)
