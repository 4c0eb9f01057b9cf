"""Pure text for people: foreign text made safe for a terminal, widths, durations, countdowns, sparklines."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from itertools import pairwise
from typing import Any

SEVERITY_SHORT: Mapping[str, str] = {"CRITICAL": "CR", "HIGH": "HI", "MEDIUM": "ME", "LOW": "LO"}
SEVERITY_COLOUR: Mapping[str, str] = {"CRITICAL": "red", "HIGH": "yellow", "MEDIUM": "cyan", "LOW": "default"}
"""ANSI names, so that a terminal's own palette decides; the words are always shown as well."""
STATE_SHORT: Mapping[str, str] = {"IN_PROGRESS": "IN_PROG"}

RAMP = " .:-=+*#"
BLOCKS = " ▁▂▃▄▅▆▇█"
TEN_MINUTES = 600
DAY = 86_400

# --- foreign text --------------------------------------------------------------------------------------

_NAMED = {0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r"}
_BLANKS = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0}  # letters that draw nothing
_MARK = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_MARKS = re.compile(f"({_MARK}{{2}}){_MARK}+")


def _visible(point: int) -> str:
    if point in _NAMED:
        return _NAMED[point]
    if point < 0x100:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x1_0000 else f"\\U{point:08x}"


class _Escapes(dict[int, str]):
    """Code point → what is shown for it, worked out when first met; the memory of it is bounded."""

    def __missing__(self, point: int) -> str:
        char = chr(point)
        if point in (0xFE0E, 0xFE0F) or 0x1F3FB <= point <= 0x1F3FF:
            shown = ""  # emoji or text form, colour of a skin: terminals disagree about the width
        elif point in _BLANKS or unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
            shown = _visible(point)
        elif unicodedata.category(char) == "Zs":
            shown = " "
        elif 0xFE00 <= point <= 0xFE0D or 0xE0100 <= point <= 0xE01EF:
            shown = _visible(point)
        else:
            shown = char
        if len(self) < 4_096:
            self[point] = shown
        return shown


_ESCAPES = _Escapes()


def safe(text: str) -> str:
    """Text that draws as it reads: control, bidi, zero-width and other hidden characters become escapes.

    The one sanitiser: whatever came from outside passes through it on its way to a terminal.
    """
    if text.isascii() and text.isprintable():
        return text
    shown = _MARKS.sub(r"\1", text.translate(_ESCAPES))
    if shown and unicodedata.combining(shown[0]):  # it would sit on whatever stands in front
        shown = _visible(ord(shown[0])) + shown[1:]
    return shown


def safe_lines(text: str) -> list[str]:
    """Foreign text with its line breaks kept as lines, everything else made safe."""
    return [safe(line.rstrip("\r")) for line in text.split("\n")]


# --- widths --------------------------------------------------------------------------------------------


def cell_width(text: str) -> int:
    """Columns that safe text takes on a terminal."""
    return len(text) if text.isascii() else sum(map(_char_width, text))


@lru_cache(maxsize=4_096)
def _char_width(char: str) -> int:
    """As what paints the screens counts: where two tables differ, rows keep letters of those that stood there."""
    if char.isascii():
        return 1
    from rich.cells import get_character_cell_size  # most commands never meet such a character

    return get_character_cell_size(char)


def clip(text: str, width: int, *, mark: str = "") -> str:
    """Safe text cut to `width` columns; `mark` stands at the end of what was cut."""
    if width <= 0:
        return ""
    if text.isascii():
        return text if len(text) <= width else text[: max(0, width - len(mark))] + mark[:width]
    if len(text) <= 2 * width and cell_width(text) <= width:
        return text
    left, kept = width - len(mark), []
    for char in text:
        left -= _char_width(char)
        if left < 0:
            break
        kept.append(char)
    else:
        return text
    return "".join(kept) + mark[:width]


def fit(text: str, width: int, *, right: bool = False, mark: str = "") -> str:
    """Safe text cut or padded to exactly `width` columns."""
    cut = clip(text, width, mark=mark)
    padding = " " * (width - cell_width(cut))
    return padding + cut if right else cut + padding


def cell(text: str, width: int, *, right: bool = False, mark: str = "") -> str:
    """Foreign text, made safe and exactly `width` columns wide; a huge text is read at its start only."""
    return fit(safe(text[: 4 * width + 16]), width, right=right, mark=mark)


# --- times ---------------------------------------------------------------------------------------------


def instant(text: str) -> datetime:
    """The aware time of an RFC 3339 text."""
    return datetime.fromisoformat(text)


def duration(seconds: float) -> str:
    """`3:41` under ten minutes, then `42m`, `3h10m`, `2d04h`; `-4:12` for what is past."""
    sign, whole = ("-" if seconds <= -1 else ""), int(abs(seconds))
    if whole < TEN_MINUTES:
        return f"{sign}{whole // 60}:{whole % 60:02d}"
    minutes = whole // 60
    if minutes < 60:
        return f"{sign}{minutes}m"
    if whole < DAY:
        return f"{sign}{minutes // 60}h{minutes % 60:02d}m"
    return f"{sign}{whole // DAY}d{whole % DAY // 3600:02d}h"


def took(seconds: float | None) -> str:
    """How long something lasted: `3m08s`, `1h08m`; `--` when unknown."""
    if seconds is None:
        return "--"
    whole = int(abs(seconds))
    return f"{whole // 60}m{whole % 60:02d}s" if whole < 3600 else duration(whole)


