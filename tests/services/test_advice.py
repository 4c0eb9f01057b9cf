"""Advice in a real database: what is queued and kept, what applies at once, what waits, and what people make of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from siems.domain.advice import Insight, Pattern, Standing
from siems.domain.advice_rules import advise
from siems.domain.asset import Facts
from siems.domain.drafts import read_draft
from siems.domain.permissions import Actor
from siems.errors import Conflict, Forbidden, NotFound, StaleVersion
from siems.services import advice_views, advising, assets, insights, judging, queries
from siems.services.advising import Budget
from siems.vocabulary import AdviceMode, Category, Role, Severity
from siems.wire import AdviceAsk, FeedbackAsk

from .world import ACME, BETA, ROOT, World

ORDER = ("local",)


def looks(world: World, ref: str = "INC-1", *, company: str = ACME) -> bool:
    """As the daemon does with the local advisor; whether anything was kept."""
    number = int(ref.removeprefix("INC-"))
    world.clock.advance(seconds=10)
    work = world.do(advising.claim, number, company, companies=(company,))
    if work is None:
        return False
    known = world.database.read_now(insights.background, company, world.clock.now())
    question = world.database.read_now(insights.question_of, company, number, known, world.clock.now())
    kept: bool = world.do(
        advising.keep, work, read_draft(advise(question), question, "local"), companies=(company,)
    )  # fmt: skip
    return kept


def insight(**more: Any) -> Insight:
    facts: dict[str, Any] = {
        "provider": "gemini", "pattern": Pattern.ISOLATED, "root_cause": "x", "recommendation": "y", "confidence": 0.8,
    }  # fmt: skip
    return Insight(**(facts | more))


def told(world: World, ref: str = "INC-1", **values: Any) -> None:
    """Somebody advises this."""
    world.clock.advance(seconds=10)
    number = int(ref.removeprefix("INC-"))
    incident = world.incident(ref)
    world.do(lambda uow: uow.advice.queue(incident, uow.now), companies=(incident.company_id,))
    work = world.do(advising.claim, number, incident.company_id, companies=(incident.company_id,))
    assert work is not None
    assert world.do(advising.keep, work, insight(**values), companies=(incident.company_id,))


def lower(world: World, **more: Any) -> None:
    told(world, severity=Severity.LOW, severity_confidence=0.9, severity_why="it says so", **more)


def raise_(world: World, confidence: float = 0.9) -> None:
    told(world, severity=Severity.CRITICAL, severity_confidence=confidence)


def judge(world: World, actor: Actor, verdict: str, ref: str = "INC-1", **more: Any) -> Any:
    number = int(ref.removeprefix("INC-"))
    return world.do(judging.judge, actor, ACME, number, AdviceAsk(verdict=verdict, **more))


def view(world: World, ref: str = "INC-1", actor: Actor = ROOT) -> Any:
    return world.database.read_now(advice_views.show, ref, actor, ORDER)


@pytest.fixture
def mara(world: World) -> Actor:
    return world.hire("mara", Role.MANAGER, ACME)


@pytest.fixture
def ana(world: World) -> Actor:
    return world.hire("ana", Role.TECHNICIAN, ACME)


# --- the queue -------------------------------------------------------------------------------------------------


def test_what_opens_is_looked_at_a_moment_later_and_once(world: World) -> None:
    world.fires()
    assert world.database.read_now(advising.due, world.clock.now(), 9) == []
    world.clock.advance(seconds=2)
    assert world.database.read_now(advising.due, world.clock.now(), 9) == [(1, ACME)]
    assert looks(world)
    assert world.count("advice_job") == 0
    assert not looks(world)
    assert view(world).insight.provider == "local"


def test_the_most_severe_comes_first(world: World) -> None:
    world.fires("a", "s1", "LOW")
    world.fires("b", "s2", "CRITICAL")
    world.clock.advance(seconds=5)
    assert [number for number, _ in world.database.read_now(advising.due, world.clock.now(), 9)] == [2, 1]


def test_what_changes_while_somebody_looks_is_looked_at_again(world: World) -> None:
    world.fires()
    world.clock.advance(seconds=5)
    work = world.do(advising.claim, 1, ACME)
    assert world.do(advising.claim, 1, ACME) is None, "it is somebody's"
    world.fires(tool_source="Zabbix")
    assert world.do(advising.keep, work, insight())
    assert world.count("advice_job") == 1
    assert looks(world)
    assert world.count("advice_job") == 0


def test_a_lease_that_ran_out_is_somebody_elses(world: World) -> None:
    world.fires()
    world.clock.advance(seconds=5)
    old = world.do(advising.claim, 1, ACME)
    world.clock.advance(minutes=2)
    new = world.do(advising.claim, 1, ACME)
    assert not world.do(advising.keep, old, insight())
    assert world.do(advising.keep, new, insight())


def test_a_failure_is_tried_again_three_times(world: World) -> None:
    world.fires()
    for _ in range(advising.TRIES):
        world.clock.advance(minutes=2)
        work = world.do(advising.claim, 1, ACME)
        world.do(advising.failed, work)
    assert world.count("advice_job") == 0


def test_off_is_off(world: World) -> None:
    world.settings(advice="off")
    world.fires()
    assert world.count("advice_job") == 0
    assert "siems company edit" in view(world).why_none
    world.settings(advice="on")
    world.fires("b", "other")
    world.settings(advice="off")
    world.clock.advance(seconds=5)
    assert world.do(advising.claim, 2, ACME) is None, "what was queued before is let go"
    assert world.count("advice_job") == 0


def test_what_is_over_or_folded_away_is_left_alone(world: World, ana: Actor) -> None:
    world.fires()
    world.act(ana, "resolve", note="done")
    assert not looks(world)
    for asset in ("b", "c", "d"):
        world.fires(asset, "burst")
    assert not looks(world, "INC-3")
    assert world.count("advice_job", "incident_id = 3") == 0


def test_a_refused_alert_leaves_nothing_in_the_queue(world: World) -> None:
    """What a verb queued goes when it fails."""

    def broken(uow: Any) -> None:
        uow.advice.queue(uow.incidents.get(ACME, 1), uow.now)
        raise Conflict("no")

    world.fires()
    looks(world)
    with pytest.raises(Conflict):
        world.do(broken)
    assert world.count("advice_job") == 0


# --- what applies ----------------------------------------------------------------------------------------------


def test_a_sure_raise_applies_at_once_and_can_be_taken_back(world: World, mara: Actor) -> None:
    world.fires(severity="HIGH")
    before, dues = world.incident(), world.deadlines()
    raise_(world)
    after = world.incident()
    assert after.severity is Severity.CRITICAL
    assert after.clocks.response_due < before.clocks.response_due
    assert not after.severity_pinned
    shown = view(world).insight.severity
    assert (shown.before, shown.value, shown.standing) == ("HIGH", "CRITICAL", "applied")
    assert any("advised by gemini (0.90)" in line for line in world.story())

    done = judge(world, mara, "dismiss", reason="a test system")
    assert done.changed
    back = world.incident()
    assert (back.severity, back.severity_pinned) == (Severity.HIGH, True)
    assert back.clocks.response_due == before.clocks.response_due
    assert back.clocks.resolution_due == before.clocks.resolution_due
    assert world.deadlines()["escalation"] == dues["escalation"]
    assert not judge(world, mara, "dismiss").changed
    raise_(world)
    assert world.incident().severity is Severity.HIGH, "declined is declined"


def test_an_unsure_raise_waits(world: World, mara: Actor) -> None:
    world.fires(severity="HIGH")
    raise_(world, 0.7)
    assert world.incident().severity is Severity.HIGH
    assert view(world).insight.waiting
    assert judge(world, mara, "accept").changed
    assert world.incident().severity is Severity.CRITICAL
    assert world.incident().severity_pinned


def test_a_lowering_waits_for_a_person_and_moves_no_deadline(world: World, mara: Actor, ana: Actor) -> None:
    world.fires(severity="CRITICAL")
    before = world.incident()
    lower(world)
    assert world.incident().severity is Severity.CRITICAL
    with pytest.raises(Forbidden):
        judge(world, ana, "accept")
    assert judge(world, mara, "accept", reason="known noise").changed
    after = world.incident()
    assert after.severity is Severity.LOW
    assert (after.clocks.response_due, after.clocks.resolution_due) == (
        before.clocks.response_due, before.clocks.resolution_due,
    )  # fmt: skip
    assert after.escalates_at == before.escalates_at
    world.fires(severity="CRITICAL")
    world.fires(severity="CRITICAL", tool_source="Zabbix")
    assert world.incident().severity is Severity.LOW, "a person has said so"
    assert any("advice accepted, severity CRITICAL -> LOW: known noise" in line for line in world.story())
    assert judge(world, mara, "dismiss").changed
    assert world.incident().severity is Severity.CRITICAL


def test_a_company_may_let_advice_lower_but_not_move_deadlines(world: World) -> None:
    world.settings(advice_lowers=True)
    world.fires(severity="CRITICAL")
    before = world.incident()
    lower(world)
    after = world.incident()
    assert (after.severity, after.severity_pinned) == (Severity.LOW, False)
    assert after.clocks == before.clocks
    world.fires(severity="HIGH", tool_source="Zabbix")
    assert world.incident().severity is Severity.HIGH, "an alert that is worse counts all the same"


def test_a_page_that_was_due_comes_in_spite_of_advice_to_lower(world: World) -> None:
    world.settings(advice_lowers=True)
    world.fires(severity="CRITICAL")
    lower(world)
    world.passes(minutes=6)
    assert world.incident().escalation_level > 1


def test_what_a_person_has_set_is_not_touched(world: World) -> None:
    world.fires(severity="HIGH")

    def pin(uow: Any) -> None:
        from siems.domain.changing import replace
        from siems.services.keeping import save

        before = uow.incidents.get(ACME, 1)
        save(uow, before, replace(before, severity_pinned=True))

    world.do(pin)
    raise_(world)
    assert world.incident().severity is Severity.HIGH
    assert view(world).insight.severity.standing == Standing.NONE


def test_a_category_that_was_unknown_is_filled_in_and_another_waits(world: World, mara: Actor) -> None:
    world.fires("pc-1", "zzz")
    told(world, category=Category.NETWORK, category_confidence=0.9, category_why="because")
    assert world.incident().category is Category.NETWORK
    assert judge(world, mara, "dismiss").changed
    assert world.incident().category is Category.OTHER
    world.fires("pc-2", "high_cpu")
    told(world, "INC-2", category=Category.NETWORK, category_confidence=0.9)
    assert world.incident("INC-2").category is Category.CPU
    assert judge(world, mara, "accept", "INC-2").changed
    assert world.incident("INC-2").category is Category.NETWORK


def test_a_stale_version_an_unknown_verdict_and_nothing_to_judge_are_refused(world: World, mara: Actor) -> None:
    world.fires()
    with pytest.raises(Conflict):
        judge(world, mara, "accept")
    lower(world)
    with pytest.raises(StaleVersion):
        judge(world, mara, "accept", version=99)
    from siems.errors import InvalidField

    with pytest.raises(InvalidField):
        judge(world, mara, "perhaps")
    world.act(mara, "resolve", note="done")
    with pytest.raises(Conflict):
        judge(world, mara, "accept")


def test_every_decision_is_in_the_record_and_the_stream(world: World, mara: Actor) -> None:
    world.fires(severity="HIGH")
    lower(world)
    judge(world, mara, "accept", reason="noise")
    actions = [
        row["action"] for row in world.rows("SELECT action FROM audit_entry WHERE object = 'INC-1' ORDER BY seq")
    ]
    assert actions[-1] == "advice.accepted"
    events = {row["type"] for row in world.rows("SELECT type FROM event WHERE object = 'INC-1'")}
    assert {"incident.insight", "incident.changed"} <= events


def test_sla_explain_still_adds_up_after_advice_was_taken(world: World, mara: Actor) -> None:
    from siems.services import sla_views

    world.fires(severity="HIGH")
    raise_(world)
    judge(world, mara, "dismiss")
    shown = world.database.read_now(sla_views.explain, "INC-1", ROOT, world.clock.now())
    assert shown is not None


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
    assert looks(world)
    shown = view(world).insight
    assert (shown.pattern, shown.root_cause.split(" ")[0]) == ("cascade", "sw-1")
    assert world.incident().severity is Severity.HIGH


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
