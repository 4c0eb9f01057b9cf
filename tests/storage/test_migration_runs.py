"""Down and up again past runbooks (0015) and their runs (0016), with rows in every table of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, inspect, text

from services.test_runs import Desk, healing
from services.world import ACME, ROOT, VAULT, World
from siems.clock import ManualClock
from siems.domain.asking import asking
from siems.services import run_settings, run_work, trail
from siems.services.run_work import Job, News
from siems.storage import migrations
from siems.storage.database import open_engine, parse_url
from siems.storage.repositories.runs import Piece, StepRow, hosts_of
from siems.wire import HostLoginAsk, RunRuleAsk, StandingAsk

from .test_migrations import contents

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
OF_RUNBOOKS = {"runbook", "runbook_approval"}
OF_RUNS = {
    "run", "run_host", "run_step", "run_output", "host_login", "standing_approval", "self_heal", "run_rule",
}  # fmt: skip


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A database in which runbooks were written, and run, wait, and heal."""
    world = World(database_url, ManualClock(NOON))
    desk = Desk(world)
    healing(desk)
    standing = StandingAsk(company=ACME, runbook="restart-web-server", targets=["web-2"], seconds=86_400)
    world.do(run_settings.grant, ROOT, ACME, standing)
    world.do(run_settings.set_rule, ROOT, ACME, RunRuleAsk(low="medium"))
    desk.ask(desk.maria, "restart-web-server")  # waits for an answer, which has a time
    begun = desk.ask(desk.maria, "restart-web-server", "web-2")  # has a lease, and an end
    job: Job = world.do(run_work.claim, begun.id, "here")
    world.do(run_work.report, begun.id, job.run.lease_token, News())
    world.fires("web-1", "disk_hot", "LOW")  # is healed in a moment
    world.stop()
    made = open_engine(parse_url(database_url))
    yield made
    made.dispose()


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names())


def kinds(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.execute(text("SELECT kind FROM deadline")).scalars())


def counters(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.execute(text("SELECT name FROM counter")).scalars())


def test_before_runs_there_is_nothing_that_waits_for_one_and_runbooks_are_as_they_were(engine: Engine) -> None:
    whole = contents(engine)
    assert all(whole[table] for table in (OF_RUNS | OF_RUNBOOKS) - {"run_step", "run_output"})
    assert kinds(engine) >= {"run_expiry", "run_timeout", "run_lease", "self_heal"}
    assert counters(engine) >= {"run", "standing"}
    migrations.downgrade(engine, "0015")
    assert not tables(engine) & OF_RUNS
    assert not kinds(engine) & {"run_expiry", "run_timeout", "run_lease", "self_heal"}
    assert not counters(engine) & {"run", "standing"}
    left = contents(engine)
    assert {table: left[table] for table in OF_RUNBOOKS} == {table: whole[table] for table in OF_RUNBOOKS}
    migrations.upgrade(engine)
    migrations.check(engine)
    again = contents(engine)
    assert {table for table in OF_RUNS if again[table]} == set()
    for table in ("alert", "audit_entry", "audit_head", "runbook", "runbook_approval", "user_account"):
        assert again[table] == whole[table], table


def test_before_runbooks_there_are_none_and_all_else_stays(engine: Engine) -> None:
    whole = contents(engine)
    migrations.downgrade(engine, "0014")
    assert not tables(engine) & (OF_RUNS | OF_RUNBOOKS)
    migrations.upgrade(engine)
    migrations.check(engine)
    again = contents(engine)
    assert {table for table in OF_RUNS | OF_RUNBOOKS if again[table]} == set()
    for table in ("alert", "audit_entry", "audit_detail", "user_account"):
        assert again[table] == whole[table], table
    numbers = {row for row in again["counter"] if "'run'" in row or "'standing'" in row}
    assert numbers == {"('run', 'msp', 0)", "('standing', 'msp', 0)"}


