"""What stands around every screen: identity and link, screens, toast and keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from siems import present
from siems.tui.actions import BY_ID, FOOTER, Where, keys_of, shown
from siems.tui.looks import Looks, Piece, spread, width_of
from siems.wire import Me

STALE_BEATS, LOST_BEATS = 2.25, 3.0
"""Heartbeats that may stay away: then it is said that what is shown is old; then that the link is gone."""
ASLEEP = 3.0
"""Seconds without a tick: this process itself stood still."""
PAIRED = {
    "day_on": ("day_back", "day_on"), "next_event": ("previous_event", "next_event"),
    "step_on": ("step_back", "step_on"), "faster": ("slower", "faster"),
}  # fmt: skip
"""Keys that the last line names together."""


@dataclass
class LinkState:
    """How it stands with the daemon, in real seconds of this machine."""

    up: bool = False
    ever: bool = False
    heard_at: float = 0.0
    """When any answer came."""
    told_at: float = 0.0
    """When the stream last said something. Answers do not count: with them alone the board would stay as it was."""
    heartbeat: float = 15.0
    carried: int = 0
    """Bytes that had come so far, and when there were last more of them."""
    carried_at: float = 0.0
    ticked_at: float = 0.0
    doubted_at: float = 0.0
    """When an answer last did not come, though nothing says that the link is down."""
    lost_at: float = 0.0
    retry_at: float = 0.0
    attempt: int = 0
    why: str = ""
    hint: str = ""
    as_of: datetime | None = None

    def returned(self) -> None:
        """A daemon answers again."""
        self.up, self.ever, self.lost_at, self.attempt = True, True, 0.0, 0

    def told(self, monotonic: float) -> None:
        """The stream said something."""
        self.heard_at = self.told_at = self.carried_at = monotonic

    def quiet(self, monotonic: float) -> bool:
        """Whether the stream is silent for longer than its heartbeat explains."""
        return self.up and monotonic - self.told_at > STALE_BEATS * self.heartbeat

    def dead(self, came: int, monotonic: float) -> bool:
        """Whether nothing at all came for so long that the link is as good as closed; asked once a second.

        A slow link that is busy with an answer is not dead, however late its heartbeats are.
        """
        asleep, self.ticked_at = monotonic - self.ticked_at > ASLEEP, monotonic
        if came != self.carried or asleep:
            self.carried, self.carried_at = came, monotonic
        return self.quiet(monotonic) and monotonic - max(self.told_at, self.carried_at) > LOST_BEATS * self.heartbeat

    def word(self, monotonic: float) -> Piece:
        if not self.up:
            if not self.lost_at:
                return ("CONNECTING", "stale")
            return (f"OFFLINE {present.duration(monotonic - self.lost_at)}", "lost")
        if self.doubted_at > self.heard_at:
            return (f"NO ANSWER {int(monotonic - self.heard_at)}s", "stale")
        if self.quiet(monotonic):
            return (f"STALE {int(monotonic - self.told_at)}s", "stale")
        return ("LIVE", "live")


def identity(
    me: Me | None, context: Piece, link: Piece, *, mode: str, wide: bool, now: datetime, zone: tzinfo
) -> list[Piece]:  # fmt: skip
    """The left part of the first line."""
    name, role = context
    line: list[Piece] = [("siems ", "title"), (present.safe(name[:20]).upper(), role)]
    if mode:
        line += [(" | ", "rule"), (mode, "stale")]
    if me is not None:
        short = {"technician": "tech", "manager": "mgr"}.get(me.user.role, present.safe(me.user.role[:6]))
        title = f" ({present.safe(me.user.role[:12])})" if wide else f" {short}"
        line += [(" | ", "rule"), (present.person(me.user.name) + title, "")]
    line += [(" | ", "rule"), link]
    if me is not None and me.unread:
        line += [(" | ", "rule"), (f"bell {me.unread}", "bold")]
    if me is not None and me.on_call_until is not None and me.on_call_until > now:
        line += [(" | ", "rule"), (f"ON CALL till {_till(me.on_call_until, now, zone)}", "bold")]
    return line


def _till(until: datetime, now: datetime, zone: tzinfo) -> str:
    """18:00, and with its day where that is not within a day."""
    day = "" if (until - now).total_seconds() < 86_400 else f"{until.astimezone(zone):%a %d} "
    return f"{day}{present.clock_time(until, zone, seconds=False)}"


def zone_name(zone: tzinfo, now: datetime) -> str:
    return "UTC" if zone is UTC else present.safe(now.astimezone(zone).tzname() or "")


def clock(now: datetime, zone: tzinfo, *, wide: bool, seconds: bool) -> list[Piece]:
    """The right part of the first line: the only place that names the zone."""
    there = now.astimezone(zone)
    day = there.strftime("%a %Y-%m-%d ") if wide else ""
    return [(f"{day}{present.clock_time(now, zone, seconds=seconds)} {zone_name(zone, now)}", "bold")]


SCREENS: tuple[tuple[Where, str], ...] = (
    (Where.BOARD, "1 Incidents"), (Where.ALERTS, "2 Alerts"), (Where.RUNS, "3 Runs"),
    (Where.ONCALL, "4 On-call"), (Where.SLA, "5 SLA"),
    (Where.CLIENTS, "6 Companies"), (Where.AUDIT, "7 Audit"), (Where.INBOX, "8 Inbox"),
)  # fmt: skip


def screens(here: Where, unread: int, waiting: int = 0, *, width: int = 80) -> list[Piece]:
    """The second line: where one is and could go. `waiting`: runs that wait for the reader."""
    wide = width >= 100
    here = Where.RUNS if here is Where.RUN else here
    line: list[Piece] = []
    for where, name in SCREENS:
        text = name
        if where is Where.INBOX and unread:
            bare = width_of(line) + len(name) + (2 if wide or where is here else 0) + (not wide)
            text += next((said for said in _counts(unread) if bare + len(said) <= width), "")
        if where is Where.RUNS and waiting:
            text += f"({waiting} to approve)" if wide else f"({waiting})"
        role = "!" if where is Where.RUNS and waiting else ""
        if wide:
            line.append((f"[{text}]", "tab") if where is here else (f" {text} ", role))
        else:
            line += [(" ", "")] if line else []
            line.append((f"[{text}]", "tab") if where is here else (text, role))
    return line


def _counts(count: int) -> list[str]:
    """How many, as well as there is room to say it; the first line says it exactly."""
    return [f"({count})", *(f"({most}+)" for most in (999, 99, 9) if count > most), "(+)"]


def beside(left: list[Piece], right: list[Piece], width: int) -> list[Piece]:
    """Two parts at the two ends; of the right one the last but one goes first where there is no room for it."""
    while right and width_of(left) + width_of(right) + 1 > width:
        right = [*right[:-3], right[-1]] if len(right) > 2 else []
    return spread(left, right, width) if right else left


def tally(severities: dict[str, int], breached: int) -> list[Piece]:
    """How many incidents are open, by severity, and how many are late."""
    line: list[Piece] = []
    for name, short in present.SEVERITY_SHORT.items():
        if severities.get(name):
            line += [(short, name), (f" {severities[name]}  ", "")]
    return [*line, (f"breached {breached}", "x" if breached else "dim")]


def lost_banner(link: LinkState, monotonic: float, zone: tzinfo) -> list[Piece]:
    """What replaces the third line while no daemon answers."""
    left = max(0, int(link.retry_at - monotonic + 0.999))
    since = f"! DAEMON LOST {present.duration(monotonic - link.lost_at)}"
    age = f"  data as of {present.clock_time(link.as_of, zone)}" if link.as_of else "  no data yet"
    return [
        (since, "lost"),
        (age, ""),
        (f"  retry in {left}s ({link.attempt})" if left else f"  trying now ({link.attempt})", ""),
        ("  ctrl+r", "key"),
        (" now", ""),
    ]


def toast(text: str, role: str, undo: str, width: int, *, cut: str = "") -> list[Piece]:
    """The last line but one: what happened, and how to take it back."""
    right: list[Piece] = [("u", "key"), (f" {undo}", "")] if undo else []
    said = present.clip(present.safe(text), width - (width_of(right) + 1 if right else 0), mark=cut)
    return spread([(said, role)], right, width) if right else [(said, role)]


def keys(
    where: Where, width: int, *, lost: bool, able: Collection[str], own: Mapping[str, str],
    without: Collection[str] = (),
) -> list[Piece]:  # fmt: skip
    """The last line, from the table: as many keys as fit, of the acts only those that are possible."""
    names = ("help", "command", "copy", "retry", "doctor", "back", "quit") if lost else FOOTER[where]
    line: list[Piece] = []
    left = width
    for name in names:
        deed = BY_ID[name]
        if (
            where not in deed.where
            or name in without
            or (deed.changes and deed.about in ("incident", "run") and deed.needs not in able)
        ):
            continue
        words = {"retry": "retry", "undo": "undo", "doctor": "doctor"}
        words |= {"command": "cmd", "escalate": "escal"} if width < 100 else {}
        label = words.get(name, deed.hint or deed.title)
        key = " ".join(shown(keys_of(BY_ID[one], own)[0]) for one in PAIRED.get(name, (name,)))
        pieces: list[Piece] = [(key, "key"), (f" {label}", "")]
        if line:
            pieces.insert(0, ("  " if width >= 100 else " ", ""))
        if width_of(pieces) > left:
            break
        left -= width_of(pieces)
        line += pieces
    return line


def rule(looks: Looks, width: int, left: str, right: str = "") -> list[Piece]:
    """A line across with words in it."""
    head = f"{looks.rule(3)} "
    body = present.clip(present.safe(left), max(0, width - len(right) - 8))
    tail = f" {right}" if right else ""
    fill = width - len(head) - present.cell_width(body) - 1 - len(tail)
    return [(head, "rule"), (body, "head"), (f" {looks.rule(fill)}", "rule"), (tail, "dim")]
