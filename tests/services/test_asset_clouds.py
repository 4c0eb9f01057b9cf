"""Instances of a cloud become assets, and are found again whatever they are called by then."""

from __future__ import annotations

import pytest

from siems.clouds import Found, Instance
from siems.domain.asset import Facts
from siems.errors import Forbidden
from siems.services import asset_clouds, asset_queries, assets
from siems.vocabulary import Role
from siems.wire import AssetDetail, AssetsImported

from .world import ACME, World


def instance(id: str, name: str, address: str = "10.0.0.1") -> Instance:
    return Instance(id=id, name=name, account="111122223333", addresses=(address,), platform="linux")


def bring(world: World, *instances: Instance) -> AssetsImported:
    found = world.do(
        lambda uow: asset_clouds.bring_in(uow, world.admin, ACME, Found("aws eu-west-1", instances, ("w",)))
    )
    assert isinstance(found, AssetsImported)
    return found


def show(world: World, name: str) -> AssetDetail:
    return world.database.read_now(asset_queries.show_asset, world.admin, ACME, name)


def test_what_alerts_have_named_is_found_by_its_name_and_what_people_said_stays(world: World) -> None:
    world.fires("web-01")
    world.do(lambda uow: assets.edit(uow, world.admin, ACME, "web-01", Facts(critical=True, notes="rack 4")))
    made = bring(world, instance("i-1", "web-01"), instance("i-2", ""))
    assert (made.new, made.changed, made.warnings) == (1, 1, ["w"])
    found = show(world, "web-01")
    assert (found.critical, found.notes, found.instance_id, found.cloud_account, found.source) == (
        True, "rack 4", "i-1", "111122223333", "imported",
    )  # fmt: skip
    assert show(world, "i-2").addresses == ["10.0.0.1"]
    assert bring(world, instance("i-1", "web-01"), instance("i-2", "")).unchanged == 2


def test_an_instance_keeps_the_name_it_has_here(world: World) -> None:
    bring(world, instance("i-1", "web-01"))
    assert bring(world, instance("i-1", "renamed", "10.0.0.9")).changed == 1
    assert show(world, "web-01").addresses == ["10.0.0.9"]


def test_instances_that_share_a_name_are_told_apart(world: World) -> None:
    made = bring(world, instance("i-1", "asg"), instance("i-2", "asg"))
    assert [c.name for c in made.changes] == ["asg (i-1)", "asg (i-2)"]
    bring(world, instance("i-3", "db"))
    again = bring(world, instance("i-3", "db"), instance("i-4", "db"))
    assert [c.name for c in again.changes] == ["db (i-4)"], "the one that is known keeps its name"


def test_the_accounts_of_the_msp_are_for_admins(world: World) -> None:
    maya = world.hire("maya", Role.MANAGER, ACME)
    with pytest.raises(Forbidden):
        world.do(lambda uow: asset_clouds.bring_in(uow, maya, ACME, Found("aws", ())))
