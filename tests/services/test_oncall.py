"""Schedules in use: whom a client goes by, who is on call when, who stands in, who may change it."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import pytest

from siems.errors import Conflict, Forbidden, InvalidField, NotFound, StaleVersion
from siems.services import accounts, oncall_policies, oncall_views, readiness, schedules, standing_in, whatif
from siems.vocabulary import MSP, Role
from siems.wire import UserEdit, WhatIfAsk

from .rota import crew, daily, edit, make, on_call, stand_in, told
from .world import ACME, BETA, ROOT, World


def test_nobody_is_on_call_without_a_schedule(world: World) -> None:
    crew(world, "jon")
    assert on_call(world) == []


def test_the_first_member_is_on_call_at_once_and_the_next_from_the_handoff_on(world: World) -> None:
    crew(world, "jon", "sam")
    make(world, daily("jon", "sam"))
    assert on_call(world) == ["jon"]
    assert on_call(world, at=datetime(2026, 3, 11, 9, tzinfo=UTC)) == ["sam"]
    assert world.passes(hours=20, minutes=59) == []
    assert on_call(world) == ["jon"]
    assert world.passes(minutes=1) == [("sch-primary", "handoff")]
    assert on_call(world) == ["sam"]
    world.restart()
    assert on_call(world) == ["sam"]


def test_a_company_goes_by_its_settings_then_by_its_own_then_by_the_msps(world: World) -> None:
    crew(world, "jon", "sam", "ana")
    make(world, daily("jon"))
    assert (on_call(world, ACME), on_call(world, BETA)) == (["jon"], ["jon"])
    make(world, daily("sam"), company=ACME, name="own")
    assert (on_call(world, ACME), on_call(world, BETA)) == (["sam"], ["jon"])
    make(world, daily("ana"), name="second")  # two of the MSP, and none of them is the default
    assert (on_call(world, ACME), on_call(world, BETA)) == (["sam"], [])
    world.settings(ACME, oncall="second")
    world.settings(BETA, oncall="primary")
    assert (on_call(world, ACME), on_call(world, BETA)) == (["ana"], ["jon"])
    with pytest.raises(Conflict, match="sch-second is what comp-acme goes by"):
        remove_schedule(world, "sch-second")
    with pytest.raises(InvalidField):
        world.settings(BETA, oncall="sch-acme-own")
    world.settings(ACME, oncall="none")
    assert on_call(world, ACME) == ["sam"]


def remove_schedule(world: World, ref: str) -> None:
    def verb(uow: object) -> None:
        schedules.delete(uow, ROOT, ref, reason="")  # type: ignore[arg-type]

    world.do(verb, companies=(MSP,))


def test_whoever_may_not_see_a_company_is_not_on_call_for_it(world: World) -> None:
    world.hire("jon", Role.TECHNICIAN, ACME)
    make(world, daily("jon"))
    assert (on_call(world, ACME), on_call(world, BETA)) == (["jon"], [])
    ask = oncall_views.WhoAsk(at=world.clock.now(), company="beta")
    [found] = world.database.read_now(oncall_views.who, ask, ROOT)
    assert (found.user, found.pages, found.unseen) == ("user-jon", False, [BETA])
    now = world.clock.now()
    [anywhere] = world.database.read_now(oncall_views.who, oncall_views.WhoAsk(at=now), ROOT)
    assert (anywhere.pages, anywhere.unseen) == (True, [BETA])
    [shown] = world.database.read_now(oncall_views.list_schedules, ROOT, now)
    assert shown.unseen == {"user-jon": [BETA]}
    look = partial(readiness.ready, schedule="", user="", hours=24)
    [ready] = world.database.read_now(look, ROOT, now)
    access = next(check for check in ready.checks if check.name == "access")
    assert (access.ok, access.cause) == (False, f"may not see {BETA}")
    assert access.fix == f"siems user edit user-jon --add-company {BETA}"
    eve = world.hire("eve", Role.MANAGER, ACME)
    [hers] = world.database.read_now(oncall_views.list_schedules, eve, now)
    assert (hers.used_by, hers.unseen) == ([ACME], {})


def test_a_trial_says_that_the_one_on_call_is_not_paged(world: World) -> None:
    world.hire("jon", Role.TECHNICIAN, ACME)
    make(world, daily("jon"))
    asked = WhatIfAsk(company="", severity="HIGH", at=world.clock.now())
    told = [world.do(whatif.page, ROOT, company, asked, companies=(company,)).notes for company in (ACME, BETA)]
    assert told == [[], [f"jon is on call by primary and is not paged: may not see {BETA}"]]


def test_an_override_counts_from_its_start_to_its_end_and_is_told(world: World) -> None:
    crew(world, "jon", "sam")
    make(world, daily("jon"))
    stand_in(world, "sam", after=1)
    assert on_call(world) == ["jon"]
    world.passes(hours=1)
    assert on_call(world) == ["sam"]
    world.passes(hours=2)
    assert on_call(world) == ["jon"]
    [(who, subject)] = told(world, "oncall.override")
    assert (who, "root put you on call for primary: Tue 2026-03-10 13:00 UTC" in subject) == ("user-sam", True)
    assert [user for user, _ in told(world, "oncall.started")] == ["user-jon", "user-sam", "user-jon"]


def test_an_override_that_is_taken_back_while_it_is_on_ends_then(world: World) -> None:
    crew(world, "jon", "sam")
    make(world, daily("jon"))
    stand_in(world, "sam")
    world.passes(hours=1)
    assert on_call(world) == ["sam"]
    assert remove(world) is True
    assert on_call(world) == ["jon"]
    assert remove(world) is False
    rows = world.rows("SELECT user_id, ends_at - starts_at AS long FROM shift ORDER BY id")
    assert [(row["user_id"], row["long"]) for row in rows] == [
        ("user-jon", 0), ("user-sam", 3_600_000_000), ("user-jon", None),
    ]  # fmt: skip


def remove(world: World, number: int = 1, by: object = ROOT) -> bool:
    def verb(uow: object) -> bool:
        return standing_in.remove(uow, by, number, reason="")[1]  # type: ignore[arg-type]

    return bool(world.do(verb, companies=(MSP,)))


def test_what_fails_leaves_the_writer_with_the_schedule_as_it_was(world: World) -> None:
    crew(world, "jon", "sam")
    make(world, daily("jon"))

    def fails(uow: object) -> None:
        schedules.delete(uow, ROOT, "sch-primary", reason="")  # type: ignore[arg-type]
        assert uow.oncall.rota().schedules == {}  # type: ignore[attr-defined]
        raise InvalidField("no")

    with pytest.raises(InvalidField):
        world.do(fails, companies=(MSP,))
    assert on_call(world) == ["jon"]
    assert world.deadlines("sch-primary")


def test_a_shift_makes_available_and_its_end_away_unless_one_is_on_call_elsewhere(world: World) -> None:
    crew(world, "jon", "sam")
    make(world, daily("jon", "sam"))
    make(world, daily("sam", handoff="10:00"), name="second")
    world.passes(hours=21)

    def availability() -> dict[str, str]:
        rows = world.rows("SELECT name, availability FROM user_account WHERE name <> 'root'")
        return {row["name"]: row["availability"] for row in rows}

    assert availability() == {"jon": "away", "sam": "available"}
    world.passes(hours=24)
    assert availability() == {"jon": "available", "sam": "available"}


def test_shifts_that_a_daemon_slept_through_are_written_as_they_were(world: World) -> None:
    crew(world, "jon", "sam", "ana")
    make(world, daily("jon", "sam", "ana"))
    world.clock.advance(seconds=3 * 86_400)
    assert world.tick() == [("sch-primary", "handoff")]
    rows = world.rows("SELECT user_id FROM shift ORDER BY id")
    assert [row["user_id"] for row in rows] == ["user-jon", "user-sam", "user-ana", "user-jon"]
    assert told(world, "oncall.started") == [("user-jon", told(world, "oncall.started")[0][1])]
    assert world.deadlines("sch-primary")["handoff"] == datetime(2026, 3, 14, 9, tzinfo=UTC)


# --- changing a schedule ---------------------------------------------------------------------------------------


def test_a_changed_rotation_keeps_whoever_is_on_call(world: World) -> None:
    crew(world, "jon", "sam", "ana")
    make(world, daily("jon", "sam"))
    world.passes(hours=24)
    assert on_call(world) == ["sam"]
    edit(world, layers=[daily("ana", "jon", "sam", name="layer 1")])
    assert on_call(world) == ["sam"]
    world.passes(hours=24)
    assert on_call(world) == ["ana"]
    edit(world, layers=[daily("jon", name="layer 1")])
    assert on_call(world) == ["jon"]
    with pytest.raises(StaleVersion):
        edit(world, name="x", version=1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rotation": "fortnightly"}, "is no rotation"),
        ({"handoff": "mon 09:00"}, "only weekly rotations"),
        ({"handoff": "9 o'clock"}, "cannot be read"),
        ({"members": []}, "needs members"),
        ({"members": ["nobody"]}, "cannot be on call here"),
        ({"members": ["gus"]}, "cannot be on call here"),
        ({"restrictions": ["mon-fry 09:00-17:00"]}, "cannot be read"),
        ({"start": "soon"}, "no date"),
        ({"end": "2026-01-01"}, "before it begins"),
        ({"rotation": "400d"}, "a turn lasts"),
    ],
)
def test_a_layer_that_cannot_be_says_why(world: World, change: dict[str, object], words: str) -> None:
    crew(world, "jon")
    world.hire("gus", Role.CLIENT, ACME)
    with pytest.raises(InvalidField, match=words):
        make(world, daily("jon", **change) if "members" not in change else daily(*change["members"]))  # type: ignore[misc]
    with pytest.raises(InvalidField, match="time zone"):
        make(world, daily("jon"), time_zone="Mars/Olympus")
    assert world.count("schedule") == 0


# --- who may ---------------------------------------------------------------------------------------------------


def test_schedules_are_for_managers_and_those_of_the_msp_for_admins(world: World) -> None:
    [jon] = crew(world, "jon")
    mia = world.hire("mia", Role.MANAGER, ACME)
    make(world, daily("jon"), by=mia, company=ACME)
    with pytest.raises(NotFound):
        make(world, daily("jon"), by=mia)
    with pytest.raises(NotFound):
        make(world, daily("jon"), by=mia, company=BETA)
    with pytest.raises(Forbidden):
        make(world, daily("jon"), by=jon, company=ACME, name="other")
    make(world, daily("jon"))
    with pytest.raises(Forbidden):
        edit(world, by=mia, name="mine")


def test_a_technician_stands_in_for_others_and_puts_nobody_else_on_call(world: World) -> None:
    jon, sam = crew(world, "jon", "sam")
    ana = world.hire("ana", Role.TECHNICIAN, ACME)
    mia = world.hire("mia", Role.MANAGER, ACME)
    make(world, daily("jon", "sam"))
    stand_in(world, "@me", by=sam)
    with pytest.raises(Forbidden):
        stand_in(world, "sam", by=jon)
    for stranger in (ana, mia):  # not one of its members
        with pytest.raises(Forbidden, match="of the MSP"):
            stand_in(world, "@me", by=stranger)
    make(world, daily("jon"), company=ACME, name="own")
    stand_in(world, "@me", by=ana, schedule="sch-acme-own")
    stand_in(world, "sam", by=mia, schedule="sch-acme-own")
    with pytest.raises(Forbidden):
        remove(world, 2, by=sam)
    assert remove(world, 2, by=ana)
    with pytest.raises(NotFound):
        stand_in(world, "@me", by=world.hire("bo", Role.MANAGER, BETA), schedule="sch-acme-own")


# --- swaps -----------------------------------------------------------------------------------------------------


def who_by(world: World, reader: object, **ask: str) -> list[tuple[int, str, str]]:
    asked = oncall_views.WhoAsk(at=world.clock.now(), **ask)
    found = world.database.read_now(oncall_policies.who, asked, reader)
    return [(line.level, line.target, line.user.removeprefix("user-")) for line in found]


def test_whom_each_step_of_a_policy_reaches(world: World) -> None:
    jon, _ = crew(world, "jon", "sam")
    world.hire("mia", Role.MANAGER, ACME)
    nobody_scheduled = who_by(world, jon, policy="default", company="acme")
    assert nobody_scheduled[:2] == [(1, "owner", "jon"), (1, "owner", "sam")]
    make(world, daily("sam"))
    assert who_by(world, jon, policy="default", company="acme") == [
        (1, "owner", "sam"), (2, "manager", "mia"), (3, "admin", "root"),
    ]  # fmt: skip
    with pytest.raises(NotFound):
        who_by(world, world.hire("eve", Role.TECHNICIAN, BETA), policy="default", company="acme")
    with pytest.raises(Forbidden):
        who_by(world, world.hire("carol", Role.CLIENT, ACME), policy="default", company="acme")


def test_who_is_next_hears_when_the_one_on_call_goes_away(world: World) -> None:
    jon, sam = crew(world, "jon", "sam")
    make(world, daily("jon", "sam"))
    world.do(accounts.set_availability, sam, "@me", "away", companies=(MSP,))
    assert told(world, "oncall.absent") == [], "sam has no shift"
    world.do(accounts.set_availability, jon, "@me", "away", companies=(MSP,))
    [(user, subject)] = told(world, "oncall.absent")
    assert user == sam.id
    assert subject.startswith("jon is away, on call for primary until 2026-03-11T09:00:00Z; you are next.")


def test_who_is_next_hears_when_the_one_on_call_leaves_and_admins_where_nobody_is_next(world: World) -> None:
    _, sam = crew(world, "jon", "sam")
    make(world, daily("jon", "sam"))
    world.do(accounts.edit, ROOT, "jon", UserEdit(disabled=True), companies=(MSP,))
    assert [user for user, _ in told(world, "oncall.absent")] == [sam.id]
    edit(world, layers=[daily("sam")])
    world.do(accounts.edit, ROOT, "sam", UserEdit(disabled=True), companies=(MSP,))
    assert told(world, "oncall.absent")[-1][0] == ROOT.id
