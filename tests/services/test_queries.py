"""Lists: what a query means, that it cannot be more than a query, and that pages are complete."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from siems.domain.permissions import Actor
from siems.errors import InvalidField
from siems.services import queries
from siems.services.alert_list import list_alerts
from siems.services.filters import _ALERT, _INCIDENT
from siems.vocabulary import Role

from .world import ACME, BETA, World


def ask(world: World, query: str = "", *, actor: Actor | None = None, **more: Any) -> queries.Ask:
    return queries.Ask(actor or world.admin, world.clock.now(), query, **more)


def incidents(world: World, query: str = "", **more: Any) -> list[str]:
    page = world.database.read_now(queries.list_incidents, ask(world, query, sort="id", **more))
    return [item.id for item in page.items]


def alerts(world: World, query: str = "", **more: Any) -> list[str]:
    page = world.database.read_now(list_alerts, ask(world, query, **more))
    return [item.id for item in reversed(page.items)]


@pytest.fixture
def board(world: World) -> World:
    """1 OPEN critical with Acme · 2 acked, high · 3 on hold, low · 4 Beta's, resolved · 5 reopened later."""
    ana = world.hire("ana", Role.TECHNICIAN, ACME, BETA)
    world.fires("db-1", "disk_full", "CRITICAL", message='says "50 % left"')
    world.clock.advance(minutes=30)
    world.fires("web-1", "high_cpu", "HIGH", tool_source="Zabbix")
    world.act(ana, "ack", "INC-2")
    world.fires("Büro-Ä", "slow_app", "LOW")
    world.act(ana, "ack", "INC-3")

    world.act(ana, "hold", "INC-3", hold_for="client", until=world.clock.now() + timedelta(hours=2))
    world.fires("web-1", "high_cpu", "MEDIUM", company=BETA)
    world.act(ana, "resolve", "INC-4", company=BETA, note="rebooted", cause="hardware")
    world.fires("web-1", "high_cpu", "HIGH", tool_source="Zabbix")
    return world


MEANS = {
    "": "1 2 3 4",
    "severity:CRITICAL": "1",
    "severity:cr,lo": "1 3",
    "severity:>=HIGH": "1 2",
    "severity:<HIGH": "3 4",
    "state:OPEN": "1",
    "state:open,assigned": "1 2 3",
    "-state:OPEN": "2 3 4",
    "#acme": "1 2 3",
    "#beta": "4",
    "company:comp-beta": "4",
    "company_id:Acme": "1 2 3",
    "assignee:ana": "2 3 4",
    "assignee:user-ana": "2 3 4",
    "@ana": "2 3 4",
    "@me": "",
    "assignee:none": "1",
    "assignee:any": "2 3 4",
    "asset:web": "2 4",
    "asset:büro": "3",
    "asset:Büro-Ä": "3",
    "source:zabbix": "2",
    "signature:disk": "1",
    "title:cpu": "2 4",
    "category:disk": "1",
    "category:cpu,disk": "1 2 4",
    "id:INC-2": "2",
    "id:1,3": "1 3",
    "on_hold:true": "3",
    "-on_hold:true": "1 2 4",
    "flapping:true": "",
    "acknowledged:false": "1",
    "alert_count:1": "1 2 3 4",
    "alert_count:>1": "",
    "alert_count:<999999999999": "1 2 3 4",
    "version:>=2": "2 3 4",
    "escalation_level:1": "1 2 3 4",
    "priority_score:>60": "1 2",
    "merged_into:INC-1": "",
    "recurrence_of:1": "",
    "created:>10m": "1",
    "created:<10m": "2 3 4",
    "created_at:>1w": "",
    "resolved:<1h": "4",
    "resolved_by:user-ana": "4",
    "cause:hard": "4",
    "sla:paused": "3",
    "sla:breached": "",
    "sla:ok": "1 2 3 4",
    "sla:met": "4",
    "sla:<1h": "1",
    "sla:>1h": "2",
    "rebooted": "4",
    "2": "2",
    "INC-3": "3",
    "(severity:LOW OR severity:CRITICAL) #acme": "1 3",
    "-(severity:LOW OR severity:CRITICAL)": "2 4",
    "severity:HIGH cpu OR disk": "1 2",
    '"high cpu on web-1"': "2 4",
    "--state:OPEN": "1",
}


