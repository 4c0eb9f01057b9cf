"""Each system as siems speaks to it: what goes over the wire, and what its errors mean."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from siems.domain.ticket import Stage, TicketRules
from siems.domain.ticket_sync import Connection, Draft
from siems.errors import InvalidField
from siems.tickets import SYSTEMS, Refused, TryLater
from siems.tickets.speaking import checked_url
from siems.vocabulary import Severity

from .jira import STRICT, JiraSystem
from .snow import SnowSystem
from .systems import SECRET, USER, System, Trouble, running

DRAFT = Draft(
    correlation="siems-cafe-INC-7", summary="INC-7 HIGH: Disk full on db-1", description="Disk full\n\nIncident: INC-7",
    severity=Severity.HIGH, category="disk",
)  # fmt: skip
KINDS = ("jira", "jira-server", "servicenow")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(kind: str) -> Iterator[Any]:
    made: System = SnowSystem() if kind == "servicenow" else JiraSystem(cloud=kind == "jira")
    with running(made) as found:
        yield found


def connection(kind: str, server: System, **rules: Any) -> Connection:
    return Connection(
        kind=kind, url=server.url, project="incident" if kind == "servicenow" else "OPS",
        username="" if kind == "jira-server" else USER, secret=SECRET, rules=TicketRules(**rules),
    )  # fmt: skip


@pytest_asyncio.fixture
async def system(kind: str, server: System) -> AsyncIterator[Any]:
    made = SYSTEMS.get(kind)(connection(kind, server))
    yield made
    await made.close()


async def test_a_ticket_is_opened_and_found_again_by_its_correlation(system: Any, server: System) -> None:
    assert await system.find(DRAFT.correlation) is None
    made = await system.open(DRAFT)
    assert (made.stage, made.key) == (Stage.OPEN, server.only.key)
    assert made.url.startswith(server.url)
    found = await system.find(DRAFT.correlation)
    assert (found.external_id, found.key) == (made.external_id, made.key)
    assert DRAFT.summary in (server.only.fields.get("summary"), server.only.fields.get("short_description"))


async def test_a_ticket_goes_through_its_stages_and_doing_it_twice_changes_nothing(
    system: Any, server: System
) -> None:  # fmt: skip
    made = await system.open(DRAFT)
    for stage in (Stage.WORKING, Stage.RESOLVED, Stage.OPEN):
        now = await system.transition(made.external_id, stage, "done")
        assert now.stage is stage
        moves = len(server.only.history)
        assert (await system.transition(made.external_id, stage, "done")).stage is stage
        assert len(server.only.history) == moves


async def test_comments_go_out_with_a_mark_and_come_back_with_their_author(system: Any, server: System) -> None:
    made = await system.open(DRAFT)
    await system.comment(made.external_id, "first line\nsecond\n\n[siems:cafe:1]", public=False)
    server.write("the client called")
    known = await system.commented(made.external_id, "[siems:cafe:1]")
    assert known == server.only.comments[0].id
    assert await system.commented(made.external_id, "[siems:cafe:2]") is None
    read = await system.read(made.key)
    ours, theirs = sorted(read.comments, key=lambda c: c.id)
    assert ours.author.ours
    assert not theirs.author.ours
    assert theirs.text == "the client called"
    assert theirs.author.name.lower() == "maria"


async def test_what_has_changed_since_is_found(system: Any, server: System) -> None:
    made = [(await system.open(DRAFT)).external_id for _ in range(5)]
    start = datetime.now(UTC) + timedelta(minutes=10)
    server.now = lambda: start
    server.move("6" if isinstance(server, SnowSystem) else "Done", issue=server.issues[made[3]])
    now = start + timedelta(seconds=1)
    found, upto = await system.changed(start - timedelta(seconds=5), made, now)
    assert found == [made[3]]
    assert upto == now
    assert await system.changed(now, [], now) == ([], now)
    every, _ = await system.changed(start - timedelta(minutes=20), made[:3], now)
    assert sorted(every) == sorted(made[:3])


async def test_who_gave_it_its_state_is_known(system: Any, server: System) -> None:
    made = await system.open(DRAFT)
    server.move("6" if isinstance(server, SnowSystem) else "Done")
    read = await system.read(made.external_id)
    assert (read.stage, read.by.name.lower(), read.by.ours) == (Stage.RESOLVED, "maria", False)
    assert read.state_at is not None
    await system.transition(made.external_id, Stage.WORKING, "")
    assert (await system.read(made.external_id)).by.ours


@pytest.mark.parametrize(
    ("trouble", "expected", "wait"),
    [
        (Trouble(status=429, retry_after="17"), TryLater, 17.0),
        (Trouble(status=503), TryLater, None),
        (Trouble(status=500), TryLater, None),
        (Trouble(hang_up=True), TryLater, None),
        (Trouble(status=400), Refused, None),
        (Trouble(status=404), Refused, None),
        (Trouble(status=302), Refused, None),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_what_an_error_means(
    system: Any, server: System, trouble: Trouble, expected: type[Exception], wait: float | None
) -> None:
    server.troubles.append(trouble)
    with pytest.raises(expected) as caught:
        await system.find(DRAFT.correlation)
    assert getattr(caught.value, "retry_after", None) == wait
    assert SECRET not in str(caught.value)


async def test_a_token_that_is_not_taken_is_tried_later_and_never_shown(system: Any, server: System) -> None:
    server.secret = "another"
    with pytest.raises(TryLater, match="token still valid") as caught:
        await system.find(DRAFT.correlation)
    assert SECRET not in str(caught.value)
    assert server.refused == 1


async def test_a_ticket_that_is_not_there_is_refused(system: Any) -> None:
    for key in ("OPS-99", "INC0000099", "f" * 32):
        with pytest.raises(Refused):
            await system.read(key)


async def test_a_ticket_that_was_there_gets_its_correlation_when_it_is_linked(system: Any, server: Any) -> None:
    issue = server.make()
    await system.update(issue.id, DRAFT, linked=True)
    found = await system.find(DRAFT.correlation)
    assert found.external_id == issue.id


async def test_the_priority_follows(system: Any, server: System) -> None:
    made = await system.open(DRAFT)
    before = dict(server.only.fields)
    await system.update(made.external_id, Draft(
        correlation=DRAFT.correlation, summary="x", description="x", severity=Severity.CRITICAL, category="disk",
    ), linked=False)  # fmt: skip
    names = ("priority", "urgency", "impact")
    assert {n: before.get(n) for n in names} != {n: server.only.fields.get(n) for n in names}


async def test_it_says_who_we_are(system: Any, server: System) -> None:
    said = await system.check()
    assert "Operations" in said or USER in said
    assert all(method == "GET" for method, _ in server.requests)


# --- what is peculiar ------------------------------------------------------------------------------------------


@pytest.fixture
def jira() -> Iterator[JiraSystem]:
    with running(JiraSystem()) as found:
        yield found


async def test_a_strict_workflow_is_walked_step_by_step(jira: JiraSystem) -> None:
    jira.workflow, jira.asks_resolution = STRICT, True
    system = SYSTEMS.get("jira")(connection("jira", jira))
    made = await system.open(DRAFT)
    done = await system.transition(made.external_id, Stage.RESOLVED, "")
    assert done.state == "Resolved"
    assert [to for _, _, _, to in jira.only.history] == ["In Progress", "Resolved"]
    assert (await system.transition(made.external_id, Stage.CLOSED, "")).state == "Closed"
    assert (await system.transition(made.external_id, Stage.OPEN, "")).state == "Reopened"
    await system.close()


async def test_a_state_of_ones_own_is_used_by_its_name_both_ways(jira: JiraSystem) -> None:
    jira.workflow = {name: ["To Do", "In Progress", "In Review", "Done"] for name in ("To Do", "In Review", "Done")}
    system = SYSTEMS.get("jira")(connection("jira", jira, states={Stage.WORKING: "in review"}))
    made = await system.open(DRAFT)
    assert (await system.transition(made.external_id, Stage.WORKING, "")).state == "In Review"
    assert (await system.read(made.key)).stage is Stage.WORKING
    await system.close()


async def test_no_way_is_said_with_what_there_is(jira: JiraSystem) -> None:
    jira.workflow = {"To Do": ["Reopened"], "Reopened": ["To Do"]}
    system = SYSTEMS.get("jira")(connection("jira", jira))
    made = await system.open(DRAFT)
    with pytest.raises(Refused, match=r"no way from To Do to resolved.*Reopened"):
        await system.transition(made.external_id, Stage.RESOLVED, "")
    await system.close()


async def test_a_project_without_priorities_gets_its_ticket_all_the_same(jira: JiraSystem) -> None:
    jira.no_priority = True
    system = SYSTEMS.get("jira")(connection("jira", jira))
    made = await system.open(DRAFT)
    assert "priority" not in jira.only.fields
    await system.update(made.external_id, DRAFT, linked=False)
    await system.close()


async def test_a_business_rule_that_keeps_a_record_from_moving_is_noticed() -> None:
    with running(SnowSystem()) as server:
        system = SYSTEMS.get("servicenow")(connection("servicenow", server))
        made = await system.open(DRAFT)
        server.stuck = True
        with pytest.raises(Refused, match="stays New"):
            await system.transition(made.external_id, Stage.WORKING, "")
        await system.close()


def test_connections_that_cannot_work_are_refused_with_the_flag_that_is_missing() -> None:
    base = {"url": "https://x.example", "project": "OPS", "username": USER, "secret": SECRET, "rules": TicketRules()}
    for kind, change, said in (
        ("jira", {"username": "joe"}, "e-mail"),
        ("jira", {"project": ""}, "project"),
        ("servicenow", {"project": "in/cident"}, "no table"),
        ("servicenow", {"rules": TicketRules(states={Stage.OPEN: "Whatever"})}, "no state"),
        ("jira", {"url": "ftp://x"}, "no address"),
    ):
        with pytest.raises(InvalidField, match=said):
            SYSTEMS.get(kind)(Connection(kind=kind, **{**base, **change}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "gopher://x", "//x", "", "http://", "http://u:p@x", "http://x?a=b"]
)
def test_only_plain_http_addresses_are_spoken_to(url: str) -> None:
    with pytest.raises(InvalidField):
        checked_url(url)


def test_a_secret_is_not_in_what_is_printed_of_a_connection() -> None:
    made = Connection(kind="jira", url="https://x", project="OPS", username=USER, secret=SECRET, rules=TicketRules())
    assert SECRET not in repr(made)
