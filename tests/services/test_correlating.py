"""One cause, one incident: what the writer folds, what it costs nobody, and what the past would have been."""

from __future__ import annotations

from typing import Any

import pytest

from siems.domain.asset import Facts
from siems.errors import Forbidden, InvalidField, NotFound
from siems.services import assets, companies, correlating
from siems.vocabulary import Role, Severity, State
from siems.wire import CorrelationAsk, CorrelationPreview

from .world import ACME, BETA, World, reading

SAYS = "The mail service refuses new sessions, queue 7 holds {} entries"


def furnish(world: World, **edges: str) -> None:
    """Assets that depend on others: web_1="db_1" is web-1 on db-1."""
    for names in ({upstream for one in edges.values() for upstream in one.split()}, edges):
        for name in names:
            known = tuple(other.replace("_", "-") for other in edges.get(name, "").split())
            world.do(
                lambda uow, name=name, known=known: assets.create(
                    uow, world.admin, ACME, name.replace("_", "-"), Facts(depends_on=known)
                )
            )


def preview(world: World, actor: Any = None, company: str = ACME, **ask: Any) -> CorrelationPreview:
    asked = CorrelationAsk(**ask)
    found = world.database.read_now(
        correlating.past, actor or world.admin, company, asked, world.clock.now()
    )  # fmt: skip
    return correlating.preview(found, asked)


def standing(world: World) -> set[str]:
    rows = world.rows("SELECT id FROM incident WHERE merged_into IS NULL")
    return {f"INC-{row['id']}" for row in rows}


# --- folding ---------------------------------------------------------------------------------------------------


def test_an_upstream_failure_takes_in_what_it_has_dragged_along(world: World) -> None:
    furnish(world, app_1="db_1", app_2="db_1")
    ana = world.hire("ana", Role.TECHNICIAN, ACME)
    world.fires("app-1", "http_5xx", "HIGH")
    world.passes(minutes=4)
    world.fires("app-2", "http_latency", "LOW")
    first = world.incident("INC-1").clocks
    answer = world.fires("db-1", "postgres_down", "MEDIUM")
    assert (answer["incident_id"], standing(world)) == ("INC-3", {"INC-3"})
    found = world.incident("INC-3")
    assert (found.rule, found.severity, found.alert_count, found.active_count) == ("auto:3", Severity.HIGH, 3, 3)
    assert found.assets == ("db-1", "app-1", "app-2")
    assert found.title == "Postgres down on db-1, 2 more affected"
    assert (found.clocks.response_due, found.created_at) == (first.response_due, world.incident().created_at)
    for ref in ("INC-1", "INC-2"):
        gone = world.incident(ref)
        assert (gone.state, gone.merged_into) == (State.CLOSED, 3)
        assert world.deadlines(ref) == {}
    # a person who works on it works on all of it; nothing more is opened
    world.act(ana, "ack", "INC-3")
    assert world.fires("app-1", "http_timeouts")["incident_id"] == "INC-3"


def test_a_restart_changes_nothing_of_what_comes_next(world: World) -> None:
    furnish(world, app_1="db_1", app_2="db_1")
    world.fires("app-1", "http_5xx")
    world.fires("web-7", "mail.sessions", message=SAYS.format(4))
    world.restart()
    assert world.fires("db-1", "postgres_down")["incident_id"] == "INC-3"
    assert world.incident().merged_into == 3
    world.restart()
    assert world.fires("app-2", "http_5xx")["incident_id"] == "INC-3"
    again = world.fires("web-7.corp.example", "mail sensor", message=SAYS.format(9), tool_source="PRTG")
    assert again["incident_id"] == "INC-2"