def test_each_query_finds_what_it_means(board: World) -> None:
    found = {query: incidents(board, query) for query in MEANS}
    assert found == {query: [f"INC-{n}" for n in numbers.split()] for query, numbers in MEANS.items()}


def test_every_field_is_tried_by_the_table_above() -> None:
    tried = {query.lstrip("-(").partition(":")[0] for query in MEANS if ":" in query} | {"", "company"}
    assert set(_INCIDENT) <= tried


ALERTS = {
    "": "1 2 3 4",
    "severity:LOW": "3",
    "status:active": "1 2 3",
    "status:resolved": "4",
    "#beta": "4",
    "company_id:acme": "1 2 3",
    "asset:db": "1",
    "asset_name:db-1": "1",
    "signature:cpu": "2 4",
    "message:left": "1",
    "message:%": "1",
    "source:zabbix": "2",
    "tool_source:Datadog": "1 3 4",
    "count:>1": "2",
    "count:<999999999999": "1 2 3 4",
    "id:ALR-1": "1",
    "incident:INC-2": "2",
    "incident_id:2": "2",
    "fingerprint:nothing": "",
    "suppressed_by:SIL-1": "",
    "received:>10m": "1",
    "received_at:<10m": "2 3 4",
    "last_seen:<10m": "2 3 4",
    "slow_app": "3",
    "slow%app": "",
    "slowxapp": "",
}


def test_each_query_over_alerts_finds_what_it_means(board: World) -> None:
    found = {query: alerts(board, query) for query in ALERTS}
    assert found == {query: [f"ALR-{n}" for n in numbers.split()] for query, numbers in ALERTS.items()}
    assert set(_ALERT) <= {query.partition(":")[0] for query in ALERTS if ":" in query} | {"", "company"}


REFUSED = (
    "colour:red", "severity:BAD", "state:SLEEPING", "state:>OPEN", "id:abc", "id:INC-", "alert_count:x",
    "alert_count:1e3", "on_hold:maybe", "sla:soon", "sla:<1", "sla:<1y", "created:>soon", "(", ")", "a )", '"open',
    "title:", "severity:", "category:food", "assignee:>x", "id:٣", "created:>999999999w", "created:>199999w",
    "sla:<999999999w", "created:>" + "9" * 400 + "d", "(" * 65, "a " * 65, "x" * 2_001, "-" * 1_900 + "x",
    "alert_count:" + "9" * 30, "version:9999999999999999999",
)  # fmt: skip


@pytest.mark.parametrize("over", [incidents, alerts], ids=["incidents", "alerts"])
def test_what_cannot_be_understood_is_refused_and_never_a_crash(world: World, over) -> None:
    for query in REFUSED:
        try:
            found = over(world, query)
        except InvalidField:
            continue
        pytest.fail(f"{query[:40]!r} was understood: {found}")


INJECTIONS = (
    "'; DROP TABLE incident; --", "x' OR '1'='1", "asset:x'--", "title:'||(SELECT 1)||'", "\\", "%", "a%b",
    "assignee:'", "#'", "company:x')", "source:\\'", "$1", "%s", ":name", "{x}", "%(x)s", "resolved_by:1;--",
)  # fmt: skip


def test_nothing_in_a_query_or_sort_becomes_sql(board: World) -> None:
    for query in INJECTIONS:
        try:
            found = incidents(board, query)
        except InvalidField:
            continue
        assert found == [], query
    for sort in ("id; DROP TABLE incident", "id,1", "title", "(SELECT 1)", "--id", "ID"):
        with pytest.raises(InvalidField):
            board.database.read_now(queries.list_incidents, ask(board, sort=sort))
    assert incidents(board) == ["INC-1", "INC-2", "INC-3", "INC-4"]