def ago(then: datetime, now: datetime) -> str:
    """`12s ago`, `4m ago`, `3h ago`, `2d ago`; `now` for less than a second and for what is still to come."""
    seconds = int((now - then).total_seconds())
    if seconds < 1:
        return "now"
    for size, letter in ((DAY, "d"), (3600, "h"), (60, "m"), (1, "s")):
        if seconds >= size:
            return f"{seconds // size}{letter} ago"
    return "now"


def clock_time(moment: datetime, zone: tzinfo = UTC, *, seconds: bool = True) -> str:
    """`14:02:31` in the given zone."""
    return moment.astimezone(zone).strftime("%H:%M:%S" if seconds else "%H:%M")


def short_time(moment: datetime, now: datetime, zone: tzinfo = UTC) -> str:
    """`17:41` today, `Wed 17:41` within a week, `2026-03-10 17:41` beyond: when something falls due."""
    there, here = moment.astimezone(zone), now.astimezone(zone)
    if there.date() == here.date():
        return there.strftime("%H:%M")
    return there.strftime("%a %H:%M" if abs((there.date() - here.date()).days) < 7 else "%Y-%m-%d %H:%M")


# --- the SLA countdown ---------------------------------------------------------------------------------


def sla_glyph(left: float, target: float, *, met: bool = False, paused: bool = False, breached: bool = False) -> str:
    """`x` breached, `!` under 10 min, `~` under 25 % left, blank fine, `=` paused, `v` met.

    `left` and `target` are seconds; a clock that was met late stays `x`.
    """
    if breached or (left <= 0 and not met and not paused):
        return "x"
    if met:
        return "v"
    if paused:
        return "="
    if left < TEN_MINUTES:
        return "!"
    return "~" if target > 0 and left < target / 4 else " "


def sla_cell(left: float, target: float, *, met: bool = False, paused: bool = False, breached: bool = False) -> str:
    """Glyph and timer in eight columns: `x  -4:12`, `!   3:41`, `=   hold`, `v    met`, `x   late`."""
    glyph = sla_glyph(left, target, met=met, paused=paused, breached=breached)
    if met:
        word = "late" if breached else "met"
    else:
        word = "hold" if paused else duration(left)
    return f"{glyph}{word:>7}"


def incident_sla(incident: Mapping[str, Any], now: datetime) -> str:
    """The SLA cell of an incident as the API sends it: the running clock that falls due first."""
    response, resolution = incident["sla"]["response"], incident["sla"]["resolution"]
    clock = resolution
    running = response["met_at"] is None and not response.get("cancelled")
    if running and resolution["met_at"] is None and response["due_at"] <= resolution["due_at"]:
        clock = response
    left = (instant(clock["due_at"]) - now).total_seconds()
    return sla_cell(
        left,
        clock.get("target_seconds", 0),
        met=clock["met_at"] is not None,
        paused=bool(clock.get("paused")) and clock["met_at"] is None,
        breached=clock["breached"],
    )


# --- small words ---------------------------------------------------------------------------------------


def severity_short(severity: str) -> str:
    """`CR`, `HI`, `ME`, `LO`."""
    return SEVERITY_SHORT.get(severity, safe(severity[:2]))


def state_short(state: str, *, on_hold: bool = False) -> str:
    """At most eight columns: `OPEN`, `ASSIGNED`, `IN_PROG`, `RESOLVED`, `CLOSED`, `ON HOLD`."""
    return "ON HOLD" if on_hold else STATE_SHORT.get(state, safe(state[:8]))


def person(name: str | None, *, width: int = 0) -> str:
    """Somebody's first name in small letters, safe; `--` for nobody."""
    shown = safe((name or "").split(" ")[0][:64]).lower() or "--"
    return clip(shown, width) if width else shown


def plural(count: int, noun: str) -> str:
    """`1 alert`, `3 alerts`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def sparkline(values: Sequence[float], width: int, *, ascii_only: bool = False) -> str:
    """The course of a number in `width` columns, newest at the right; what is not zero is always visible."""
    ramp = RAMP if ascii_only else BLOCKS
    if not values or width <= 0:
        return " " * max(0, width)
    if len(values) > width:
        edges = [len(values) * column // width for column in range(width + 1)]
        values = [max(values[start:stop]) for start, stop in pairwise(edges)]
    top = max(values)
    steps = len(ramp) - 1
    drawn = [ramp[max(1, round(value / top * steps))] if value > 0 else ramp[0] for value in values]
    return "".join(drawn).rjust(width)


# --- checks --------------------------------------------------------------------------------------------


def bodies(found: Mapping[str, Any]) -> list[str]:
    """What siems made of a folder of bodies: a line per alert, marked where something is wrong; then the sum."""
    lines = []
    for body in found["bodies"]:
        outcome = body["outcome"]
        mark = "  " if outcome in ("alert", "stated") else "! "
        alerts = [
            f"{alert['severity']:8} {'firing' if alert['firing'] else 'over':6} "
            f"{alert['asset_name']}: {alert['signature']}"
            for alert in body["alerts"]
        ]
        said = [f"{outcome}: {body['said']}"] if body["said"] and outcome != "alert" else []
        lines += [safe(f"{mark}{body['file']}  {line}") for line in [*alerts, *said]]
    counts = ", ".join(f"{count} {outcome}" for outcome, count in found["outcomes"].items() if count)
    return [*lines, f"{plural(found['files'], 'file')}: {counts}"]
