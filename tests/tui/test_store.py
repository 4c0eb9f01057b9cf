"""The board's model: the cursor belongs to an incident, whatever happens to the rows."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from scripted import NOW, view

from siems.tui.orders import SORTS
from siems.tui.server_clock import ServerClock
from siems.tui.store import Board


def board(*numbers: int, height: int = 5) -> Board:
    model = Board()
    model.resize(height)
    model.load([view(n, minutes=n) for n in numbers])
    return model


def test_rows_come_sorted_by_what_is_due_next() -> None:
    model = board(30, 10, 20)
    assert model.order == ["INC-10", "INC-20", "INC-30"]
    assert model.cursor == "INC-10"


def test_the_cursor_stays_with_its_incident_and_screen_line() -> None:
    model = board(*range(10, 30), height=5)
    model.move(7)
    line = model.index - model.top
    assert model.cursor == "INC-17"
    model.change({f"INC-{n}": view(n, minutes=n) for n in range(1, 6)})
    assert (model.cursor, model.index, model.index - model.top) == ("INC-17", 12, line)
    model.change({"INC-17": view(17, minutes=14, version=2)})
    assert (model.cursor, model.index - model.top) == ("INC-17", line)
    model.change({"INC-12": None, "INC-11": None})
    assert (model.cursor, model.index - model.top) == ("INC-17", line)
    model.resort("-created_at")
    assert model.cursor == "INC-17"
    model.load([view(n, minutes=n) for n in (17, 40, 41)])
    assert model.cursor == "INC-17"


def test_a_vanished_row_stays_until_the_cursor_leaves_it() -> None:
    model = board(1, 2, 3)
    model.move(1)
    model.change({"INC-2": None})
    assert (model.order, model.tombstone, model.current) == (["INC-1", "INC-2", "INC-3"], "INC-2", None)
    assert model.targets() == []
    assert model.total == 2
    model.move(1)
    assert (model.order, model.tombstone, model.cursor) == (["INC-1", "INC-3"], None, "INC-3")


def test_a_resync_keeps_the_tombstone_too() -> None:
    model = board(1, 2, 3)
    model.move(1)
    assert model.load([view(1, minutes=1), view(3, minutes=3)]) == 1
    assert (model.cursor, model.tombstone) == ("INC-2", "INC-2")
    model.change({"INC-2": view(2, minutes=2)})
    assert (model.tombstone, model.total) == (None, 3)


def test_changes_that_would_move_rows_wait_for_a_busy_reader() -> None:
    model = board(1, 2, 3)
    model.change({"INC-9": view(9, minutes=0), "INC-3": None}, busy=True)
    assert (model.order, len(model.held)) == (["INC-1", "INC-2", "INC-3"], 2)
    model.change({"INC-2": view(2, minutes=2, title="told anew", version=2)}, busy=True)
    assert (model.views["INC-2"].title, len(model.held)) == ("told anew", 2)
    assert model.release()
    assert (model.order, model.held) == (["INC-9", "INC-1", "INC-2"], {})


def test_frozen_nothing_moves_and_nothing_changes() -> None:
    model = board(1, 2)
    model.frozen = True
    model.change({"INC-2": view(2, minutes=2, title="told anew", version=2)})
    assert model.views["INC-2"].title != "told anew"
    assert not model.release()
    model.frozen = False
    assert model.release()
    assert model.views["INC-2"].title == "told anew"


def test_marks_follow_ids_and_leave_with_them() -> None:
    model = board(1, 2, 3)
    model.mark()
    model.mark()
    assert [v.id for v in model.targets()] == ["INC-1", "INC-2"]
    model.change({"INC-1": None})
    assert model.marks == {"INC-2"}
    model.mark_all()
    assert model.marks == {"INC-2", "INC-3"}
    model.mark_none()
    assert [v.id for v in model.targets()] == [model.cursor]


def test_a_range_marks_what_the_cursor_passes() -> None:
    model = board(1, 2, 3, 4)
    assert model.span()
    model.move(2)
    assert model.marks == {"INC-1", "INC-2", "INC-3"}
    assert not model.span()
    model.move(1)
    assert "INC-4" not in model.marks


def test_a_wanted_id_is_found_when_it_comes() -> None:
    model = Board()
    model.want("INC-7")
    model.load([view(n, minutes=n) for n in (3, 7, 8)])
    assert model.cursor == "INC-7"


def test_the_wheel_takes_the_cursor_along() -> None:
    model = board(*range(1, 21), height=5)
    model.scroll(3)
    assert (model.top, model.cursor) == (3, "INC-4")
    model.scroll(100)
    assert model.top == 15
    model.scroll(-100)
    assert (model.top, model.cursor) == (0, "INC-5")


class Shuffled(RuleBasedStateMachine):
    """Whatever happens, the cursor stays on its id, on the screen, and nothing is shown twice."""

    @initialize(numbers=st.sets(st.integers(1, 40), min_size=1))
    def start(self, numbers: set[int]) -> None:
        self.model = board(*numbers, height=6)

    @rule(
        number=st.integers(1, 60), minutes=st.integers(-20, 200), busy=st.booleans(),
        severity=st.sampled_from(["CRITICAL", "LOW"]), state=st.sampled_from(["OPEN", "RESOLVED"]),
    )  # fmt: skip
    def comes(self, number: int, minutes: int, busy: bool, severity: str, state: str) -> None:
        before = self.model.cursor
        one = view(number, minutes=minutes, severity=severity, state=state)
        self.model.change({f"INC-{number}": one}, busy=busy)
        assert before is None or self.model.cursor == before

    @rule(number=st.integers(1, 60), busy=st.booleans())
    def goes(self, number: int, busy: bool) -> None:
        before = self.model.cursor
        self.model.change({f"INC-{number}": None}, busy=busy)
        assert self.model.cursor == before

    @rule(sort=st.sampled_from(sorted(SORTS)))
    def sorted_anew(self, sort: str) -> None:
        before = self.model.cursor
        self.model.resort(sort)
        assert self.model.cursor == before

    @rule(numbers=st.sets(st.integers(1, 60)))
    def reconnects(self, numbers: set[int]) -> None:
        before = self.model.cursor
        self.model.load([view(n, minutes=n) for n in numbers])
        assert before is None or self.model.cursor == before

    @rule(rows=st.integers(-10, 10))
    def moves(self, rows: int) -> None:
        self.model.move(rows)

    @rule()
    def releases(self) -> None:
        before = self.model.cursor
        self.model.release()
        assert before is None or self.model.cursor == before

    @invariant()
    def holds(self) -> None:
        model = self.model
        assert sorted(model.order) == sorted(model.views)
        assert model.marks <= model.views.keys()
        assert model.total == len(model.views) - (model.tombstone is not None)
        settled = [model.views[ref] for ref in model.order if ref != model.tombstone and ref not in model.held]
        assert settled == sorted(settled, key=SORTS[model.sort])
        live = [v for v in model.views.values() if v.state not in ("RESOLVED", "CLOSED") and v.id != model.tombstone]
        late = sum(v.sla.response.breached or v.sla.resolution.breached for v in live)
        assert model.tally() == (dict(Counter(v.severity for v in live)), late)
        if model.order:
            assert model.cursor in model.views
            assert 0 <= model.index - model.top < model.height


Shuffled.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestShuffled = Shuffled.TestCase


def test_the_servers_time_is_counted_on_and_put_right() -> None:
    ticks = [100.0]
    clock = ServerClock(monotonic=lambda: ticks[0], wall=lambda: NOW)
    clock.sync(NOW + timedelta(hours=1))
    ticks[0] += 5
    assert clock.now() == NOW + timedelta(hours=1, seconds=5)
    clock.sync(NOW)
    assert clock.now() == NOW


@pytest.mark.parametrize("speed", [60, 600])
def test_a_daemon_whose_time_runs_faster_is_followed(speed: int) -> None:
    ticks = [0.0]
    clock = ServerClock(monotonic=lambda: ticks[0], wall=lambda: NOW)
    clock.sync(NOW)
    ticks[0] = 2
    clock.sync(NOW + timedelta(seconds=2 * speed))
    ticks[0] = 3
    assert clock.now() == NOW + timedelta(seconds=3 * speed)
    ticks[0] = 4
    clock.sync(NOW + timedelta(seconds=3 * speed))
    ticks[0] = 6
    clock.sync(NOW + timedelta(seconds=3 * speed + 2))
    assert clock.rate == 1.0
