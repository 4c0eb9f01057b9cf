"""Gaps: which are told, and in which words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siems.domain.deadlines import DueKind
from siems.domain.gap import NAMED, OWN, Ending, Gap, counted, explained, headline, is_gap

START = datetime(2026, 3, 10, 2, 11, 20, tzinfo=UTC)
END = START + timedelta(minutes=8)


def gap(**more: object) -> Gap:
    return Gap(**({"start": START, "end": END, "ending": Ending.SUDDEN} | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(("seconds", "told"), [(0, False), (60, False), (61, True), (-60, False), (-61, True)])
def test_more_than_a_minute_is_a_gap_either_way(seconds: int, told: bool) -> None:
    assert is_gap(START, START + timedelta(seconds=seconds)) is told


def test_the_line_says_what_was_late_unknown_and_silent() -> None:
    late = counted([("escalation", 3), ("alive", 1), ("self_audit", 1)])
    found = gap(late=late, unknown=1, silent=("datadog/acme",))
    assert headline(found) == "down 02:11–02:19 UTC; 3 escalations late; 1 message unknown; silent since: datadog/acme"


def test_what_is_alike_is_counted_together_and_what_matters_most_comes_first() -> None:
    late = counted([
        ("hold_end", 1), ("auto_close", 2), ("sla_response", 1), ("sla_resolution", 1), ("silence_end", 1),
        ("heartbeat", 2), ("escalation", 1), ("message", 4), ("a kind of tomorrow", 1),
    ])  # fmt: skip
    assert headline(gap(late=late)) == (
        "down 02:11–02:19 UTC; 1 escalation late; 2 SLA deadlines late; 2 heartbeats late; 1 end of a silence late;"
        " 4 messages late; 4 other deadlines late"
    )


def test_a_line_names_a_few_who_are_silent() -> None:
    names = tuple(f"zabbix/c{n}" for n in range(NAMED + 2))
    assert headline(gap(silent=names)).endswith("silent since: zabbix/c0, zabbix/c1, zabbix/c2 and 2 more")


def test_a_gap_over_midnight_has_days() -> None:
    assert headline(gap(end=END + timedelta(days=1))) == "down 2026-03-10 02:11 – 2026-03-11 02:19 UTC"


def test_a_clock_that_went_back_is_said_to_have() -> None:
    found = gap(end=START - timedelta(hours=1), ending=Ending.ORDERLY)
    assert headline(found) == "the clock went back from 02:11 to 01:11 UTC"
    assert "nothing fires twice" in explained(found)
    assert not found.calm


@pytest.mark.parametrize(
    ("ending", "more", "calm"),
    [
        (Ending.ORDERLY, {}, True),
        (Ending.ORDERLY, {"late": {"escalation": 1}}, False),
        (Ending.ORDERLY, {"unknown": 1}, False),
        (Ending.SUDDEN, {}, False),
        (Ending.STALLED, {}, False),
    ],
)
def test_only_a_stop_in_which_nothing_was_missed_is_calm(ending: Ending, more: dict[str, object], calm: bool) -> None:
    assert gap(ending=ending, **more).calm is calm


@pytest.mark.parametrize(
    ("ending", "word"), [(Ending.ORDERLY, "was stopped"), (Ending.SUDDEN, "crash"), (Ending.STALLED, "stood still")]
)
def test_it_is_said_how_it_came(ending: Ending, word: str) -> None:
    assert word in explained(gap(ending=ending))
    assert "8m later" in explained(gap(ending=ending)) or "for 8m" in explained(gap(ending=ending))


@given(st.lists(st.tuples(st.sampled_from([kind.value for kind in DueKind]), st.integers(0, 50))))
def test_nothing_that_is_late_is_left_out_but_what_is_our_own(kinds: list[tuple[str, int]]) -> None:
    assert sum(counted(kinds).values()) == sum(number for kind, number in kinds if kind not in OWN)
