"""The inventory: discovered by alerts, known by people and imports, and never believed from an alert's text."""

from __future__ import annotations

from typing import Any

import pytest

from siems.domain.asset import Asset, Facts
from siems.errors import Conflict, Forbidden, InvalidField, NotFound
from siems.services import asset_queries, asset_tables, assets, queries
from siems.vocabulary import Role
from siems.wire import AssetDetail, AssetsImported, AssetView

from .world import ACME, BETA, World


def edit(world: World, name: str, **facts: Any) -> Asset:
    found = world.do(lambda uow: assets.edit(uow, world.admin, ACME, name, Facts(**facts)))
    assert isinstance(found, Asset)
    return found


def create(world: World, *names: str) -> None:
    for name in names:
        world.do(lambda uow, name=name: assets.create(uow, world.admin, ACME, name, Facts()))


def show(world: World, name: str, actor: Any = None) -> AssetDetail:
    return world.database.read_now(asset_queries.show_asset, actor or world.admin, ACME, name)


def listed(world: World, query: str = "", **how: Any) -> list[AssetView]:
    ask = queries.Ask(how.pop("actor", world.admin), world.clock.now(), query, **how)
    return list(world.database.read_now(asset_queries.list_assets, ask).items)


def bring(world: World, text: str, actor: Any = None) -> AssetsImported:
    rows, problems = asset_tables.read(text)
    found = world.do(
        lambda uow: assets.bring_in(uow, actor or world.admin, ACME, rows, origin="csv", problems=problems)
    )
    assert isinstance(found, AssetsImported)
    return found


# --- what alerts tell ------------------------------------------------------------------------------------------


def test_an_alert_tells_a_name_and_nothing_more(world: World) -> None:
    world.fires("web-1", labels={"critical": "true", "address": "10.0.0.7", "depends_on": "db-1", "platform": "linux"})
    found = show(world, "web-1")
    assert (found.source, found.critical, found.addresses, found.platform) == ("discovered", False, [], "")
    assert (found.depends_on, found.first_seen_at) == ([], world.clock.now())


def test_an_asset_shows_its_open_incidents_and_its_last_alert(world: World) -> None:
    world.fires("web-1", "disk_full")
    world.fires("web-1", "no_memory")
    world.fires("db-1", "slow_queries")
    found = show(world, "web-1")
    assert (found.incidents, found.open_incidents, found.last_alert) == (["INC-1", "INC-2"], 2, "ALR-2")
    world.act(world.admin, "start", "INC-1")
    world.act(world.admin, "resolve", "INC-1", note="done")
    assert show(world, "web-1").incidents == ["INC-2"]
    assert {a.name: a.open_incidents for a in listed(world)} == {"db-1": 1, "web-1": 1}


def test_when_it_was_last_seen_is_kept_to_the_minute_through_repeats_and_a_restart(world: World) -> None:
    world.fires()
    first = world.clock.now()
    world.clock.advance(seconds=30)
    world.fires()
    assert show(world, "web-1").last_seen_at == first
    later = world.clock.advance(minutes=2)
    world.fires()
    assert show(world, "web-1").last_seen_at == later
    world.restart()
    world.clock.advance(seconds=59)
    world.fires("web-1", "another_problem")
    assert show(world, "web-1").last_seen_at == later
    last = world.clock.advance(seconds=1)
    world.fires("web-1", "a_third_problem")
    assert show(world, "web-1").last_seen_at == last


# --- what people say -------------------------------------------------------------------------------------------


def test_what_is_said_is_kept_told_and_remembered(world: World) -> None:
    world.fires("web-1")
    create(world, "db-1")
    after = edit(world, "web-1", critical=True, addresses=("10.0.0.7",), depends_on=("db-1",), category="service")
    assert after.source == "by hand"
    found = show(world, "web-1")
    assert (found.critical, found.addresses, found.depends_on, found.category) == (
        True, ["10.0.0.7"], ["db-1"], "service",
    )  # fmt: skip
    assert show(world, "db-1").needed_by == ["web-1"]
    entry = world.rows("SELECT action, object FROM audit_entry WHERE action LIKE 'asset.%' ORDER BY seq")
    assert [tuple(e.values()) for e in entry] == [("asset.created", "db-1"), ("asset.edited", "web-1")]
    for _ in range(2):
        company = world.database.memory.companies[ACME]
        assert (company.assets, company.depends_on) == ({"web-1": True, "db-1": False}, {"web-1": ("db-1",)})
        world.restart()
    edit(world, "web-1", depends_on=())
    assert show(world, "db-1").needed_by == []


