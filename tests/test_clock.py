"""Time: steady inside a process, manual in tests, hurried in demonstrations, exact on disk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siems import clock as clock_module
from siems.clock import CatchUpClock, ManualClock, SystemClock, from_micros, rfc3339, to_micros

T0 = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


class Machine:
    """A wall clock and a monotonic clock that move apart when told to."""

    def __init__(self) -> None:
        self.wall = T0
        self.mono = 500.0

    def runs(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.mono += seconds

    def jumps(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    monkeypatch.setattr(clock_module, "_BOOT", 7)
    monkeypatch.setattr(clock_module, "time", SimpleNamespace(clock_gettime=lambda which: machine.mono))
    monkeypatch.setattr(clock_module, "datetime", SimpleNamespace(now=lambda zone: machine.wall.astimezone(zone)))
    return machine


def test_the_clock_runs_with_the_machine(machine) -> None:
    clock = SystemClock()
    machine.runs(90)
    assert clock.now() == T0 + timedelta(seconds=90)
    assert clock.now().tzinfo is UTC
    assert clock.drift() == timedelta(0)


def test_where_no_clock_counts_the_sleep_of_the_machine_the_monotonic_one_is_taken(monkeypatch) -> None:
    said = {"mono": 500.0}
    monkeypatch.setattr(clock_module, "_BOOT", None)
    monkeypatch.setattr(clock_module, "time", SimpleNamespace(monotonic=lambda: said["mono"]))
    clock = SystemClock()
    before = clock.now()
    said["mono"] += 90
    assert clock.now() - before == timedelta(seconds=90)


@pytest.mark.parametrize("jump", [-86_400, -3_600, 3_600, 86_400])
def test_a_jump_of_the_wall_clock_is_noticed_and_moves_nothing(machine, jump) -> None:
    clock = SystemClock()
    machine.runs(10)
    machine.jumps(jump)
    assert clock.now() == T0 + timedelta(seconds=10)
    assert clock.drift() == timedelta(seconds=jump)
    assert clock.seconds_until(T0 + timedelta(seconds=70)) == 60


def test_what_is_past_is_due_now(machine) -> None:
    clock = SystemClock()
    assert clock.seconds_until(T0 - timedelta(hours=1)) == 0
    assert ManualClock(T0).seconds_until(T0 - timedelta(hours=1)) == 0


def test_a_restart_believes_the_wall_clock(machine) -> None:
    SystemClock()
    machine.jumps(-3_600)
    assert SystemClock().now() == T0 - timedelta(hours=1)


def test_a_clock_that_catches_up_hurries_and_then_walks_with_the_present(machine) -> None:
    clock = CatchUpClock(timedelta(minutes=90), speed=10)
    assert clock.now() == T0 - timedelta(minutes=90)
    machine.runs(60)
    assert clock.now() == T0 - timedelta(minutes=80)
    machine.runs(540)
    assert clock.now() == T0 + timedelta(minutes=10)
    machine.runs(60)
    assert clock.now() == T0 + timedelta(minutes=11)


@pytest.mark.parametrize(
    ("due", "wait"),
    [
        (timedelta(minutes=-100), 0),
        (timedelta(minutes=-90), 0),
        (timedelta(minutes=-80), 60),
        (timedelta(minutes=10), 600),
        (timedelta(minutes=11), 660),
    ],
)
def test_a_clock_that_catches_up_knows_how_long_to_really_wait(machine, due, wait) -> None:
    clock = CatchUpClock(timedelta(minutes=90), speed=10)
    assert clock.seconds_until(T0 + due) == pytest.approx(wait)


@settings(max_examples=60, deadline=None)
@given(
    behind=st.integers(1, 10_000),
    speed=st.sampled_from([1.5, 2, 10, 600]),
    ran=st.integers(0, 5_000),
    ahead=st.integers(1, 9_000),
)
def test_after_the_wait_the_due_time_has_come(behind, speed, ran, ahead) -> None:
    machine = Machine()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock_module, "_BOOT", 7)
        patch.setattr(clock_module, "time", SimpleNamespace(clock_gettime=lambda which: machine.mono))
        patch.setattr(clock_module, "datetime", SimpleNamespace(now=lambda zone: machine.wall.astimezone(zone)))
        clock = CatchUpClock(timedelta(seconds=behind), speed=speed)
        machine.runs(ran)
        due = clock.now() + timedelta(seconds=ahead)
        machine.runs(clock.seconds_until(due))
        assert abs(clock.now() - due) < timedelta(milliseconds=10)


def test_a_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock(T0)
    assert clock.now() == clock.now() == T0
    assert clock.advance(hours=1, minutes=2, seconds=3) == T0 + timedelta(hours=1, minutes=2, seconds=3)
    assert clock.now() == T0 + timedelta(hours=1, minutes=2, seconds=3)
    assert clock.seconds_until(T0 + timedelta(hours=2)) == 3477
    assert clock.drift() == timedelta(0)


@settings(max_examples=100, deadline=None)
@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_what_is_stored_comes_back_to_the_microsecond(instant) -> None:
    assert from_micros(to_micros(instant)) == instant
    assert from_micros(to_micros(instant)).tzinfo is UTC


def test_microseconds_count_from_1970_in_any_zone() -> None:
    assert to_micros(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)) == 1_000_000
    eastern = datetime(1970, 1, 1, 1, 0, 0, 5, tzinfo=timezone(timedelta(hours=1)))
    assert to_micros(eastern) == 5


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (T0, "2026-03-10T12:00:00Z"),
        (T0 + timedelta(milliseconds=5), "2026-03-10T12:00:00.005000Z"),
        (T0.astimezone(timezone(timedelta(hours=-5))), "2026-03-10T12:00:00Z"),
    ],
)
def test_times_are_written_in_utc_with_fractions_only_where_there_are_any(instant, text) -> None:
    assert rfc3339(instant) == text
