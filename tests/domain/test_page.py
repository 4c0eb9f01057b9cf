"""Pages: where they stand, and when something happens to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from siems.domain.page import MOST, Page, PageState, due_at, used_up
from siems.vocabulary import Severity

T = datetime(2026, 3, 10, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def page(**facts: Any) -> Page:
    given: dict[str, Any] = {
        "id": 7, "company_id": "comp-acme", "target": "user-jon", "people": ("user-jon",), "message": "VPN is down",
        "severity": Severity.HIGH, "key": None, "incident_id": None, "created_by": "user-dana", "created_at": T,
        "times_sent": 1, "sent_at": T,
    }  # fmt: skip
    return Page(**(given | facts))


def test_an_open_page_is_sent_again_after_five_minutes_for_an_hour() -> None:
    assert page().state is PageState.OPEN
    assert due_at(page()) == T + 5 * MINUTE
    assert due_at(page(times_sent=3, sent_at=T + 30 * MINUTE)) == T + 35 * MINUTE
    assert [used_up(page(times_sent=n)) for n in (1, MOST - 1, MOST)] == [False, False, True]
    assert timedelta(hours=1) == MOST * 5 * MINUTE


def test_an_acknowledged_page_answers_to_its_key_for_twelve_hours() -> None:
    acked = page(acknowledged_at=T + MINUTE, acknowledged_by="user-jon")
    assert acked.state is PageState.ACKNOWLEDGED
    assert due_at(acked) == T + MINUTE + timedelta(hours=12)


def test_what_is_over_does_nothing_more_and_what_nobody_acknowledged_is_told_apart() -> None:
    ended = page(ended_at=T, ended_by="user-dana")
    expired = page(ended_at=T, ended_by="system")
    kept = page(acknowledged_at=T, acknowledged_by="user-jon", ended_at=T, ended_by="system")
    assert [p.state for p in (ended, expired, kept)] == [PageState.ENDED, PageState.EXPIRED, PageState.ENDED]
    assert [due_at(p) for p in (ended, expired, kept)] == [None, None, None]
