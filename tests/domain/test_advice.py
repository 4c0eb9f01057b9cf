"""What is made of an advisor's words, and what becomes of the values that it advises."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from siems.domain.advice import (
    Advice,
    Insight,
    Pattern,
    Standing,
    carried,
    category_standing,
    dues_of,
    restored,
    severity_standing,
    worth_another_look,
)
from siems.domain.drafts import LONGEST_TEXT, Nonsense, clean, read_draft, share
from siems.vocabulary import Category, Severity, State

from .advising import past, question, symptom
from .making import T0, hours, incident

SOUND: dict[str, Any] = {"pattern": "storm", "root_cause": "the uplink", "recommendation": "look", "confidence": 0.8}


def insight(**more: Any) -> Insight:
    facts: dict[str, Any] = {
        "provider": "local", "pattern": Pattern.STORM, "root_cause": "x", "recommendation": "", "confidence": 0.8,
    }  # fmt: skip
    return Insight(**(facts | more))


def kept(**more: Any) -> Advice:
    facts: dict[str, Any] = {
        "incident_id": 42, "company_id": "comp-acme", "at": T0, "insight": insight(), "alert_count": 1,
    }  # fmt: skip
    return Advice(**(facts | more))


# --- reading ---------------------------------------------------------------------------------------------------


def test_only_references_of_the_question_count() -> None:
    asked = question(symptom(7), symptom(8, "web-2"), similar=(past(3),))
    draft = SOUND | {
        "evidence": ["ALR-8", "alr-7", "ALR-8", "ALR-999", "INC-3", 7, None], "similar": ["INC-3", "INC-4", "x"],
    }  # fmt: skip
    read = read_draft(draft, asked, "gemini")
    assert (read.evidence, read.similar, read.provider) == ((8, 7), (3,), "gemini")


def test_unknown_fields_and_values_are_dropped() -> None:
    draft = SOUND | {
        "severity": "APOCALYPTIC", "severity_confidence": 1.0, "category": "rm -rf", "category_confidence": 1,
        "run": "runbook wipe", "close": True, "provider": "local",
    }  # fmt: skip
    read = read_draft(draft, question(), "bedrock")
    assert (read.severity, read.category, read.provider) == (None, None, "bedrock")
    assert (read.severity_confidence, read.category_confidence) == (0.0, 0.0)


@pytest.mark.parametrize("missing", ["pattern", "root_cause"])
def test_an_answer_without_the_essentials_is_none(missing: str) -> None:
    for nothing in ({}, {missing: None}, {missing: ["x"]}, {missing: ""}, {missing: 7}):
        with pytest.raises(Nonsense):
            read_draft({k: v for k, v in SOUND.items() if k != missing} | nothing, question(), "x")


def test_a_models_text_is_one_plain_line_without_anything_to_click_on() -> None:
    hostile = "see https://evil.example/x?y and \x1b[31mwww.evil.example\u202e\u200b\n\nhxxp ftp://a b\x00"
    said = clean(hostile)
    assert "evil" not in said
    assert said.isprintable()
    assert said == "see [link] and [31m[link] hxxp [link] b"
    assert len(clean("x" * 9_999)) == LONGEST_TEXT


ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from([*SOUND, "severity", "category", "evidence", "similar"]),
        ANYTHING | st.lists(ANYTHING, max_size=3),
    )
)
def test_whatever_is_answered_is_an_insight_or_nonsense(draft: dict[str, Any]) -> None:
    try:
        read = read_draft(SOUND | draft, question(), "x")
    except Nonsense:
        return
    assert 0 <= read.confidence <= 1
    assert read.root_cause.isprintable()
    assert len(read.root_cause) <= LONGEST_TEXT


@pytest.mark.parametrize(("said", "meant"), [(0.5, 0.5), (7, 1.0), (-1, 0.0), (float("nan"), 0.0), ("1", 0), (True, 0)])
def test_a_confidence_is_a_share(said: object, meant: float) -> None:
    assert share(said) == meant


# --- what becomes of it ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("confidence", "wanted", "lowers", "becomes"),
    [
        (0.71, Severity.CRITICAL, False, Standing.APPLIED),
        (0.70, Severity.CRITICAL, False, Standing.WAITING),
        (0.49, Severity.CRITICAL, False, Standing.NONE),
        (1.0, Severity.LOW, False, Standing.WAITING),
        (1.0, Severity.LOW, True, Standing.APPLIED),
        (0.70, Severity.LOW, True, Standing.WAITING),
        (1.0, Severity.HIGH, True, Standing.NONE),
    ],
)
def test_a_raise_applies_above_070_and_a_lowering_waits(
    confidence: float, wanted: Severity, lowers: bool, becomes: Standing
) -> None:
    advised = insight(severity=wanted, severity_confidence=confidence)
    assert severity_standing(incident(), advised, None, lowers=lowers) is becomes


def test_what_a_person_has_set_sticks_and_what_is_over_is_left_alone() -> None:
    advised = insight(severity=Severity.CRITICAL, severity_confidence=1.0)
    assert severity_standing(incident(severity_pinned=True), advised, None, lowers=True) is Standing.NONE
    assert severity_standing(incident(state=State.RESOLVED), advised, None, lowers=True) is Standing.NONE


def test_what_was_declined_is_not_proposed_again_and_what_is_settled_is_carried_on() -> None:
    declined = kept(
        insight=insight(severity=Severity.LOW, severity_confidence=0.9), severity_standing=Standing.DISMISSED
    )  # fmt: skip
    again = carried(insight(severity=Severity.LOW, severity_confidence=1.0), declined, Severity.HIGH)
    assert severity_standing(incident(), again, declined, lowers=True) is Standing.DISMISSED
    lower = carried(insight(severity=Severity.MEDIUM, severity_confidence=1.0), declined, Severity.HIGH)
    assert lower.severity is Severity.LOW, "no other lowering either"
    raised = carried(insight(severity=Severity.CRITICAL, severity_confidence=0.9), declined, Severity.HIGH)
    assert severity_standing(incident(), raised, declined, lowers=False) is Standing.APPLIED


def test_a_category_fills_in_what_is_unknown_and_else_waits() -> None:
    advised = insight(category=Category.NETWORK, category_confidence=0.9)
    assert category_standing(incident(category=Category.OTHER), advised, None) is Standing.APPLIED
    assert category_standing(incident(category=Category.CPU), advised, None) is Standing.WAITING
    unsure = insight(category=Category.NETWORK, category_confidence=0.6)
    assert category_standing(incident(category=Category.OTHER), unsure, None) is Standing.WAITING
    declined = kept(insight=advised, category_standing=Standing.DISMISSED)
    other = carried(insight(category=Category.DISK, category_confidence=0.9), declined, Severity.HIGH)
    assert category_standing(incident(), other, declined) is Standing.DISMISSED


def test_taking_back_restores_only_what_the_raise_has_moved() -> None:
    before = incident()
    sooner = replace_clocks(before, response_due=T0 + hours(0.5), resolution_due=T0 + hours(4))
    back = restored(sooner, dues_of(before), dues_of(sooner))
    assert dues_of(back) == dues_of(before)
    moved = replace_clocks(sooner, resolution_due=T0 + hours(5))  # by a hold, since then
    back = restored(moved, dues_of(before), dues_of(sooner))
    assert (back.clocks.response_due, back.clocks.resolution_due) == (before.clocks.response_due, T0 + hours(5))
    broken = replace_clocks(sooner, response_breached_at=T0 + hours(0.5))
    assert restored(broken, dues_of(before), dues_of(sooner)).clocks.response_due == T0 + hours(0.5)


def replace_clocks(one: Any, **changes: Any) -> Any:
    from siems.domain.changing import replace as put

    return put(one, clocks=replace(one.clocks, **changes))


def test_a_storm_is_looked_at_a_few_times() -> None:
    assert [n for n in range(1, 1_025) if worth_another_look(n)] == [1, 2, 3, 4, 8, 16, 32, 64, 128, 256, 512, 1_024]