@pytest.mark.parametrize("sort", ["sla", "-sla", "priority_score", "-priority_score", "created_at", "-created_at",
                                  "last_alert_at", "severity", "-severity", "id", "-id"])  # fmt: skip
def test_pages_are_complete_without_doubles_in_every_order(world: World, sort) -> None:
    for number in range(23):
        world.clock.advance(seconds=number % 2)
        world.fires(f"a{number}", f"s{number}", ("LOW", "HIGH", "CRITICAL")[number % 3])
    whole = world.database.read_now(queries.list_incidents, ask(world, sort=sort, limit=100))
    seen: list[str] = []
    cursor = ""
    while True:
        world.clock.advance(minutes=31)  # the cursor carries its own time: age does not shuffle the pages
        page = world.database.read_now(queries.list_incidents, ask(world, sort=sort, limit=5, cursor=cursor))
        assert page.total == 23
        seen += [item.id for item in page.items]
        if page.next is None:
            break
        cursor = page.next
    assert seen == [item.id for item in whole.items]
    assert len(set(seen)) == 23


def test_pages_of_alerts_are_complete_while_new_ones_come_in(world: World) -> None:
    for number in range(12):
        world.fires(f"a{number}", f"s{number}")
    seen, cursor = [], ""
    while True:
        page = world.database.read_now(list_alerts, ask(world, limit=5, cursor=cursor))
        seen += [item.id for item in page.items]
        world.fires(f"new{len(seen)}", f"new{len(seen)}")
        if page.next is None:
            break
        cursor = page.next
    assert seen == [f"ALR-{n}" for n in range(12, 0, -1)]


def cursor_of(*parts: Any) -> str:
    import base64
    import json

    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def test_a_cursor_that_is_not_ours_is_refused(world: World) -> None:
    world.fires()
    bad = (
        "x", "é", "A" * 999, cursor_of("id", 1, 1), cursor_of("sla", 1, 1, 1), cursor_of("id", "1", 1, 1),
        cursor_of("id", 10**30, 1, 1), cursor_of("id", 1, 10**30, 1), cursor_of("id", 1, 1, 10**30),
        cursor_of("id", 1, 1.5, 1), "WzE", cursor_of("id", -(10**18) * 9, 1, 1), "W1tb" * 1_500,
    )  # fmt: skip
    for cursor in bad:
        with pytest.raises(InvalidField):
            world.database.read_now(queries.list_incidents, ask(world, sort="id", cursor=cursor))
    for cursor in (cursor_of("alerts", 1, 0, 10**30), cursor_of("alerts", 10**30, 0, 1), "W1tb" * 1_500):
        with pytest.raises(InvalidField):
            world.database.read_now(list_alerts, ask(world, cursor=cursor))


def test_lists_counts_and_the_summary_stay_within_the_scope(board: World) -> None:
    ben = board.hire("ben", Role.TECHNICIAN, BETA)
    assert incidents(board, actor=ben) == ["INC-4"]
    assert alerts(board, actor=ben) == ["ALR-4"]
    assert incidents(board, "#acme", actor=ben) == []
    page = board.database.read_now(queries.list_incidents, ask(board, actor=ben))
    assert page.total == 1
    nobody = board.hire("nobody", Role.TECHNICIAN)
    assert incidents(board, actor=nobody) == []


def test_how_busy_a_colleague_is_counts_only_what_the_reader_may_see(board: World) -> None:
    from siems.services import users

    both = board.hire("both", Role.TECHNICIAN, ACME, BETA)
    board.act(board.admin, "assign", "INC-1", to=both.id)
    mara = board.hire("mara", Role.MANAGER, BETA)
    seen = {user.id: user for user in board.database.read_now(users.users_for, mara)}
    assert seen[both.id].open_incidents == 0
    assert seen[both.id].companies == [BETA]
