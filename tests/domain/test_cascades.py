"""`auto` beyond one signature: failures along `depends_on`, and what several tools say in the same words."""

from __future__ import annotations

import pytest

from siems.domain.changing import replace
from siems.domain.correlation import CASCADE, Kind, Rules
from siems.vocabulary import Severity

from .correlated import World
from .making import minutes

EDGES = {"web-1": ("app-1",), "web-2": ("app-2",), "app-1": ("db-1",), "app-2": ("db-1",), "db-1": ("host-1",)}
SAYS = "The mail service refuses new sessions, queue 7 holds {} entries"


def world(**changes: object) -> World:
    return World(rules=replace(Rules(), **changes), edges=EDGES)


# --- along depends_on --------------------------------------------------------------------------------------------


def test_a_failure_downstream_joins_the_one_upstream() -> None:
    model = world()
    model.fire("db-1", "postgres_down")
    said = model.fire("app-1", "http_5xx")
    assert (said.kind, said.rule, said.incident_id) == (Kind.JOIN, CASCADE, 1)
    assert said.evidence == "app-1 depends on db-1, where postgres_down came within 15 min"
    assert model.fire("web-1", "http_latency").incident_id == 1


def test_what_came_first_from_downstream_folds_into_the_upstream_one_that_comes_later() -> None:
    model = world()
    model.fire("app-1", "http_5xx")
    model.now += minutes(5)
    model.fire("app-2", "http_latency")
    assert model.standing() == [1, 2]
    said = model.fire("db-1", "postgres_down")
    assert (said.kind, said.rule, set(said.absorb)) == (Kind.OPEN, CASCADE, {1, 2})
    assert model.standing() == [3]


def test_what_a_person_has_touched_stays_and_is_linked() -> None:
    model = world()
    model.fire("app-1", "http_5xx")
    model.touch(1)
    said = model.fire("db-1", "postgres_down")
    assert (said.absorb, said.link) == ((), (1,))
    assert model.standing() == [1, 2]


@pytest.mark.parametrize(
    ("later", "asset", "signature"),
    [
        (minutes(15.1), "app-1", "http_5xx"),  # later than the window
        (minutes(1), "app-1", "disk_full"),  # a resource of its own
        (minutes(1), "app-1", "backup_failed"),  # nothing that spreads
        (minutes(1), "host-1", "disk_full"),  # upstream, and of its own
        (minutes(1), "printer", "http_5xx"),  # nobody said that it depends on anything
    ],
)
def test_what_has_a_cause_of_its_own_stays_alone(later, asset, signature) -> None:
    model = world()
    model.fire("db-1", "postgres_down")
    model.now += later
    assert model.fire(asset, signature).kind is Kind.OPEN


def test_without_cascades_nothing_folds_along_the_graph() -> None:
    model = world(cascades=False)
    model.fire("db-1", "postgres_down")
    assert model.fire("app-1", "http_5xx").kind is Kind.OPEN


def test_three_problems_of_one_asset_are_the_asset_failing() -> None:
    model = world()
    for signature in ("high_cpu", "no_memory"):
        model.fire("db-1", signature)
    said = model.fire("db-1", "disk_latency")
    assert (said.kind, said.rule, said.evidence) == (Kind.JOIN, CASCADE, "3 or more problems on db-1 within 15 min")
    assert model.standing() == [1]


def test_the_same_failure_in_two_systems_is_two() -> None:
    edges = {f"{site}-web": (f"{site}-db",) for site in ("osl", "ber", "ham")}
    model = World(edges=edges)
    for site in ("osl", "ber", "ham"):
        model.fire(f"{site}-web", "http_5xx")
    assert len(model.standing()) == 3


# --- the same words ----------------------------------------------------------------------------------------------


def test_several_tools_that_say_the_same_of_one_asset_are_one() -> None:
    model = World()
    model.fire("web-1", "mail.sessions", message=SAYS.format(93))
    said = model.fire("web-1.corp.example", "mail sensor", message=SAYS.format(14), tool_source="PRTG")
    assert (said.kind, said.rule, said.incident_id) == (Kind.JOIN, "auto:4", 1)
    assert said.evidence.startswith("reads like ")
    assert "mail.sessions on web-1" in said.evidence


def test_the_same_words_of_three_assets_are_one() -> None:
    model = World()
    for number, signature in enumerate(("a.x", "b.y"), 1):
        assert model.fire(f"web-{number}", signature, message=SAYS.format(number)).kind is Kind.OPEN
    said = model.fire("web-3", "c.z", message=SAYS.format(9))
    assert said.evidence == "near-identical texts on 3 assets within 15 min"
    assert model.standing() == [1]


@pytest.mark.parametrize("changes", [{"texts": False}, {"enabled": False}])
def test_words_count_only_where_they_are_asked_for(changes) -> None:
    model = world(**changes)
    model.fire("web-1", "mail.sessions", message=SAYS.format(93))
    assert model.fire("web-1", "mail sensor", message=SAYS.format(14)).kind is Kind.OPEN


# --- alerts that wait --------------------------------------------------------------------------------------------


def test_with_a_minimum_what_waits_on_other_assets_counts_and_comes_along() -> None:
    model = world(min_alerts=3)
    assert model.fire("app-1", "http_5xx", severity=Severity.MEDIUM).kind is Kind.WAIT
    assert model.fire("app-2", "http_latency", severity=Severity.MEDIUM).kind is Kind.WAIT
    said = model.fire("db-1", "postgres_down", severity=Severity.MEDIUM)
    assert (said.kind, said.rule, len(said.gather)) == (Kind.OPEN, CASCADE, 2)
    assert set(model.went.values()) == {1}
