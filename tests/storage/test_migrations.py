"""The schema: what the scripts make is what the code expects, up and down with data, from the wheel as well."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, inspect, text

from siems.errors import Conflict, UsageError
from siems.storage import migrations
from siems.storage import tables as t
from siems.storage.database import open_engine, parse_url

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def engine(empty_url: str) -> Iterator[Engine]:
    made = open_engine(parse_url(empty_url))
    yield made
    made.dispose()


def contents(engine: Engine) -> dict[str, list[Any]]:
    """Every row of every table."""
    found = MetaData()
    found.reflect(engine)
    with engine.connect() as connection:
        return {
            name: sorted(map(repr, (tuple(row) for row in connection.execute(table.select()))))
            for name, table in found.tables.items()
            if name != "alembic_version"
        }


def not_of_the_search(thing: Any, name: str | None, type_: str, reflected: bool, compare_to: Any) -> bool:
    """The index of words is each database's own, and made by the script alone."""
    return not (reflected and str(name).startswith(("search_words", "search_doc_words", "words")))


def test_the_scripts_make_exactly_the_tables_of_the_code(engine: Engine) -> None:
    assert migrations.upgrade(engine) == (None, migrations.head())
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_object": not_of_the_search}
        )
        found = compare_metadata(context, t.metadata)
    assert found == []


def test_every_table_says_whose_its_rows_are() -> None:
    owners = {name for name, table in t.metadata.tables.items() if "company_id" in table.columns}
    assert set(t.metadata.tables) - owners == {"company"}


def test_up_down_and_up_again_leaves_an_empty_and_then_a_whole_schema(engine: Engine) -> None:
    migrations.upgrade(engine)
    first = contents(engine)
    migrations.downgrade(engine, "base")
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            assert not connection.execute(text("SELECT 1 FROM pg_proc WHERE proname = 'audit_entry_guard'")).all()
    migrations.upgrade(engine)
    assert contents(engine) == first
    migrations.check(engine)


def test_an_upgrade_of_what_is_up_to_date_changes_no_row(database_url: str) -> None:
    from datetime import UTC, datetime

    from services.world import World
    from siems.clock import ManualClock

    world = World(database_url, ManualClock(datetime(2026, 3, 10, tzinfo=UTC)))
    world.fires()
    world.stop()
    engine = open_engine(parse_url(database_url))
    try:
        before = contents(engine)
        assert len(before["audit_entry"]) > 2
        assert migrations.upgrade(engine) == (migrations.head(), migrations.head())
        assert contents(engine) == before
        migrations.downgrade(engine, "base")
        migrations.upgrade(engine)
        migrations.check(engine)
    finally:
        engine.dispose()


def test_going_back_before_silences_leaves_no_alert_in_the_dark(database_url: str) -> None:
    from datetime import UTC, datetime

    from services.silencing import silence
    from services.world import World
    from siems.clock import ManualClock

    world = World(database_url, ManualClock(datetime(2026, 3, 10, tzinfo=UTC)))
    silence(world)
    world.fires()
    world.stop()
    engine = open_engine(parse_url(database_url))
    try:
        migrations.downgrade(engine, "0002")
        with engine.connect() as connection:
            assert connection.execute(text("SELECT status, suppressed_by FROM alert")).all() == [("active", None)]
            assert not connection.execute(text("SELECT 1 FROM deadline WHERE object LIKE 'SIL-%'")).all()
        migrations.upgrade(engine)
        migrations.check(engine)
    finally:
        engine.dispose()


def test_going_back_before_pages_sends_nothing_more_and_keeps_people(database_url: str) -> None:
    from datetime import UTC, datetime

    from services.world import ACME, MSP, ROOT, World
    from siems.clock import ManualClock
    from siems.services import accounts, paging
    from siems.vocabulary import Role
    from siems.wire import PageAsk, UserEdit

    world = World(database_url, ManualClock(datetime(2026, 3, 10, tzinfo=UTC)))
    world.hire("jon", Role.TECHNICIAN, ACME)
    world.do(accounts.edit, ROOT, "jon", UserEdit(skills=["network"]), companies=(MSP,))
    world.settings(assign="round_robin")
    world.fires()
    world.do(paging.open_page, ROOT, ACME, PageAsk(to="jon", message="x"), None)
    world.stop()
    engine = open_engine(parse_url(database_url))
    try:
        migrations.downgrade(engine, "0014")  # later ones give incidents columns of their own
        before = contents(engine)
        migrations.downgrade(engine, "0010")
        after = contents(engine)
        assert "page" not in after
        assert not [row for row in after["deadline"] if "'PAG-1'" in row]
        assert len(after["user_account"]) == len(before["user_account"]) == 2
        assert after["incident"] == before["incident"]
        migrations.upgrade(engine)
        migrations.check(engine)
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT skills, assigned_at FROM user_account")).all()
        assert rows == [("[]", None)] * 2
    finally:
        engine.dispose()


def test_an_empty_database_is_told_apart_and_says_what_to_do(engine: Engine) -> None:
    with pytest.raises(Conflict, match="empty") as refused:
        migrations.check(engine)
    assert "siems init" in refused.value.hint


def test_a_database_of_a_newer_siems_is_refused_and_left_alone(engine: Engine) -> None:
    migrations.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for work in (migrations.check, migrations.upgrade):
        with pytest.raises(Conflict, match="newer") as refused:
            work(engine)
        assert "nothing was changed" in refused.value.hint
    assert migrations.current(engine) == "9999"


