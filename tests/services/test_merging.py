"""Merging and splitting by people: what the survivor takes over, what is cancelled, and how it is taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from siems.domain.changing import replace
from siems.domain.permissions import Actor
from siems.errors import Conflict, Forbidden, InvalidField, NotFound, StaleVersion, UsageError
from siems.vocabulary import Role, Severity, State

from .world import ACME, BETA, World


@pytest.fixture
def ana(world: World) -> Actor:
    return world.hire("ana", Role.TECHNICIAN, ACME)


@pytest.fixture
def mara(world: World) -> Actor:
    return world.hire("mara", Role.MANAGER, ACME)


def two(world: World) -> None:
    """INC-1 about web-1, and 10 minutes later INC-2, which is worse, about db-1."""
    world.fires("web-1", "high_cpu", "HIGH")
    world.passes(minutes=10)
    world.fires("db-1", "replication_lag", "CRITICAL")


def test_the_survivor_takes_alerts_severity_and_the_strictest_deadlines(world: World, ana) -> None:
    two(world)
    one, other = world.incident("INC-1"), world.incident("INC-2")
    done = world.act(ana, "merge", incidents=["INC-2"], reason="same cable")
    assert done.changed
    after, gone = world.incident("INC-1"), world.incident("INC-2")
    assert (after.severity, after.alert_count, after.active_count) == (Severity.CRITICAL, 2, 2)
    assert set(after.assets) == {"web-1", "db-1"}
    assert after.title == "2 problems on 2 servers"
    assert after.created_at == one.created_at
    assert after.clocks.response_due == min(one.clocks.response_due, other.clocks.response_due)
    assert after.clocks.resolution_due == min(one.clocks.resolution_due, other.clocks.resolution_due)
    assert (gone.state, gone.merged_into, gone.active_count) == (State.CLOSED, 1, 0)
    assert set(world.deadlines("INC-2")) <= {"status_update"}  # which does nothing for what is closed
    assert world.rows("SELECT DISTINCT incident_id FROM alert") == [{"incident_id": 1}]
    assert world.story("INC-1")[-1] == "INC-2 was folded into this: by ana: same cable"
    assert world.story("INC-2")[-1] == "folded into INC-1: by ana: same cable"
    assert world.rows("SELECT actor FROM audit_entry WHERE action = 'incident.merged'") == [{"actor": ana.id}]


def test_merging_into_the_younger_one_keeps_the_earliest_opening(world: World, ana) -> None:
    two(world)
    opened = world.incident("INC-1").created_at
    world.act(ana, "merge", "INC-2", incidents=["INC-1"])
    assert world.incident("INC-2").created_at == opened


def test_unsent_messages_of_what_is_folded_away_are_cancelled(world: World, ana) -> None:
    two(world)
    world.act(ana, "assign", "INC-2", to="@me", undoable=True)
    world.act(ana, "merge", incidents=["INC-2"])
    held = world.rows("SELECT state FROM notification WHERE object = 'INC-2' AND next_at > created_at")
    assert {row["state"] for row in held} <= {"cancelled"}


def test_what_fires_later_finds_the_survivor_also_after_a_restart(world: World, ana) -> None:
    two(world)
    world.act(ana, "merge", incidents=["INC-2"])
    assert world.fires("db-1", "replication_lag")["incident_id"] == "INC-1"
    world.restart()
    assert world.fires("db-1", "replication_lag", tool_source="Zabbix")["incident_id"] == "INC-1"
    assert world.incident("INC-1").alert_count == 3


def test_a_breach_that_was_recorded_does_not_vanish_by_merging(world: World, ana) -> None:
    world.fires("web-1", "high_cpu", "CRITICAL")
    world.passes(minutes=31)
    world.fires("db-1", "replication_lag", "CRITICAL")
    breached = world.incident("INC-1").clocks.response_breached_at
    assert breached is not None
    world.act(ana, "merge", "INC-2", incidents=["INC-1"])
    assert world.incident("INC-2").clocks.response_breached_at == breached


def test_merging_again_changes_nothing_and_chains_are_refused(world: World, ana) -> None:
    two(world)
    world.fires("app-1", "queue_full")
    world.act(ana, "merge", incidents=["INC-2"])
    assert not world.act(ana, "merge", incidents=["INC-2"]).changed
    with pytest.raises(Conflict, match="folded into INC-1 already"):
        world.act(ana, "merge", "INC-3", incidents=["INC-2"])
    with pytest.raises(Conflict, match="folded into INC-1"):
        world.act(ana, "merge", "INC-2", incidents=["INC-3"])


@pytest.mark.parametrize("which", ["INC-1", "INC-2"])
def test_what_is_over_is_not_merged(world: World, ana, which) -> None:
    two(world)
    world.act(ana, "resolve", which, note="done")
    with pytest.raises(Conflict, match=f"{which} is RESOLVED"):
        world.act(ana, "merge", incidents=["INC-2"])


def test_incidents_of_two_clients_are_never_merged(world: World, ana) -> None:
    world.fires()
    world.fires(company=BETA)
    with pytest.raises(NotFound):
        world.act(ana, "merge", incidents=["INC-2"])
    with pytest.raises(Conflict, match="another client") as refused:
        world.act(world.admin, "merge", incidents=["INC-2"])
    assert "siems parent create" in refused.value.hint
    both = world.hire("bo", Role.MANAGER, ACME, BETA)
    with pytest.raises(Conflict) as refused:
        world.act(both, "merge", incidents=["INC-2"])
    assert "parent" not in refused.value.hint


def test_what_cannot_be_meant_is_refused(world: World, ana) -> None:
    two(world)
    with pytest.raises(UsageError):
        world.act(ana, "merge")
    with pytest.raises(InvalidField, match="into itself"):
        world.act(ana, "merge", incidents=["INC-1"])
    with pytest.raises(NotFound):
        world.act(ana, "merge", incidents=["INC-77"])
    with pytest.raises(StaleVersion):
        world.act(ana, "merge", incidents=["INC-2"], version=9)
    carl = world.hire("carl", Role.CLIENT, ACME)
    with pytest.raises(Forbidden):
        world.act(carl, "merge", incidents=["INC-2"])


def test_a_hold_ends_when_something_worse_is_merged_in(world: World, ana) -> None:
    two(world)
    world.act(ana, "ack")
    world.act(ana, "hold", hold_for="client", until=world.clock.now() + timedelta(hours=2))
    world.act(ana, "merge", incidents=["INC-2"])
    assert not world.incident("INC-1").on_hold


# --- undo ------------------------------------------------------------------------------------------------------

SAME = (
    "title", "severity", "state", "assets", "asset_count", "tool_sources", "alert_count", "active_count", "clocks",
    "created_at", "escalates_at", "merged_into", "assignee", "position", "escalation_level", "recovered_at",
)  # fmt: skip


def as_it_was(before, after) -> None:
    assert {n: getattr(after, n) for n in SAME} == {n: getattr(before, n) for n in SAME}


def test_an_undo_of_a_merge_brings_both_back_with_their_deadlines(world: World, ana) -> None:
    two(world)
    before = {ref: (world.incident(ref), world.deadlines(ref)) for ref in ("INC-1", "INC-2")}
    world.clock.advance(seconds=1)
    done = world.act(ana, "merge", incidents=["INC-2"])
    assert done.undo_until == world.clock.now() + timedelta(seconds=10)
    world.clock.advance(seconds=5)
    world.act(ana, "undo")
    for ref, (old, armed) in before.items():
        as_it_was(old, world.incident(ref))
        assert world.deadlines(ref) == armed
    assert world.rows("SELECT id, incident_id FROM alert ORDER BY id") == [
        {"id": 1, "incident_id": 1}, {"id": 2, "incident_id": 2},
    ]  # fmt: skip
    assert world.fires("db-1", "replication_lag", tool_source="Zabbix")["incident_id"] == "INC-2"
    assert world.fires("web-1", "high_cpu", tool_source="Zabbix")["incident_id"] == "INC-1"


def test_repeats_between_merge_and_undo_are_kept_where_they_belong(world: World, ana) -> None:
    two(world)
    world.act(ana, "merge", incidents=["INC-2"])
    world.fires("db-1", "replication_lag", "CRITICAL")
    world.act(ana, "undo")
    assert (world.incident("INC-1").repeat_count, world.incident("INC-2").repeat_count) == (0, 1)


def test_nobody_else_and_nobody_later_takes_a_merge_back(world: World, ana, mara) -> None:
    two(world)
    world.act(ana, "merge", incidents=["INC-2"])
    with pytest.raises(Conflict, match="nothing of yours"):
        world.act(mara, "undo")
    world.clock.advance(seconds=11)
    with pytest.raises(Conflict, match="nothing of yours"):
        world.act(ana, "undo")


# --- split -----------------------------------------------------------------------------------------------------


def grouped(world: World, ana: Actor) -> None:
    two(world)
    world.act(ana, "merge", incidents=["INC-2"])


def test_a_split_makes_one_of_its_own_with_the_same_owner_and_clocks(world: World, ana) -> None:
    grouped(world, ana)
    world.act(ana, "ack")
    before = world.incident("INC-1")
    done = world.act(ana, "split", alerts=["ALR-2"], reason="another cause")
    assert done.other is not None
    assert done.other.id == 3
    after, part = world.incident("INC-1"), world.incident("INC-3")
    assert (after.alert_count, after.active_count, after.assets) == (1, 1, ("web-1",))
    assert after.title == "High CPU on web-1"
    assert (part.alert_count, part.assets, part.title) == (1, ("db-1",), "Replication lag on db-1")
    assert (part.assignee, part.state, part.clocks) == (before.assignee, before.state, before.clocks)
    assert (after.related, part.related) == ((3,), (1,))
    assert set(world.deadlines("INC-3")) == set(world.deadlines("INC-1"))
    assert world.story("INC-1")[-1] == "1 alert split out as INC-3: another cause"
    assert world.story("INC-3")[-1] == "split from INC-1 with 1 alert: another cause"
    assert {r["action"] for r in world.rows("SELECT action FROM audit_entry")} >= {
        "incident.split", "incident.opened_by_split",
    }  # fmt: skip


def test_what_fires_later_finds_the_part_also_after_a_restart(world: World, ana) -> None:
    grouped(world, ana)
    world.act(ana, "split", alerts=["ALR-2"])
    assert world.fires("db-1", "replication_lag")["incident_id"] == "INC-3"
    world.restart()
    assert world.fires("db-1", "replication_lag", tool_source="Zabbix")["incident_id"] == "INC-3"
    assert world.fires("web-1", "high_cpu", tool_source="Zabbix")["incident_id"] == "INC-1"


def test_a_less_severe_part_gets_the_time_of_its_own_severity_from_the_opening(world: World, ana) -> None:
    two(world)
    world.act(ana, "merge", "INC-2", incidents=["INC-1"])
    survivor = world.incident("INC-2")
    world.act(ana, "split", "INC-2", alerts=["ALR-1"])
    part = world.incident("INC-3")
    assert part.severity is Severity.HIGH
    assert part.clocks.resolution_due == survivor.created_at + timedelta(hours=8)
    assert world.incident("INC-2").severity is Severity.CRITICAL


def test_a_part_of_alerts_that_are_over_resolves_by_itself(world: World, ana) -> None:
    grouped(world, ana)
    world.recovers("db-1", "replication_lag")
    world.act(ana, "split", alerts=["ALR-2"])
    world.passes(minutes=6)
    assert world.incident("INC-3").state is State.RESOLVED
    assert world.incident("INC-1").open


def test_a_split_that_cannot_be_is_refused(world: World, ana) -> None:
    grouped(world, ana)
    world.fires("app-1", "queue_full")
    with pytest.raises(InvalidField, match="ALR-3 is no alert of INC-1"):
        world.act(ana, "split", alerts=["ALR-3"])
    with pytest.raises(Conflict, match="nothing would be left"):
        world.act(ana, "split", alerts=["ALR-1", "ALR-2"])
    with pytest.raises(UsageError):
        world.act(ana, "split")


def test_an_undo_of_a_split_joins_both_again(world: World, ana) -> None:
    grouped(world, ana)
    before, armed = world.incident("INC-1"), world.deadlines("INC-1")
    world.act(ana, "split", alerts=["ALR-2"])
    world.clock.advance(seconds=3)
    world.act(ana, "undo")
    as_it_was(before, world.incident("INC-1"))
    assert world.deadlines("INC-1") == armed
    assert world.incident("INC-3").merged_into == 1
    assert world.fires("db-1", "replication_lag", tool_source="Zabbix")["incident_id"] == "INC-1"
    rules = [row["rule"] for row in world.rows("SELECT rule FROM alert ORDER BY id")]
    assert "split" not in rules


def test_a_split_is_undone_later_by_merging_back(world: World, ana) -> None:
    grouped(world, ana)
    world.act(ana, "split", alerts=["ALR-2"])
    world.passes(minutes=5)
    world.act(ana, "merge", incidents=["INC-3"])
    after = world.incident("INC-1")
    assert (after.alert_count, after.related) == (2, ())


def test_actions_of_the_view_name_them(world: World, ana) -> None:
    from siems.domain.lifecycle import available

    grouped(world, ana)
    actions = {action.value for action in available(world.incident("INC-1"), ana)}
    assert {"merge", "split", "edit"} <= actions
    assert "severity" not in actions
    assert "split" not in {a.value for a in available(replace(world.incident("INC-1"), alert_count=1), ana)}