def test_saying_the_same_again_changes_and_records_nothing(world: World) -> None:
    world.fires("web-1")
    edit(world, "web-1", critical=True)
    before = world.count("audit_entry")
    edit(world, "web-1", critical=True)
    assert world.count("audit_entry") == before


def test_a_cycle_is_refused_and_named(world: World) -> None:
    create(world, "lb", "web", "db")
    edit(world, "lb", depends_on=("web",))
    edit(world, "web", depends_on=("db",))
    with pytest.raises(InvalidField, match="db -> lb -> web -> db"):
        edit(world, "db", depends_on=("lb",))
    with pytest.raises(InvalidField, match="web -> web"):
        edit(world, "web", depends_on=("web",))
    assert world.database.memory.companies[ACME].depends_on == {"lb": ("web",), "web": ("db",)}


def test_what_is_not_there_is_named(world: World) -> None:
    create(world, "web")
    with pytest.raises(NotFound, match="'nowhere'"):
        edit(world, "web", depends_on=("nowhere",))
    with pytest.raises(NotFound):
        edit(world, "nobody", critical=True)
    with pytest.raises(Conflict, match="known already"):
        create(world, "web")
    with pytest.raises(InvalidField, match="nothing was given"):
        edit(world, "web")


def test_an_asset_that_others_need_is_merged_and_not_deleted(world: World) -> None:
    create(world, "web", "db", "db.acme.local")
    edit(world, "web", depends_on=("db.acme.local",))
    edit(world, "db.acme.local", critical=True, platform="linux")
    with pytest.raises(Conflict, match=r"web depends on db\.acme\.local"):
        world.do(lambda uow: assets.delete(uow, world.admin, ACME, "db.acme.local"))
    world.do(lambda uow: assets.merge(uow, world.admin, ACME, "db.acme.local", "db"))
    assert (show(world, "db").critical, show(world, "db").platform, show(world, "db").needed_by) == (
        True, "linux", ["web"],
    )  # fmt: skip
    with pytest.raises(NotFound):
        show(world, "db.acme.local")
    assert world.database.memory.companies[ACME].depends_on == {"web": ("db",)}


def test_merging_cannot_make_a_cycle(world: World) -> None:
    create(world, "a", "b", "c")
    edit(world, "a", depends_on=("b",))
    edit(world, "b", depends_on=("c",))
    with pytest.raises(InvalidField, match="cycle"):
        world.do(lambda uow: assets.merge(uow, world.admin, ACME, "c", "a"))
    world.do(lambda uow: assets.merge(uow, world.admin, ACME, "b", "a"))
    assert world.database.memory.companies[ACME].depends_on == {"a": ("c",)}


def test_a_deleted_asset_comes_back_with_an_alert(world: World) -> None:
    world.fires("web-1")
    edit(world, "web-1", critical=True)
    world.do(lambda uow: assets.delete(uow, world.admin, ACME, "web-1"))
    assert listed(world) == []
    world.fires("web-1", "another_problem")
    assert (show(world, "web-1").critical, show(world, "web-1").source) == (False, "discovered")


def test_the_account_that_runbooks_would_act_in_is_for_admins(world: World) -> None:
    world.fires("web-1")
    maya = world.hire("maya", Role.MANAGER, ACME)
    world.do(lambda uow: assets.edit(uow, maya, ACME, "web-1", Facts(critical=True)))
    with pytest.raises(Forbidden):
        world.do(lambda uow: assets.edit(uow, maya, ACME, "web-1", Facts(cloud_account="123")))
    with pytest.raises(Forbidden):
        bring(world, "name,cloud_account\nweb-1,123\n", maya)
    with pytest.raises(NotFound):
        world.do(lambda uow: assets.edit(uow, maya, BETA, "web-1", Facts(critical=True)), companies=(BETA,))


def test_notes_are_for_staff(world: World) -> None:
    world.fires("web-1")
    edit(world, "web-1", notes="the key is under the mat")
    cleo = world.hire("cleo", Role.CLIENT, ACME)
    assert show(world, "web-1").notes == "the key is under the mat"
    assert show(world, "web-1", cleo).notes == ""
    assert [a.notes for a in listed(world, actor=cleo)] == [""]


# --- lists -----------------------------------------------------------------------------------------------------


