"""Shifts that two people exchange."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from siems.errors import Conflict, Forbidden, InvalidField

from .rota import answer, ask_swap, crew, daily, make, on_call, stand_in, told
from .world import World


def test_a_swap_changes_hands_on_both_sides_once_the_other_accepts(world: World) -> None:
    jon, sam = crew(world, "jon", "sam")
    make(world, daily("jon", "sam"))
    assert ask_swap(world, jon, "sam", "2026-03-12", "2026-03-13") == 1
    thursday, friday = (datetime(2026, 3, day, 12, tzinfo=UTC) for day in (12, 13))
    assert [on_call(world, at=at) for at in (thursday, friday)] == [["jon"], ["sam"]]
    [(who, subject)] = told(world, "swap.asked")
    assert who == "user-sam"
    assert "Thu 2026-03-12 09:00 UTC to Fri 2026-03-13 09:00 UTC on primary for Fri 2026-03-13 09:00 UTC" in subject
    with pytest.raises(Forbidden):
        answer(world, jon, 1)
    assert answer(world, sam, 1) is True
    assert answer(world, sam, 1) is False
    assert [on_call(world, at=at) for at in (thursday, friday)] == [["sam"], ["jon"]]
    assert [user for user, _ in told(world, "swap.accepted")] == ["user-jon"]
    with pytest.raises(Conflict, match="accepted already"):
        answer(world, jon, 1, accept=False)


def test_a_swap_that_is_refused_or_taken_back_changes_nothing(world: World) -> None:
    jon, sam = crew(world, "jon", "sam")
    make(world, daily("jon", "sam"))
    for number, who in ((1, sam), (2, jon)):
        assert ask_swap(world, jon, "sam", "2026-03-12") == number
        assert answer(world, who, number, accept=False)
        with pytest.raises((Conflict, Forbidden)):
            answer(world, who, number)
    assert world.count("oncall_override") == 0
    assert [row["state"] for row in world.rows("SELECT state FROM swap ORDER BY id")] == ["declined", "withdrawn"]


def test_a_swap_of_a_shift_that_is_not_as_it_was_is_refused_whole(world: World) -> None:
    jon, sam = crew(world, "jon", "sam")
    crew(world, "ana")
    make(world, daily("jon", "sam"))
    ask_swap(world, jon, "sam", "2026-03-12", "2026-03-13")
    stand_in(world, "ana", after=80)  # in sam's shift
    with pytest.raises(Conflict, match="not as they were"):
        answer(world, sam, 1)
    assert world.count("oncall_override") == 1
    ask_swap(world, jon, "sam", "2026-03-14")
    world.passes(hours=100)
    with pytest.raises(Conflict, match="has begun"):
        answer(world, sam, 2)


def test_only_a_part_of_a_week_is_swapped_where_no_shift_begins_on_that_day(world: World) -> None:
    jon, sam = crew(world, "jon", "sam")
    make(world, daily("jon", "sam", rotation="weekly", handoff="mon 09:00"))
    ask_swap(world, jon, "sam", "2026-03-14")
    assert answer(world, sam, 1)
    [row] = world.rows("SELECT starts_at, ends_at FROM oncall_override")
    assert row["ends_at"] - row["starts_at"] == timedelta(days=1) / timedelta(microseconds=1)
    with pytest.raises(InvalidField, match="you are not on call for primary on Wed 2026-03-18"):
        ask_swap(world, jon, "sam", "2026-03-18")
