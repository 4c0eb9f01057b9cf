"""Incidents that people open themselves."""

from __future__ import annotations

import pytest

from siems.errors import Conflict, Forbidden, InvalidField, NotFound
from siems.services import opening
from siems.vocabulary import Role, Severity, State
from siems.wire import IncidentAsk

from .world import ACME, World


def opens(world: World, actor, company: str = ACME, **ask):
    return world.do(opening.create, actor, company, IncidentAsk(company=company, **ask))


def test_it_runs_like_any_other(world: World) -> None:
    ana = world.hire("ana", Role.TECHNICIAN, ACME)
    ben = world.hire("ben", Role.TECHNICIAN, ACME)
    world.hire("mara", Role.MANAGER, ACME)
    made = opens(world, ana, title="UPS  on battery", severity="high", category="hardware", note="smells of smoke")
    assert (made.title, made.severity, made.severity_pinned) == ("UPS on battery", Severity.HIGH, True)
    assert set(world.deadlines("INC-1")) >= {"sla_response", "sla_resolution", "escalation"}
    assert ben.id in world.notices("incident.opened")
    assert world.story() == ["opened by ana", "smells of smoke"]
    world.restart()
    world.passes(minutes=16)
    assert world.incident().escalation_level == 2
    world.act(ana, "resolve", note="new fuse")
    world.passes(hours=73)
    assert world.incident().state is State.CLOSED


def test_it_may_be_given_to_somebody_at_once(world: World) -> None:
    mara = world.hire("mara", Role.MANAGER, ACME)
    ana = world.hire("ana", Role.TECHNICIAN, ACME)
    made = opens(world, mara, title="x", to=ana.id, note="look at it, please")
    assert (made.assignee, made.state, made.severity) == (ana.id, State.ASSIGNED, Severity.MEDIUM)
    with pytest.raises(Forbidden):
        opens(world, ana, title="x", to=mara.id)
    assert world.count("incident") == 1


def test_an_alert_that_waits_gets_its_incident(world: World) -> None:
    ana = world.hire("ana", Role.TECHNICIAN, ACME)
    world.settings(min_alerts=3)
    assert world.fires()["incident_id"] is None
    made = opens(world, ana, alert="ALR-1")
    assert (made.title, made.alert_count) == ("High CPU on web-1", 1)
    assert world.fires(tool_source="Zabbix")["incident_id"] == "INC-1"
    with pytest.raises(InvalidField, match="the alert's"):
        opens(world, ana, alert="ALR-1", severity="LOW")
    with pytest.raises(Conflict, match="is in INC-1"):
        opens(world, ana, alert="ALR-1")
    with pytest.raises(NotFound):
        opens(world, ana, alert="ALR-99")


def test_what_cannot_be_is_refused(world: World) -> None:
    ana = world.hire("ana", Role.TECHNICIAN, ACME)
    carl = world.hire("carl", Role.CLIENT, ACME)
    for ask in ({}, {"title": " "}, {"title": "t" * 201}, {"title": "x", "severity": "BAD"}):
        with pytest.raises(InvalidField):
            opens(world, ana, **ask)
    with pytest.raises(Forbidden):
        opens(world, carl, title="x")
