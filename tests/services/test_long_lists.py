"""Lists that are looked through in parts, and those of which most has nothing due: nothing is lost between pages."""

from __future__ import annotations

from datetime import timedelta

import pytest

from siems.services import alert_list, queries
from siems.services.alert_list import list_alerts
from siems.vocabulary import Role

from .test_queries import ask
from .world import ACME, BETA, World


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", list(range(14, 0, -1))), ("message:rare", [2]), ("status:active message:rare", [2]),
        ("status:resolved", [3]), ("status:active,resolved message:s1", [14, 13, 12, 11]),
        ("company:beta", [8, 7]), ("#beta -message:s7", [7]), ("received:<15m", list(range(14, 6, -1))),
        ("received:>15m", list(range(6, 0, -1))), ("received:<15m message:rare", []),
        ("incident:INC-2", [2]), ("id:3", [3]), ("message:rare OR message:s9", [10, 2]),
    ],
)  # fmt: skip
def test_a_list_that_is_looked_through_in_parts_is_complete_and_says_that_it_is_not_counted(
    world: World, monkeypatch, query, expected
) -> None:
    monkeypatch.setattr(alert_list, "LOOKED_THROUGH", 3)
    monkeypatch.setattr(alert_list, "DISORDER", timedelta(0))
    world.settings(strategy="asset|signature")
    for number in range(14):
        company = BETA if number in (6, 7) else ACME
        said = "a rare thing" if number == 1 else f"says s{number}"
        world.fires(f"a{number}", f"k{number}", message=said, company=company)
        world.passes(minutes=9 if number == 5 else 1)
    world.recovers("a2", "k2")
    seen, cursor, pages = [], "", 0
    while True:
        page = world.database.read_now(list_alerts, ask(world, query, limit=4, cursor=cursor))
        assert len(page.items) <= 4
        assert page.at_least or page.total == len(expected)
        seen += [int(item.id.removeprefix("ALR-")) for item in page.items]
        pages += 1
        if page.next is None:
            break
        cursor = page.next
    assert seen == expected
    assert pages > 1 or len(expected) <= 4


def test_what_has_nothing_due_comes_last_on_the_pages_of_deadlines_too(world: World) -> None:
    ana = world.hire("ana", Role.TECHNICIAN, ACME)
    for number in range(6):
        world.fires(f"a{number}", f"k{number}")
    for ref in ("INC-2", "INC-4"):
        world.act(ana, "resolve", ref, note="done")
    world.act(ana, "ack", "INC-1")
    world.act(ana, "hold", "INC-1", reason="client", hold_for="client", until=world.clock.now() + timedelta(hours=1))
    for query, expected in (
        ("", [3, 5, 6, 1, 2, 4]),
        ("state:OPEN,ASSIGNED", [3, 5, 6, 1]),
        ("state:RESOLVED", [2, 4]),
    ):
        seen, cursor = [], ""
        while True:
            page = world.database.read_now(queries.list_incidents, ask(world, query, limit=1, cursor=cursor))
            assert page.total == len(expected)
            seen += [int(item.id.removeprefix("INC-")) for item in page.items]
            if page.next is None:
                break
            cursor = page.next
        assert seen == expected, query
