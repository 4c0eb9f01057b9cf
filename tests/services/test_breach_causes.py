"""Why targets were missed: what most of their time went to, told by what happened, and countable by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from siems.domain.breach_causes import Case, Cause, cause_of
from siems.domain.permissions import Actor
from siems.domain.sla_account import Mark, Stand
from siems.errors import Forbidden, InvalidField
from siems.services import analytics, analytics_causes
from siems.services.analytics_behind import Behind
from siems.services.analytics_groups import Asked
from siems.services.analytics_sql import Range
from siems.vocabulary import Role, Severity
from siems.wire import MeasuredIncidents, MeasureReport

from .chains import policy, step
from .counting import BY, History
from .world import ACME, BETA, World


@pytest.fixture
def ana(world: World) -> Actor:
    return world.hire("ana", Role.TECHNICIAN, ACME, BETA)


def causes(world: World, span: Range, actor: Actor | None = None, **asked: Any) -> MeasureReport:
    ask = Asked(kind="causes", span=span, **({"by": "company"} | asked))
    return world.database.read_now(analytics_causes.report, actor or world.admin, world.clock.now(), ask)


def behind(world: World, span: Range, measure: str, group: str = "", by: str = "company") -> MeasuredIncidents:
    ask, which = Asked(kind="causes", span=span, by=by), Behind(measure=measure, group=group)
    return world.database.read_now(lambda c: analytics_causes.behind(c, world.admin, world.clock.now(), ask, which))


def told(found: MeasureReport, group: str = "all") -> dict[str, float]:
    line = found.total if group == "all" else next(one for one in found.lines if one.group == group)
    return {name: one.value for name, one in line.figures.items() if one.value}


def test_each_missed_target_has_the_cause_that_took_most_of_its_time(world: World, ana: Actor) -> None:
    policy(world, step("role:technician", wait="20m"), reassign=False)
    bea, cem = world.hire("bea", Role.TECHNICIAN, ACME), world.hire("cem", Role.TECHNICIAN, ACME)
    began = world.clock.now()

    def opens(number: int, severity: str = "CRITICAL") -> str:
        return str(world.fires(f"a{number}", f"s{number}", severity)["incident_id"])

    silent = opens(1)
    vendor, worked, handed, left, late = (opens(n) for n in (2, 3, 4, 5, 6))
    world.passes(minutes=10)
    for ref in (vendor, worked, handed, left):
        world.act(ana, "start", ref)
    world.passes(minutes=20)
    world.act(ana, "hold", vendor, hold_for="vendor", until=world.clock.now() + timedelta(days=2))
    world.act(ana, "unassign", left)
    world.passes(minutes=60)
    world.act(world.admin, "assign", handed, to=bea.id)
    world.passes(minutes=60)
    world.act(world.admin, "assign", handed, to=cem.id)
    world.act(ana, "start", late)  # two and a half of its four hours are over
    world.passes(minutes=180)
    span = Range(began, world.clock.now())
    found = causes(world, span)
    assert told(found) == {
        "breaches": 8.0, "not_answered": 4.0, "waiting_vendor": 1.0, "unowned": 1.0, "handed_on": 1.0, "work": 1.0,
    }  # fmt: skip
    assert told(found, ACME) == told(found)
    by = {cause: {(one.id, one.clock) for one in behind(world, span, cause).items} for cause in told(found)}
    assert by["not_answered"] == {
        (silent, "response"), (silent, "resolution"), (late, "response"), (late, "resolution"),
    }  # fmt: skip
    assert [by[cause] for cause in ("waiting_vendor", "unowned", "handed_on", "work")] == [
        {(ref, "resolution")} for ref in (vendor, left, handed, worked)
    ]
    assert len(by["breaches"]) == 8
    [one] = behind(world, span, "waiting_vendor").items
    assert (one.value, one.why) == (210 * 60.0, "waiting_vendor")
    [first, second] = [one for one in behind(world, span, "not_answered").items if one.id == silent]
    assert (first.value, second.value) == (4 * 3600.0, 30 * 60.0)


def test_nobody_behind_the_chain_is_the_cause_of_an_answer_that_did_not_come(world: World, ana: Actor) -> None:
    policy(world, step("oncall", wait="5m"), step("user:ana"))
    began = world.clock.now()
    world.fires("a1", "s1", "CRITICAL")
    world.passes(minutes=31)
    assert told(causes(world, Range(began, world.clock.now()))) == {"breaches": 1.0, "nobody_on_call": 1.0}


def test_a_hold_that_pauses_the_clock_is_no_cause(world: World, ana: Actor) -> None:
    began = world.clock.now()
    ref = str(world.fires("a1", "s1", "CRITICAL")["incident_id"])
    world.act(ana, "start", ref)
    world.passes(minutes=30)
    world.act(ana, "hold", ref, hold_for="client", until=world.clock.now() + timedelta(hours=20))
    world.passes(minutes=21 * 60)
    world.passes(minutes=4 * 60)
    assert told(causes(world, Range(began, world.clock.now()))) == {"breaches": 1.0, "work": 1.0}


def test_as_many_as_the_sla_report_counts_in_every_group(world: World, ana: Actor) -> None:
    past = History(world, ana, 3)
    past.run(50)
    now = world.clock.now()
    span, some = Range(past.began, now), 0
    for by in BY:
        ask = Asked(kind="sla", span=span, by=by)
        kept = world.database.read_now(analytics.report, world.admin, now, ask)
        found = causes(world, span, by=by)
        late = {line.group: line.figures for line in (*kept.lines, kept.total)}
        for line in (*found.lines, found.total):
            figures = {name: one.value or 0 for name, one in line.figures.items()}
            expected = sum(late[line.group][f"{clock}_breached"].value or 0 for clock in ("response", "resolution"))
            assert (by, line.group, figures.pop("breaches")) == (by, line.group, expected)
            assert sum(figures.values()) == expected
            for name, value in figures.items():
                assert behind(world, span, name, line.group, by).total == value
            some += int(expected)
    assert some > 20


def test_who_may_see_it_and_what_it_does_not_take(world: World, ana: Actor) -> None:
    gus = world.hire("gus", Role.CLIENT, ACME)
    span = Range(world.clock.now() - timedelta(days=1), world.clock.now())
    with pytest.raises(Forbidden):
        causes(world, span, gus)
    with pytest.raises(InvalidField, match="does not show 'mttr'"):
        behind(world, span, "mttr")
    assert told(causes(world, span, ana)) == {}


def test_a_trend_is_the_same_number_of_earlier_ranges(world: World, ana: Actor) -> None:
    began = world.clock.now()
    for day in range(4):
        for number in range(day):
            world.fires(f"a{day}{number}", f"s{day}{number}", "CRITICAL")
        world.passes(minutes=24 * 60)
    span = Range(world.clock.now() - timedelta(days=1), world.clock.now())
    ask = Asked(kind="sla", span=span, by="company", trend=4)
    found = world.database.read_now(analytics.report, world.admin, world.clock.now(), ask)
    assert found.total.figures["opened"].trend == [0.0, 1.0, 2.0, 3.0]
    assert found.total.figures["response"].trend == [None, 0.0, 0.0, 0.0]
    assert causes(world, span, trend=3).total.figures["breaches"].trend == [2.0, 4.0, 6.0]
    assert span.since - timedelta(days=3) == began
    for wrong in ({"trend": 1}, {"trend": 99}, {"trend": 4, "by": "day"}):
        with pytest.raises(InvalidField):
            causes(world, span, **wrong)


# --- the rule ------------------------------------------------------------------------------------------------------


def case(world: World, *marks: tuple[int, dict[str, tuple[Any, Any]]], **more: Any) -> Case:
    began = world.clock.now()
    first = Stand(
        owner=None, severity=Severity.HIGH, paused=False, hold=None, over=False, response_due=began,
        resolution_due=began,
    )  # fmt: skip
    told = [Mark(began + timedelta(minutes=at), "x", "state", changes) for at, changes in marks]
    known = {
        name: [(began + timedelta(minutes=a), began + timedelta(minutes=b)) for a, b in value]
        if name == "approvals" else began + timedelta(minutes=value)
        for name, value in more.items()
    }  # fmt: skip
    return Case(
        since=began, breached_at=began + timedelta(minutes=100), pauses=True, calendar=None, first=first, marks=told,
        **known,
    )  # fmt: skip


def test_waiting_for_an_approval_counts_while_the_run_waits(world: World) -> None:
    taken = (5, {"owner": (None, "jon")})
    assert cause_of(case(world, taken, answered_at=5, approvals=[(10, 70)])) == (
        Cause.WAITING_APPROVAL, timedelta(minutes=60),
    )  # fmt: skip
    assert cause_of(case(world, taken, answered_at=5, approvals=[(10, 20), (50, 60)])) == (
        Cause.WORK, timedelta(minutes=75),
    )  # fmt: skip


def test_ties_go_to_the_first_and_nothing_that_counted_is_work(world: World) -> None:
    assert cause_of(case(world, (0, {"owner": (None, "jon")}), answered_at=50)) == (
        Cause.NOT_ANSWERED, timedelta(minutes=50),
    )  # fmt: skip
    assert cause_of(case(world, (0, {"over": (False, True)}))) == (Cause.WORK, timedelta(0))
