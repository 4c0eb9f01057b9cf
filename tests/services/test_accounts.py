"""Changing people: who may, what it means at once, and that nobody is locked out."""

from __future__ import annotations

from typing import Any

import pytest

from siems.domain.permissions import Actor
from siems.errors import Conflict, Forbidden, InvalidField, NotFound
from siems.services import accounts
from siems.vocabulary import MSP, Role
from siems.wire import UserChanged, UserEdit, UserView

from .world import ACME, BETA, ROOT, World


@pytest.fixture
def jon(world: World) -> Actor:
    return world.hire("jon", Role.TECHNICIAN, ACME)


@pytest.fixture
def mia(world: World) -> Actor:
    return world.hire("mia", Role.MANAGER, ACME)


def edit(world: World, who: str, by: Actor = ROOT, **what: Any) -> UserChanged:
    found = world.do(accounts.edit, by, who, UserEdit(**what), companies=(MSP,))
    assert isinstance(found, UserChanged)
    return found


def available(world: World, who: str, word: str, by: Actor) -> UserChanged:
    found = world.do(accounts.set_availability, by, who, word, companies=(MSP,))
    assert isinstance(found, UserChanged)
    return found


def show(world: World, who: str, by: Actor = ROOT) -> UserView:
    return world.database.read_now(lambda c: accounts.show(c, who, by))


def test_a_manager_sets_skills_and_hours_of_technicians_and_not_of_others(world: World, jon: Actor, mia: Actor) -> None:
    done = edit(world, "jon", mia, skills=["Network", "database", "network"], availability="busy")
    assert (done.changed, done.user.skills, done.user.availability) == (True, ["database", "network"], "busy")
    assert not edit(world, "jon", mia, skills=["network", "database"]).changed
    assert edit(world, "@me", mia, skills=["cpu"]).changed
    boss = world.hire("boss", Role.MANAGER, ACME)
    for by in (mia, jon):
        with pytest.raises(Forbidden):
            edit(world, boss.name, by, skills=["cpu"])
    with pytest.raises(Forbidden):
        edit(world, "@me", jon, skills=["cpu"])
    world.hire("sam", Role.TECHNICIAN, BETA)
    with pytest.raises(NotFound):
        edit(world, "sam", mia, skills=["cpu"])


def test_everybody_says_themselves_whether_they_are_there(world: World, jon: Actor, mia: Actor) -> None:
    assert available(world, "@me", "Away", jon).user.availability == "away"
    assert not available(world, "jon", "away", jon).changed
    assert available(world, "jon", "available", mia).changed
    with pytest.raises(Forbidden):
        available(world, "mia", "away", jon)
    with pytest.raises(InvalidField):
        available(world, "@me", "asleep", jon)


def test_what_is_no_skill_names_the_nearest(world: World, jon: Actor) -> None:
    with pytest.raises(InvalidField) as refused:
        edit(world, "jon", skills=["netwrk"])
    assert refused.value.hint == "did you mean network?"


def test_the_account_of_who_works_for_others_too_is_not_a_managers_to_change(
    world: World, jon: Actor, mia: Actor
) -> None:
    edit(world, "jon", mia, email="J@msp.example")
    assert show(world, "j@msp.example").id == jon.id
    edit(world, "jon", add_companies=["beta"])
    for what in ({"email": "x@y.example"}, {"disabled": True}):
        with pytest.raises(Forbidden, match="only an admin"):
            edit(world, "jon", mia, **what)
    with pytest.raises(Forbidden):
        world.do(accounts.reset_password, mia, "jon", "hash", companies=(MSP,))
    assert show(world, "jon", mia).companies == [ACME]
    assert show(world, "jon").companies == [ACME, BETA]


def test_a_manager_gives_and_takes_only_what_they_have(world: World, jon: Actor, mia: Actor) -> None:
    with pytest.raises(NotFound):
        edit(world, "jon", mia, add_companies=["beta"])
    edit(world, "jon", add_companies=["beta"])
    assert edit(world, "jon", mia, remove_companies=["acme"]).changed
    assert show(world, "jon").companies == [BETA]
    with pytest.raises(NotFound):
        show(world, "jon", mia)


def test_only_admins_set_roles(world: World, jon: Actor, mia: Actor) -> None:
    with pytest.raises(Forbidden):
        edit(world, "jon", mia, role="manager")
    assert edit(world, "jon", role="manager").user.role == "manager"
    with pytest.raises(InvalidField):
        edit(world, "jon", role="boss")


def test_nobody_locks_out_themselves_or_the_last_admin(world: World) -> None:
    second = world.hire("second", Role.ADMIN)
    for what in ({"disabled": True}, {"role": "client"}):
        with pytest.raises(Conflict, match="themselves"):
            edit(world, "@me", second, **what)
    edit(world, "root", second, disabled=True)
    edit(world, "root", second, disabled=False)
    edit(world, "second", disabled=True)
    with pytest.raises(Conflict, match="only admin"):
        edit(world, "root", second, role="manager")


def test_who_is_disabled_is_told_nothing_and_what_they_had_goes_on_to_others(world: World, jon: Actor) -> None:
    ana = world.hire("ana", Role.TECHNICIAN, ACME)
    world.fires("web-1")
    world.act(ROOT, "assign", to="jon")
    done = edit(world, "jon", disabled=True)
    assert (done.user.disabled, done.user.open_incidents) == (True, 1)
    world.fires("web-2", "disk_full")
    assert world.notices("incident.opened", "INC-2") == {ana.id}
    with pytest.raises(NotFound):
        world.act(ROOT, "assign", "INC-2", to="jon")
    edit(world, "jon", disabled=False)
    assert world.act(ROOT, "assign", "INC-2", to="jon").changed


def test_every_change_is_in_the_record_and_a_password_never_is(world: World, jon: Actor) -> None:
    edit(world, "jon", skills=["cpu"], reason="course")
    available(world, "@me", "away", jon)
    edit(world, "jon", role="manager")
    edit(world, "jon", disabled=True)
    world.do(accounts.reset_password, ROOT, "jon", "$argon2id$new", companies=(MSP,))
    rows = world.rows("SELECT action, actor, reason FROM audit_entry WHERE object = 'user-jon' ORDER BY seq")
    assert [(row["action"], row["actor"], row["reason"]) for row in rows][1:] == [
        ("user.edited", "user-root", "course"), ("user.availability_set", "user-jon", ""),
        ("user.role_set", "user-root", ""), ("user.disabled", "user-root", ""),
        ("user.password_reset", "user-root", ""),
    ]  # fmt: skip
    assert "argon2id" not in repr(world.rows("SELECT * FROM audit_detail"))
