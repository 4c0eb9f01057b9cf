"""Times as people type them: those to come, and those that have been."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from siems.errors import InvalidField
from siems.moments import past

NOW = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)  # a Sunday
OSLO = ZoneInfo("Europe/Oslo")


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("-3h", -3), ("3h ago", -3), ("-1d12h", -36), ("2026-11-20T14", -49.5), ("2026-11-20T14:30Z", -49),
        ("2026-11-20", -63.5), ("yesterday 14:00", -25.5), ("yesterday", -39.5), ("today 9:00", -6.5),
        ("14:00", -1.5), ("16:00", -23.5), ("9am", -6.5), ("fri 14:00", -49.5), ("sun 14:00", -1.5),
    ],
)  # fmt: skip
def test_a_time_that_has_been(text: str, hours: float) -> None:
    assert past(text, NOW, UTC) == NOW + timedelta(hours=hours)


def test_it_goes_by_the_readers_clock() -> None:
    assert past("yesterday 14:00", NOW, OSLO) == datetime(2026, 11, 21, 13, tzinfo=UTC)
    assert past("2026-11-20T14", NOW, OSLO) == datetime(2026, 11, 20, 13, tzinfo=UTC)
    summer = datetime(2026, 10, 25, 12, tzinfo=UTC)  # the night before the clocks went back
    assert past("yesterday 14:00", summer, OSLO) == datetime(2026, 10, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", ["3h", "tomorrow 9am", "2026-12-01", "3", "noonish", "", "today 23:00", "-3"])
def test_what_is_to_come_or_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidField):
        past(text, NOW, UTC)
