"""The alert stream's model: whatever comes, the cursor stays with its row, and memory stays bounded."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from streamed import arrival

from siems.tui import arrivals
from siems.tui.arrivals import Arrivals
from siems.wire import ArrivalView

LINE = 10


def rows(first: int, last: int) -> list[ArrivalView]:
    """Rows with these numbers, newest first."""
    return [arrival(number, 0) for number in range(last, first - 1, -1)]


def filled(last: int = 40, *, older: str | None = None) -> Arrivals:
    model = Arrivals()
    model.resize(LINE)
    model.replace(rows(1, last), older)
    return model


def test_following_shows_the_newest() -> None:
    model = filled()
    assert model.take(rows(41, 43), None)
    assert (model.cursor, model.top, model.newer) == ("e43", 0, 0)
    assert not model.take([], None)


def test_paused_the_window_stays_and_what_comes_is_counted() -> None:
    model = filled()
    model.go(3)
    seen = model.at(0)
    model.take(rows(41, 45), None)
    assert (model.cursor, model.newer) == ("e37", 5)
    assert model.at(0) is seen
    model.scroll(-3)
    assert model.newer == 2
    assert not model.follow()
    assert (model.cursor, model.newer, model.following) == ("e45", 0, True)


def test_rows_that_come_into_sight_are_not_newer() -> None:
    model = filled(3)
    model.go(1)
    model.take(rows(4, 5), None)
    assert (model.cursor, model.top, model.newer) == ("e2", 0, 0)


def test_frozen_nothing_moves_until_it_goes_on() -> None:
    model = filled()
    assert not model.freeze()
    model.take(rows(41, 43), None)
    model.take(rows(44, 44), None)
    assert (len(model), model.newer_text, model.latest) == (40, "4 newer", "e44")
    assert model.freeze()  # they have to be asked for again, from the last one that is shown
    assert (model.latest, model.newer) == ("e40", 0)
    model.take(rows(41, 44), None)
    assert model.cursor == "e44"


def test_a_gap_replaces_the_list_only_while_following() -> None:
    model = filled()
    model.take(rows(500, 600), "e500")
    assert (model.cursor, len(model), model.older) == ("e600", 101, "e500")
    model.go(5)
    model.take(rows(900, 999), "e900")
    assert (model.cursor, len(model), model.newer_text) == ("e595", 101, "100+ newer")
    model.take(rows(1_000, 1_000), None)
    assert model.newer_text == "101+ newer"
    assert model.follow()
    assert model.latest == "e600"


def test_older_pages_are_asked_for_near_the_end() -> None:
    model = filled(200, older=None)
    assert not model.wants_older
    model.older = "e1"
    assert not model.wants_older
    model.go(170)
    assert model.wants_older
    model.extend([], None)
    assert not model.wants_older


def test_memory_is_bounded_while_following_and_while_reading_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "KEEP", 50)
    monkeypatch.setattr(arrivals, "MOST", 100)
    model = filled(50)
    model.take(rows(51, 70), None)
    assert (len(model), model.older) == (50, "e21")
    model.go(49)
    model.extend(rows(1, 20), None)
    model.go(69)
    kept = model.cursor
    model.extend([arrival(-n, 0) for n in range(60)], None)
    assert (len(model), model.cursor, model.newer_text) == (100, kept, "30+ newer")
    assert model.follow()


def test_no_room_left_above_means_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "KEEP", 30)
    monkeypatch.setattr(arrivals, "MOST", 40)
    model = filled(30)
    model.go(29)
    model.take(rows(31, 40), None)
    assert (model.cursor, model.newer) == ("e1", 10)
    model.take(rows(41, 41), None)
    assert (model.cursor, model.newer, len(model)) == ("e1", 11, 40)


def test_critical_ones() -> None:
    model = Arrivals()
    model.resize(5)
    model.replace([
        arrival(9, 0, severity="CRITICAL"), arrival(8, 0), arrival(7, 0, "recovered", severity="CRITICAL"),
        arrival(6, 0, "refused"), arrival(5, 0, "repeated", severity="CRITICAL"), arrival(4, 0),
    ], None)  # fmt: skip
    assert model.critical(1) == 0
    model.go(0)
    assert model.critical(1) == 4
    model.go(5)
    assert (model.critical(1), model.critical(-1)) == (None, 4)
    model.go(4)
    assert model.critical(-1) == 0


class Streaming(RuleBasedStateMachine):
    """A daemon that numbers what comes, and a reader who does as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.model, self.number = Arrivals(), 30
        self.model.resize(7)
        self.model.replace(rows(1, 30), None)

    def daemon(self, after: str) -> list[ArrivalView]:
        return rows(int(after[1:] or 0) + 1, self.number)

    @rule(many=st.integers(1, 12))
    def comes(self, many: int) -> None:
        before, here = self.model.cursor, self.model.following and not self.model.frozen
        line = self.model.index - self.model.top
        self.number += many
        self.model.take(self.daemon(self.model.latest), None)
        if not here:
            assert self.model.cursor == before
            assert self.model.index - self.model.top == line

    @rule(index=st.integers(0, 60))
    def goes(self, index: int) -> None:
        self.model.go(index)

    @rule(by=st.integers(-20, 20))
    def scrolls(self, by: int) -> None:
        self.model.scroll(by)

    @rule(height=st.integers(1, 25))
    def resizes(self, height: int) -> None:
        self.model.resize(height)

    @rule(freeze=st.booleans())
    def goes_on(self, freeze: bool) -> None:
        if self.model.freeze() if freeze else self.model.follow():
            self.model.take(self.daemon(self.model.latest), None)

    @precondition(lambda self: not self.model.frozen)
    @rule()
    def nothing_is_missing(self) -> None:
        self.model.follow()
        self.model.take(self.daemon(self.model.latest), None)
        assert [row.cursor for row in self.model.rows] == [f"e{n}" for n in range(self.number, 0, -1)][
            : len(self.model)
        ]

    @invariant()
    def the_cursor_is_in_the_window(self) -> None:
        model: Any = self.model
        assert 0 <= model.top <= model.index < model.top + model.height
        assert model.at(model.index - model.top) is model.current
        assert 0 <= model.newer <= self.number


TestStreaming = Streaming.TestCase
TestStreaming.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