def test_a_schema_without_questions_has_no_run_that_waits_for_an_answer(engine: Engine, database_url: str) -> None:
    engine.dispose()
    world = World(database_url, ManualClock(NOON), furnished=True)
    [number] = [row["id"] for row in world.rows("SELECT id FROM run WHERE state = 'running'")]
    [token] = [row["lease_token"] for row in world.rows("SELECT lease_token FROM run WHERE state = 'running'")]
    [host] = world.database.read_now(hosts_of, number)
    asked = asking(replace(host, step=2, phase="steps"), "a step failed", NOON)
    world.do(run_work.park, number, token, News(hosts=[asked]))
    world.stop()
    migrations.downgrade(engine, "0022")
    with engine.connect() as connection:
        state, detail = connection.execute(text("SELECT state, detail FROM run WHERE id = :n"), {"n": number}).one()
        hosts = connection.execute(text("SELECT state FROM run_host WHERE run_id = :n"), {"n": number}).scalars().all()
    assert (state, detail, hosts) == ("failed", "nobody had answered", ["failed"])
    assert "run_timeout" not in kinds(engine)
    migrations.upgrade(engine)
    migrations.check(engine)
    engine.dispose()
    world = World(database_url, ManualClock(NOON), furnished=True)
    try:
        [again] = world.database.read_now(hosts_of, number)
        assert (again.state.value, again.ended_at, again.answer) == ("failed", NOON, "")
    finally:
        world.stop()


def test_a_schema_without_tries_has_the_last_of_each_step(engine: Engine, database_url: str) -> None:
    engine.dispose()
    world = World(database_url, ManualClock(NOON), furnished=True)
    [row] = world.rows("SELECT id, lease_token FROM run WHERE state = 'running'")
    tries = [
        StepRow(
            host="web-2", number=number, attempt=attempt, phase="steps", name="act", state=state, started_at=NOON,
            ended_at=NOON,
        )
        for number, attempt, state in ((1, 1, "succeeded"), (2, 1, "failed"), (2, 2, "failed"), (2, 3, "succeeded"))
    ]  # fmt: skip
    pieces = [Piece("web-2", 2, False, NOON, f"try {attempt}", attempt) for attempt in (1, 2, 3)]
    world.do(run_work.report, row["id"], row["lease_token"], News(steps=tries, pieces=pieces))
    world.stop()
    migrations.downgrade(engine, "0024")
    with engine.connect() as connection:
        found = connection.execute(text("SELECT number, state FROM run_step WHERE host = 'web-2' ORDER BY number"))
        assert [tuple(one) for one in found] == [(1, "succeeded"), (2, "succeeded")]
    migrations.upgrade(engine)
    migrations.check(engine)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT number, attempt FROM run_step WHERE host = 'web-2' ORDER BY number"))
        assert [tuple(one) for one in found] == [(1, 1), (2, 1)]
        printed = connection.execute(text("SELECT text FROM run_output WHERE host = 'web-2' ORDER BY id")).scalars()
        assert list(printed) == ["try 1", "try 2", "try 3"]


@pytest.mark.parametrize("back_to", ["0014", "0015"])
def test_after_both_ways_runbooks_are_written_and_run_as_ever(engine: Engine, database_url: str, back_to: str) -> None:
    migrations.downgrade(engine, back_to)
    migrations.upgrade(engine)
    engine.dispose()
    world = World(database_url, ManualClock(NOON), furnished=True)
    try:
        desk = Desk.__new__(Desk)
        desk.world, desk.maria = world, _known(world, "maria")
        login = HostLoginAsk(username="ops", known_hosts="* ssh-ed25519 AAAA", secrets={"password": "sesame"})
        world.do(run_settings.set_login, ROOT, ACME, "ssh", login, VAULT)
        run = desk.ask(desk.maria, "high-cpu-fix")
        assert run.ref == "RUN-1"
        assert desk.carry_out(run).ended_at is not None
        assert world.database.read_now(trail.verify_all, ROOT).ok
    finally:
        world.stop()


def _known(world: World, name: str) -> object:
    from siems.domain.permissions import Actor
    from siems.vocabulary import Role

    return Actor(f"user-{name}", name, Role.TECHNICIAN, frozenset({ACME}))
