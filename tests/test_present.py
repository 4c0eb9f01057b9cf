"""Text for people: nothing foreign reaches a terminal raw, widths hold, times read as drawn."""

from __future__ import annotations

import time
import unicodedata
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from siems import present

NOW = datetime(2026, 3, 10, 14, 2, 31, tzinfo=UTC)


@given(st.text(st.characters(min_codepoint=0x20)))
def test_any_text_is_as_wide_as_what_paints_it_counts(text: str) -> None:
    shown = present.safe(text)
    assert present.cell_width(shown) == cell_len(shown)


@pytest.mark.parametrize(
    ("text", "columns"), [("हिन्दी", 3), ("👩🏽", 2), ("👍🏿 ok", 5), ("\u1112\u1161\u11ab", 2), ("䷀", 2), ("กำ้", 2)]
)
def test_letters_that_are_made_of_several_keep_their_columns(text: str, columns: int) -> None:
    assert present.cell_width(present.safe(text)) == columns
    assert cell_len(present.cell(text, 10)) == 10


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain [/foo] text", "plain [/foo] text"),
        ("\x1b]8;;http://evil\x07click", "\\x1b]8;;http://evil\\x07click"),
        ("\x9b31m", "\\x9b31m"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("evil\u202etxt.exe", "evil\\u202etxt.exe"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("lone \ud800", "lone \\ud800"),
        ("no\u00a0break\u3000space", "no break space"),
        ("Zoë Ångström 日本", "Zoë Ångström 日本"),
        ("⚠\ufe0f disk", "⚠ disk"),
        ("\u0301start", "\\u0301start"),
    ],
)
def test_hidden_characters_become_visible(raw: str, shown: str) -> None:
    assert present.safe(raw) == shown


@given(st.text(st.characters(codec=None)))
def test_safe_text_holds_nothing_a_terminal_obeys(text: str) -> None:
    shown = present.safe(text)
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]
    shown.encode("utf-8")
    assert present.safe(shown) == shown


@given(st.text(), st.integers(0, 60), st.booleans())
def test_a_cell_has_exactly_its_width(text: str, width: int, right: bool) -> None:
    assert present.cell_width(present.cell(text, width, right=right)) == width


@given(st.text(st.characters(codec="latin-1")) | st.text("日本語ｱé字A "))
def test_widths_agree_with_the_renderer(text: str) -> None:
    shown = present.safe(text)
    assert present.cell_width(shown) == cell_len(shown)


def test_a_megabyte_is_cut_before_it_is_read() -> None:
    begun = time.perf_counter()
    for _ in range(1_000):
        assert present.cell("\x1b" * 1_000_000, 10) == "\\x1b\\x1b\\x"
    assert time.perf_counter() - begun < 2


def test_piled_up_accents_are_cut() -> None:
    assert present.safe("z" + "\u0301" * 40) == "z\u0301\u0301"


def test_clip_marks_what_it_cuts() -> None:
    assert present.clip("Backup job failed", 10, mark="…") == "Backup jo…"
    assert present.clip("short", 10, mark="…") == "short"
    assert present.clip("日本語", 5, mark="…") == "日本…"


def test_lines_keep_their_breaks() -> None:
    assert present.safe_lines("one\r\ntwo\x1b") == ["one", "two\\x1b"]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(221, "3:41"), (-252, "-4:12"), (0, "0:00"), (599.9, "9:59"), (600, "10m"), (2_520, "42m"),
     (11_400, "3h10m"), (25_320, "7h02m"), (-3_000, "-50m"), (187_200, "2d04h"), (-0.4, "0:00")],
)  # fmt: skip
def test_durations(seconds: float, shown: str) -> None:
    assert present.duration(seconds) == shown


def test_lengths() -> None:
    assert [present.took(s) for s in (188, 4_080, None)] == ["3m08s", "1h08m", "--"]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "now"), (12, "12s ago"), (240, "4m ago"), (10_800, "3h ago"), (90_000, "1d ago"), (-50, "now")],
)
def test_ago(seconds: int, shown: str) -> None:
    assert present.ago(NOW - timedelta(seconds=seconds), NOW) == shown


def test_clock_times_follow_the_zone() -> None:
    oslo = ZoneInfo("Europe/Oslo")
    assert present.clock_time(NOW) == "14:02:31"
    assert present.clock_time(NOW, oslo, seconds=False) == "15:02"
    assert present.short_time(NOW + timedelta(hours=1), NOW) == "15:02"
    assert present.short_time(NOW + timedelta(days=1), NOW) == "Wed 14:02"
    assert present.short_time(NOW + timedelta(days=30), NOW) == "2026-04-09 14:02"


@pytest.mark.parametrize(
    ("left", "target", "flags", "shown"),
    [(-252, 1_800, {}, "x  -4:12"), (221, 1_800, {}, "!   3:41"), (2_520, 14_400, {}, "~    42m"),
     (11_400, 14_400, {}, "   3h10m"), (9, 9, {"paused": True}, "=   hold"),
     (9, 9, {"met": True}, "v    met"), (9, 9, {"met": True, "breached": True}, "x   late"),
     (500, 1_800, {"breached": True}, "x   8:20")],
)  # fmt: skip
def test_sla_cells(left: float, target: float, flags: dict[str, bool], shown: str) -> None:
    assert present.sla_cell(left, target, **flags) == shown
    assert len(shown) == 8


def test_the_board_shows_the_clock_that_falls_due_first() -> None:
    def clock(minutes: int, **more: object) -> dict[str, object]:
        due = (NOW + timedelta(minutes=minutes)).isoformat()
        return {"due_at": due, "met_at": None, "breached": False, "target_seconds": 1_800} | more

    sla = {"response": clock(5), "resolution": clock(90, paused=False)}
    assert present.incident_sla({"sla": sla}, NOW) == "!   5:00"
    sla["response"]["met_at"] = NOW.isoformat()
    assert present.incident_sla({"sla": sla}, NOW) == "   1h30m"
    sla["resolution"]["paused"] = True
    assert present.incident_sla({"sla": sla}, NOW) == "=   hold"


def test_small_words() -> None:
    assert [present.severity_short(s) for s in ("CRITICAL", "HIGH", "MEDIUM", "LOW")] == [
        "CR",
        "HI",
        "ME",
        "LO",
    ]
    assert present.state_short("IN_PROGRESS") == "IN_PROG"
    assert present.state_short("ASSIGNED", on_hold=True) == "ON HOLD"
    assert (present.person("Maria Lopez"), present.person(None)) == ("maria", "--")
    assert (present.plural(1, "alert"), present.plural(0, "alert")) == ("1 alert", "0 alerts")


def test_sparklines() -> None:
    assert present.sparkline([0, 1, 100], 3, ascii_only=True) == " .#"
    assert present.sparkline([0, 1, 100], 3) == " ▁█"
    assert present.sparkline([], 4) == "    "
    assert present.sparkline([1, 9], 4, ascii_only=True) == "  .#"


@given(st.lists(st.integers(0, 1_000), max_size=200), st.integers(0, 80))
def test_a_sparkline_has_its_width(values: list[int], width: int) -> None:
    assert len(present.sparkline(values, width)) == width
