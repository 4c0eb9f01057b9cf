"""Reports equal a count by hand, each number has its incidents, and nobody reads beyond their scope."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from siems.domain import measures as m
from siems.domain.measures import REPORTS, Measure
from siems.domain.permissions import Actor
from siems.errors import Forbidden, InvalidField, NotFound
from siems.services import analytics, analytics_behind
from siems.services.analytics_behind import Behind
from siems.services.analytics_groups import Asked
from siems.services.analytics_sql import Range
from siems.vocabulary import Role
from siems.wire import MeasuredIncidents, MeasureReport

from .counting import BY, Case, History, Keys, hand
from .world import ACME, BETA, World


@pytest.fixture
def ana(world: World) -> Actor:
    return world.hire("ana", Role.TECHNICIAN, ACME, BETA)


MEASURED = {kind: shown for kind, shown in REPORTS.items() if kind != "causes"}
"""Why targets were missed is counted in test_breach_causes.py."""


def report(world: World, actor: Actor | None = None, **asked: Any) -> MeasureReport:
    return world.database.read_now(analytics.report, actor or world.admin, world.clock.now(), Asked(**asked))


def behind(world: World, measure: str, group: str = "", actor: Actor | None = None, **asked: Any) -> MeasuredIncidents:
    which = Behind(measure=measure, group=group)
    return world.database.read_now(
        lambda c: analytics_behind.behind(c, actor or world.admin, world.clock.now(), Asked(**asked), which)
    )


def test_reports_equal_a_count_by_hand(world: World, ana: Actor) -> None:
    past = History(world, ana, 1)
    past.run(60)
    now = world.clock.now()
    whole, half = Range(past.began, now), past.began + (now - past.began) / 2
    checked = 0
    for kind, shown in MEASURED.items():
        for by, keys in BY.items():
            for span, prior in ((whole, None), (Range(half, now), Range(past.began, half))):
                found = report(world, kind=kind, span=span, by=by, compare=prior)
                for line in (*found.lines, found.total):
                    group = line.group

                    def key(case: Case, at: datetime, group: str = group, keys: Keys = keys) -> bool:
                        return group == "all" or group in keys(case, at)

                    counted = hand(past.cases.values(), span, key)
                    before = hand(past.cases.values(), prior, key) if prior is not None else None
                    for measure in shown:
                        if by == "day" and measure is Measure.OPEN_NOW:
                            continue
                        figure = line.figures[measure.value]
                        where = (kind, by, group, measure, figure)
                        assert figure.value == pytest.approx(counted[measure], abs=0.06), where
                        if before is not None and measure is not Measure.OPEN_NOW:
                            assert figure.prior == pytest.approx(before[measure], abs=0.06), where
                        checked += 1
    assert checked > 500
    assert {case.response for case in past.cases.values()} > {"in_time", "breached"}
    assert any(case.escalations for case in past.cases.values())
    assert any(case.reopened for case in past.cases.values())
    assert any(case.healed for case in past.cases.values())


def test_each_number_has_its_incidents(world: World, ana: Actor) -> None:
    past = History(world, ana, 5)
    past.run(20)
    span = Range(past.began, world.clock.now())
    for kind, shown in MEASURED.items():
        found = report(world, kind=kind, span=span, by="severity")
        for line in (*found.lines, found.total):
            for measure in shown:
                listed = behind(world, measure.value, line.group, kind=kind, span=span, by="severity")
                value = line.figures[measure.value].value
                told = sum(one.value for one in listed.items)
                match measure:
                    case Measure.MTTA | Measure.MTTR:
                        assert value == (pytest.approx(told / listed.total, abs=0.06) if listed.total else None)
                    case Measure.RESPONSE | Measure.RESOLUTION:
                        assert value == (
                            pytest.approx(100 * sum(bool(i.met) for i in listed.items) / listed.total, abs=0.06)
                            if listed.total else None
                        )  # fmt: skip
                    case Measure.ALERTS:
                        assert value == told
                    case _ if m.unit_of(measure) is m.Unit.COUNT:
                        assert value == listed.total
                assert listed.total == len(listed.items)


# --- who sees what ---------------------------------------------------------------------------------------------


@pytest.fixture
def day(world: World) -> Range:
    """Three incidents of Acme, one of Beta; one of them ana's."""
    began = world.clock.now()
    for place, (company, severity) in enumerate(((ACME, "HIGH"), (ACME, "LOW"), (ACME, "LOW"), (BETA, "HIGH"))):
        world.fires(f"a{place}", f"s{place}", severity, company=company)
        world.passes(minutes=10)
    return Range(began, world.clock.now())


