"""What arrived: every alert, repeat, recovery and refusal once, newest first, by query, page and scope."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from siems.daemon import refusals
from siems.daemon.refusals import Refusals
from siems.domain.permissions import Actor
from siems.errors import InvalidField
from siems.services import arrivals, overview, queries
from siems.vocabulary import MSP, Role
from siems.wire import ArrivalView, Page

from .silencing import silence
from .world import ACME, BETA, World, reading


def page(
    world: World, query: str = "", *, actor: Actor | None = None, after: str = "", **more: Any
) -> Page[ArrivalView]:
    ask = queries.Ask(actor or world.admin, world.clock.now(), query, **more)
    return world.database.read_now(arrivals.list_arrivals, ask, after)


def told(world: World, query: str = "", **more: Any) -> list[str]:
    return [
        f"{one.kind} {one.alert.id if one.alert else one.company_id} {one.count} {one.incident_id}"
        for one in page(world, query, **more).items
    ]


def refuse(world: World, company: str, cause: str = "signature", times: int = 3) -> None:
    noted = Refusals()
    for _ in range(times):
        noted.note(company, cause, source="generic", address="203.0.113.9", detail="bad HMAC", now=world.clock.now())
    world.do(refusals.write, noted.take(), {}, {}, companies=(MSP,))


@pytest.fixture
def day(world: World) -> World:
    """An alert of Acme's, seen again and over; one of Beta's; one refusal each."""
    world.fires("db-1", "disk_full", "CRITICAL")
    world.fires("web-1", company=BETA)
    world.fires("db-1", "disk_full", "CRITICAL")
    world.database.read_now(lambda connection: None)  # counters of repeats are written, and told, before a read
    refuse(world, ACME)
    refuse(world, BETA, times=1)
    world.clock.advance(minutes=5)
    world.take(reading("db-1", "disk_full", "CRITICAL", firing=False))
    return world


ALL = [
    "recovered ALR-1 2 INC-1", "refused comp-beta 1 None", "refused comp-acme 3 None", "repeated ALR-1 2 INC-1",
    "received ALR-2 1 INC-2", "received ALR-1 1 INC-1",
]  # fmt: skip


def test_everything_that_arrived_newest_first(day: World) -> None:
    assert told(day) == ALL
    newest = page(day).items[0]
    assert newest.alert is not None
    assert (newest.alert.status, newest.company, newest.at) == ("resolved", "Acme", day.clock.now())


def test_pages_go_back_and_on_without_a_gap_or_a_double(day: World) -> None:
    found, cursor = [], ""
    while True:
        part = page(day, cursor=cursor, limit=2)
        found += [one.cursor for one in part.items]
        if part.next is None:
            break
        cursor = part.next
    everything = page(day).items
    assert found == [one.cursor for one in everything]
    assert [one.cursor for one in page(day, after=everything[2].cursor).items] == found[:2]
    assert page(day, after=found[0]).items == []
    newer = page(day, after=found[-1], limit=3)
    assert ([one.cursor for one in newer.items], newer.next) == (found[:3], found[2])


def test_only_what_may_be_seen(day: World) -> None:
    staff = day.hire("ana", Role.TECHNICIAN, ACME)
    client = day.hire("carl", Role.CLIENT, BETA)
    assert {line.split()[1] for line in told(day, actor=staff)} == {"ALR-1", "comp-acme"}
    assert told(day, actor=client) == ["received ALR-2 1 INC-2"]


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("severity:CRITICAL", "recovered repeated received"),
        ("#beta", "refused received"),
        ("#Acme -severity:>=LOW", "refused"),
        ("source:generic", "refused refused"),
        ("203.0.113 OR web-1", "refused refused received"),
        ("hmac -#beta", "refused"),
        ("message:HMAC", "refused refused"),
        ("received:<1m", ""),
        ("received:>1m #acme", "recovered refused repeated received"),
        ("severity:LOW", ""),
    ],
)
def test_a_query_means_for_refusals_what_it_can(day: World, query: str, kinds: str) -> None:
    assert " ".join(line.split()[0] for line in told(day, query)) == kinds


def test_a_query_that_makes_no_sense_says_so_also_where_nothing_arrived(world: World) -> None:
    for query in ("severty:LOW", "severity:LOUD", "received:5", "---x", "(a"):
        with pytest.raises(InvalidField):
            page(world, query)
    for cursor in ("x", "e", "e123456789012345678"):
        with pytest.raises(InvalidField):
            page(world, cursor=cursor)


def test_what_a_silence_holds_is_there_with_its_reason_for_staff(world: World) -> None:
    silence(world, "asset=db-1", comment="disk swap")
    world.fires("db-1")
    client = world.hire("carl", Role.CLIENT, ACME)
    for reader, why in ((world.admin, True), (client, False)):
        (found,) = page(world, actor=reader).items
        assert (found.kind, found.incident_id) == ("suppressed", None)
        assert found.alert is not None
        assert (found.alert.status, bool(found.alert.suppressed_by)) == ("suppressed", why)


def test_one_request_looks_through_a_bounded_number_of_events(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "STEP", 4)
    monkeypatch.setattr(arrivals, "MOST_READ", 8)
    world.fires("rare", "once", "CRITICAL")
    for number in range(20):
        world.fires(f"web-{number}")
    found, cursor, asked = [], "", 0
    while not asked or cursor:
        part = page(world, "severity:CRITICAL", cursor=cursor)
        found += part.items
        cursor, asked = part.next or "", asked + 1
    assert [one.alert.asset_name for one in found if one.alert] == ["rare"]
    assert asked > 3


def test_the_last_hour_in_numbers(world: World) -> None:
    world.fires()
    world.clock.advance(minutes=61)
    for _ in range(4):
        world.fires("db-1")
    world.clock.advance(minutes=2)
    world.fires("db-2")
    found = world.database.read_now(overview.summary, world.admin, world.clock.now() + timedelta(seconds=1))
    assert (sum(found.alerts_per_minute), found.alerts_per_minute[59], found.alerts_per_minute[57]) == (2, 1, 1)
    assert found.repeats == 3
