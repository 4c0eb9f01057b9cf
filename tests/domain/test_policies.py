"""Policies as people write them: what they say is what is kept, and what is wrong is named by step and field."""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siems.domain.conditions import Condition, Window
from siems.domain.escalation import DEFAULT_POLICY, Policy, Step, StepTarget, TargetKind, due_after
from siems.domain.policies import document_of, policy_from_document
from siems.errors import InvalidField
from siems.storage.policy_rows import policy_from, policy_json
from siems.vocabulary import Severity

from .making import T0, minutes


def read(*steps: Any, **more: Any) -> Policy:
    return policy_from_document("night", {"steps": list(steps) or [{"targets": "owner"}], **more})


SPANS = st.integers(1, 7 * 86_400).map(lambda n: timedelta(seconds=n))
PER_SEVERITY = st.dictionaries(st.sampled_from(list(Severity)), SPANS)
TARGETS = st.one_of(
    st.sampled_from(
        [StepTarget(TargetKind.OWNER), StepTarget(TargetKind.ONCALL), StepTarget(TargetKind.ROLE, "manager")]
    ),
    st.sampled_from(["jon", "user-jon"]).map(lambda name: StepTarget(TargetKind.USER, name)),
    st.just(StepTarget(TargetKind.SCHEDULE, "night shift")),
    st.just(StepTarget(TargetKind.WEBHOOK, "https://hooks.example/x?a=b:c")),
)
CLOCKS = st.builds(time, st.integers(0, 23), st.integers(0, 59))
WINDOWS = st.builds(
    Window, st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))), CLOCKS, CLOCKS,
    st.sampled_from(["UTC", "Europe/Oslo", "Australia/Lord_Howe"]),
)  # fmt: skip
CONDITIONS = st.builds(
    Condition, st.sets(st.sampled_from(list(Severity))).map(lambda found: tuple(sorted(found))),
    st.none() | st.integers(1, 1_000), st.none() | WINDOWS,
)  # fmt: skip
STRATEGIES = st.fixed_dictionaries(
    {},
    optional={
        "unacknowledged": st.just({}), "sla_breach": st.just({}), "priority": st.just({"score": 120}),
        "severity_age": st.just({"severity": "HIGH", "after": "2h"}),
    },
)  # fmt: skip


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    steps = tuple(
        Step(
            level, tuple(dict.fromkeys(draw(st.lists(TARGETS, min_size=1, max_size=3)))), draw(PER_SEVERITY),
            draw(st.booleans()), draw(st.none() | CONDITIONS.filter(lambda c: c != Condition())),
        )
        for level in range(1, draw(st.integers(1, 4)) + 1)
    )  # fmt: skip
    return Policy(
        "night", steps, draw(st.integers(0, 5)), draw(st.booleans()), draw(st.booleans()), draw(PER_SEVERITY),
        draw(STRATEGIES),
    )  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(policies())
def test_a_policy_is_the_same_after_it_was_written_down_and_read(policy: Policy) -> None:
    assert policy_from_document("night", document_of(policy)) == policy
    assert policy_from_document("night", json.loads(json.dumps(document_of(policy)))) == policy
    assert policy_from(json.loads(json.dumps(policy_json(policy)))) == policy


