"""How each screen and state looks, at 80x24 and 120x40."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from audited import broken, entry, proved, unread, unsigned
from driving import Session, looks_as_kept
from scripted import NOW, ScriptedClient, view
from streamed import arrival

from siems import wire
from siems.tui import saved
from siems.tui.board_messages import Duty

SIZES = [(80, 24), (120, 40)]
HOSTILE = "\x1b[31mred\x07 [/foo] \u202e\x9b2J\tx\x00"
Snap = Callable[..., bool]
Steps = Callable[[Session], Awaitable[None]]


async def nothing(it: Session) -> None:
    await it.settle()


async def marked(it: Session) -> None:
    await it.press("space", "space", "j", "space")


async def filter_open(it: Session) -> None:
    await it.press("slash")
    await it.write("severity:>=HIGH")


async def confirm(it: Session) -> None:
    await it.press("j", "r")
    await it.write("carrier restored")
    await it.press("enter")


async def bulk(it: Session) -> None:
    await it.press("space", "space", "space", "n")


async def assign(it: Session) -> None:
    it.client.everywhere()
    await it.press("A")
    await it.until("Maria Lopez (me)")


async def palette(it: Session) -> None:
    await it.press("colon")
    await it.write("re")


async def help_(it: Session) -> None:
    await it.press("question_mark")


async def help_search(it: Session) -> None:
    await it.press("question_mark")
    await it.write("resol")


async def lost(it: Session) -> None:
    it.client.lose()
    await it.until("DAEMON LOST")
    it.app.state.retry_at = it.time[0] + 4
    it.time[0] += 47
    it.app.state.retry_at = it.time[0] + 4
    it.app.tick()


async def detail(it: Session) -> None:
    await it.press("j", "enter")


async def detail_alerts(it: Session) -> None:
    await it.press("j", "enter", "tab")


async def detail_note(it: Session) -> None:
    await it.press("j", "enter", "n")
    await it.write("called the ISP")


async def undo(it: Session) -> None:
    await it.press("a")


async def log(it: Session) -> None:
    await it.press("a", "j", "s", "at")


async def inbox(it: Session) -> None:
    await it.press("8")
    await it.until("2 unread")


ADVISED = wire.InsightView(
    provider="bedrock", at=NOW, pattern="cascade", confidence=0.83, evidence=["ALR-1"], similar=["INC-64", "INC-71"],
    root_cause="the uplink of fw-edge-02 is down; what is behind it followed within a minute",
    recommendation="look at the uplink first: INC-64 looked like this and was fixed by a call to the carrier",
    severity=wire.AdvisedValue(value="LOW", confidence=0.9, why="", standing="waiting", before="MEDIUM"), waiting=True,
)  # fmt: skip


async def advice(it: Session) -> None:
    await it.press("W")


async def copy(it: Session) -> None:
    await it.press("y")


async def alerts_paused(it: Session) -> None:
    it.client.arrived += [arrival(n, 200 - n, text=f"agent lost {n} min") for n in range(21, 0, -1)]
    await it.press("2", "pagedown", "j")
    it.client.comes(*(arrival(n, 0, text="fresh") for n in range(40, 33, -1)))
    await it.until("^7 newer")


async def alerts_filter(it: Session) -> None:
    await it.press("slash")
    await it.write("tunnel")
    await it.press("enter", "slash")
    await it.write(" severity:>=HIGH")


async def alerts_raw(it: Session) -> None:
    await it.press("j", "j", "enter")
    await it.until("client_roam")


async def alerts_refused(it: Session) -> None:
    await it.press(*"jjjjjjjjj")


async def alerts_frozen(it: Session) -> None:
    await it.press("z")
    it.client.comes(arrival(34, 0, text="fresh"))
    await it.until("^1 newer")


async def alerts_hostile(it: Session) -> None:
    it.client.raw = "{" + HOSTILE
    it.client.arrived = [
        arrival(3, 0, text=HOSTILE, company=HOSTILE, asset_name=HOSTILE, tool_source=HOSTILE, rule=HOSTILE,
                severity=HOSTILE, evidence=HOSTILE, incident_id=HOSTILE),
        arrival(2, 1, "refused", company=HOSTILE, detail=HOSTILE, address=HOSTILE, cause=HOSTILE),
        arrival(1, 2),
    ]  # fmt: skip
    await it.press("2", "enter")


async def alerts_empty(it: Session) -> None:
    it.client.arrived = []
    await it.press("2")


async def override(it: Session) -> None:
    await it.press("W")
    await it.write("4h")
    await it.press("enter")


async def swaps(it: Session) -> None:
    await it.press("p")


async def brief(it: Session) -> None:
    await it.press("b")


async def uncovered(it: Session) -> None:
    await it.press("j", "j", "l")


async def no_schedule(it: Session) -> None:
    it.client.duty = Duty()
    await it.press("4")


async def who(it: Session) -> None:
    await it.press("w")
    await it.until("all admins")


async def no_notices(it: Session) -> None:
    it.client.notices = []
    await it.press("8")


async def views(it: Session) -> None:
    saved.keep_view(saved.View("law firms", "#cedar", "-created_at"))
    await it.press("f")


async def doctor(it: Session) -> None:
    await it.press("D")
    await it.until("FAILS")


async def doctor_lost(it: Session) -> None:
    await lost(it)
    await it.press("D")


async def armed(it: Session) -> None:
    await it.press("j", "r")
    await it.write("restored")
    await it.press("enter")


async def history(it: Session) -> None:
    await it.press(*["tab"] * 3)


async def held(it: Session) -> None:
    await it.press("z")
    it.client.views.pop("INC-109")
    it.client.emit("incident.closed", "INC-109")
    await it.until("^1 change held")


async def tombstone(it: Session) -> None:
    await it.press("j", "j")
    it.time[0] += 5
    it.client.views.pop("INC-109")
    it.client.emit("incident.closed", "INC-109")
    await it.until("gone")


STATES: dict[str, tuple[Steps, dict[str, Any]]] = {
    "board": (nothing, {}),
    "board_marked": (marked, {}),
    "board_filter_open": (filter_open, {}),
    "board_confirm": (confirm, {}),
    "board_bulk": (bulk, {}),
    "board_assign": (assign, {}),
    "board_advice": (advice, {"views": [view(5, insight=ADVISED)]}),
    "board_palette": (palette, {}),
    "board_help": (help_, {}),
    "board_help_search": (help_search, {}),
    "board_lost": (lost, {}),
    "board_undo": (undo, {}),
    "board_log": (log, {}),
    "board_inbox": (inbox, {}),
    "board_copy": (copy, {}),
    "board_frozen": (held, {}),
    "board_tombstone": (tombstone, {}),
    "board_empty": (nothing, {"views": []}),
    "board_ascii": (nothing, {"ascii_only": True}),
    "board_high_contrast": (nothing, {"theme": "high-contrast"}),
    "board_cb_safe": (nothing, {"theme": "cb-safe"}),
    "board_mono": (marked, {"theme": "mono"}),
    "board_read_only": (nothing, {"read_only": True}),
    "board_low_bandwidth": (nothing, {"low_bandwidth": True}),
    "detail": (detail, {}),
    "detail_alerts": (detail_alerts, {}),
    "detail_note": (detail_note, {}),
    "detail_ascii": (detail, {"ascii_only": True}),
    "alerts": (nothing, {"target": "alerts"}),
    "alerts_ascii": (nothing, {"target": "alerts", "ascii_only": True}),
    "alerts_mono": (nothing, {"target": "alerts", "theme": "mono"}),
    "alerts_paused": (alerts_paused, {}),
    "alerts_frozen": (alerts_frozen, {"target": "alerts"}),
    "alerts_filter": (alerts_filter, {"target": "alerts"}),
    "alerts_raw": (alerts_raw, {"target": "alerts"}),
    "alerts_refused": (alerts_refused, {"target": "alerts"}),
    "alerts_empty": (alerts_empty, {}),
    "alerts_hostile": (alerts_hostile, {}),
    "alerts_help": (help_, {"target": "alerts"}),
    "alerts_lost": (lost, {"target": "alerts"}),
    "detail_lost": (lost, {"target": "INC-121"}),
    "detail_history": (history, {"target": "INC-101"}),
    "board_armed": (nothing, {"armed": True, "color": "red"}),
    "board_armed_typed": (armed, {"armed": True, "color": "red"}),
    "board_views": (views, {}),
    "board_doctor": (doctor, {}),
    "board_doctor_lost": (doctor_lost, {}),
    "board_who": (who, {}),
    "oncall": (nothing, {"target": "oncall"}),
    "oncall_ascii": (nothing, {"target": "oncall", "ascii_only": True}),
    "oncall_uncovered": (uncovered, {"target": "oncall"}),
    "oncall_mono": (uncovered, {"target": "oncall", "theme": "mono"}),
    "oncall_override": (override, {"target": "oncall"}),
    "oncall_swaps": (swaps, {"target": "oncall"}),
    "oncall_brief": (brief, {"target": "oncall"}),
    "oncall_empty": (no_schedule, {}),
    "oncall_help": (help_, {"target": "oncall"}),
    "oncall_lost": (lost, {"target": "oncall"}),
    "audit": (nothing, {"target": "audit"}),
    "audit_ascii": (nothing, {"target": "audit", "ascii_only": True}),
    "audit_entry": (entry, {"target": "audit"}),
    "audit_broken": (broken, {}),
    "audit_proved": (proved, {}),
    "audit_unsigned": (unsigned, {}),
    "audit_help": (help_, {"target": "audit"}),
    "audit_lost": (lost, {"target": "audit"}),
    "inbox_unread": (unread, {"target": "inbox"}),
    "inbox_empty": (no_notices, {}),
    "inbox_lost": (lost, {"target": "inbox"}),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", STATES)
def test_screens(state: str, size: tuple[int, int], snap_compare: Snap) -> None:
    steps, options = STATES[state]
    told = dict(options)
    client = ScriptedClient(told.pop("views", None))
    assert looks_as_kept(snap_compare, size, steps, client, **told)