def test_reports_are_of_what_one_may_see(world: World, ana: Actor, day: Range) -> None:
    gus, max_ = world.hire("gus", Role.CLIENT, ACME), world.hire("max", Role.MANAGER, ACME)
    world.act(world.admin, "assign", "INC-1", to=ana.id)
    assert report(world, kind="volume", span=day, by="company").total.figures["opened"].value == 4
    assert report(world, max_, kind="volume", span=day, by="company").total.figures["opened"].value == 3
    mine = report(world, ana, kind="mttr", span=Range(day.since, day.until + timedelta(hours=1)), by="severity")
    assert [line.group for line in mine.lines] == ["HIGH"]
    assert [one.id for one in behind(world, "opened", "", ana, kind="volume", span=day, by="company").items] == [
        "INC-1"
    ]
    assert report(world, gus, kind="sla", span=day, by="severity").total.figures["opened"].value == 3
    for wrong in ({"kind": "workload", "by": "company"}, {"kind": "sla", "by": "technician"}):
        with pytest.raises(Forbidden):
            report(world, gus, span=day, **wrong)
    with pytest.raises(NotFound):
        report(world, max_, kind="sla", span=day, by="company", company="beta")
    with pytest.raises(NotFound):
        behind(world, "opened", "beta", max_, kind="sla", span=day, by="company")
    assert behind(world, "opened", "", gus, kind="sla", span=day, by="severity").items[0].assignee is None


def test_a_report_takes_a_query_a_company_and_a_zone(world: World, day: Range) -> None:
    found = report(world, kind="volume", span=day, by="company", query="severity:LOW")
    assert [(line.name, line.figures["opened"].value) for line in found.lines] == [("Acme", 2)]
    beta = report(world, kind="volume", span=day, by="hour", company="beta", zone=ZoneInfo("Asia/Kolkata"))
    assert len(beta.lines) == 24
    opened = (day.since + timedelta(minutes=30)).astimezone(ZoneInfo("Asia/Kolkata"))
    assert [line.group for line in beta.lines if line.figures["opened"].value] == [f"{opened:%H}"]


def test_days_are_those_of_the_wall_clock_through_a_change_of_it(world: World) -> None:
    """Clocks go forward on 29 March 2026 in Oslo: 22:30 UTC is the next day there before it and after it."""
    oslo = ZoneInfo("Europe/Oslo")
    world.clock.advance(
        seconds=(datetime(2026, 3, 28, 22, 30, tzinfo=ZoneInfo("UTC")) - world.clock.now()).total_seconds()
    )
    since = world.clock.now() - timedelta(days=2)
    world.fires("a", "a")
    world.clock.advance(seconds=86_400)
    world.fires("b", "b")
    span = Range(since, world.clock.now() + timedelta(hours=1))
    found = report(world, kind="volume", span=span, by="day", zone=oslo)
    assert {line.group: line.figures["opened"].value for line in found.lines} == {
        "2026-03-26": 0, "2026-03-27": 0, "2026-03-28": 1, "2026-03-29": 0, "2026-03-30": 1,
    }  # fmt: skip
    hours = report(world, kind="volume", span=span, by="weekhour", zone=oslo)
    assert [line.group for line in hours.lines if line.figures["opened"].value] == ["Mon 00", "Sat 23"]


@pytest.mark.parametrize(
    "wrong", [{"kind": "weather"}, {"by": "moon"}, {"query": "moon:full"}], ids=lambda wrong: next(iter(wrong))
)
def test_what_cannot_be_reported_is_refused(world: World, day: Range, wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidField):
        report(world, **({"kind": "sla", "span": day, "by": "company"} | wrong))


@pytest.mark.parametrize(
    ("by", "measure", "group"),
    [("hour", "opened", "25"), ("severity", "opened", "URGENT"), ("day", "opened", "x"), ("severity", "mttr", "")],
)
def test_a_number_that_no_report_shows_has_no_incidents(
    world: World, day: Range, by: str, measure: str, group: str
) -> None:
    with pytest.raises(InvalidField):
        behind(world, measure, group, kind="sla", span=day, by=by)
