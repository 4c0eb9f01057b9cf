"""Business hours, held against a clock that is read every minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siems.domain.calendars import (
    Calendar,
    add_business,
    business_between,
    holidays_of,
    parse_hours,
    parse_opened,
    take_business,
    told,
    told_hours,
    why_closed,
)
from siems.errors import InvalidField

OFFICE = parse_hours("Mon-Fri 08:00-17:00")
OSLO = Calendar(zone="Europe/Oslo", hours=OFFICE)
MINUTE = timedelta(minutes=1)

# zone, and days around which its clock changes
CHANGES = [
    ("Europe/Oslo", datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, tzinfo=UTC), datetime(2026, 10, 3, tzinfo=UTC)),
    ("Africa/Casablanca", datetime(2026, 2, 15, tzinfo=UTC), datetime(2026, 3, 22, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 4, 5, tzinfo=UTC), datetime(2026, 9, 6, tzinfo=UTC)),
]


def counts(calendar: Calendar, at: datetime) -> bool:
    """What a person with a watch, a diary and the rules says."""
    here = at.astimezone(ZoneInfo(calendar.zone))
    day, minute = here.date(), here.hour * 60 + here.minute
    spans = calendar.hours[here.weekday()]
    for opened, hours in calendar.opened:
        if opened == day:
            first = next((spans for spans in calendar.hours if spans), ())
            spans = hours or calendar.hours[here.weekday()] or first
            return any(a <= minute < b for a, b in spans)
    return day not in calendar.closed and any(a <= minute < b for a, b in spans)


spans = st.lists(st.integers(0, 1_440), min_size=2, max_size=4, unique=True).map(
    lambda edges: tuple(zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)
weeks = st.tuples(*[st.one_of(st.just(()), spans)] * 7).filter(any)


@st.composite
def cases(draw) -> tuple[Calendar, datetime, int]:
    zone, *around = draw(st.sampled_from(CHANGES))
    near = draw(st.sampled_from(around))
    day = near.date()
    days = st.integers(-2, 3).map(lambda n: day + timedelta(days=n))
    opened = draw(st.dictionaries(days, st.one_of(st.just(()), spans), max_size=2))
    calendar = Calendar(
        zone=zone, hours=draw(weeks), opened=tuple(sorted(opened.items())),
        closed=tuple(sorted(draw(st.sets(days, max_size=2)) - set(opened))),
    )  # fmt: skip
    start = near + draw(st.integers(-2 * 1_440, 1_440)) * MINUTE
    return calendar, start, draw(st.integers(0, 3 * 1_440))


@settings(max_examples=120, deadline=None)
@given(cases())
def test_what_counts_is_what_a_clock_shows_that_is_read_every_minute(case) -> None:
    calendar, start, length = case
    minutes = sum(counts(calendar, start + n * MINUTE) for n in range(length))
    assert business_between(calendar, start, start + length * MINUTE) == minutes * MINUTE


@settings(max_examples=120, deadline=None)
@given(cases(), st.integers(1, 900))
def test_a_deadline_is_the_first_instant_by_which_so_much_has_counted(case, span) -> None:
    calendar, start, _ = case
    due = add_business(calendar, start, span * MINUTE)
    assert business_between(calendar, start, due) == span * MINUTE
    assert counts(calendar, due - MINUTE)
    begins = take_business(calendar, due, span * MINUTE)
    assert business_between(calendar, begins, due) == span * MINUTE
    assert counts(calendar, begins)
    assert begins >= start


@settings(max_examples=60, deadline=None)
@given(cases(), st.integers(0, 5_000), st.integers(0, 5_000))
def test_time_adds_up_wherever_it_is_cut(case, one, other) -> None:
    calendar, start, _ = case
    middle, end = start + one * MINUTE, start + (one + other) * MINUTE
    parts = business_between(calendar, start, middle) + business_between(calendar, middle, end)
    assert parts == business_between(calendar, start, end)


@settings(max_examples=60, deadline=None)
@given(cases(), st.integers(0, 3_000), st.integers(0, 600), st.integers(0, 600))
def test_what_was_paused_moves_a_deadline_by_exactly_the_time_that_would_have_counted(case, later, span, stood) -> None:
    """Added to the deadline, or begun anew with what was left: it is the same time."""
    calendar, start, _ = case
    due = add_business(calendar, start, (span + 1) * MINUTE)
    since = start + later * MINUTE
    if since < due:
        until = since + stood * MINUTE
        left, out = business_between(calendar, since, due), business_between(calendar, since, until)
        assert business_between(calendar, until, add_business(calendar, due, out)) == left


def test_without_a_calendar_all_time_counts() -> None:
    a = datetime(2026, 3, 28, 3, tzinfo=UTC)
    assert business_between(None, a, a + timedelta(hours=50)) == timedelta(hours=50)
    assert add_business(None, a, timedelta(hours=5)) == a + timedelta(hours=5)
    assert take_business(None, a, timedelta(hours=5)) == a - timedelta(hours=5)
    assert business_between(None, a, a - timedelta(hours=1)) == timedelta(0)


def test_a_friday_afternoon_ends_on_monday() -> None:
    friday = datetime(2026, 3, 27, 15, 30, tzinfo=UTC)  # 16:30 in Oslo; on Sunday the clock goes forward
    assert add_business(OSLO, friday, timedelta(hours=2)) == datetime(2026, 3, 30, 7, 30, tzinfo=UTC)
    assert take_business(OSLO, datetime(2026, 3, 30, 6, 10, tzinfo=UTC), timedelta(minutes=30)) == datetime(
        2026, 3, 27, 15, 40, tzinfo=UTC
    )


def test_holidays_and_single_days() -> None:
    norway = Calendar(
        zone="Europe/Oslo", hours=OFFICE, country="NO", opened=(parse_opened("2026-05-01 10:00-11:00"),),
        closed=(date(2026, 5, 15),),
    )  # fmt: skip
    may = datetime(2026, 5, 1, tzinfo=UTC)
    assert business_between(norway, may, may + timedelta(days=1)) == timedelta(hours=1)
    ascension = datetime(2026, 5, 14, tzinfo=UTC)
    assert add_business(norway, ascension, MINUTE) == datetime(2026, 5, 18, 6, 1, tzinfo=UTC)
    assert [why_closed(norway, date(2026, 5, day)) for day in (14, 15, 16, 18)] == [
        "Ascension Day", "closed", "weekend", "",
    ]  # fmt: skip
    assert date(2026, 8, 15) in holidays_of("DE-SL", 2026)
    assert date(2026, 8, 15) not in holidays_of("DE-BE", 2026)
    for unknown in ("XX", "NO-99", "nonsense"):
        with pytest.raises(InvalidField):
            holidays_of(unknown, 2026)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Mon-Fri 08:00-17:00", "Mon-Fri 08:00-17:00"),
        ("mon-thu 8-12,13-17; fri 8-15", "Mon-Thu 08:00-12:00,13:00-17:00; Fri 08:00-15:00"),
        ("daily 0-24", "Mon-Sun 00:00-24:00"),
        ("Sat,Sun 10:00-14:00", "Sat-Sun 10:00-14:00"),
        ("Fri 22:00-02:00", "Fri 22:00-24:00; Sat 00:00-02:00"),
        ("Sun-Mon 18:00-00:00", "Mon 18:00-24:00; Sun 18:00-24:00"),
        ("Mon 08:00-12:00,11:00-13:00", "Mon 08:00-13:00"),
    ],
)
def test_hours_are_read_as_people_write_them(text, shown) -> None:
    assert told_hours(parse_hours(text)) == shown
    assert parse_hours(shown) == parse_hours(text)


@pytest.mark.parametrize(
    "text",
    ["", "Mon-Fri", "Foo 08:00-17:00", "Mon 25:00-26:00", "Mon 08:00", "Mon 08:00-08:00", "Mon ８-17", "Mon 8:75-9"],
)
def test_what_names_no_hours_is_refused(text) -> None:
    with pytest.raises(InvalidField):
        parse_hours(text)


def test_a_calendar_is_told_in_a_line() -> None:
    assert told(None) == "24x7"
    odd = Calendar(
        zone="UTC", hours=OFFICE, country="NO", opened=(parse_opened("2026-12-24 09:00-12:00"),),
        closed=(date(2026, 12, 31),),
    )  # fmt: skip
    assert told(odd) == "Mon-Fri 08:00-17:00 UTC, holidays NO, open 2026-12-24 09:00-12:00, closed 2026-12-31"


def test_a_deadline_that_no_hours_reach_is_far_away_and_no_error() -> None:
    rare = Calendar(zone="UTC", hours=parse_hours("Mon 08:00-08:01"))
    start = datetime(2026, 3, 10, tzinfo=UTC)
    assert add_business(rare, start, timedelta(days=30)) == start + timedelta(days=3_660)
    assert take_business(rare, start, timedelta(days=30)) == start - timedelta(days=3_660)


def test_from_when_on_it_is_open() -> None:
    from siems.domain.calendars import next_open

    office = Calendar(zone="Europe/Oslo", hours=parse_hours("Mon-Fri 08:00-17:00"))
    friday = datetime(2026, 3, 13, 11, 0, tzinfo=UTC)
    assert next_open(office, friday) == friday
    evening, monday = datetime(2026, 3, 13, 19, 30, tzinfo=UTC), datetime(2026, 3, 16, 7, 0, tzinfo=UTC)
    assert next_open(office, evening) == monday
    assert next_open(office, monday) == monday
    assert next_open(None, evening) == evening
