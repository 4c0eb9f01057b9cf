"""What people change beside the state: severity and title, and what they may do now."""

from __future__ import annotations

from datetime import timedelta

import pytest

from siems.domain.permissions import Actor
from siems.errors import Forbidden, InvalidField, UsageError
from siems.vocabulary import Role, Severity

from .world import ACME, World


@pytest.fixture
def ana(world: World) -> Actor:
    return world.hire("ana", Role.TECHNICIAN, ACME)


@pytest.fixture
def mara(world: World) -> Actor:
    return world.hire("mara", Role.MANAGER, ACME)


def test_a_severity_by_hand_sticks_and_moves_the_deadlines(world: World, mara) -> None:
    world.fires(severity="LOW")
    opened = world.clock.now()
    world.passes(minutes=30)
    world.act(mara, "severity", severity="critical", reason="all users")
    after = world.incident()
    assert (after.severity, after.severity_pinned) == (Severity.CRITICAL, True)
    assert after.clocks.response_due == world.clock.now() + timedelta(minutes=30)
    assert "severity LOW -> CRITICAL, by hand: all users" in world.story()
    world.act(mara, "severity", severity="MEDIUM", reason="one user")
    after = world.incident()
    assert after.clocks.response_due == opened + timedelta(hours=8)
    world.fires(severity="CRITICAL", tool_source="Zabbix")
    assert world.incident().severity is Severity.MEDIUM
    assert not world.act(mara, "severity", severity="MEDIUM", reason="yes").changed


def test_a_lower_severity_shortens_no_deadline_and_keeps_a_breach(world: World, mara) -> None:
    world.fires(severity="CRITICAL")
    world.passes(minutes=31)
    breached = world.incident().clocks.response_breached_at
    world.act(mara, "severity", severity="HIGH", reason="calmer")
    assert world.incident().clocks.response_breached_at == breached is not None


def test_a_severity_by_hand_is_for_managers_with_a_reason_and_can_be_undone(world: World, ana, mara) -> None:
    world.fires()
    with pytest.raises(Forbidden):
        world.act(ana, "severity", severity="LOW", reason="x")
    with pytest.raises(UsageError, match="reason"):
        world.act(mara, "severity", severity="LOW")
    with pytest.raises(InvalidField, match="no severity"):
        world.act(mara, "severity", severity="AWFUL", reason="x")
    before, armed = world.incident(), world.deadlines()
    world.act(mara, "severity", severity="CRITICAL", reason="x")
    world.act(mara, "undo")
    after = world.incident()
    assert (after.severity, after.severity_pinned, after.clocks) == (before.severity, False, before.clocks)
    assert world.deadlines() == armed


def test_a_title_by_hand_stays_when_more_joins(world: World, ana) -> None:
    world.fires()
    world.act(ana, "edit", title=" VPN down ", category="network")
    assert (world.incident().title, world.incident().category.value) == ("VPN down", "network")
    for asset in ("web-2", "web-3"):
        world.fires(asset)
    assert world.incident().asset_count == 3
    assert world.incident().title == "VPN down"
    world.act(ana, "edit", category="service")
    world.act(ana, "undo")
    assert world.incident().category.value == "network"
    with pytest.raises(UsageError):
        world.act(ana, "edit")
    with pytest.raises(InvalidField):
        world.act(ana, "edit", title=" ")
