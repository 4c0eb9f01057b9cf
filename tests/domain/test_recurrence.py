"""Windows that come again: on the wall clock of their zone, without a gap and without a double across its changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from siems.domain.matchers import parse
from siems.domain.permissions import Permission
from siems.domain.recurrence import Recurrence, Window, instant, parse_rule, recurring, told, windows
from siems.domain.silence import Silence, active_at, coming, matches, notice_at, rolled
from siems.errors import InvalidField

from .making import T0, hours, minutes, reading

ZONES = (
    "UTC", "Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu",
    "Africa/Cairo",
)  # fmt: skip
DAYS = [date(2025, 1, 1) + timedelta(days=n) for n in range(4 * 365)]
RULES = st.sampled_from(
    ["daily", "weekly", "weekly mon,thu", "monthly", "monthly 2tue", "monthly last-sun", "monthly 15"]
)


def wall_clock(*parts: int) -> datetime:
    """What a clock on the wall shows, wherever that is."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)  # type: ignore[misc, arg-type]


def changes_of_the_clock(zone: str) -> list[date]:
    """The days on which the clock of a zone is put forward or back."""
    offsets = [datetime.combine(day, time(), ZoneInfo(zone)).utcoffset() for day in DAYS]
    return [day for day, (one, following) in zip(DAYS, pairwise(offsets), strict=False) if one != following]


def walls(zone: str) -> st.SearchStrategy[datetime]:
    """Wall times of any day, but mostly of the hours round a change of the clock: that is where it goes wrong."""
    days = st.sampled_from(changes_of_the_clock(zone) or DAYS) | st.sampled_from(DAYS)
    return st.builds(
        datetime.combine, days, st.builds(time, st.integers(0, 3) | st.integers(0, 23), st.integers(0, 59))
    )


PLACES = st.sampled_from(ZONES).flatmap(lambda zone: st.tuples(st.just(zone), walls(zone)))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


def made(text: str, zone: str, starts: datetime, length: timedelta) -> Recurrence:
    return recurring(text, zone, starts.replace(tzinfo=ZoneInfo(zone)), length)


def silence(**changes: object) -> Silence:
    facts: dict[str, object] = {
        "id": 3, "company_id": "comp-acme", "matchers": parse(["asset=web*"]), "starts_at": T0,
        "ends_at": T0 + hours(2), "comment": "swap", "change": "", "recurrence": None, "created_by": "user-ana",
        "created_at": T0,
    }  # fmt: skip
    return Silence(**(facts | changes))  # type: ignore[arg-type]


# --- the wall clock --------------------------------------------------------------------------------------------


@settings(max_examples=500, deadline=None)
@example(where=("Europe/Oslo", wall_clock(2025, 3, 30, 2, 30)), seconds=2_400)
@given(where=PLACES, seconds=st.integers(0, 7200))
def test_a_later_wall_time_is_never_an_earlier_instant(where, seconds) -> None:
    place, wall = ZoneInfo(where[0]), where[1]
    assert instant(wall, place) <= instant(wall + timedelta(seconds=seconds), place)


@settings(deadline=None)
@given(PLACES)
def test_an_instant_shows_its_wall_time_unless_the_clock_leaves_that_out(where) -> None:
    place, wall = ZoneInfo(where[0]), where[1]
    shown = instant(wall, place).astimezone(place).replace(tzinfo=None)
    assert shown >= wall
    assert shown == wall or (instant(wall, place) - timedelta(seconds=1)).astimezone(place).replace(tzinfo=None) < wall


@settings(max_examples=60, deadline=None)
@given(PLACES)
def test_days_that_follow_each_other_leave_no_gap_and_no_overlap(where) -> None:
    zone, first = where
    found = list(islice(windows(made("daily", zone, first, hours(24)), instant(first, ZoneInfo(zone))), 400))
    assert all(one.ends == following.starts for one, following in pairwise(found))
    assert all(hours(22) <= w.ends - w.starts <= hours(26) for w in found)


