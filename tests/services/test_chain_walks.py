"""Any walk of people and time: no page after an ack, each step once, and a level that never falls within a cycle."""

from __future__ import annotations

import json
from datetime import datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from siems.errors import Conflict
from siems.vocabulary import Role, State

from .chains import policy, step
from .world import ACME, World

_numbers = count(1)
ACTS = ("ack", "start", "assign", "unassign", "note", "escalate", "resolve", "reopen")
MOVES = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([1, 4, 6, 11, 31, 130])),
    st.tuples(st.sampled_from(ACTS), st.just(0)),
    st.tuples(st.sampled_from(["fires", "recovers"]), st.just(0)),
)


@pytest.fixture
def staffed(world: World) -> World:
    world.hire("ana", Role.TECHNICIAN, ACME)
    world.hire("mara", Role.MANAGER, ACME)
    aged = {"unacknowledged": {}, "sla_breach": {}, "severity_age": {"severity": "HIGH", "after": "3h"}}
    policy(world, step("owner", wait="5m"), step("role:manager"), step("role:admin"), repeat=1, strategies=aged)
    return world


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(MOVES, min_size=4, max_size=14), severity=st.sampled_from(["HIGH", "CRITICAL", "MEDIUM"]))
def test_a_walk_keeps_the_promises(staffed: World, moves: list[tuple[str, int]], severity: str) -> None:
    # a signature of its own: one that several walks share would fold them into one incident
    world, asset = staffed, f"walk-{next(_numbers)}"
    ref = world.fires(asset, asset, severity)["incident_id"]
    told: list[dict[str, Any]] = []
    lives: set[datetime | None] = {None}
    for word, minutes in moves:
        before = world.incident(ref)
        _move(world, ref, asset, word, minutes, severity)
        fresh = _escalations(world, ref)[len(told) :]
        told += fresh
        waited = [s for s in fresh if s["cause"] == "unacknowledged"]
        if before.acknowledged_at is not None and not any(s["cause"] == "ack_timeout" for s in fresh):
            assert not waited, "it was acknowledged"
        after = world.incident(ref)
        if after.position.cycle == before.position.cycle:
            assert after.escalation_level >= before.escalation_level
        # somebody is asked whether they are still on it only where somebody is; who reopens has put them there
        taken_up = after.acknowledged_at or after.started_at or after.state is State.IN_PROGRESS
        assert after.ack_due_at is None or taken_up
        lives.add(after.reopened_at)
    keys = [s["step"] for s in told if s["cause"] == "unacknowledged"]
    assert len(keys) == len(set(keys)), "a step fired twice"
    assert sum(s["cause"] == "severity_age" for s in told) <= len(lives), "once in each life"


def _move(world: World, ref: str, asset: str, word: str, minutes: int, severity: str) -> None:
    match word:
        case "wait":
            world.passes(minutes=minutes)
        case "fires":
            world.fires(asset, asset, severity)
        case "recovers":
            world.recovers(asset, asset)
        case _:
            try:
                world.act(world.admin, word, ref, note="x", reason="x", to="ana" if word == "assign" else None)
            except Conflict:
                return


def _escalations(world: World, ref: str) -> list[dict[str, Any]]:
    number = int(ref.removeprefix("INC-"))
    rows = world.rows("SELECT data FROM timeline WHERE kind = 'escalation' AND incident_id = :n ORDER BY id", n=number)
    return [data for row in rows if (data := json.loads(row["data"])).get("cause")]
