"""What opens finds its owner, people assign by name and strategy, and the scores of everybody are kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from siems.domain.permissions import Actor
from siems.errors import Conflict, Forbidden, InvalidField, NotFound
from siems.services import accounts, assign_views, assigning, oncall
from siems.storage.people import Person
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, Role, State
from siems.wire import ChoiceView, UserEdit

from .world import ACME, BETA, ROOT, World, reading


def team(world: World, assign: str = "best_match") -> tuple[Actor, Actor]:
    """Ana, and Jon who knows networks, both for Acme."""
    people = world.hire("ana", Role.TECHNICIAN, ACME), world.hire("jon", Role.TECHNICIAN, ACME)
    change(world, "jon", skills=["network"])
    world.settings(assign=assign)
    return people


def change(world: World, who: str, by: Actor = ROOT, **what: Any) -> Any:
    return world.do(accounts.edit, by, who, UserEdit(**what), companies=(MSP,))


def on_call(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    def there(uow: UnitOfWork, company_id: str, at: object = None) -> list[Person]:
        return [p for name in names if (p := uow.person(f"user-{name}")) is not None]

    monkeypatch.setattr(oncall, "on_call", there)


def owners(world: World, *refs: str) -> list[str | None]:
    return [world.incident(ref).assignee for ref in refs]


# --- by itself -----------------------------------------------------------------------------------------------------


def test_by_default_nobody_is_given_anything(world: World) -> None:
    team(world, "manual")
    world.fires("sw-1", "ping_loss")
    assert world.incident().state is State.OPEN
    assert world.notices("incident.opened") == {"user-ana", "user-jon"}
    assert not any("chose" in line for line in world.story())


def test_what_opens_is_with_its_owner_and_pages_only_them(world: World) -> None:
    team(world)
    world.fires("sw-1", "ping_loss", "CRITICAL")
    incident = world.incident()
    assert (incident.assignee, incident.state, incident.version) == ("user-jon", State.ASSIGNED, 1)
    assert world.notices("incident.opened") == {"user-jon"}
    assert world.notices("incident.assigned") == set()
    assert world.story() == [
        "best_match chose jon: knows network, available, 0 open, never given one (score 60); then ana 20"
    ]


def test_nobody_is_taken_to_have_acted_so_the_clock_runs_on_and_the_chain_goes_on(world: World) -> None:
    team(world)
    mia = world.hire("mia", Role.MANAGER, ACME)
    world.fires("sw-1", "ping_loss", "CRITICAL")
    incident = world.incident()
    assert incident.clocks.response_met_at is None
    assert incident.acknowledged_at is None
    world.passes(minutes=6)
    assert mia.id in world.notices("incident.escalated")
    world.passes(minutes=30)
    assert world.incident().clocks.response_breached_at is not None


def test_the_scores_of_everybody_are_kept_with_the_incident(world: World) -> None:
    team(world)
    world.fires("sw-1", "ping_loss")
    [row] = world.rows("SELECT data FROM timeline WHERE incident_id = 1")
    data = json.loads(row["data"])
    assert (data["strategy"], data["category"], data["chosen"]) == ("best_match", "network", "user-jon")
    assert [(c["name"], c["score"], c["skilled"]) for c in data["candidates"]] == [
        ("jon", 60, True),
        ("ana", 20, False),
    ]
    world.act(ROOT, "assign", to="ana")
    kept = world.database.read_now(assign_views.show_choice, world.incident(), ROOT)
    assert (kept.chosen, [c.score for c in kept.candidates]) == ("user-jon", [60, 20])
    [entry] = world.rows("SELECT actor, via FROM audit_entry WHERE action = 'incident.assigned' AND via = 'system'")
    assert (entry["actor"], entry["via"]) == ("system", "system")


def test_round_robin_goes_around_also_within_one_batch_and_after_a_restart(world: World) -> None:
    team(world, "round_robin")
    with world.one_batch() as jobs:
        jobs += [world.job(reading("h0", "s0"), reading("h1", "s1")), world.job(reading("h2", "s2"))]
    world.restart()
    world.fires("h3", "s3")
    given = owners(world, "INC-1", "INC-2", "INC-3", "INC-4")
    assert given == ["user-ana", "user-jon", "user-ana", "user-jon"]


def test_least_loaded_counts_what_is_open_at_all_clients_and_not_what_is_resolved(world: World) -> None:
    ana, _ = team(world, "least_loaded")
    change(world, "jon", add_companies=[BETA])
    world.fires("b1", "s1", company=BETA)
    world.act(ROOT, "assign", "INC-1", company=BETA, to="jon")
    world.fires("a1", "s1")
    world.fires("a2", "s2")  # both have one: Jon's was earlier
    assert owners(world, "INC-2", "INC-3") == ["user-ana", "user-jon"]
    world.act(ana, "resolve", "INC-2", note="done")
    world.fires("a4", "s4")
    assert owners(world, "INC-4") == ["user-ana"]


def test_who_is_away_gets_nothing_and_where_all_are_the_incident_says_so(world: World) -> None:
    team(world)
    change(world, "jon", availability="away")
    world.fires("sw-1", "ping_loss")
    assert owners(world, "INC-1") == ["user-ana"]
    change(world, "ana", availability="away")
    world.fires("sw-2", "dns_down")
    assert world.incident("INC-2").state is State.OPEN
    assert world.story("INC-2") == ["best_match: nobody can be given this (jon is away, ana is away)"]
    assert world.notices("incident.opened", "INC-2") == {"user-ana", "user-jon"}


def test_on_call_takes_who_is_on_call_even_a_manager(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    team(world, "on_call")
    world.hire("mia", Role.MANAGER, ACME)
    world.fires("a", "s0")
    assert world.story() == ["on_call: nobody can be given this (ana is not on call, jon is not on call)"]
    on_call(monkeypatch, "mia", "jon")
    world.fires("b", "s1")
    assert owners(world, "INC-1", "INC-2") == [None, "user-mia"]


def test_what_an_alert_reopens_finds_an_owner_again(world: World) -> None:
    _, jon = team(world)
    world.fires("sw-1", "ping_loss")
    world.act(jon, "resolve", note="done")
    change(world, "jon", availability="away")
    world.fires("sw-1", "ping_loss")
    incident = world.incident()
    assert (incident.assignee, incident.state) == ("user-ana", State.ASSIGNED)
    assert incident.clocks.response_met_at is None
    assert world.notices("incident.reopened") == {"user-ana"}


def test_what_a_person_decides_stays(world: World) -> None:
    ana, _ = team(world)
    mia = world.hire("mia", Role.MANAGER, ACME)
    world.fires("sw-1", "ping_loss")
    world.act(mia, "assign", to="ana")
    world.fires("sw-1", "ping_loss", "CRITICAL", tool_source="Zabbix")
    assert owners(world, "INC-1") == [ana.id]
    world.act(mia, "unassign")
    world.fires("sw-1", "ping_loss", tool_source="PRTG")
    assert owners(world, "INC-1") == [None]


def test_an_incident_opens_all_the_same_when_its_strategy_is_gone(world: World) -> None:
    team(world)
    from siems.domain.assignment import STRATEGIES

    entry = STRATEGIES._entries.pop("best_match")
    try:
        assert world.fires("sw-1", "ping_loss")["incident_id"] == "INC-1"
    finally:
        STRATEGIES._entries["best_match"] = entry
    assert owners(world, "INC-1") == [None]


def test_only_a_strategy_that_is_known_can_be_set(world: World) -> None:
    world.settings(assign="Round-Robin")
    with pytest.raises(InvalidField, match="no way to assign") as refused:
        world.settings(assign="fairest")
    assert "round_robin" in refused.value.hint
    assert json.loads(world.rows(f"SELECT settings FROM company WHERE id = '{ACME}'")[0]["settings"])["assign"] == (
        "round_robin"
    )


# --- by people -----------------------------------------------------------------------------------------------------


def test_auto_by_hand_is_the_act_of_whoever_asks(world: World) -> None:
    team(world, "manual")
    mia = world.hire("mia", Role.MANAGER, ACME)
    world.fires("sw-1", "ping_loss")
    done = world.act(mia, "assign", to="auto")
    assert done.incident.assignee == "user-jon"
    assert done.incident.clocks.response_met_at is not None
    assert [line.partition(":")[0] for line in world.story()] == ["best_match chose jon", "assigned to jon"]
    assert world.notices("incident.assigned") == {"user-jon"}


def test_a_technician_gives_nothing_to_others_by_way_of_a_strategy(world: World) -> None:
    ana, jon = team(world, "manual")
    world.fires("sw-1", "ping_loss")
    with pytest.raises(Forbidden):
        world.act(ana, "assign", to="auto")
    assert world.act(jon, "assign", to="auto").incident.assignee == jon.id


def test_on_call_by_hand_is_the_first_of_them_or_a_conflict(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    team(world, "manual")
    world.fires("sw-1", "ping_loss")
    with pytest.raises(Conflict, match="nobody is on call"):
        world.act(ROOT, "assign", to="oncall")
    on_call(monkeypatch, "jon", "ana")
    assert world.act(ROOT, "assign", to="oncall").incident.assignee == "user-jon"


def test_a_name_that_is_not_there_is_answered_with_the_nearest_that_one_may_know(world: World) -> None:
    team(world, "manual")
    mia = world.hire("mia", Role.MANAGER, ACME)
    world.hire("jonas", Role.TECHNICIAN, BETA)
    world.fires("sw-1", "ping_loss")
    with pytest.raises(NotFound) as refused:
        world.act(mia, "assign", to="jno")
    assert refused.value.hint.startswith("did you mean jon?")
    with pytest.raises(NotFound) as hidden:
        world.act(mia, "assign", to="jonas")
    assert "jonas" not in hidden.value.hint
    with pytest.raises(InvalidField, match="jonas does not work for this company"):
        world.act(ROOT, "assign", to="jonas")
    assert world.act(mia, "assign", to="jon@msp.example").incident.assignee == "user-jon"


def test_candidates_can_be_looked_at_without_any_trace(world: World) -> None:
    ana, _ = team(world, "manual")
    world.fires("sw-1", "ping_loss")
    before = world.count("event")

    def look(by: Actor, strategy: str = "", company: str = ACME) -> ChoiceView:
        found = world.do(assigning.preview, by, company, 1, strategy)
        assert isinstance(found, ChoiceView)
        return found

    assert (look(ana).strategy, look(ana).chosen) == ("best_match", "user-jon")
    assert look(ana, "round_robin").chosen == "user-ana"
    with pytest.raises(NotFound):
        look(ana, "nonsense")
    with pytest.raises(NotFound):
        look(Actor("user-x", "x", Role.TECHNICIAN, frozenset({BETA})))
    with pytest.raises(Forbidden):
        look(world.hire("gus", Role.CLIENT, ACME))
    assert world.count("event", "type LIKE 'incident.%'") <= before
    assert world.incident().assignee is None


def test_what_no_strategy_has_chosen_has_no_scores(world: World) -> None:
    team(world, "manual")
    world.fires("sw-1", "ping_loss")
    with pytest.raises(NotFound, match="no strategy has chosen"):
        world.database.read_now(assign_views.show_choice, world.incident(), ROOT)


def test_what_people_have_open_is_the_same_after_a_restart(world: World) -> None:
    ana, jon = team(world, "round_robin")
    for n in range(5):
        world.fires(f"h{n}", f"s{n}")
    world.act(ana, "resolve", "INC-1", note="x")
    world.act(jon, "unassign", "INC-2")
    world.act(ROOT, "assign", "INC-3", to="jon")
    world.act(jon, "resolve", "INC-4", note="x")
    world.act(ROOT, "reopen", "INC-4", reason="came back")

    def load(uow: UnitOfWork) -> dict[str, int]:
        return {name: assigning.workload(uow, f"user-{name}") for name in ("ana", "jon")}

    rows = world.rows(
        "SELECT assignee, count(*) AS n FROM incident WHERE state NOT IN ('RESOLVED', 'CLOSED')"
        " AND assignee IS NOT NULL GROUP BY assignee"
    )
    expected = {"ana": 0, "jon": 0} | {row["assignee"].removeprefix("user-"): row["n"] for row in rows}
    assert world.do(load) == expected
    world.restart()
    assert world.do(load) == expected


def test_a_verb_that_fails_leaves_no_trace_of_an_assignment(world: World) -> None:
    team(world, "round_robin")

    def fails(uow: UnitOfWork) -> None:
        uow.roster.given("user-ana")
        uow.company(ACME).workload.get("user-ana")
        raise Conflict("no")

    with pytest.raises(Conflict):
        world.do(fails)
    world.fires("a", "s0")
    assert owners(world, "INC-1") == ["user-ana"]