def test_the_default_policy_is_kept_as_it_was_before_policies_had_names() -> None:
    assert policy_json(DEFAULT_POLICY) == {
        "name": "default",
        "repeat": 2,
        "reassign": True,
        "steps": [
            {"level": 1, "targets": [["owner", ""]], "waits": {"HIGH": 900.0, "CRITICAL": 300.0}},
            {"level": 2, "targets": [["role", "manager"]], "waits": {"HIGH": 1800.0, "CRITICAL": 600.0}},
            {"level": 3, "targets": [["role", "admin"]], "waits": {"HIGH": 2700.0, "CRITICAL": 900.0}},
        ],
    }


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"targets": "owner", "wait": "5"}, "step 2, wait: '5' has no unit"),
        ({"targets": "owner", "wait": {"URGENT": "5m"}}, "step 2, wait: 'URGENT' is no severity"),
        ({"targets": "owner", "wait": "8d"}, "step 2, wait: '8d' is not between"),
        ({"targets": []}, "step 2, targets: whom"),
        ({"wait": "5m"}, "step 2, targets: whom"),
        ({"targets": "boss"}, "step 2, targets: 'boss' is no target"),
        ({"targets": "user:"}, "step 2, targets: 'user:' names nobody"),
        ({"targets": "owner:jon"}, "step 2, targets: 'owner:jon' takes no name"),
        ({"targets": "role:client"}, "step 2, targets: 'client' is no role that is paged"),
        ({"targets": "webhook:ftp://x"}, "step 2, targets: 'ftp://x' is no URL"),
        ({"targets": "owner", "important": "yes"}, "step 2, important: 'yes' is neither"),
        ({"targets": "owner", "wiat": "5m"}, "step 2 takes no 'wiat'"),
        ({"targets": "owner", "when": {"days": "mon-fry"}}, "step 2, when: 'mon-fry' is no day"),
        ({"targets": "owner", "when": {"from": "09:00"}}, "step 2, when: a time window has"),
        ({"targets": "owner", "when": {"from": "9", "until": "10:00"}}, "step 2, when: '9' is no time"),
        (
            {"targets": "owner", "when": {"days": "mon", "zone": "Mars/Base"}},
            "step 2, when: 'Mars/Base' is no time zone",
        ),
        ({"targets": "owner", "when": {"priority": 0}}, "step 2, when: 0 is no number"),
        ("owner", "step 2 is no mapping"),
    ],
)
def test_what_is_wrong_is_named_by_its_step_and_field(step: Any, said: str) -> None:
    with pytest.raises(InvalidField) as refused:
        read({"targets": "owner"}, step)
    assert refused.value.message.startswith(said)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"repeat": 6}, "repeat: 6 is no number from 0 to 5"),
        ({"repeat": True}, "repeat: True is no number"),
        ({"reassign": 1}, "reassign: 1 is neither"),
        ({"steps": []}, "a policy needs steps"),
        ({"steps": [{"targets": "owner"}] * 21}, "a policy has at most 20 steps"),
        ({"strategies": {"astrology": {}}}, "strategies: there is no escalation strategy called 'astrology'"),
        ({"strategies": {"priority": {}}}, "strategies: priority: needs score"),
        ({"strategies": {"priority": {"score": "x"}}}, "strategies: priority: score is a number"),
        (
            {"strategies": {"severity_age": {"severity": "HIGH", "after": "2"}}},
            "strategies: severity_age: '2' has no unit",
        ),
        ({"strategies": {"sla_breach": {"x": 1}}}, "strategies: sla_breach: takes no x"),
        ({"ack_timeout": {"HIGH": "soon"}}, "ack_timeout: 'soon' is no duration"),
    ],
)
def test_what_is_wrong_with_the_whole_is_named(more: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidField) as refused:
        policy_from_document("night", {"steps": [{"targets": "owner"}], **more})
    assert refused.value.message.startswith(said)


def test_short_forms_mean_what_they_say() -> None:
    policy = read(
        {"targets": "role:engineer", "wait": "5m", "when": {"severity": ">=HIGH", "priority": ">=100", "from": 1320,
         "until": "06:00", "days": "fri-mon"}},
        ack_timeout={"CRITICAL": "off", "HIGH": "1h"}, strategies={"sla_breach": None},
    )  # fmt: skip
    [step] = policy.steps
    assert step.targets == (StepTarget(TargetKind.ROLE, "technician"),)
    assert set(step.waits) == set(Severity)
    condition = step.condition
    assert condition is not None
    assert condition.severities == (Severity.HIGH, Severity.CRITICAL)
    assert condition.window == Window((0, 4, 5, 6), time(22), time(6), "UTC")
    assert dict(policy.ack_timeouts) == {Severity.HIGH: timedelta(hours=1)}
    assert policy.wait(0, Severity.HIGH) is None  # time drives nothing without its strategy


@settings(max_examples=150, deadline=None)
@given(window=WINDOWS, at=st.integers(0, 525_600).map(lambda n: T0 + minutes(n)))
def test_a_window_covers_what_a_walk_through_the_week_says(window: Window, at: datetime) -> None:
    from zoneinfo import ZoneInfo

    here = at.astimezone(ZoneInfo(window.zone))
    minute = here.weekday() * 1_440 + here.hour * 60 + here.minute
    begin, end = (t.hour * 60 + t.minute for t in (window.starts, window.ends))
    length = (end - begin) % 1_440 or 1_440
    covered = any((minute - day * 1_440 - begin) % 10_080 < length for day in window.days)
    assert window.covers(at) == covered


def test_a_wait_that_is_bound_to_opening_hours_begins_and_ends_within_them() -> None:
    policy = read({"targets": "owner", "wait": "15m"}, opening_hours=True)
    opens = T0 + timedelta(hours=6)

    def at_six(instant: datetime) -> datetime:
        return max(instant, opens)

    assert due_after(policy, minutes(15), Severity.HIGH, now=T0, opens=at_six) == opens + minutes(15)
    assert due_after(policy, minutes(15), Severity.CRITICAL, now=T0, opens=at_six) == T0 + minutes(15)
    assert due_after(policy, None, Severity.HIGH, now=T0, opens=at_six) is None
