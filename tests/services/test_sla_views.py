"""What is due, why, what to expect, and how it went: the board, the check, the account, the report."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from siems.domain.permissions import Actor
from siems.errors import Forbidden, InvalidField, NotFound
from siems.services import sla_board, sla_report, sla_views
from siems.vocabulary import Role
from siems.wire import ClockAccount, SlaAccount, SlaCheckAsk, SlaReport

from .world import ACME, BETA, World


@pytest.fixture
def ana(world: World) -> Actor:
    return world.hire("ana", Role.TECHNICIAN, ACME)


@pytest.fixture
def gus(world: World) -> Actor:
    return world.hire("gus", Role.CLIENT, ACME)


def account(world: World, ref: str = "INC-1", actor: Actor | None = None) -> SlaAccount:
    return world.database.read_now(sla_views.explain, ref, actor or world.admin, world.clock.now())


def adds_up(clock: ClockAccount) -> None:
    """What is shown, added as a reader would."""
    seconds = timedelta(seconds=sum(line.seconds for line in clock.lines))
    assert clock.starts_at.replace(microsecond=0) + seconds == clock.due_at.replace(microsecond=0)
    counted = sum(line.seconds for line in clock.lines if line.kind in ("counted", "left", "unused"))
    assert counted == clock.target_seconds + clock.corrected_seconds


def kinds(clock: ClockAccount) -> list[tuple[str, int, str]]:
    return [(line.kind, line.seconds // 60, line.who) for line in clock.lines]


def test_the_account_tells_whose_the_time_was(world: World, ana: Actor) -> None:
    world.fires()
    world.passes(minutes=10)
    world.act(ana, "ack")
    world.passes(minutes=20)
    world.act(ana, "hold", hold_for="client", until=world.clock.now() + timedelta(hours=2))
    world.passes(hours=2, minutes=30)
    found = account(world)
    assert kinds(found.resolution) == [
        ("counted", 10, "unassigned"), ("counted", 20, "ana"), ("paused", 120, "ana"), ("counted", 30, "ana"),
        ("left", 420, ""),
    ]  # fmt: skip
    assert found.resolution.lines[2].why == "client"
    assert kinds(found.response) == [("counted", 10, "unassigned"), ("unused", 110, "")]
    assert (found.response.standing, found.resolution.standing) == ("met", "running")
    for clock in (found.response, found.resolution):
        adds_up(clock)


def test_the_account_follows_severity_reopening_and_what_is_taken_back(world: World, ana: Actor) -> None:
    world.fires(severity="MEDIUM")
    world.passes(minutes=10)
    world.fires(severity="CRITICAL")
    world.act(ana, "resolve", note="restarted")
    world.passes(minutes=12)
    world.fires(severity="CRITICAL")
    world.passes(minutes=3)
    found = account(world)
    assert kinds(found.resolution) == [("resolved", 12, ""), ("counted", 3, "unassigned"), ("left", 237, "")]
    assert found.resolution.basis == "CRITICAL since then: its target from then on"
    assert [(line.kind, line.seconds) for line in found.resolution.before] == [("counted", 600)]
    assert found.response.basis == "opened again: target of CRITICAL"
    world.act(ana, "ack")
    world.act(ana, "hold", hold_for="client", until=world.clock.now() + timedelta(hours=1))
    world.passes(seconds=4)
    world.act(ana, "undo")
    found = account(world)
    assert found.resolution.corrected_seconds == -4
    for clock in (found.response, found.resolution):
        adds_up(clock)


def test_the_account_of_what_was_folded(world: World) -> None:
    for name in ("web-1", "web-2", "web-3"):
        world.fires(name)
        world.passes(minutes=2)
    assert world.incident("INC-2").merged_into == 1
    for ref in ("INC-1", "INC-2"):
        found = account(world, ref)
        adds_up(found.response)
        adds_up(found.resolution)
    assert found.resolution.standing == "merged"


def test_a_client_reads_the_account_without_names_and_only_of_their_own(world: World, ana, gus) -> None:
    world.fires()
    world.act(ana, "ack")
    world.passes(minutes=5)
    assert {line.who for line in account(world, actor=gus).resolution.lines} == {""}
    world.fires(company=BETA)
    with pytest.raises(NotFound):
        account(world, "INC-2", gus)


# --- forecasts -------------------------------------------------------------------------------------------------


def cases(world: World, who: Actor, count: int, *, hours: float, company: str = ACME) -> None:
    """So many incidents, each resolved by a person after so long."""
    for number in range(count):
        ref = world.fires(f"old-{number}", f"case_{number}", company=company)["incident_id"]
        world.passes(hours=hours)
        world.act(who, "resolve", ref, note="done", company=company)


def test_a_forecast_says_what_it_rests_on_and_nothing_on_too_little(world: World, ana: Actor) -> None:
    cases(world, ana, 4, hours=7)
    ref = world.fires("new", "trouble")["incident_id"]
    assert account(world, ref, ana).resolution.forecast is None
    cases(world, ana, 1, hours=7)  # meanwhile the new one has waited, too
    newer = world.fires("newer", "trouble_2")["incident_id"]
    world.passes(hours=0.5)
    found = account(world, newer, ana).resolution.forecast
    assert (found.verdict, found.cases, found.of) == ("in time", 5, ACME)
    assert (found.median_seconds, found.spent_seconds) == (7 * 3_600, 1_800)
    world.passes(hours=1)
    [line] = [one for one in board(world) if one.incident.id == newer]
    assert line.clock == "response"
    assert line.forecast.verdict == "late"  # nobody was ever asked within two hours


def test_a_forecast_falls_back_on_everybody_but_not_for_clients(world: World, ana: Actor, gus: Actor) -> None:
    cases(world, world.admin, 5, hours=9, company=BETA)
    ref = world.fires("new", "trouble")["incident_id"]
    found = account(world, ref).resolution.forecast
    assert (found.verdict, found.of) == ("late", "everybody")
    assert account(world, ref, gus).resolution.forecast is None
    assert account(world, ref, ana).resolution.forecast is None  # who does not see Beta does not learn from it


# --- the board and the check -----------------------------------------------------------------------------------


def board(world: World, actor: Actor | None = None, query: str = "") -> list[Any]:
    return world.database.read_now(
        lambda c: sla_board.board(c, actor or world.admin, world.clock.now(), query=query, limit=0)
    )


def test_the_board_has_the_next_deadline_first(world: World, ana: Actor) -> None:
    world.fires("a", "slow", severity="LOW")
    world.fires("b", "fast", severity="CRITICAL")
    world.fires("c", "other", company=BETA)
    assert [(one.incident.id, one.clock) for one in board(world)] == [
        ("INC-2", "response"), ("INC-3", "response"), ("INC-1", "response"),
    ]  # fmt: skip
    assert [one.incident.id for one in board(world, ana, "severity:LOW")] == ["INC-1"]
    world.act(ana, "ack", "INC-1")
    world.act(ana, "hold", "INC-1", hold_for="client", until=world.clock.now() + timedelta(hours=1))
    [low] = board(world, ana, "severity:LOW")
    assert (low.clock, low.standing) == ("resolution", "paused")
    assert len(board(world, ana)) == 2


def check(world: World, actor: Actor | None = None, **ask: Any) -> list[tuple[str, str, str]]:
    who, wanted = actor or world.admin, SlaCheckAsk(**ask)
    found = world.database.read_now(sla_board.matches, who, world.clock.now(), wanted)
    if wanted.once:
        found = world.do(sla_board.once, who, wanted.once, found, companies=("msp",))
    return [(one.id, one.clock, one.standing) for one in found]


def test_the_check_finds_what_is_near_and_what_was_missed(world: World, ana: Actor) -> None:
    world.fires("a", "fast", severity="CRITICAL")
    world.fires("b", "slow", severity="HIGH")
    assert check(world) == [("INC-1", "response", "due")]
    assert check(world, within_seconds=600) == []
    assert check(world, breached=True) == []
    world.passes(minutes=31)
    assert check(world) == [("INC-1", "response", "breached")]
    assert check(world, within_seconds=2 * 3_600) == [("INC-1", "response", "over"), ("INC-2", "response", "due")]
    world.act(ana, "ack", "INC-1")
    assert check(world, breached=True) == [("INC-1", "response", "breached")]
    assert check(world, ana, breached=True, query="severity:HIGH") == []
    world.act(ana, "resolve", "INC-1", note="done")
    assert check(world, breached=True) == []
    with pytest.raises(InvalidField):
        check(world, within_seconds=-1)


def test_a_clock_that_is_paused_is_not_near(world: World, ana: Actor) -> None:
    world.fires(severity="CRITICAL")
    world.act(ana, "ack")
    assert check(world, within_seconds=5 * 3_600) == [("INC-1", "resolution", "due")]
    world.act(ana, "hold", hold_for="client", until=world.clock.now() + timedelta(hours=1))
    assert check(world, within_seconds=5 * 3_600) == []


def test_each_match_is_told_once_per_word_and_reader(world: World, ana: Actor) -> None:
    world.fires(severity="CRITICAL")
    assert check(world, once="cron") == [("INC-1", "response", "due")]
    assert check(world, once="cron") == []
    assert check(world, once="other") == check(world, ana, once="cron") == [("INC-1", "response", "due")]
    world.restart()
    world.passes(minutes=31)
    assert check(world, once="cron") == [("INC-1", "response", "breached")]
    assert check(world, once="cron") == []
    world.act(ana, "resolve", note="done")
    assert check(world, once="cron") == []
    assert world.count("sla_told", "token = 'cron' AND actor = 'user-root'") == 0
    with pytest.raises(InvalidField):
        check(world, once="x" * 101)


# --- the report ------------------------------------------------------------------------------------------------


def report(world: World, actor: Actor | None = None, by: str = "company", **more: Any) -> SlaReport:
    given = {"since": None, "until": None, "company": ""} | more
    return world.database.read_now(
        lambda c: sla_report.report(c, actor or world.admin, world.clock.now(), by=by, **given)
    )


@pytest.fixture
def month(world: World, ana: Actor) -> World:
    """Acme: one in time, one answered late, one that recovered by itself, one running. Beta: one breached."""
    world.fires("a", "good", severity="HIGH")
    world.act(ana, "resolve", "INC-1", note="done")
    world.fires("b", "late", severity="CRITICAL")
    world.passes(minutes=40)
    world.act(ana, "resolve", "INC-2", note="done")
    world.fires("c", "alone", severity="HIGH")
    world.recovers("c", "alone")
    world.passes(minutes=6)
    world.fires("d", "running", severity="LOW")
    world.fires("e", "missed", severity="CRITICAL", company=BETA)
    world.passes(hours=5)
    return world


def test_the_report_names_the_incidents_behind_each_number(month: World) -> None:
    acme, beta = report(month).lines
    assert (acme.group, acme.incidents, beta.group) == (ACME, 4, BETA)
    assert (acme.response.percent, acme.response.in_time, acme.response.breached) == (50.0, ["INC-1"], ["INC-2"])
    assert acme.response.cancelled == ["INC-3"]
    assert acme.response.running == acme.resolution.running == ["INC-4"]
    assert (acme.resolution.percent, acme.resolution.in_time) == (100.0, ["INC-1", "INC-2", "INC-3"])
    assert (beta.response.percent, beta.resolution.breached) == (0.0, ["INC-5"])
    assert report(month).total.resolution.percent == 75.0


def test_the_report_by_severity_and_technician(month: World, ana: Actor) -> None:
    assert [line.group for line in report(month, by="severity").lines] == ["CRITICAL", "HIGH", "LOW"]
    found = {line.name: line.incidents for line in report(month, by="technician", company="acme").lines}
    assert found == {"ana": 1, "none": 2, "root": 1}  # what escalates to the admins is theirs


def test_everybody_reads_their_own_report(month: World, ana: Actor, gus: Actor) -> None:
    assert [(line.group, line.incidents) for line in report(month, ana).lines] == [(ACME, 1)]
    assert [(line.group, line.incidents) for line in report(month, gus, "severity").lines] == [
        ("CRITICAL", 1), ("HIGH", 2), ("LOW", 1),
    ]  # fmt: skip
    with pytest.raises(Forbidden):
        report(month, gus, "technician")
    with pytest.raises(NotFound):
        report(month, gus, company="beta")
    for wrong in ({"by": "moon"}, {"since": month.clock.now() + timedelta(hours=1)}):
        with pytest.raises(InvalidField):
            report(month, **wrong)


def test_a_range_counts_what_opened_in_it(month: World) -> None:
    now = month.clock.now()
    assert report(month, since=now - timedelta(minutes=301)).total.incidents == 2
    assert report(month, since=now - timedelta(days=2), until=now - timedelta(days=1)).lines == []


def test_the_tiers_tell_who_is_on_them(world: World, ana: Actor) -> None:
    found = world.database.read_now(sla_views.tiers, world.admin)
    assert [(tier.name, tier.companies) for tier in found] == [("gold", []), ("silver", [ACME, BETA]), ("bronze", [])]
    assert [tier.companies for tier in world.database.read_now(sla_views.tiers, ana)] == [[], [ACME], []]
