"""On-call schedules against an oracle that only watches a clock on the wall: five years, five zones, no gap.

The oracle steps through real time and remembers the latest wall time that it has seen: a handoff has happened once a
clock on the wall has shown it, and does not happen again when the clock is put back.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siems.domain.fairness import shares
from siems.domain.oncall import (
    Override,
    Schedule,
    Stretch,
    gaps,
    next_change,
    on_call_at,
    shift_at,
    shifts,
    state_at,
    stretches,
)
from siems.domain.rotation import DAY, UNITS, Kind, Layer, Restriction

ZONES = ("America/Chicago", "Europe/London", "Australia/Sydney", "Australia/Lord_Howe", "Africa/Casablanca")
QUARTER = timedelta(minutes=15)
T0 = datetime(2026, 3, 10, 12, tzinfo=UTC)
PEOPLE = ("a", "b", "c")


def wall(*parts: int) -> datetime:
    """What a clock on the wall shows, wherever that is."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)  # type: ignore[misc, arg-type]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


def layer(kind: Kind = Kind.WEEKLY, every: int = 1, anchor: datetime | None = None, **more: object) -> Layer:
    facts = {"name": "one", "members": PEOPLE} | more
    return Layer(kind=kind, every=every, anchor=anchor or wall(2026, 3, 2, 9), **facts)  # type: ignore[arg-type]


def schedule(*layers: Layer, zone: str = "UTC") -> Schedule:
    return Schedule(id="sch-x", company_id="msp", name="x", zone=zone, layers=layers or (layer(),), created_at=T0)


def override(number: int, user: str, starts: datetime, ends: datetime) -> Override:
    return Override(
        id=number, schedule_id="sch-x", company_id="msp", user=user, starts=starts, ends=ends, created_by="a",
        created_at=T0,
    )  # fmt: skip


class Watcher:
    """The oracle: which turns have begun, told from what the wall has shown so far."""

    def __init__(self, one: Layer, zone: str) -> None:
        self.layer, self.zone = one, ZoneInfo(zone)
        self.latest = wall(1, 1, 1)

    def see(self, at: datetime) -> str:
        self.latest = max(self.latest, at.astimezone(self.zone).replace(tzinfo=None))
        turn = (self.latest - self.layer.anchor) // (UNITS[self.layer.kind] * self.layer.every)
        return self.layer.members[turn % len(self.layer.members)]


def check(one: Layer, zone: str, start: datetime, end: datetime) -> None:
    plan = schedule(one, zone=zone)
    found = list(stretches(plan, (), start, end))
    assert found[0].starts == start
    assert found[-1].ends == end
    for earlier, later in pairwise(found):
        assert earlier.ends == later.starts
        assert earlier.user != later.user
    watcher, index, at = Watcher(one, zone), 0, start - 2 * DAY
    while at < end:
        expected = watcher.see(at)
        if at >= start:
            while found[index].ends <= at:
                index += 1
            assert found[index].user == expected, (at, zone)
        at += QUARTER


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("kind", "every", "at"), [(Kind.WEEKLY, 1, (9, 0)), (Kind.DAILY, 1, (2, 30)), (Kind.HOURLY, 8, (2, 0))]
)
def test_five_years_of_a_rotation_are_as_the_wall_says(zone: str, kind: Kind, every: int, at: tuple[int, int]) -> None:
    check(layer(kind, every, wall(2025, 1, 6, *at)), zone, utc(2025, 1, 7), utc(2030, 1, 7))


