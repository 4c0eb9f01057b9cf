"""Searching and counting alerts as Opsgenie's API does."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as some

from siems.daemon.http.opsgenie_search import _Reader
from siems.errors import InvalidField
from siems.services import senders

from .house import ALERT as OTHER
from .house import House
from .test_opsgenie import ALERT, Sender, sender


async def three(house: House) -> Sender:
    """ALR-1 is closed, ALR-2 is acknowledged, ALR-3 is neither; ALR-4 is none of this sender's."""
    tool = await sender(house)
    for number, (message, entity, priority) in enumerate(
        (("replication lag", "db-1", "P1"), ("disk is full", "web-1", "P3"), ("disk: smart error", "web-2", "P5")), 1
    ):
        alert = {"message": message, "entity": entity, "priority": priority, "alias": f"{entity}:{number}"}
        await tool.ask("POST", "/alerts", ALERT | alert | {"tags": ["prod", f"t{number}"]})
        house.clock.advance(minutes=1)  # type: ignore[attr-defined]
    await tool.ask("POST", "/alerts/ALR-1/close", {})
    await house.ask("root", "POST", "/incidents/INC-2/actions/ack", {})
    await house.alert(OTHER)
    return tool


async def ids(tool: Sender, query: str, more: str = "") -> list[str]:
    reply = await tool.ask("GET", f"/alerts?query={quote(query)}{more}")
    assert reply.status == 200, reply
    return [alert["tinyId"] for alert in reply.json()["data"]]


QUERIES = [
    ("", ["3", "2", "1"]),
    ("status: open", ["3", "2"]),
    ("status=open AND acknowledged: false", ["3"]),
    ("status:closed OR priority:P5", ["3", "1"]),
    ("NOT status:closed", ["3", "2"]),
    ("message: disk", ["3", "2"]),
    ("message: (lag OR smart)", ["3", "1"]),
    ('message: "disk is"', ["2"]),
    ("message: disk full", ["2"]),
    ("tag: (prod AND t2)", ["2"]),
    ("tag: t*", ["3", "2", "1"]),
    ("alias:web-1:2", ["2"]),
    ("alias: web-1", []),
    ("entity: web", ["3", "2"]),
    ("priority:(p1 or p5) and source:pgwatch", ["3", "1"]),
    ("createdAt > 1773144000000", ["3", "2"]),
    ("createdAt >= 2026-03-10T12:02:00Z", ["3"]),
    ("createdAt < 10-03-2026", []),
    ("count >= 2", []),
    ("details.key: lag", ["3", "2", "1"]),
    ("details.value: 412", ["3", "2", "1"]),
    ("teams: ops", []),
    ("smart", ["3"]),
]


async def test_a_query_finds_what_it_means(house: House) -> None:
    tool = await three(house)
    for query, wanted in QUERIES:
        assert await ids(tool, query) == wanted, query
        count = await tool.ask("GET", f"/alerts/count?query={quote(query)}")
        assert (count.status, count.json()["data"]) == (200, {"count": len(wanted)}), query


async def test_pages_name_the_next_one(door: House) -> None:
    tool = await three(door)
    seen, path = [], "/alerts?limit=2&order=asc&sort=createdAt"
    while path:
        reply = (await tool.ask("GET", path)).json()
        seen += [alert["tinyId"] for alert in reply["data"]]
        following = urlsplit(reply["paging"].get("next", ""))
        path = f"{following.path.removeprefix('/v2')}?{following.query}" if following.path else ""
    assert seen == ["1", "2", "3"]
    assert await ids(tool, "", "&sort=alias&order=asc") == ["1", "2", "3"]


async def test_what_is_open_is_found_however_old_and_what_is_closed_as_far_as_is_looked(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = await three(house)
    monkeypatch.setattr(senders, "LOOKED_THROUGH", 2)
    assert await ids(tool, "") == ["3", "2"]
    for alias, status in (("web-1%3A2", 200), ("db-1%3A1", 404)):
        assert (await tool.ask("GET", f"/alerts/{alias}?identifierType=alias")).status == status


async def test_alerts_of_others_are_not_found(door: House) -> None:
    await three(door)
    assert await ids(await sender(door, company="comp-beta"), "") == []


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("?query=status:", "query"),
        ("?query=%28status:open", "query"),
        ("?query=status:open%29", "query"),
        ("?query=%22open", "query"),
        ("?query=colour:red", "query"),
        ("?query=status%3Eopen", "query"),
        ("?query=createdAt%3Esoon", "query"),
        ("?query=count%3Ex", "query"),
        ("?query=" + "%28" * 21 + "a" + "%29" * 21, "query"),
        ("?query=" + "a" * 1_001, "query"),
        ("?limit=0", "limit"),
        ("?limit=101", "limit"),
        ("?offset=-1", "offset"),
        ("?sort=colour", "sort"),
        ("?searchIdentifier=mine", "searchIdentifier"),
    ],
)
async def test_what_cannot_be_searched_is_422_with_its_field(door: House, path: str, field: str) -> None:
    reply = await (await sender(door)).ask("GET", f"/alerts{path}")
    assert (reply.status, list(reply.json()["errors"])) == (422, [field])


async def test_searching_needs_a_key(door: House) -> None:
    for path in ("/alerts", "/alerts/count"):
        assert (await Sender(door, "x").ask("GET", path)).status == 401


SHOWN: dict[str, Any] = {
    "id": "ALR-1", "tinyId": "1", "alias": "a", "message": "m", "status": "open", "acknowledged": False, "count": 1,
    "isSeen": False, "tags": ["t"], "snoozed": False, "createdAt": "2026-03-10T12:00:00Z", "owner": "", "entity": "e",
    "lastOccurredAt": "2026-03-10T12:00:00Z", "updatedAt": "2026-03-10T12:00:00Z", "source": "s", "priority": "P1",
    "description": "", "details": {"k": "v"}, "integration": {"name": "siems", "type": "API"},
}  # fmt: skip
PIECES = ["status", "message", "createdAt", "count", ":", "=", "<", ">=", "(", ")", "AND", "or", "NOT", "open", "*[",
          '"', '"a b"', "1773144000000", "2026-03-10", " ", "\\", "\x00"]  # fmt: skip


@given(some.lists(some.sampled_from(PIECES), max_size=30).map("".join) | some.text(max_size=60))
def test_any_query_is_understood_or_refused(query: str) -> None:
    try:
        wanted = _Reader(query).match()
    except InvalidField as why:
        told = why.message
    else:
        wanted(SHOWN)
        return
    assert told.startswith("query: ")
    assert "; " not in told