def test_a_migration_that_fails_leaves_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic.operations import Operations

    real = Operations.create_table

    def fails(self: Any, name: str, *columns: Any, **more: Any) -> Any:
        if name == "incident":
            raise RuntimeError("power cut")
        return real(self, name, *columns, **more)

    monkeypatch.setattr(Operations, "create_table", fails)
    with pytest.raises(RuntimeError):
        migrations.upgrade(engine)
    monkeypatch.undo()
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    migrations.upgrade(engine)
    migrations.check(engine)


def test_a_url_is_a_path_or_a_database_that_siems_speaks() -> None:
    assert parse_url("/x/y.db").get_backend_name() == "sqlite"
    assert parse_url("postgresql://u@h/d").drivername == "postgresql+psycopg"
    assert parse_url("postgres://u@h/d").drivername == "postgresql+psycopg"
    for bad in ("mysql://h/d", "://", "redis://x", "postgresql+asyncpg://h/d"):
        with pytest.raises(UsageError):
            parse_url(bad)


# --- from a wheel ----------------------------------------------------------------------------------------------

SCRIPT = """
import sys
from pathlib import Path
from siems.storage import migrations
from siems.storage.database import open_engine, parse_url
assert Path(migrations.__file__).is_relative_to(sys.argv[1]), migrations.__file__
assert migrations.folder().is_relative_to(sys.argv[1]), migrations.folder()
engine = open_engine(parse_url(sys.argv[2]))
print(migrations.upgrade(engine)[1])
engine.dispose()
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as people install it."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_brings_its_migrations_and_upgrades_with_them(unpacked: Path, empty_url: str, tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(unpacked), "SIEMS_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(unpacked), empty_url],
        cwd=tmp_path, env=environment, check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == migrations.head()


def test_the_wheel_holds_the_package_and_nothing_of_the_tests(unpacked: Path) -> None:
    names = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    assert "siems/migrations/env.py" in names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"siems"}


def test_companies_from_before_policies_had_names_use_the_default_one_there_and_back(database_url: str) -> None:
    import json
    from datetime import UTC, datetime

    from services.chains import policy, step
    from services.world import World
    from siems.clock import ManualClock

    world = World(database_url, ManualClock(datetime(2026, 3, 10, tzinfo=UTC)))
    world.fires("on-default")
    policy(world, step("schedule:night", "role:admin", when={"severity": "HIGH"}))
    world.fires("on-night", "disk_full")
    world.stop()
    engine = open_engine(parse_url(database_url))
    try:
        migrations.downgrade(engine, "0007")
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT id, settings FROM company")).all()
            chains = {row.id: json.loads(row.settings)["policy"] for row in rows}
            bodies = [
                json.loads(b) for (b,) in connection.execute(text("SELECT body FROM snapshot WHERE kind = 'policy'"))
            ]
        assert [s["targets"] for s in chains["comp-acme"]["steps"]] == [[["role", "admin"]]]
        assert [s["targets"] for s in chains["comp-beta"]["steps"]] == [
            [["owner", ""]],
            [["role", "manager"]],
            [["role", "admin"]],
        ]
        assert all(set(body) == {"name", "repeat", "reassign", "steps"} for body in bodies)
        migrations.upgrade(engine)
        migrations.check(engine)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT id, company_id, name FROM policy")).all() == [
                ("pol-default", "msp", "default")
            ]
    finally:
        engine.dispose()
    again = World(database_url, ManualClock(datetime(2026, 3, 11, tzinfo=UTC)), furnished=True)
    try:
        assert again.fires("later", "oom")["incident_id"] == "INC-3"
        assert again.incident("INC-1").policy_snapshot == again.incident("INC-3").policy_snapshot
        assert again.incident("INC-2").ack_due_at is None
        assert [kind for _, kind in again.passes(minutes=15)].count("escalation") >= 1
    finally:
        again.stop()


def test_going_back_before_schedules_leaves_no_handoff_due(database_url: str) -> None:
    from datetime import UTC, datetime

    from services.rota import crew, daily, make, stand_in
    from services.world import World
    from siems.clock import ManualClock

    world = World(database_url, ManualClock(datetime(2026, 3, 10, tzinfo=UTC)))
    crew(world, "jon", "sam")
    make(world, daily("jon", "sam"))
    stand_in(world, "sam")
    world.stop()
    engine = open_engine(parse_url(database_url))
    try:
        migrations.downgrade(engine, "0007")
        with engine.connect() as connection:
            assert not connection.execute(text("SELECT 1 FROM deadline WHERE object LIKE 'sch-%'")).all()
            assert not connection.execute(text("SELECT 1 FROM counter WHERE name = 'shift'")).all()
        migrations.upgrade(engine)
        migrations.check(engine)
    finally:
        engine.dispose()


def test_going_back_before_the_sign_of_life_leaves_only_rows_that_are_known(database_url: str) -> None:
    from datetime import UTC, datetime

    from services.world import World
    from siems.clock import ManualClock
    from siems.services import life_sign
    from siems.vocabulary import MSP

    world = World(database_url, ManualClock(datetime(2026, 3, 10, tzinfo=UTC)))
    world.do(life_sign.begin, companies=(MSP,))
    world.fires()
    before = world.deadlines()
    assert {"alive", "self_audit"} <= set(world.deadlines("siems"))
    world.stop()
    engine = open_engine(parse_url(database_url))
    try:
        migrations.downgrade(engine, "0007")
        with engine.connect() as connection:
            kinds = {kind for (kind,) in connection.execute(text("SELECT kind FROM deadline"))}
        assert kinds == {"housekeeping", *before}
        migrations.upgrade(engine)
        migrations.check(engine)
    finally:
        engine.dispose()