def test_what_depends_on_what_counts_from_the_moment_that_it_is_said(world: World) -> None:
    world.fires("db-1", "postgres_down")
    assert world.fires("app-1", "http_5xx")["incident_id"] == "INC-2"
    world.do(lambda uow: assets.create(uow, world.admin, ACME, "app-2", Facts(depends_on=("db-1",))))
    assert world.fires("app-2", "http_5xx")["incident_id"] == "INC-1"
    world.do(lambda uow: assets.edit(uow, world.admin, ACME, "app-2", Facts(depends_on=())))
    assert world.fires("app-2", "http_latency")["incident_id"] == "INC-3"


def test_alerts_that_wait_are_called_in_by_one_that_explains_them(world: World) -> None:
    furnish(world, app_1="db_1", app_2="db_1")
    world.settings(min_alerts=3)
    assert world.fires("app-1", "http_5xx")["incident_id"] is None
    assert world.fires("app-2", "http_latency")["incident_id"] is None
    assert world.fires("db-1", "postgres_down")["incident_id"] == "INC-1"
    assert world.incident().alert_count == 3
    assert world.count("alert", "incident_id IS NULL") == 0


def test_what_cannot_be_written_leaves_no_trace_in_the_memory(world: World) -> None:
    furnish(world, app_1="db_1")
    world.fires("app-1", "http_5xx")

    def fails(uow: Any) -> None:
        from siems.services import ingest

        job = world.job(reading("db-1", "postgres_down"))
        ingest.accept(uow, *job.args)
        raise InvalidField("no")

    with pytest.raises(InvalidField):
        world.do(fails)
    assert standing(world) == {"INC-1"}
    assert world.fires("web-9", "http_5xx")["incident_id"] == "INC-2"
    assert world.fires("app-1", "http_5xx", tool_source="Zabbix")["incident_id"] == "INC-1"


# --- the past --------------------------------------------------------------------------------------------------


def morning(world: World) -> None:
    """A cascade, a burst, one trouble of two tools, something that flaps, and something on its own."""
    furnish(world, app_1="db_1", app_2="db_1")
    world.fires("app-1", "http_5xx")
    world.passes(minutes=2)
    world.fires("db-1", "postgres_down")
    world.fires("app-2", "http_5xx")
    world.fires("app-2", "http_5xx")
    for desk in ("desk-1", "desk-2", "desk-3"):
        world.fires(desk, "high_cpu")
    world.fires("web-7", "mail.sessions", message=SAYS.format(4))
    world.fires("web-7", "mail sensor", message=SAYS.format(9), tool_source="PRTG")
    for _ in range(3):
        world.fires("ap-1", "link_flap")
        world.passes(minutes=1)
        world.recovers("ap-1", "link_flap")
        world.passes(minutes=2)
    world.fires("db-9", "disk_full")
    world.recovers("app-1", "http_5xx")
    world.passes(minutes=40)


def test_under_the_settings_in_force_the_past_comes_out_as_it_was(world: World) -> None:
    morning(world)
    found = preview(world)
    assert found.before.incidents == found.incidents == len(standing(world))
    assert found.before == found.after
    assert (found.joined, found.split, found.more) == (0, 0, False)
    assert found.firings == found.alerts + 1
    assert found.before.flapping == 1
    assert {"auto:2", "auto:3", "auto:4"} <= set(found.before.rules)
    assert sum(bucket.before for bucket in found.hours) == found.incidents


def test_other_settings_tell_what_would_be_joined_and_what_would_fall_apart(world: World) -> None:
    morning(world)
    before = world.rows("SELECT id, incident_id FROM alert ORDER BY id")
    found = preview(world, cascades=False, texts=False)
    assert found.after.incidents > found.before.incidents
    assert (found.joined, found.split) == (0, 2)
    assert {one.first for one in found.splits} == {"http_5xx on app-1", "mail.sessions on web-7"}
    assert found.after.settings.cascades is False
    assert preview(world, strategy="asset").split == 2
    assert preview(world, since_seconds=60).alerts == 0
    assert world.rows("SELECT id, incident_id FROM alert ORDER BY id") == before


