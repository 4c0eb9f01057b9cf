"""siems finds deadlines that are not there, and rows that nobody fires; it repairs the first and tells the second."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from siems.clock import to_micros
from siems.domain.deadlines import DueKind
from siems.errors import SiemsError
from siems.services import deadlines, life_sign, self_audit
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP

from .silencing import silence
from .world import ACME, World


def lose(world: World, object: str, kind: str) -> None:
    """A row disappears, as no verb would make it."""
    world.do(
        lambda uow: uow.run("DELETE FROM deadline WHERE object = ? AND kind = ?", [(object, kind)]), companies=(ACME,)
    )


def audit(world: World) -> list[tuple[str, str]]:
    """One look at everything, from the beginning; what was looked at again."""

    def begin(uow: UnitOfWork) -> None:
        uow.deadlines.set("siems", DueKind.SELF_AUDIT.value, uow.now, company_id=MSP)

    world.do(begin, companies=(MSP,))
    return [(object, kind) for object, kind in world.tick() if kind == "rearm"]


def repaired(world: World) -> int:
    return world.count("audit_entry", "action = 'deadline.repaired'")


def test_every_kind_that_is_derived_from_an_incident_is_looked_at() -> None:
    ours = {DueKind.ALIVE, DueKind.SELF_AUDIT, DueKind.REARM, DueKind.GAP_FOLLOW_UP, DueKind.HOUSEKEEPING}
    assert not deadlines._DERIVED & ours
    assert DueKind.ESCALATION in deadlines._DERIVED


def test_a_lost_deadline_is_set_again_at_its_time_and_told(world: World) -> None:
    world.fires()
    before = world.deadlines("INC-1")
    lose(world, "INC-1", "escalation")
    assert audit(world) == [("INC-1", "rearm")]
    assert world.deadlines("INC-1") == before
    assert "a deadline was lost and is set again: escalation" in world.story()
    assert repaired(world) == 1
    [told] = world.rows("SELECT title, severity FROM incident WHERE company_id = 'msp'")
    assert told["severity"] == 2
    assert world.rows("SELECT message FROM alert WHERE company_id = 'msp'")[0]["message"].startswith("INC-1 had lost")


def test_a_lost_deadline_whose_time_has_passed_fires_at_once(world: World) -> None:
    world.fires()
    lose(world, "INC-1", "escalation")
    world.clock.advance(minutes=16)
    audit(world)
    assert world.incident().escalation_level > 1


def test_a_row_that_comes_too_late_is_put_right_and_one_that_nobody_asks_for_goes(world: World) -> None:
    world.fires()
    before = world.deadlines("INC-1")
    late = to_micros(before["sla_response"] + timedelta(hours=1))

    def bend(uow: UnitOfWork) -> None:
        uow.run("UPDATE deadline SET due_at = ? WHERE object = ? AND kind = ?", [(late, "INC-1", "sla_response")])
        uow.deadlines.set("INC-1", "auto_close", uow.now + timedelta(hours=1), company_id=ACME)

    world.do(bend)
    audit(world)
    assert world.deadlines("INC-1") == before


def test_rows_of_a_closed_incident_go(world: World) -> None:
    world.fires()
    world.act(world.admin, "start")
    world.act(world.admin, "resolve", note="done")
    world.act(world.admin, "close")
    world.do(lambda uow: uow.deadlines.set("INC-1", "escalation", uow.now + timedelta(days=1), company_id=ACME))
    audit(world)
    assert world.deadlines("INC-1") == {}


def test_kinds_that_are_not_derived_are_let_be(world: World) -> None:
    world.fires()
    world.do(lambda uow: uow.deadlines.set("INC-1", "heartbeat", uow.now + timedelta(days=1), company_id=ACME))
    assert audit(world) == []


def test_a_lost_end_of_a_silence_is_found(world: World) -> None:
    silence(world)
    before = world.deadlines("SIL-1")
    lose(world, "SIL-1", "silence_end")
    assert audit(world) == [("SIL-1", "rearm")]
    assert world.deadlines("SIL-1") == before


def test_after_a_restart_and_for_another_daemon_it_looks_alike(world: World) -> None:
    for number in range(3):
        world.fires(f"web-{number}", f"problem {number}")
    lose(world, "INC-2", "sla_resolution")
    world.restart()
    assert audit(world) == [("INC-2", "rearm")]


@pytest.mark.parametrize("seed", range(3))
def test_whatever_people_and_alerts_do_the_rows_are_those_that_are_asked_for(world: World, seed: int) -> None:
    """Nothing is repaired that is whole: what the audit asks for is what the verbs have set."""
    chance = random.Random(seed)
    actions = ("ack", "start", "hold", "resume", "resolve", "reopen", "close", "assign", "unassign", "escalate")
    for _ in range(40):
        asset, signature = chance.choice("abcd"), chance.choice(("disk", "cpu"))
        match chance.randrange(4):
            case 0:
                world.fires(asset, signature, chance.choice(("LOW", "HIGH", "CRITICAL")))
            case 1:
                world.recovers(asset, signature)
            case 2:
                number = chance.randint(1, max(1, world.count("incident")))
                ask = {
                    "reason": "x", "note": "x", "to": "@me", "hold_for": "client",
                    "until": world.clock.now() + timedelta(hours=1),
                }  # fmt: skip
                try:
                    world.act(world.admin, chance.choice(actions), f"INC-{number}", **ask)
                except SiemsError:
                    continue
            case _:
                world.passes(minutes=chance.choice((1, 6, 40, 300)))
    assert audit(world) == []


# --- a little at a time ----------------------------------------------------------------------------------------


def test_all_are_looked_at_within_the_hour_and_no_verb_looks_at_many(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_audit, "CHUNK", 2)
    monkeypatch.setattr(self_audit, "PASSES", 4)
    for number in range(12):
        world.fires(f"web-{number}", f"problem {number}")
    seen: list[int] = []
    real = self_audit._suspects

    def watched(uow: UnitOfWork, after: int, derived: self_audit.Kinds) -> list[tuple[str, str]]:
        seen.append(after)
        return real(uow, after, derived)

    monkeypatch.setattr(self_audit, "_suspects", watched)
    lose(world, "INC-11", "escalation")
    world.do(life_sign.begin, companies=(MSP,))
    minutes = 0
    while repaired(world) == 0 and minutes < 10:
        world.passes(minutes=1)
        minutes += 1
    assert minutes <= 5
    assert seen[:6] == [0, 2, 4, 6, 8, 10]


# --- what is late ----------------------------------------------------------------------------------------------


def test_what_is_late_is_counted_with_the_oldest(world: World) -> None:
    world.fires()
    world.clock.advance(minutes=20)
    before = world.clock.now() - timedelta(minutes=1)
    found = world.database.read_now(self_audit.lateness, before)
    assert (found.deadlines, found.messages, bool(found)) == (1, 0, True)
    assert found.oldest == world.deadlines("INC-1")["escalation"]
    world.tick()
    assert not world.database.read_now(self_audit.lateness, before)


def test_somebody_works_on_it_when_there_is_less_or_the_oldest_has_gone(world: World) -> None:
    now = world.clock.now()
    one = self_audit.Lateness(5, now, 0)
    assert self_audit.Lateness(4, now, 0).better_than(one)
    assert self_audit.Lateness(9, now + timedelta(seconds=1), 0).better_than(one)
    assert not one.better_than(one)
    assert not self_audit.Lateness(6, now, 0).better_than(one)


def test_an_alarm_is_one_incident_however_often_it_is_told_and_ends(world: World) -> None:
    for number in range(3):
        world.do(self_audit.alarm, "deadlines_overdue", f"{number} deadlines are late", companies=(MSP,))
    assert world.count("incident", "company_id = 'msp'") == 1
    assert world.notices("incident.opened") == {"user-root"}
    from functools import partial

    world.do(partial(self_audit.alarm, firing=False), "deadlines_overdue", "nothing is late", companies=(MSP,))
    world.passes(minutes=6)
    assert world.incident().state.value == "RESOLVED"
