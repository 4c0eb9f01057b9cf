"""What an incident is held to: tiers, hours, and what pauses; holds that end early; causes of breaches."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from siems.domain.permissions import Actor
from siems.errors import InvalidField, UsageError
from siems.services import companies, incidents
from siems.services.views import terms_named
from siems.storage import tables as t
from siems.vocabulary import Role, Severity
from siems.wire import SlaPolicyAsk

from .world import ACME, BETA, VAULT, World

FRIDAY = datetime(2026, 3, 27, 15, 30, tzinfo=UTC)
"""16:30 in Oslo; two nights later the clock goes forward."""


@pytest.fixture
def ana(world: World) -> Actor:
    return world.hire("ana", Role.TECHNICIAN, ACME)


def plan(world: World, company: str = ACME, **ask: Any) -> None:
    world.do(companies.set_sla, world.admin, company, SlaPolicyAsk(**ask), companies=(company,))


def until(world: World, moment: datetime) -> None:
    """It is that time now, and what was due has been done."""
    world.clock.advance(seconds=(moment - world.clock.now()).total_seconds())
    world.tick()


@pytest.fixture
def office(world: World) -> World:
    """Acme has business hours in Oslo, and it is a Friday afternoon."""
    plan(world, hours="Mon-Fri 08:00-17:00", time_zone="Europe/Oslo", holidays="NO")
    until(world, FRIDAY)
    return world


def test_deadlines_and_warnings_lie_within_hours(office: World) -> None:
    office.fires(severity="HIGH")
    clocks = office.incident().clocks
    assert clocks.response_due == datetime(2026, 3, 30, 7, 30, tzinfo=UTC)
    assert clocks.resolution_due == datetime(2026, 3, 30, 13, 30, tzinfo=UTC)
    assert office.deadlines()["sla_response"] == datetime(2026, 3, 30, 7, 0, tzinfo=UTC)
    until(office, FRIDAY + timedelta(hours=62))
    assert office.notices("sla.warned") == set()
    assert office.incident().clocks.response_breached_at is None


def test_critical_is_always_around_the_clock(office: World) -> None:
    office.fires(severity="CRITICAL")
    assert office.incident().clocks.resolution_due == FRIDAY + timedelta(hours=4)


def test_what_rises_to_critical_leaves_the_hours_behind(office: World) -> None:
    office.fires(severity="HIGH")
    office.passes(minutes=5)
    office.fires(severity="CRITICAL")
    assert office.incident().clocks.resolution_due == FRIDAY + timedelta(hours=4, minutes=5)


def test_a_hold_pauses_business_time(office: World, ana: Actor) -> None:
    office.fires(severity="HIGH")
    office.act(ana, "ack")
    office.act(ana, "hold", hold_for="client", until=datetime(2026, 3, 30, 7, 0, tzinfo=UTC))
    until(office, datetime(2026, 3, 30, 7, 0, tzinfo=UTC))
    clocks = office.incident().clocks
    assert clocks.paused == timedelta(minutes=30 + 60)
    assert clocks.resolution_due == datetime(2026, 3, 30, 15, 0, tzinfo=UTC)


def test_reopened_after_a_weekend_nothing_is_lost_and_nothing_given(office: World, ana: Actor) -> None:
    office.fires(severity="HIGH")
    due = office.incident().clocks.resolution_due
    office.act(ana, "resolve", note="restarted")
    until(office, datetime(2026, 3, 29, 20, 0, tzinfo=UTC))
    office.act(ana, "reopen", reason="not gone")
    assert office.incident().clocks.resolution_due == due + timedelta(minutes=30)


def test_open_incidents_keep_what_they_opened_under_through_a_restart(office: World) -> None:
    office.fires(severity="HIGH")
    due = office.incident().clocks.resolution_due
    plan(office, always=True, pausing=["none"])
    office.restart()
    office.fires("web-2", "disk_full", severity="HIGH")
    assert office.incident("INC-2").clocks.resolution_due == FRIDAY + timedelta(hours=8)
    assert office.incident("INC-1").clocks.resolution_due == due
    held = office.database.read_now(terms_named, office.incident("INC-1").sla_snapshot)
    assert held.calendar is not None
    assert (held.calendar.zone, held.calendar.country) == ("Europe/Oslo", "NO")
    assert held.calendar_for(Severity.CRITICAL) is None


def test_a_company_of_before_calendars_goes_on_under_the_same_name(world: World) -> None:
    """Their snapshots are named by their content: were it told differently, incidents would point nowhere."""

    def forget(uow: Any) -> None:
        said = json.loads(uow.connection.execute(select(t.company.c.settings).where(t.company.c.id == ACME)).scalar())
        old = {name: value for name, value in said.items() if name not in ("tier", "zone", "calendar", "pausing")}
        uow.connection.execute(update(t.company).where(t.company.c.id == ACME).values(settings=json.dumps(old)))

    world.do(forget)
    world.restart()
    world.fires(severity="HIGH")
    world.restart()
    assert world.incident().clocks.resolution_due == world.clock.now() + timedelta(hours=8)
    assert world.database.read_now(terms_named, world.incident().sla_snapshot)[Severity.HIGH]


@pytest.mark.parametrize(("pausing", "stands"), [(["vendor"], {"vendor"}), (["none"], set())])
def test_the_plan_says_which_holds_pause(world: World, ana: Actor, pausing, stands) -> None:
    plan(world, pausing=pausing)
    for number, reason in enumerate(("client", "vendor", "parts", "scheduled"), 1):
        world.fires(f"web-{number}", f"problem_{number}")
        world.act(ana, "ack", f"INC-{number}")
        world.act(ana, "hold", f"INC-{number}", hold_for=reason, until=world.clock.now() + timedelta(hours=1))
        assert (world.incident(f"INC-{number}").clocks.paused_since is not None) == (reason in stands)


# --- plans -----------------------------------------------------------------------------------------------------


def test_a_tier_is_a_template_and_what_follows_is_the_companys_own(world: World) -> None:
    plan(world, tier="bronze", time_zone="Europe/Oslo")
    settings = world.do(lambda uow: uow.company(ACME).settings)
    assert settings.tier == "bronze"
    assert settings.targets[Severity.HIGH].resolution == timedelta(hours=16)
    assert settings.terms.calendar.zone == "Europe/Oslo"
    plan(world, severity="HIGH", resolution_seconds=3_600)
    plan(world, closed_days=["2026-12-31", "2026-12-30"], open_days=["2026-12-24 09:00-12:00"])
    plan(world, open_days=["2026-12-31"])
    settings = world.do(lambda uow: uow.company(ACME).settings)
    assert settings.targets[Severity.HIGH].resolution == timedelta(hours=1)
    assert [day.day for day in settings.terms.calendar.closed] == [30]
    assert [day.day for day, _ in settings.terms.calendar.opened] == [24, 31]
    plan(world, open_days=["none"], closed_days=["none", "2027-01-04"])
    settings = world.do(lambda uow: uow.company(ACME).settings)
    assert (settings.terms.calendar.opened, len(settings.terms.calendar.closed)) == ((), 1)
    plan(world, tier="silver")
    settings = world.do(lambda uow: uow.company(ACME).settings)
    assert (settings.terms.calendar, settings.zone) == (None, "Europe/Oslo")


@pytest.mark.parametrize(
    "ask",
    [
        {"tier": "platinum"}, {"hours": "whenever"}, {"time_zone": "Mars/Olympus"}, {"holidays": "NO"},
        {"hours": "Mon 08:00-17:00", "holidays": "XX"}, {"closed_days": ["2026-12-31"]}, {"response_seconds": 60},
        {"hours": "Mon 08:00-09:00", "closed_days": ["soon"]}, {"pausing": ["lunch"]}, {"severity": "urgent"},
        {"always": True, "hours": "Mon 08:00-09:00"}, {"hours": "Mon 08:00-08:01"},
        {"hours": "Mon 08:00-17:00", "open_days": ["2026-12-24"], "closed_days": ["2026-12-24"]},
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be_kept_is_refused_and_nothing_changes(world: World, ask) -> None:
    before = world.do(lambda uow: uow.company(ACME).settings)
    with pytest.raises(InvalidField) as refused:
        plan(world, **ask)
    assert refused.value.hint
    assert world.do(lambda uow: uow.company(ACME).settings) == before


def test_onboarding_takes_a_tier_and_hours(world: World) -> None:
    from siems.domain.company import CompanySettings
    from siems.wire import CompanyEdit, OnboardAsk

    ask = OnboardAsk(name="Fjord", sla="bronze", time_zone="Europe/Oslo", hours="Mon-Fri 07:00-15:00", holidays="NO")
    made = world.do(companies.onboard, world.admin, ask, VAULT, CompanySettings(), "http://here", companies=("msp",))
    assert (made.sla_plan.tier, made.sla_plan.calendar.hours) == ("bronze", "Mon-Fri 07:00-15:00")
    world.do(companies.edit, world.admin, BETA, CompanyEdit(sla="gold"), companies=(BETA,))
    world.fires(company=BETA, severity="HIGH")
    assert world.incident().clocks.resolution_due == world.clock.now() + timedelta(hours=4)


# --- holds that end early --------------------------------------------------------------------------------------


@pytest.fixture
def held(world: World, ana: Actor) -> World:
    """One signature on two servers is one incident, held for the client for three hours."""
    world.settings(strategy="signature")
    world.fires("web-1", severity="MEDIUM")
    world.act(ana, "ack")
    world.act(ana, "hold", hold_for="client", until=world.clock.now() + timedelta(hours=3))
    return world


def test_a_hold_ends_when_another_asset_joins(held: World, ana: Actor) -> None:
    due = held.incident().clocks.resolution_due
    held.passes(minutes=10)
    held.fires("web-1", tool_source="Zabbix", severity="MEDIUM")
    assert held.incident().on_hold
    held.fires("web-2", severity="MEDIUM")
    assert not held.incident().on_hold
    assert held.incident().clocks.resolution_due == due + timedelta(minutes=10)
    assert "resumed: web-2 has joined" in held.story()
    assert ana.id in held.notices("incident.resumed")
    assert "hold_end" not in held.deadlines()


def test_a_hold_that_ends_since_it_got_worse_is_told(held: World, ana: Actor) -> None:
    held.fires("web-1", severity="CRITICAL")
    assert not held.incident().on_hold
    assert "resumed: it is CRITICAL now" in held.story()
    assert ana.id in held.notices("incident.resumed")


@pytest.mark.parametrize(("reason", "goes_on"), [("client", True), ("vendor", False)])
def test_a_client_who_answers_ends_what_waits_for_them(world: World, ana: Actor, reason, goes_on) -> None:
    world.fires()
    world.act(ana, "ack")
    world.act(ana, "hold", hold_for=reason, until=world.clock.now() + timedelta(hours=3))
    gus = Actor("user-gus", "gus", Role.CLIENT, frozenset({ACME}))

    def verb(uow: Any) -> bool:
        before = uow.incidents.get(ACME, 1)
        return not incidents.answered(uow, before, gus).on_hold

    assert world.do(verb) is goes_on
    assert world.do(lambda uow: incidents.answered(uow, uow.incidents.get(ACME, 1), ana).on_hold)


def test_folding_keeps_the_earliest_opening_and_the_strictest_deadline(world: World) -> None:
    opened = world.clock.now()
    for name, severity in (("web-1", "LOW"), ("web-2", "HIGH"), ("web-3", "LOW")):
        world.fires(name, severity=severity)
        world.passes(minutes=2)
        if name == "web-2":
            strictest = world.incident("INC-2").clocks
    assert world.incident("INC-2").merged_into == 1
    survivor = world.incident("INC-1")
    assert survivor.created_at == opened
    assert (survivor.clocks.response_due, survivor.clocks.resolution_due) == (
        strictest.response_due, strictest.resolution_due,
    )  # fmt: skip


# --- causes ----------------------------------------------------------------------------------------------------


def test_resolving_what_was_missed_asks_for_a_cause_where_somebody_can_be_asked(world: World, ana: Actor) -> None:
    world.fires(severity="CRITICAL")
    world.passes(minutes=31)
    with pytest.raises(UsageError) as asked:
        world.act(ana, "resolve", note="restarted", ask_cause=True)
    assert "--cause" in asked.value.hint
    world.act(ana, "resolve", note="restarted", cause="disk", ask_cause=True)
    assert world.incident().cause == "disk"


def test_a_script_that_gives_no_cause_leaves_it_unstated(world: World, ana: Actor) -> None:
    world.fires(severity="CRITICAL")
    world.passes(minutes=31)
    world.act(ana, "resolve", note="restarted")
    assert world.incident().cause == "unstated"


def test_what_was_in_time_needs_no_cause(world: World, ana: Actor) -> None:
    world.fires()
    world.act(ana, "resolve", note="restarted", ask_cause=True)
    assert world.incident().cause is None


def test_late_is_late_before_anything_has_noticed(world: World, ana: Actor) -> None:
    world.fires(severity="CRITICAL")
    due = world.incident().clocks
    world.clock.advance(hours=5)
    with pytest.raises(UsageError):
        world.act(ana, "resolve", note="restarted", ask_cause=True)
    world.act(ana, "resolve", note="restarted")
    clocks = world.incident().clocks
    assert clocks.response_breached_at == due.response_due
    assert clocks.resolution_breached_at == due.resolution_due
