"""Who should take it: each strategy, and what holds for all of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siems.domain.assignment import STRATEGIES, Candidate, choose
from siems.errors import NotFound
from siems.vocabulary import Availability, Category

T = datetime(2026, 3, 10, 12, tzinfo=UTC)
NETWORK = Category.NETWORK


def who(name: str, **facts: Any) -> Candidate:
    facts["skills"] = frozenset(facts.get("skills", ()))
    return Candidate(id=f"user-{name}", name=name, **facts)


def first(strategy: str, *candidates: Candidate, category: Category = NETWORK) -> str | None:
    chosen = choose(strategy, candidates, category).chosen
    return None if chosen is None else chosen.name


def test_best_match_takes_who_knows_the_category() -> None:
    assert first("best_match", who("ana"), who("jon", skills=[NETWORK])) == "jon"


def test_best_match_weighs_skill_against_what_they_have_open() -> None:
    ana, jon = who("ana"), who("jon", skills=[NETWORK], open=7)
    assert first("best_match", ana, jon) == "jon"
    assert first("best_match", ana, who("jon", skills=[NETWORK], open=9)) == "ana"


def test_the_terms_of_a_score_say_where_it_comes_from() -> None:
    jon = who("jon", skills=[NETWORK], on_call=1, open=3)
    [rated] = choose("best_match", [jon], NETWORK).rated
    assert rated.terms == {"skill": 40, "on_call": 30, "available": 20, "workload": -15}
    assert rated.score == 75


def test_work_that_piles_up_costs_no_more_than_fifty() -> None:
    [rated] = choose("best_match", [who("jon", open=400)], NETWORK).rated
    assert rated.terms["workload"] == -50


def test_a_tie_goes_to_the_one_who_was_given_something_longest_ago_and_first_to_who_never_was() -> None:
    old, new, never = who("z", assigned_at=T - timedelta(days=1)), who("a", assigned_at=T), who("y")
    for strategy in ("best_match", "round_robin", "least_loaded"):
        order = [r.candidate.name for r in choose(strategy, [new, never, old], NETWORK).rated]
        assert order == ["y", "z", "a"], strategy


def test_round_robin_goes_around() -> None:
    people = {name: who(name) for name in ("ana", "jon", "mia")}
    turns = []
    for n in range(7):
        name = first("round_robin", *people.values())
        assert name is not None
        turns.append(name)
        people[name] = who(name, assigned_at=T + timedelta(minutes=n))
    assert turns == ["ana", "jon", "mia", "ana", "jon", "mia", "ana"]


def test_least_loaded_takes_who_has_the_least() -> None:
    assert first("least_loaded", who("ana", open=3), who("jon", open=1), who("mia", open=2)) == "jon"


@pytest.mark.parametrize("strategy", ["round_robin", "least_loaded"])
def test_busy_people_are_given_something_only_where_nobody_is_free(strategy: str) -> None:
    busy = who("ana", availability=Availability.BUSY)
    assert first(strategy, busy, who("jon", open=30, assigned_at=T)) == "jon"
    assert first(strategy, busy, who("jon", availability=Availability.AWAY)) == "ana"


def test_on_call_takes_the_first_who_is_and_nobody_else() -> None:
    assert first("on_call", who("ana", on_call=2), who("jon", on_call=1), who("mia", skills=[NETWORK])) == "jon"
    assert first("on_call", who("ana"), who("mia")) is None
    assert first("on_call", who("ana", on_call=1, availability=Availability.AWAY)) == "ana"


def test_a_strategy_that_is_not_known_names_the_nearest() -> None:
    with pytest.raises(NotFound) as refused:
        choose("best_mach", [], NETWORK)
    assert refused.value.hint == "did you mean best_match?"


CANDIDATES = st.lists(
    st.builds(
        Candidate,
        id=st.text("abcdef", min_size=1, max_size=4),
        name=st.just("x"),
        skills=st.frozensets(st.sampled_from(Category)),
        availability=st.sampled_from(Availability),
        on_call=st.integers(0, 3),
        open=st.integers(0, 20),
        assigned_at=st.none() | st.integers(0, 5).map(lambda days: T + timedelta(days=days)),
    ),
    unique_by=lambda c: c.id,
    max_size=6,
)


@given(CANDIDATES, st.sampled_from(sorted(STRATEGIES)), st.sampled_from(Category), st.randoms())
def test_what_holds_for_every_strategy(candidates: list[Candidate], strategy: str, category: Category, dice) -> None:
    choice = choose(strategy, candidates, category)
    assert {r.candidate.id for r in choice.rated} == {c.id for c in candidates}
    shuffled = list(candidates)
    dice.shuffle(shuffled)
    assert choose(strategy, shuffled, category) == choice
    fit = [r for r in choice.rated if r.fit]
    assert choice.rated[: len(fit)] == tuple(fit)
    assert (choice.chosen is None) == (not fit)
    for rated in fit:
        assert rated.candidate.availability is not Availability.AWAY or rated.candidate.on_call
    # nobody who is behind somebody else is better, or as good and has waited longer
    for one, two in pairwise(fit):
        if one.later == two.later:
            assert one.score >= two.score
            if one.score == two.score and one.candidate.assigned_at is not None:
                assert two.candidate.assigned_at is not None
                assert one.candidate.assigned_at <= two.candidate.assigned_at