@settings(max_examples=100, deadline=None)
@given(PLACES, RULES, st.integers(15, 600))
def test_windows_begin_at_their_time_on_the_wall_and_each_happens_once(where, rule, length) -> None:
    zone, wall = where
    again, place = made(rule, zone, wall, minutes(length)), ZoneInfo(zone)
    found = list(islice(windows(again, instant(wall, place)), 60))
    assert all(one.ends <= following.starts for one, following in pairwise(found))
    days = [w.starts.astimezone(place).date() for w in found]
    assert len(set(days)) == len(days)
    for window in found:
        at = window.starts.astimezone(place).replace(tzinfo=None)
        assert window.ends > window.starts
        assert at.time() >= wall.time() or at.date() > wall.date()
        assert at - datetime.combine(at.date(), wall.time()) <= hours(1)  # later only where the clock left it out


@settings(max_examples=100, deadline=None)
@given(PLACES, RULES, st.integers(15, 600), st.integers(0, 60 * 24 * 400))
def test_where_one_begins_to_look_changes_nothing(where, rule, length, later) -> None:
    zone, wall = where
    again = made(rule, zone, wall, minutes(length))
    begin = instant(wall, ZoneInfo(zone))
    after = begin + minutes(later)
    wanted = [w for w in islice(windows(again, begin), 500) if w.ends > after][:5]
    assert list(islice(windows(again, after), 5)) == wanted


def test_the_hour_that_comes_twice_is_silent_twice_and_the_one_that_is_left_out_moves_on() -> None:
    zone = "America/New_York"
    autumn = made("daily", zone, wall_clock(2026, 10, 31, 1, 0), hours(1))
    assert list(islice(windows(autumn, utc(2026, 11, 1, 5)), 1)) == [Window(utc(2026, 11, 1, 5), utc(2026, 11, 1, 7))]
    spring = made("daily", zone, wall_clock(2026, 3, 7, 2, 0), hours(1))
    assert list(islice(windows(spring, utc(2026, 3, 8, 5)), 1)) == [Window(utc(2026, 3, 8, 7), utc(2026, 3, 8, 8))]
    across = made("daily", zone, wall_clock(2026, 3, 7, 1, 0), hours(3))
    assert list(islice(windows(across, utc(2026, 3, 8, 5)), 1)) == [Window(utc(2026, 3, 8, 6), utc(2026, 3, 8, 8))]


# --- rules -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rule", "words"),
    [
        ("daily", "FREQ=DAILY", "daily"),
        ("weekly sat,sun", "FREQ=WEEKLY;BYDAY=SA,SU", "weekly SA,SU"),
        ("Weekly Saturday Sunday", "FREQ=WEEKLY;BYDAY=SA,SU", "weekly SA,SU"),
        ("monthly 2tue", "FREQ=MONTHLY;BYDAY=2TU", "monthly 2TU"),
        ("monthly last-sun", "FREQ=MONTHLY;BYDAY=-1SU", "monthly -1SU"),
        ("monthly 15", "FREQ=MONTHLY;BYMONTHDAY=15", "monthly 15"),
        ("monthly last", "FREQ=MONTHLY;BYMONTHDAY=-1", "monthly -1"),
        ("rrule:freq=weekly;interval=2;byday=mo", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "every 2 weeks MO"),
        ("FREQ=DAILY;COUNT=3", "FREQ=DAILY;COUNT=3", "daily 3 times"),
    ],
)
def test_rules_as_people_and_calendars_write_them(text, rule, words) -> None:
    assert parse_rule(text) == rule
    assert told(rule) == words


@pytest.mark.parametrize(
    "text",
    [
        "hourly", "FREQ=SECONDLY", "FREQ=DAILY;BYHOUR=1", "BYDAY=MO", "weekly 2tue", "weekly someday", "monthly 32",
        "FREQ=DAILY;COUNT=0", "FREQ=DAILY;UNTIL=tomorrow", "FREQ=DAILY;UNTIL=20261231T000000Z", "weekly 15",
        "FREQ=DAILY;FREQ", "FREQ=DAILY;UNTIL=20250101", "FREQ=DAILY;UNTIL=20269999", "FREQ=MONTHLY;INTERVAL=99",
    ],
)  # fmt: skip
def test_other_rules_are_refused_with_an_example(text) -> None:
    with pytest.raises(InvalidField) as refused:
        made(text, "UTC", wall_clock(2026, 3, 10, 22), hours(1))
    assert refused.value.hint


