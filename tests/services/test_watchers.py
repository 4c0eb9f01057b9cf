"""Watching incidents that are not one's own."""

from __future__ import annotations

from functools import partial

import pytest

from siems.errors import Forbidden, NotFound
from siems.services import watchers
from siems.vocabulary import Role

from .world import ACME, World


def watches(world: World, actor, number: int = 1, *, on: bool = True) -> bool:
    return world.do(partial(watchers.watch, on=on), actor, ACME, number)


def subjects(world: World, user) -> list[str]:
    found = world.rows("SELECT subject FROM notification WHERE user_id = :u ORDER BY id", u=user.id)
    return [row["subject"] for row in found]


@pytest.fixture
def ana(world: World):
    return world.hire("ana", Role.TECHNICIAN, ACME)


def test_whoever_watches_hears_what_becomes_of_it_and_is_not_paged(world: World, ana) -> None:
    world.fires(severity="LOW")
    wim = world.hire("wim", Role.TECHNICIAN, ACME)
    assert watches(world, wim)
    assert not watches(world, wim)
    world.act(ana, "note", note="the  vendor\ncalls back")
    world.act(ana, "start")
    world.act(wim, "note", note="mine")
    world.act(ana, "resolve", note="done")
    assert subjects(world, wim) == [
        "ana wrote about INC-1: the vendor calls back",
        "INC-1 is ana's now: High CPU on web-1",
        "INC-1 was acknowledged by ana: High CPU on web-1",
        "INC-1 was started by ana: High CPU on web-1",
        "INC-1 was resolved by ana: High CPU on web-1",
    ]
    assert world.rows("SELECT 1 AS one FROM notification WHERE user_id = :u AND pages", u=wim.id) == []
    assert watches(world, wim, on=False)
    world.act(ana, "reopen", reason="back")
    assert not any("again" in subject or "reopened" in subject for subject in subjects(world, wim))


def test_who_is_told_anyhow_is_told_once(world: World, ana) -> None:
    mara = world.hire("mara", Role.MANAGER, ACME)
    world.fires()
    watches(world, mara)
    world.act(ana, "resolve", note="done")
    assert [s for s in subjects(world, mara) if "resolved" in s] == ["INC-1 was resolved by ana: High CPU on web-1"]


def test_deadlines_and_merges_are_heard_and_the_watch_goes_over(world: World, ana) -> None:
    world.fires()
    world.fires("db-1", "disk_full")
    wim = world.hire("wim", Role.TECHNICIAN, ACME)
    watches(world, wim, 2)
    world.act(ana, "merge", incidents=["INC-2"])
    assert "INC-2 was folded into INC-1" in subjects(world, wim)[-1]
    world.passes(hours=2)
    assert wim.id in world.notices("sla.breached")


def test_it_is_for_those_who_see_it_and_work(world: World, ana) -> None:
    world.fires()
    other = world.hire("omar", Role.TECHNICIAN, "comp-beta")
    with pytest.raises(NotFound):
        watches(world, other)
    with pytest.raises(Forbidden):
        watches(world, world.hire("carl", Role.CLIENT, ACME))
