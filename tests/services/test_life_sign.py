"""The sign of life: what a gap in it opens, once, and whom it calls."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest

from siems.clock import ManualClock, from_micros, to_micros
from siems.domain.gap import Ending, Gap
from siems.domain.reach import Contact, Notice, Planned
from siems.services import life_sign
from siems.services.life_sign import SIGN_EVERY
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, Role, Severity, State

from .world import ACME, World

KINDS = ("alive", "housekeeping", "self_audit")


@pytest.fixture
def watched(world: World) -> World:
    """siems has started, and has given its first sign."""
    world.do(life_sign.begin, companies=(MSP,))
    return world


def wakes(world: World, *, awake: bool = False) -> Gap | None:
    """What a daemon does first: looks for a gap, tells it, and gives a sign."""
    found = world.database.read_now(partial(life_sign.survey, awake=awake), world.clock.now())
    if found is None:
        world.do(life_sign.begin, companies=(MSP,))
    else:
        world.do(life_sign.report, found, companies=(MSP,))
    return found


def own(world: World) -> dict[str, datetime]:
    return world.deadlines("siems")


def told(world: World) -> list[str]:
    return [row["title"] for row in world.rows("SELECT title FROM incident WHERE company_id = 'msp' ORDER BY id")]


# --- the sign --------------------------------------------------------------------------------------------------


def test_the_first_start_finds_no_gap_and_sets_what_never_ends(world: World) -> None:
    assert wakes(world) is None
    assert set(own(world)) == set(KINDS)
    assert told(world) == []


def test_the_sign_is_given_again_each_time_it_is_due(watched: World) -> None:
    before = own(watched)["alive"]
    watched.passes(minutes=3)
    assert own(watched)["alive"] - before >= timedelta(minutes=3) - SIGN_EVERY
    assert wakes(watched) is None


def test_a_database_without_the_msp_is_let_be(world: World) -> None:
    def without(uow: UnitOfWork) -> None:
        msp = uow.memory.companies.pop(MSP)
        life_sign.begin(uow)
        life_sign.farewell(uow)
        uow.memory.companies[MSP] = msp

    world.do(without, companies=(MSP,))
    assert set(own(world)) == {"housekeeping"}


def test_a_row_of_ours_that_was_lost_or_waits_for_a_wrong_time_is_set_again(watched: World) -> None:
    def lose(uow: UnitOfWork) -> None:
        uow.deadlines.cancel("siems", "self_audit")
        uow.deadlines.set("siems", "housekeeping", uow.now + timedelta(days=2), company_id=MSP)

    watched.do(lose, companies=(MSP,))
    watched.passes(seconds=SIGN_EVERY.total_seconds())
    assert own(watched)["self_audit"] <= watched.clock.now() + timedelta(minutes=1)
    assert own(watched)["housekeeping"] <= watched.clock.now() + timedelta(hours=1)


# --- gaps ------------------------------------------------------------------------------------------------------


def test_a_crash_opens_one_incident_that_says_what_was_late(watched: World) -> None:
    for number in range(3):
        watched.fires(f"web-{number}", f"problem {number}", severity="HIGH")
    watched.clock.advance(minutes=16)
    found = wakes(watched)
    assert found is not None
    assert (found.ending, dict(found.late)) == (Ending.SUDDEN, {"escalation": 3})
    [title] = told(watched)
    assert title == "down 12:00–12:16 UTC; 3 escalations late"
    shown = watched.incident("INC-4")
    assert (shown.severity, shown.state, shown.company_id) == (Severity.HIGH, State.OPEN, MSP)
    assert any("crash" in line for line in watched.story("INC-4"))
    assert wakes(watched) is None, "it is told once"
    assert len(told(watched)) == 1
    watched.tick()
    assert all(watched.incident(f"INC-{n}").escalation_level > 1 for n in (1, 2, 3))


def test_what_was_late_fires_once(watched: World) -> None:
    watched.hire("mara", Role.MANAGER, ACME)
    watched.fires()
    watched.clock.advance(minutes=16)
    wakes(watched)
    watched.tick()
    watched.tick()
    assert watched.count("timeline", "kind = 'escalation' AND incident_id = 1") == 1


def test_nobody_is_woken_by_a_gap_in_which_nothing_critical_was_late(watched: World) -> None:
    watched.fires(severity="HIGH")
    watched.clock.advance(minutes=16)
    wakes(watched)
    assert watched.incident("INC-2").escalates_at is None
    assert "escalation" not in watched.deadlines("INC-2")
    assert watched.notices("incident.opened", "INC-2") == {"user-root"}


def test_a_gap_in_which_something_critical_was_late_is_paged_until_somebody_answers(watched: World) -> None:
    watched.fires(severity="CRITICAL")
    watched.clock.advance(minutes=6)
    found = wakes(watched)
    assert found is not None
    assert found.critical
    shown = watched.incident("INC-2")
    assert shown.severity is Severity.HIGH
    assert shown.escalates_at is not None


def test_an_orderly_stop_in_which_nothing_was_due_is_said_calmly(watched: World) -> None:
    watched.do(life_sign.farewell, companies=(MSP,))
    watched.clock.advance(minutes=8)
    found = wakes(watched)
    assert found is not None
    assert found.calm
    assert told(watched) == []
    [notice] = watched.rows("SELECT user_id, subject FROM notification WHERE event = 'siems.gap'")
    assert notice["user_id"] == "user-root"
    assert "siems was stopped: down 12:00–12:08 UTC" in notice["subject"]
    assert watched.count("audit_entry", "action = 'siems.gap'") == 1


def test_an_orderly_stop_in_which_something_was_late_is_an_incident(watched: World) -> None:
    watched.fires()
    watched.do(life_sign.farewell, companies=(MSP,))
    watched.clock.advance(minutes=16)
    wakes(watched)
    assert told(watched) == ["down 12:00–12:16 UTC; 1 escalation late"]
    assert any("was stopped" in line for line in watched.story("INC-2"))


def test_a_process_that_stood_still_says_so(watched: World) -> None:
    watched.clock.advance(minutes=2)
    found = wakes(watched, awake=True)
    assert found is not None
    assert found.ending is Ending.STALLED
    assert any("stood still" in line for line in watched.story("INC-1"))


def test_of_two_daemons_that_find_the_same_gap_one_tells_it(watched: World) -> None:
    watched.clock.advance(minutes=5)
    both = [
        watched.database.read_now(partial(life_sign.survey, awake=True), watched.clock.now()) for _ in range(2)
    ]  # fmt: skip
    numbers = [watched.do(life_sign.report, found, companies=(MSP,)) for found in both]
    assert numbers == [1, None]
    assert len(told(watched)) == 1


def test_each_gap_is_an_incident_of_its_own_and_ends_by_a_person(watched: World) -> None:
    for _ in range(3):
        watched.clock.advance(minutes=2)
        wakes(watched)
    assert len(told(watched)) == 3
    watched.act(watched.admin, "resolve", "INC-2", note="the host was rebooted", company=MSP)
    assert [watched.incident(f"INC-{n}").state for n in (1, 2, 3)] == [State.OPEN, State.RESOLVED, State.OPEN]
    watched.restart()
    assert watched.fires(company=MSP)["incident_id"] == "INC-4"


def test_messages_on_their_way_are_unknown_and_those_that_wait_are_late(watched: World) -> None:
    for number in range(4):
        watched.fires(f"web-{number}", f"problem {number}", severity="LOW")

    def on_the_way(uow: UnitOfWork) -> None:
        phone = Contact("CON-1", "user-root", "sms", "...0100")
        for number in (1, 2, 3):
            notice = Notice(
                key=f"x:{number}", event="incident.opened", object=f"INC-{number}", company_id=ACME,
                severity=Severity.LOW, subject="it broke",
            )  # fmt: skip
            uow.messages.add("user-root", notice, Planned(phone, "default", uow.now, "for a test"))
        uow.flush()
        lease = to_micros(uow.now + timedelta(hours=1))
        uow.run("UPDATE message SET state = 'sending', next_at = ? WHERE object = 'INC-1'", [(lease,)])

    watched.do(on_the_way, companies=(MSP,))
    watched.clock.advance(minutes=2)
    wakes(watched)
    assert told(watched) == ["down 12:00–12:02 UTC; 2 messages late; 1 message unknown"]


# --- who is silent since ---------------------------------------------------------------------------------------


def heard(world: World, *, ago: timedelta, tool: str = "generic", company: str = ACME) -> None:
    """An integration of this company was heard so long ago."""
    [row] = world.rows("SELECT id FROM integration WHERE company_id = :c AND tool = :t", c=company, t=tool)
    seen = to_micros(world.clock.now() - ago)

    def see(uow: UnitOfWork) -> None:
        uow.run("DELETE FROM sighting WHERE integration_id = ?", [(row["id"],)])
        uow.run(
            "INSERT INTO sighting (integration_id, company_id, at, kind, detail, refused_at, cause)"
            " VALUES (?, ?, ?, 'alert', '', NULL, '')",
            [(row["id"], company, seen)],
        )

    world.do(see, companies=(MSP,))


def test_who_was_sending_before_and_is_not_heard_again_is_named_some_minutes_later(watched: World) -> None:
    heard(watched, ago=timedelta(minutes=2))
    heard(watched, ago=timedelta(hours=3), company="comp-beta")
    watched.clock.advance(minutes=8)
    wakes(watched)
    assert "silent" not in told(watched)[0]
    watched.passes(minutes=5)
    assert told(watched) == ["down 12:00–12:08 UTC; silent since: generic/acme"]
    assert watched.story("INC-1")[-1].startswith("not heard since: generic/acme")


def test_who_is_heard_again_is_not_named(watched: World) -> None:
    heard(watched, ago=timedelta(minutes=2))
    watched.clock.advance(minutes=8)
    wakes(watched)
    watched.clock.advance(minutes=1)
    heard(watched, ago=timedelta(0))
    watched.passes(minutes=5)
    assert told(watched) == ["down 12:00–12:08 UTC"]
    assert "has been heard again" in watched.story("INC-1")[-1]


def test_after_a_calm_stop_only_those_who_are_silent_are_told(watched: World) -> None:
    heard(watched, ago=timedelta(minutes=2))
    watched.do(life_sign.farewell, companies=(MSP,))
    watched.clock.advance(minutes=8)
    wakes(watched)
    watched.passes(minutes=5)
    [notice] = watched.rows("SELECT subject FROM notification WHERE event = 'siems.silent_since'")
    assert notice["subject"].endswith("silent since: generic/acme")


# --- a wall clock that another start believes (R8) ----------------------------------------------------------


@pytest.mark.parametrize("hours", [1, 24])
def test_a_clock_that_is_ahead_after_a_restart_fires_what_is_late_once(watched: World, hours: int) -> None:
    watched.hire("mara", Role.MANAGER, ACME)
    watched.fires(severity="CRITICAL")
    watched.clock.advance(hours=hours)
    watched.restart()
    wakes(watched)
    watched.tick()
    levels = watched.rows("SELECT text FROM timeline WHERE kind = 'escalation' AND incident_id = 1")
    breaches = watched.count("timeline", "kind = 'sla' AND incident_id = 1")
    watched.restart()
    wakes(watched)
    watched.tick()
    assert watched.rows("SELECT text FROM timeline WHERE kind = 'escalation' AND incident_id = 1") == levels
    assert watched.count("timeline", "kind = 'sla' AND incident_id = 1") == breaches
    assert len(told(watched)) == 1


@pytest.mark.parametrize("hours", [1, 24])
def test_a_clock_that_is_behind_after_a_restart_is_told_and_nothing_fires_twice(watched: World, hours: int) -> None:
    watched.hire("mara", Role.MANAGER, ACME)
    watched.fires(severity="HIGH")
    watched.passes(minutes=20)
    before = watched.rows("SELECT text FROM timeline WHERE incident_id = 1")
    armed = watched.deadlines("INC-1")
    watched.clock.advance(hours=-hours)
    watched.restart()
    found = wakes(watched)
    assert found is not None
    assert found.backwards
    assert told(watched)[0].startswith("the clock went back from ")
    watched.tick()
    assert watched.rows("SELECT text FROM timeline WHERE incident_id = 1") == before
    assert watched.deadlines("INC-1") == armed
    watched.passes(minutes=5)
    assert own(watched)["alive"] <= watched.clock.now() + SIGN_EVERY, "its own rows do not wait for the old time"
    _without_our_own(watched)  # a day of them would only take time
    watched.passes(hours=hours, minutes=31)
    after = watched.rows("SELECT text FROM timeline WHERE incident_id = 1 AND kind = 'escalation'")
    assert len(after) == len({row["text"] for row in after})


def _without_our_own(world: World) -> None:
    def cancel(uow: UnitOfWork) -> None:
        for kind in ("alive", "self_audit"):
            uow.deadlines.cancel("siems", kind)

    world.do(cancel, companies=(MSP,))


def test_a_sign_is_in_microseconds_and_says_whether_it_was_the_last(watched: World, clock: ManualClock) -> None:
    found = watched.database.read_now(life_sign.last_sign)
    assert found is not None
    assert (from_micros(found.at), found.stopped) == (clock.now(), False)
    watched.do(life_sign.farewell, companies=(MSP,))
    found = watched.database.read_now(life_sign.last_sign)
    assert found is not None
    assert found.stopped
