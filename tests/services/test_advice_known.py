"""What is learned from advice and the past, who sees it, what it may cost, and when it is removed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from siems.domain.asset import Facts
from siems.domain.permissions import Actor
from siems.errors import Forbidden, NotFound
from siems.services import advice_views, advising, assets, judging, queries
from siems.services.advising import Budget
from siems.vocabulary import AdviceMode, Role, Severity
from siems.wire import FeedbackAsk

from .advising import ORDER, judge, looks, told, view
from .world import ACME, BETA, ROOT, World


@pytest.fixture
def mara(world: World) -> Actor:
    return world.hire("mara", Role.MANAGER, ACME)


@pytest.fixture
def ana(world: World) -> Actor:
    return world.hire("ana", Role.TECHNICIAN, ACME)


# --- learning --------------------------------------------------------------------------------------------------


def test_what_fixed_it_before_is_recommended_and_people_are_believed(world: World, mara: Actor) -> None:
    world.fires()
    world.act(mara, "resolve", note="restarted the worker", cause="leak")
    world.clock.advance(hours=2)
    world.fires()
    assert looks(world, "INC-2")
    shown = view(world, "INC-2").insight
    assert shown.similar == ["INC-1"]
    assert shown.recommendation.startswith(
        "INC-1 looked like this and was fixed by mara: restarted the worker (cause: leak)"
    )
    found = world.database.read_now(advice_views.similar, "INC-2", mara, world.clock.now())
    assert [(one.id, one.notes, one.resolved_by) for one in found] == [("INC-1", "restarted the worker", "mara")]
    assert found[0].why[:2] == ["same signature high_cpu", "same asset web-1"]


def test_a_client_learns_nothing_from_another(world: World) -> None:
    bea = world.hire("bea", Role.TECHNICIAN, BETA)
    world.fires(company=BETA)
    world.act(bea, "resolve", "INC-1", company=BETA, note="secret of Beta")
    world.clock.advance(hours=2)
    world.fires()
    assert looks(world, "INC-2")
    assert view(world, "INC-2").insight.similar == []
    tess = world.hire("tess", Role.TECHNICIAN, ACME)
    now = world.clock.now()
    assert world.database.read_now(advice_views.similar, "INC-2", tess, now) == []
    read = world.database.read_now
    assert read(lambda c: advice_views.similar(c, "INC-2", tess, now, everywhere=True)) == []
    assert [one.id for one in read(lambda c: advice_views.similar(c, "INC-2", ROOT, now, everywhere=True))] == ["INC-1"]
    with pytest.raises(NotFound):
        read(advice_views.similar, "INC-1", tess, now)


def test_severities_that_people_gave_are_learned(world: World, mara: Actor) -> None:
    for _ in range(3):
        world.fires(severity="HIGH")
        ref = f"INC-{world.count('incident')}"
        told(world, ref, severity=Severity.LOW, severity_confidence=0.9)
        judge(world, mara, "accept", ref)
        world.act(mara, "resolve", ref, note="noise")
        world.clock.advance(hours=2)
    world.fires(severity="HIGH")
    assert looks(world, "INC-4")
    shown = view(world, "INC-4").insight.severity
    assert (shown.value, shown.confidence, shown.standing) == ("LOW", 0.8, "waiting")


def test_the_inventory_shows_the_root_of_a_cascade(world: World) -> None:
    world.do(assets.create, ROOT, ACME, "sw-1", Facts())
    for name in ("a", "b", "c"):
        world.do(assets.create, ROOT, ACME, name, Facts(depends_on=("sw-1",)))
    for name in ("a", "b", "sw-1", "c"):
        world.fires(name, "ping_down", "MEDIUM")
    [row] = world.rows("SELECT id FROM incident WHERE merged_into IS NULL")
    ref = f"INC-{row['id']}"
    assert looks(world, ref)
    shown = view(world, ref).insight
    assert (shown.pattern, shown.root_cause.split(" ")[0]) == ("cascade", "sw-1")
    assert world.incident(ref).severity is Severity.HIGH


# --- who sees it -----------------------------------------------------------------------------------------------


def test_lists_and_details_carry_the_insight_but_not_for_clients(world: World) -> None:
    carol = world.hire("carol", Role.CLIENT, ACME)
    world.fires()
    looks(world)
    for actor, seen in ((ROOT, True), (carol, False)):
        page = world.database.read_now(queries.list_incidents, queries.Ask(actor, world.clock.now()))
        detail = world.database.read_now(queries.incident_detail, "INC-1", actor, world.clock.now())
        assert [page.items[0].insight is not None, detail.incident.insight is not None] == [seen, seen]
    with pytest.raises(Forbidden):
        view(world, actor=carol)


def test_feedback_is_kept_once_per_person_and_counted(world: World, ana: Actor, mara: Actor) -> None:
    world.fires()
    looks(world)
    world.do(judging.rate, ana, ACME, 1, FeedbackAsk(useful=False))
    world.do(judging.rate, ana, ACME, 1, FeedbackAsk(useful=True, comment="found it"))
    world.do(judging.rate, mara, ACME, 1, FeedbackAsk(useful=False))
    shown = view(world, actor=ana)
    assert (shown.useful, shown.not_useful, shown.mine) == (1, 1, True)
    since = world.clock.now() - timedelta(days=1)
    stats = world.database.read_now(lambda c: advice_views.stats(c, ana, since, ORDER, company_id=None))
    assert [(p.provider, p.incidents, p.useful, p.not_useful) for p in stats.providers] == [("local", 1, 1, 1)]
    tess = world.hire("tess", Role.TECHNICIAN, BETA)
    assert world.database.read_now(lambda c: advice_views.stats(c, tess, since, ORDER, company_id=None)).providers == []


# --- the budget, and what is removed ---------------------------------------------------------------------------


def test_the_budget_of_a_day_is_kept_per_client_and_for_all(world: World) -> None:
    budget = Budget(calls=3, company_calls=2, tokens=100)

    def spend(company: str) -> str:
        return str(world.do(advising.spend, company, "gemini", budget, companies=(company,)))

    assert [spend(ACME), spend(ACME)] == ["", ""]
    assert "one client" in spend(ACME)
    assert spend(BETA) == ""
    assert spend(BETA) == "3 calls a day"
    world.clock.advance(hours=24)
    assert spend(ACME) == ""
    world.do(lambda uow: advising.book(uow, ACME, "gemini", tokens=100))
    assert spend(BETA) == "100 tokens a day"


def test_an_answer_is_kept_for_its_company_and_for_a_time(world: World) -> None:
    world.do(advising.remember, ACME, "gemini", "key", "{}", 7)
    start = world.clock.now()
    assert world.database.read_now(advising.remembered, ACME, "key", start) == "{}"
    assert world.database.read_now(advising.remembered, BETA, "key", start) is None
    assert world.database.read_now(advising.remembered, ACME, "key", start + timedelta(seconds=1)) is None


def test_advice_goes_with_its_incident(world: World, mara: Actor) -> None:
    world.fires()
    looks(world)
    world.do(judging.rate, mara, ACME, 1, FeedbackAsk(useful=True))
    world.do(advising.remember, ACME, "gemini", "key", "{}", 7)
    world.act(mara, "resolve", note="x")
    world.passes(hours=80)
    assert world.incident().state.value == "CLOSED"
    world.clock.advance(hours=24 * 800)
    world.tick()
    for table in ("incident", "advice", "advice_feedback", "advice_cache", "advice_use"):
        assert world.count(table) == 0, table


def test_settings_survive_a_restart(world: World) -> None:
    world.settings(advice="local", advice_lowers=True)
    world.restart()
    world.do(lambda uow: None)
    settings = world.do(lambda uow: uow.company(ACME).settings)
    assert (settings.advice, settings.advice_lowers) == (AdviceMode.LOCAL, True)