LAYERS = st.builds(
    lambda kind, every, day, clock, many: layer(
        kind, every, wall(2026, 1, 5, *clock) + day * DAY, members=PEOPLE[:many]
    ),
    st.sampled_from(Kind), st.integers(1, 13), st.integers(0, 6),
    st.tuples(st.integers(0, 23), st.sampled_from([0, 15, 30, 45])), st.integers(2, 3),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(LAYERS, st.sampled_from(ZONES), st.integers(0, 5 * 365))
def test_any_rotation_in_any_fortnight_is_as_the_wall_says(one: Layer, zone: str, day: int) -> None:
    start = utc(2026, 2, 1) + day * DAY
    check(one, zone, start, start + 14 * DAY)


MOMENTS = st.integers(0, 30 * 96).map(lambda n: utc(2026, 3, 20) + n * QUARTER)
OVERRIDES = st.lists(
    st.tuples(st.sampled_from("dwx"), MOMENTS, st.integers(1, 300)), max_size=5
).map(lambda rows: [override(n, user, at, at + long * QUARTER) for n, (user, at, long) in enumerate(rows)])  # fmt: skip
RESTRICTIONS = st.lists(
    st.builds(
        Restriction, st.frozensets(st.integers(0, 6), min_size=1), st.integers(0, 23).map(time),
        st.integers(0, 23).map(time),
    ),
    max_size=2,
).map(tuple)  # fmt: skip


def inside(restriction: Restriction, at: datetime, zone: str) -> bool:
    """As somebody would say it who looks at calendar and clock."""
    here = at.astimezone(ZoneInfo(zone))
    now, today, yesterday = here.time(), here.weekday(), (here.weekday() - 1) % 7
    if restriction.starts < restriction.ends:
        return today in restriction.days and restriction.starts <= now < restriction.ends
    return (today in restriction.days and now >= restriction.starts) or (
        yesterday in restriction.days and now < restriction.ends
    )


@settings(max_examples=60, deadline=None)
@given(LAYERS, LAYERS, RESTRICTIONS, OVERRIDES)
def test_the_last_layer_that_has_somebody_counts_and_the_newest_override_most(
    low: Layer, high: Layer, restrictions: tuple[Restriction, ...], overrides: list[Override]
) -> None:
    """In a zone whose clock does not change, so that the oracle is plain."""
    zone = "Asia/Tokyo"
    high = Layer(
        name="top", kind=high.kind, every=high.every, anchor=high.anchor, members=("x", "y"),
        restrictions=restrictions,
    )  # fmt: skip
    plan, start, end = schedule(low, high, zone=zone), utc(2026, 3, 20), utc(2026, 4, 20)
    found = list(stretches(plan, overrides, start, end))
    assert [found[0].starts, found[-1].ends] == [start, end]
    assert all(a.ends == b.starts and a.user != b.user for a, b in pairwise(found))
    for n in range(0, 30 * 96, 7):
        at = start + n * QUARTER
        expected = Watcher(low, zone).see(at)
        if not restrictions or any(inside(r, at, zone) for r in restrictions):
            expected = Watcher(high, zone).see(at)
        standing_in = [o for o in overrides if o.starts <= at < o.ends]
        if standing_in:
            expected = max(standing_in, key=lambda o: o.id).user
        assert next(s.user for s in found if s.starts <= at < s.ends) == expected
        assert on_call_at(plan, overrides, at) == expected


# --- by example ------------------------------------------------------------------------------------------------


def test_a_handoff_stays_at_nine_when_the_clock_changes() -> None:
    plan = schedule(layer(Kind.DAILY), zone="America/Chicago")
    begins = [s.starts for s in shifts(plan, (), utc(2026, 3, 7), utc(2026, 3, 10))]
    assert begins[1:] == [utc(2026, 3, 7, 15), utc(2026, 3, 8, 14), utc(2026, 3, 9, 14)]


def test_nobody_is_on_call_before_a_layer_begins_and_after_it_ends() -> None:
    plan = schedule(layer(starts=wall(2026, 3, 10), ends=wall(2026, 3, 11)))
    found = list(stretches(plan, (), utc(2026, 3, 9), utc(2026, 3, 12)))
    assert [(s.user, s.starts.day) for s in found] == [(None, 9), ("b", 10), (None, 11)]
    assert [(g.starts.day, g.ends.day) for g in gaps(plan, (), utc(2026, 3, 9), utc(2026, 3, 12))] == [
        (9, 10),
        (11, 12),
    ]


def test_an_office_layer_on_top_leaves_nights_and_weekends_to_the_one_below() -> None:
    office = layer(members=("z",), restrictions=(Restriction(frozenset(range(5)), time(9), time(17)),))
    plan = schedule(layer(), office)
    assert [on_call_at(plan, (), utc(2026, 3, 10, hour)) for hour in (8, 9, 16, 17)] == ["b", "z", "z", "b"]
    assert on_call_at(plan, (), utc(2026, 3, 14, 12)) == "b"
    assert [str(r) for r in office.restrictions] == ["mon-fri 09:00-17:00"]


def test_a_shift_is_found_whole_from_within() -> None:
    plan = schedule(layer())
    assert shift_at(plan, (), utc(2026, 3, 12)) == Stretch(utc(2026, 3, 9, 9), utc(2026, 3, 16, 9), "b", "one")
    assert next_change(plan, (), utc(2026, 3, 12)) == utc(2026, 3, 16, 9)
    assert next_change(schedule(layer(members=("a",))), (), T0) is None
    assert state_at(plan, (override(1, "x", T0, T0 + DAY),), T0).source == "OVR-1"


def test_an_hour_that_the_clock_shows_twice_is_carried_twice() -> None:
    zone = ZoneInfo("Europe/London")
    night = Stretch(utc(2026, 10, 24, 21), utc(2026, 10, 25, 6), "a", "")
    share = shares([night], zone, lambda day: day.day == 25)["a"]
    hour = timedelta(hours=1)
    assert (share.total, share.night, share.weekend) == (9 * hour, 9 * hour, 9 * hour)
    assert share.holiday == 7 * hour
    week = Stretch(utc(2026, 6, 1), utc(2026, 6, 8), "a", "")
    share = shares([week], ZoneInfo("UTC"), lambda day: False)["a"]
    assert (share.total, share.night, share.weekend) == (168 * hour, 56 * hour, 48 * hour)