def test_silenced_alerts_and_those_of_others_are_no_part_of_it(world: World) -> None:
    world.fires("web-1")
    world.fires("web-1", company=BETA)
    assert (preview(world).alerts, preview(world, company=BETA).alerts) == (1, 1)


def test_only_so_many_are_replayed_and_it_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correlating, "MOST_ALERTS", 2)
    for asset in ("a", "b", "c"):
        world.fires(asset)
        world.passes(seconds=1)
    found = preview(world)
    assert (found.alerts, found.more, found.before.incidents) == (2, True, 2)


def test_who_may_look_and_change(world: World) -> None:
    ana, mia = world.hire("ana", Role.TECHNICIAN, ACME), world.hire("mia", Role.MANAGER, ACME)
    seen = world.database.read_now(correlating.settings, ana)
    assert [one.id for one in seen] == [ACME]
    with pytest.raises(Forbidden):
        preview(world, ana)
    with pytest.raises(NotFound):
        preview(world, mia, BETA)
    assert preview(world, mia).alerts == 0
    with pytest.raises(InvalidField, match="since"):
        preview(world, since_seconds=0)
    with pytest.raises(InvalidField, match="window"):
        preview(world, window_minutes=2)


def test_a_change_counts_from_the_next_alert_and_is_in_the_record(world: World) -> None:
    furnish(world, app_1="db_1")
    ask = CorrelationAsk(cascades=False, reason="too eager")
    world.do(companies.edit, world.admin, ACME, correlating.edit_of(ask))
    world.fires("db-1", "postgres_down")
    assert world.fires("app-1", "http_5xx")["incident_id"] == "INC-2"
    world.restart()
    [seen] = world.database.read_now(correlating.settings, world.admin, ACME)
    assert (seen.correlation.cascades, seen.correlation.texts) == (False, True)
    assert world.count("audit_entry", "reason = 'too eager'") == 1


# --- one instant -----------------------------------------------------------------------------------------------


def together(world: World) -> set[frozenset[str]]:
    """Which assets and signatures share an incident."""
    found: dict[int, set[str]] = {}
    for row in world.rows("SELECT incident_id, asset_name, signature FROM alert WHERE incident_id IS NOT NULL"):
        found.setdefault(row["incident_id"], set()).add(f"{row['asset_name']} {row['signature']}")
    return {frozenset(one) for one in found.values()}


def test_in_whatever_order_a_body_tells_of_them_the_same_alerts_are_together(world: World) -> None:
    furnish(world, app_1="db_1", app_2="db_1")
    told = [
        reading("app-1", "host_down"), reading("app-2", "host_down"), reading("app-1", "http_5xx"),
        reading("db-1", "postgres_down"), reading("printer", "mail sensor", message=SAYS.format(3)),
        reading("printer", "mail.sessions", message=SAYS.format(4)),
    ]  # fmt: skip
    first = world.take(*told)
    found = together(world)
    assert len(found) == 2
    assert [one["alert_id"] for one in first["alerts"]] == ["ALR-4", "ALR-6", "ALR-5", "ALR-1", "ALR-2", "ALR-3"]
    for number in (1, 2, 3):
        for one in told:
            world.take(reading(one.asset_name, one.signature, firing=False))
        for ref in standing(world):
            if world.incident(ref).open:
                world.act(world.admin, "resolve", ref, note="over")
        world.passes(minutes=40)
        again = told[number:] + told[:number][::-1]
        answers = world.take(*again)["alerts"]
        rows = {f"ALR-{row['id']}": row for row in world.rows("SELECT id, asset_name, signature FROM alert")}
        said = [(rows[one["alert_id"]]["asset_name"], rows[one["alert_id"]]["signature"]) for one in answers]
        assert said == [(one.asset_name, one.signature) for one in again], "each answer is about its own alert"
        now = [answers[again.index(one)]["incident_id"] for one in told]
        assert [now.index(ref) for ref in now] == [0, 0, 0, 0, 4, 4], number