def test_windows_that_would_overlap_and_zones_that_are_none_are_refused() -> None:
    made("daily", "UTC", wall_clock(2026, 3, 10), hours(24))
    with pytest.raises(InvalidField, match="overlap"):
        made("weekly sat,sun", "UTC", wall_clock(2026, 3, 10), hours(25))
    for zone in ("Mars/Base", "", "../etc/passwd", "x" * 300):
        with pytest.raises(InvalidField, match="time zone"):
            recurring("daily", zone, utc(2026, 3, 10), hours(1))


# --- silences --------------------------------------------------------------------------------------------------


def test_a_silence_is_on_from_its_start_to_just_before_its_end() -> None:
    later = silence(starts_at=T0 + hours(1))
    assert [active_at(later, T0 + hours(h)) for h in (0, 1, 1.99, 2)] == [False, True, True, False]
    assert not active_at(silence(ended_at=T0), T0)


def test_all_matchers_must_hold() -> None:
    both = silence(matchers=parse(["asset=web*", "severity!=CRITICAL"]))
    assert matches(both, reading("web-1"))
    assert not matches(both, reading("db-1"))


@pytest.mark.parametrize(("length", "before"), [(hours(24), 15), (hours(2), 12), (minutes(10), 1), (hours(2.5), 15)])
def test_the_end_is_announced_a_tenth_before_and_at_most_15_minutes(length, before) -> None:
    assert notice_at(silence(ends_at=T0 + length)) == T0 + length - minutes(before)


@pytest.mark.parametrize(
    ("changes", "permission"),
    [
        ({"ends_at": T0 + hours(24)}, Permission.SILENCE),
        ({"ends_at": T0 + hours(24.1)}, Permission.MAINTENANCE),
        ({"change": "CHG-9"}, Permission.MAINTENANCE),
        ({"recurrence": made("daily", "UTC", wall_clock(2026, 3, 10, 12), hours(2))}, Permission.MAINTENANCE),
    ],
)
def test_longer_and_planned_ones_are_for_managers(changes, permission) -> None:
    assert silence(**changes).permission is permission


@settings(max_examples=60, deadline=None)
@given(PLACES, RULES, st.integers(15, 600), st.lists(st.integers(1, 60 * 24 * 10), max_size=6))
def test_rolling_on_window_by_window_is_the_same_as_looking_it_up(where, rule, length, steps) -> None:
    """However late a window's end is written down, the silence is on exactly when its rule says so."""
    zone, wall = where
    again = made(rule, zone, wall, minutes(length))
    first = next(windows(again, instant(wall, ZoneInfo(zone))))
    kept = silence(starts_at=first.starts, ends_at=first.ends, recurrence=again)
    now = first.starts
    for step in steps:
        now += minutes(step)
        truly = next(windows(again, now)).starts <= now
        assert active_at(kept, now) == truly
        if now >= kept.ends_at:
            kept = rolled(kept, now)
            assert active_at(kept, now) == truly
            assert kept.ends_at > now


def test_a_window_that_was_ended_early_or_lasted_longer_does_not_come_back() -> None:
    again = made("daily", "UTC", wall_clock(2026, 3, 10, 12), hours(2))
    kept = silence(recurrence=again)
    assert rolled(kept, T0 + minutes(10)).starts_at == T0 + hours(24)
    assert rolled(kept, T0 - hours(1)).starts_at == T0 + hours(24)
    longer = silence(recurrence=again, ends_at=T0 + hours(25))
    assert active_at(longer, T0 + hours(24.5))
    assert rolled(longer, T0 + hours(25)).starts_at == T0 + hours(24)
    assert [w.starts for w in coming(kept, T0, 3)] == [T0, T0 + hours(24), T0 + hours(48)]


def test_after_the_last_window_it_is_over() -> None:
    again = made("FREQ=DAILY;COUNT=2", "UTC", wall_clock(2026, 3, 10, 12), hours(2))
    second = rolled(silence(recurrence=again), T0 + hours(2))
    assert second.starts_at == T0 + hours(24)
    last = rolled(second, T0 + hours(26))
    assert (last.ended_at, last.ended_by) == (T0 + hours(26), "system")
    assert coming(last, T0 + hours(26), 5) == []
