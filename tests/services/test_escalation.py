"""The chain of an incident, told as a night shift: who is asked, when, and when it ends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from siems.domain.permissions import Actor
from siems.services import companies
from siems.vocabulary import Role, State
from siems.wire import SlaPolicyAsk

from .world import ACME, BETA, World


@pytest.fixture
def ana(world: World) -> Actor:
    return world.hire("ana", Role.TECHNICIAN, ACME)


@pytest.fixture
def mara(world: World) -> Actor:
    return world.hire("mara", Role.MANAGER, ACME)


def steps(world: World) -> list[dict[str, object]]:
    """What the timeline says of each escalation."""
    import json

    rows = world.rows("SELECT at, data FROM timeline WHERE kind = 'escalation' AND data <> '{}' ORDER BY id")
    return [{"at": row["at"], **json.loads(row["data"])} for row in rows]


def test_the_opening_pages_the_technicians_of_that_company_only(world: World, ana, mara) -> None:
    world.hire("ben", Role.TECHNICIAN, BETA)
    world.fires()
    assert world.notices("incident.opened") == {ana.id}


def test_without_technicians_all_admins_are_paged_at_once(world: World, mara) -> None:
    world.fires()
    assert world.notices("incident.opened") == {world.admin.id}


def test_nobody_acknowledges_and_it_goes_to_the_manager_and_then_to_the_admin(world: World, ana, mara) -> None:
    opened = world.clock.now()
    world.fires()
    assert world.passes(minutes=15) == [("INC-1", "escalation")]
    incident = world.incident()
    assert (incident.escalation_level, incident.assignee, incident.state) == (2, mara.id, State.ASSIGNED)
    assert incident.escalated_at == opened + timedelta(minutes=15)
    assert world.notices("incident.escalated") == {mara.id}
    world.passes(minutes=29, seconds=59)
    assert world.incident().escalation_level == 2
    world.passes(seconds=1)
    incident = world.incident()
    assert (incident.escalation_level, incident.assignee) == (3, world.admin.id)
    assert incident.escalated_at == opened + timedelta(minutes=45)


def test_critical_is_faster(world: World, ana, mara) -> None:
    world.fires(severity="CRITICAL")
    world.passes(minutes=5)
    assert world.incident().escalation_level == 2
    world.passes(minutes=10)
    assert world.incident().escalation_level == 3


@pytest.mark.parametrize("severity", ["MEDIUM", "LOW"])
def test_medium_and_low_wake_nobody_before_their_sla_warning(world: World, ana, mara, severity) -> None:
    world.fires(severity=severity)
    assert "escalation" not in world.deadlines()
    assert world.passes(hours=7) == []
    assert world.incident().escalation_level == 1


def test_the_chain_repeats_twice_and_then_ends(world: World, ana, mara) -> None:
    ask = SlaPolicyAsk(severity="critical", response_seconds=36_000, resolution_seconds=36_000)
    world.do(lambda uow: companies.set_sla(uow, world.admin, ACME, ask))
    world.fires(severity="CRITICAL")
    world.passes(hours=3)
    assert [step["step"] for step in steps(world)] == [
        "1.0.1",
        "1.0.2",
        "1.1.0",
        "1.1.1",
        "1.1.2",
        "1.2.0",
        "1.2.1",
        "1.2.2",
    ]
    assert "escalation" not in world.deadlines()
    assert world.incident().escalation_level == 3


def test_each_step_fires_once_however_often_the_clock_ticks(world: World, ana, mara) -> None:
    world.fires()
    world.clock.advance(minutes=15)
    assert world.tick() == [("INC-1", "escalation")]
    assert [world.tick() for _ in range(3)] == [[], [], []]
    assert len(steps(world)) == 1


def test_a_due_row_that_was_read_twice_fires_once(world: World, ana, mara) -> None:
    from siems.services.deadlines import fire
    from siems.storage.repositories.deadlines import due_rows

    world.fires()
    world.clock.advance(minutes=15)
    [due] = world.database.read_now(due_rows, world.clock.now())
    assert [world.do(fire, due) for _ in range(2)] == [True, False]
    with world.one_batch() as jobs:
        from siems.storage.writer import Job

        world.clock.advance(minutes=30)
        [due] = world.database.read_now(due_rows, world.clock.now())
        jobs += [Job(fire, (due,), (ACME,), False, None) for _ in range(3)]
    assert sorted(job.result for job in jobs) == [False, False, True]
    assert len(steps(world)) == 2


def test_after_a_downtime_an_overdue_step_fires_once(world: World, ana, mara) -> None:
    world.fires()
    world.clock.advance(hours=1)
    world.restart()
    assert world.tick() == [("INC-1", "escalation")]
    assert world.incident().escalation_level == 2


@pytest.mark.parametrize("action", ["ack", "start"])
def test_no_unacknowledged_step_fires_after_an_ack(world: World, ana, mara, action) -> None:
    world.fires()
    world.passes(minutes=14, seconds=59)
    world.act(ana, action)
    assert "escalation" not in world.deadlines()
    world.passes(hours=1)
    assert world.incident().escalation_level == 1
    assert not steps(world)


def test_a_due_row_that_loses_the_race_against_an_ack_does_nothing(world: World, ana, mara) -> None:
    from siems.services.deadlines import fire
    from siems.storage.repositories.deadlines import due_rows

    world.fires()
    world.clock.advance(minutes=15)
    [due] = world.database.read_now(due_rows, world.clock.now())
    world.act(ana, "ack")
    assert world.do(fire, due) is False
    assert world.incident().assignee == ana.id


def test_giving_it_to_somebody_starts_the_chain_again_on_them(world: World, ana, mara) -> None:
    world.fires()
    world.passes(minutes=10)
    world.act(mara, "assign", to=ana.id)
    assert world.deadlines()["escalation"] == world.clock.now() + timedelta(minutes=15)
    world.passes(minutes=15)
    assert (world.incident().escalation_level, world.incident().assignee) == (2, mara.id)


def test_a_step_without_anyone_is_skipped_at_once_and_says_so(world: World, ana) -> None:
    world.fires()
    world.passes(minutes=15)
    assert world.incident().escalation_level == 3
    assert steps(world)[0]["skipped"] == [2]
    assert any("level 2 has nobody" in line for line in world.story())


def test_a_company_that_nobody_works_for_reaches_the_admins(world: World) -> None:
    world.fires()
    world.passes(minutes=15)
    assert world.incident().assignee == world.admin.id


def test_it_goes_to_the_manager_with_the_fewest_open_incidents(world: World, ana) -> None:
    busy, free = (world.hire(name, Role.MANAGER, ACME) for name in ("busy", "free"))
    world.fires("other", "disk_full")
    world.act(busy, "ack")
    world.fires()
    world.passes(minutes=15)
    assert world.incident("INC-2").assignee == free.id
    assert world.notices("incident.escalated", "INC-2") == {busy.id, free.id}


def test_a_breach_advances_one_step_even_after_an_ack(world: World, ana, mara) -> None:
    world.fires()
    world.act(ana, "ack")
    for _ in range(8):
        world.act(ana, "note", note="still on it")
        world.passes(hours=1)
    [step] = steps(world)
    assert (step["cause"], world.incident().escalation_level) == ("sla_breach", 2)
    assert "escalation" not in world.deadlines()


def test_a_person_escalates_with_a_reason_to_the_next_level_or_to_a_named_one(world: World, ana, mara) -> None:
    world.fires("a")
    world.fires("b", "disk_full")
    world.act(ana, "escalate", "INC-1", reason="too hard")
    assert (world.incident("INC-1").escalation_level, world.incident("INC-1").assignee) == (2, mara.id)
    world.act(ana, "escalate", "INC-2", reason="the client's boss is on the phone", level=3)
    assert world.incident("INC-2").escalation_level == 3
    assert any("boss" in line for line in world.story("INC-2"))


def test_a_level_is_never_lowered_within_a_cycle(world: World, ana, mara) -> None:
    world.fires()
    world.act(ana, "escalate", reason="x", level=3)
    world.act(ana, "escalate", reason="y", level=1)
    assert world.incident().escalation_level == 3


def test_an_escalation_is_audited_with_its_cause_and_recipients(world: World, ana, mara) -> None:
    world.fires()
    world.passes(minutes=15)
    [entry] = world.rows("SELECT actor, via, reason FROM audit_entry WHERE action = 'incident.escalated'")
    assert entry == {"actor": "system", "via": "system", "reason": "not acknowledged in time"}


def test_a_disabled_user_is_not_paged(world: World, ana, mara) -> None:
    from sqlalchemy import text

    def disable(uow):
        uow.connection.execute(text("UPDATE user_account SET disabled = true WHERE id = :i"), {"i": ana.id})
        uow.journal.drop(uow.memory.people_loaded, "msp")

    world.do(disable)
    world.fires()
    assert world.notices("incident.opened") == {world.admin.id}


def test_a_poisoned_deadline_does_not_hold_up_the_others(world: World, ana, mara) -> None:
    from sqlalchemy import text

    from siems.clock import to_micros

    world.fires()
    values = {"t": to_micros(world.clock.now())}
    columns = "object, kind, company_id, due_at, payload"
    poison = f"INSERT INTO deadline ({columns}) VALUES ('INC-x', 'escalation', 'comp-acme', :t, '{{}}')"
    world.do(lambda uow: uow.connection.execute(text(poison), values) and None)
    world.clock.advance(minutes=15)
    with pytest.raises(ValueError, match="x"):
        world.tick()
    from siems.services.deadlines import fire
    from siems.storage.repositories.deadlines import due_rows

    fired = 0
    for row in world.database.read_now(due_rows, world.clock.now()):
        try:
            fired += world.do(fire, row)
        except ValueError:
            continue
    assert fired == 1
    assert world.incident().escalation_level == 2