def test_lists_speak_the_query_language_and_come_in_pages(world: World) -> None:
    for number in range(7):
        world.fires(f"web-{number}", f"problem {number}")
    world.fires("db-1", company=BETA)
    edit(world, "web-3", critical=True, platform="windows", addresses=("10.0.0.3",))
    assert [a.name for a in listed(world, "critical:true")] == ["web-3"]
    assert [a.name for a in listed(world, "platform:windows OR #beta")] == ["web-3", "db-1"]
    assert [a.name for a in listed(world, "10.0.0.3")] == ["web-3"]
    tom = world.hire("tom", Role.TECHNICIAN, BETA)
    assert [a.name for a in listed(world, actor=tom)] == ["db-1"]
    names, cursor = [], ""
    while True:
        page = world.database.read_now(
            asset_queries.list_assets, queries.Ask(world.admin, world.clock.now(), limit=3, cursor=cursor)
        )
        names += [a.name for a in page.items]
        assert page.total == 8
        if not (cursor := page.next or ""):
            break
    assert names == [*(f"web-{n}" for n in range(7)), "db-1"]
    with pytest.raises(InvalidField, match="cursor"):
        listed(world, cursor="nonsense")
    with pytest.raises(InvalidField, match="no field 'critcal'") as refused:
        listed(world, "critcal:true")
    assert refused.value.hint == "did you mean critical:?"


# --- tables ----------------------------------------------------------------------------------------------------

TABLE = """\
name,critical,addresses,platform,depends_on
web-1,yes,10.0.0.7; 10.0.1.7,linux,db-1;san-1
db-1,no,10.0.0.8,linux,san-1
san-1,,,network,
"""


def test_a_table_makes_and_changes_assets_and_says_what(world: World) -> None:
    world.fires("web-1")
    first = bring(world, TABLE)
    assert (first.new, first.changed, first.unchanged) == (2, 1, 0)
    assert {c.name: c.new for c in first.changes} == {"web-1": False, "db-1": True, "san-1": True}
    assert first.changes[0].fields["addresses"] == [[], ["10.0.0.7", "10.0.1.7"]]
    again = bring(world, TABLE)
    assert (again.new, again.changed, again.unchanged, again.changes) == (0, 0, 3, [])
    cleared = bring(world, "name;addresses;platform\r\nweb-1;-;\r\n")
    assert cleared.changes[0].fields == {"addresses": [["10.0.0.7", "10.0.1.7"], []]}
    found = show(world, "web-1")
    assert (found.platform, found.depends_on, found.source) == ("linux", ["db-1", "san-1"], "imported")
    assert world.count("audit_entry", "action = 'assets.imported'") == 2


@pytest.mark.parametrize(
    ("table", "problems"),
    [
        (
            "name,platform,critical,addresses\nweb-1,beos,,\nweb-2,linux,perhaps,\n,,,\nweb-3,,,10.0.0.999\nweb-4,,,,,\n",
            ["line 2: platform is one of", "line 3: critical is true or false", "line 5: '10.0.0.999'",
             "line 6: it has 6 cells"],
        ),
        ("name,depends_on\na,b\nb,c\nc,a\n", ["line 2: this would be a cycle: a -> b -> c -> a"]),
        ("name,depends_on\na,zz\n", ["line 2: a depends on 'zz', and there is no such asset"]),
        ("name,platform\nweb-1,linux\nweb-1,windows\n", ["line 3: 'web-1' stands there twice"]),
        ("name,plattform\nweb-1,linux\n", ["line 1: there is no column 'plattform': did you mean platform?"]),
        ("platform\nlinux\n", ["line 1: the column name is missing"]),
        ("name,name\na,b\n", ["line 1: the column name is there twice"]),
        ('name,notes\nweb-1,"never closed\n', ["line 2: this is no CSV"]),
        ("name,notes\n ,x\n", ["line 2: an asset's name is one line"]),
        ("", ["line 1: a header"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_line_and_nothing_is_imported(world: World, table: str, problems: list[str]) -> None:
    with pytest.raises(InvalidField) as refused:
        bring(world, table)
    said = refused.value.message.split("\n")[1:]
    assert len(said) == len(problems), said
    for line, problem in zip(said, problems, strict=True):
        assert line.startswith(problem)
    assert listed(world) == []


def test_a_list_that_is_too_long_is_refused_as_a_whole(world: World) -> None:
    rows = "".join(f"web-{n}\n" for n in range(1_001))
    with pytest.raises(InvalidField, match="too many"):
        bring(world, f"name\n{rows}")
    assert bring(world, f"name\n{rows[: rows.rindex('web-')]}").new == 1_000
    assert len(world.database.memory.companies[ACME].assets) == 1_000
