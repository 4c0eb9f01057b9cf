"""Searching: what is found where, by whom, and what no query can do."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from siems.errors import Forbidden, UsageError
from siems.services.search import search
from siems.services.search_feed import collect, store
from siems.vocabulary import MSP, Role
from siems.wire import SearchAnswer

from .world import ACME, BETA, World


def feed(world: World) -> int:
    """Let the index take everything; in how many looks."""
    for looks in range(10_000):
        found = world.database.read_now(collect)
        if not found.moved:
            return looks
        assert len(found.docs) <= 500
        world.do(store, found, companies=(MSP,))
    raise AssertionError("it never ends")


def look(world: World, actor, query: str, *kinds: str, limit: int = 50) -> SearchAnswer:
    def work(connection):
        return search(connection, actor, query, kinds=kinds, limit=limit)

    return world.database.read_now(work)


def ids(world: World, actor, query: str, *kinds: str) -> list[str]:
    return [f"{hit.type}:{hit.id}" for hit in look(world, actor, query, *kinds).items]


@pytest.fixture
def ana(world: World):
    return world.hire("ana", Role.TECHNICIAN, ACME)


@pytest.fixture
def told(world: World, ana):
    """Acme's VPN is down and noted, Beta's disk is full."""
    world.fires("vpn-gw-01", "tunnel_down", message="IPsec to Tromsø lost", labels={"rack": "R9"})
    world.fires("san-1", "disk_full", company=BETA, message="IPsec is fine, the disk is not")
    world.act(ana, "note", note="provider ticket ref 8812 is open")
    world.act(ana, "note", note="we are looking into it", public=True)
    world.act(ana, "resolve", note="exchanged the flux capacitor")
    feed(world)
    return ana


def test_words_are_found_wherever_they_are(world: World, told) -> None:
    root = world.admin
    assert ids(world, root, "tunnel") == ["incident:INC-1", "alert:ALR-1"]
    assert ids(world, root, "IPSEC", "alert") == ["alert:ALR-2", "alert:ALR-1"]
    assert ids(world, root, "tromso", "alert") == ["alert:ALR-1"]
    assert ids(world, root, '"ref 8812"') == ["note:INC-1"]
    assert ids(world, root, '"8812 ref"') == []
    assert ids(world, root, "r9", "alert") == ["alert:ALR-1"]
    assert ids(world, root, "capacitor", "incident") == ["incident:INC-1"]
    assert ids(world, root, "INC-1", "incident") == ["incident:INC-1"]
    assert ids(world, root, "vpn-gw-01", "alert") == ["alert:ALR-1"]
    assert ids(world, root, "tun*", "alert") == ["alert:ALR-1"]
    assert ids(world, root, "ipsec -disk", "alert") == ["alert:ALR-1"]
    assert ids(world, root, "incident.resolved", "audit")[0].startswith("audit:comp-acme/")


def test_nothing_of_another_client_is_found_nor_counted(world: World, told) -> None:
    assert ids(world, told, "ipsec") == ["alert:ALR-1"]
    assert not look(world, told, "disk").items
    assert not look(world, told, "disk").more
    nobody = world.hire("nob", Role.TECHNICIAN)
    assert not look(world, nobody, "ipsec").items


def test_a_client_finds_public_texts_only_and_learns_nothing_of_others(world: World, told) -> None:
    carl = world.hire("carl", Role.CLIENT, ACME)
    assert ids(world, carl, "ipsec") == ["alert:ALR-1"]
    assert ids(world, carl, "looking") == ["note:INC-1"]
    for inner in ("8812", "capacitor", "r9", "rack", "acknowledged"):
        assert not look(world, carl, inner).items, inner
    assert "capacitor" not in str(look(world, carl, "tunnel", "incident").items)
    with pytest.raises(Forbidden):
        look(world, carl, "x", "audit")


def test_a_technician_finds_only_their_own_acts_in_the_audit_log(world: World, told) -> None:
    ben = world.hire("ben", Role.TECHNICIAN, ACME)
    mara = world.hire("mara", Role.MANAGER, ACME)
    world.act(ben, "reopen", reason="lights are out")
    feed(world)
    assert len(ids(world, ben, "lights", "audit")) == 1
    assert ids(world, told, "lights", "audit") == []
    assert len(ids(world, mara, "lights", "audit")) == 1


def test_what_changes_is_found_as_it_is_now(world: World, told) -> None:
    world.act(told, "reopen", reason="again")
    world.act(told, "edit", title="Crossed wires")
    feed(world)
    assert ids(world, told, "crossed", "incident") == ["incident:INC-1"]
    assert ids(world, told, "IPsec", "incident") == []
    assert world.count("search_doc", "kind = 'incident' AND object = 'INC-1'") == 1


def test_a_note_that_was_taken_back_is_not_found(world: World, told) -> None:
    world.act(told, "note", note="a regrettable word")
    feed(world)
    assert ids(world, told, "regrettable") == ["note:INC-1"]
    world.act(told, "undo")
    feed(world)
    assert ids(world, told, "regrettable") == []


def test_what_was_there_before_the_index_is_taken_in(world: World, told) -> None:
    for table in ("search_doc", "search_mark"):
        world.do(lambda uow, name=table: uow.connection.exec_driver_sql(f"DELETE FROM {name}"), companies=(MSP,))
    assert ids(world, told, "ipsec") == []
    feed(world)
    assert ids(world, told, "ipsec") == ["alert:ALR-1"]
    assert ids(world, told, "8812") == ["note:INC-1"]
    assert feed(world) == 0


def test_two_daemons_store_each_text_once(world: World) -> None:
    feed(world)
    world.fires()
    one, other = world.database.read_now(collect), world.database.read_now(collect)
    assert world.do(store, one, companies=(MSP,)) is True
    assert world.do(store, other, companies=(MSP,)) is False
    feed(world)
    assert world.count("search_doc", "kind = 'alert'") == 1


def test_the_newest_come_first_and_more_is_said(world: World, ana) -> None:
    for number in range(7):
        world.fires(f"web-{number}", f"sig_{number}", message="needle")
        world.clock.advance(minutes=1)
    feed(world)
    found = look(world, ana, "needle", "alert", limit=3)
    assert [hit.id for hit in found.items] == ["ALR-7", "ALR-6", "ALR-5"]
    assert found.more
    assert all(one.at >= other.at for one, other in pairwise(found.items))


HOSTILE = [
    '"', '""', "*", "-", "AND", "OR NOT NEAR(", "body : x", "{scope} : kx", "x\x00y", "'; DROP TABLE alert; --",
    "a" * 401, "^x", "x:*", "!x & y", "<->", "x | y", "\\", "%", "_", "(((", "comp-beta", "\u202e", "🦊",
    "NEAR(a b, 5)", "scope:x", " ".join("abcdefghijklmnopq"), "-x", "col : (x", "'x':A", "x'y", "k616c657274",
]  # fmt: skip


@pytest.mark.parametrize("query", HOSTILE)
def test_no_query_breaks_anything_or_leads_outside(world: World, told, query) -> None:
    try:
        found = look(world, told, query)
    except UsageError:
        return
    assert all(hit.company_id == ACME for hit in found.items)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(max_size=60))
def test_any_text_is_answered_or_refused(world: World, query) -> None:
    with suppress(UsageError):
        look(world, world.admin, query)


def test_what_cannot_be_searched_in_is_refused(world: World) -> None:
    with pytest.raises(UsageError, match="cannot be searched in"):
        look(world, world.admin, "x", "wine")


def test_retention_lets_go_of_texts_with_what_they_are_of(world: World, told) -> None:
    world.passes(hours=1)
    assert world.count("search_doc") > 0
    world.clock.advance(hours=24 * 4_000)
    for _ in range(60):
        world.tick()
        world.clock.advance(hours=2)
        if not world.count("search_doc", "kind = 'alert'"):
            break
    assert world.count("search_doc", "kind = 'alert'") == 0


def test_an_alert_costs_ingest_nothing(world: World) -> None:
    """Nothing of the search is written with an alert: the index comes later."""
    feed(world)
    world.fires()
    assert world.count("search_doc", "kind = 'alert'") == 0


def test_a_storm_is_taken_in_bit_by_bit(world: World) -> None:
    with world.one_batch() as jobs:
        jobs += [world.job(*_many(n)) for n in range(20)]
    assert feed(world) > 2
    assert world.count("search_doc", "kind = 'alert'") == 400


def _many(n: int):
    from .world import reading

    return [reading(f"web-{n}-{m}", f"sig_{n}_{m}") for m in range(20)]


def test_what_is_not_among_the_latest_is_found_in_the_same_order(
    world: World, told, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ids(world, world.admin, "ipsec")
    assert len(whole) > 1
    for lately in (0, 1, 3):
        monkeypatch.setattr("siems.services.search.LATELY", lately)
        assert ids(world, world.admin, "ipsec") == whole
        assert [hit.id for hit in look(world, world.admin, "ipsec", limit=1).items] == [whole[0].partition(":")[2]]
