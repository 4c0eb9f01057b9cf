"""Down and up again with policies that call addresses, and with incidents and messages that came of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from services.chains import policy, step
from services.world import ROOT, World
from siems import places
from siems.clock import ManualClock
from siems.services import trail
from siems.storage import migrations
from siems.storage.database import open_engine, parse_url

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
URL = "https://hooks.example/T0/token-in-clear?x=1"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The key of the tests' vault, where a migration looks for it."""
    from services.world import VAULT

    path = tmp_path / "secret.key"
    path.write_bytes(VAULT.keys[0])
    monkeypatch.setenv("SIEMS_KEY_FILE", str(path))
    assert places.key_file() == path


def in_clear(engine: Any) -> set[str]:
    """Where the token can be read by whoever has the database."""
    found = set()
    for table, column in (
        ("policy", "body"), ("snapshot", "body"), ("message", "address"), ("audit_detail", "details"),
        ("policy_hook", "address"), ("timeline", "data"), ("timeline", "text"), ("event", "data"),
    ):  # fmt: skip
        with engine.connect() as connection:
            try:
                rows = connection.execute(text(f"SELECT {column} FROM {table}")).scalars().all()
            except Exception:  # before or after its time
                continue
        if any("token-in-clear" in str(row) for row in rows):
            found.add(table)
    return found


def test_addresses_of_policies_go_from_clear_to_sealed_and_back(database_url: str) -> None:
    clock = ManualClock(NOON)
    world = World(database_url, clock)
    policy(world, step("owner", f"webhook:{URL}"), step("role:admin", f"webhook:{URL}", wait=None))
    world.fires()
    snapshot = world.incident().policy_snapshot
    world.stop()
    engine = open_engine(parse_url(database_url))
    try:
        assert in_clear(engine) == set()
        migrations.downgrade(engine, "0021")
        assert in_clear(engine) == {"policy", "snapshot", "message"}
        _as_it_was(engine)
        migrations.upgrade(engine)
        migrations.check(engine)
        assert in_clear(engine) == set()
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM policy_hook")).scalar() == 1
            assert connection.execute(text("SELECT hint FROM policy_hook")).scalar() == "https://hooks.example/..."
    finally:
        engine.dispose()
    again = World(database_url, clock, furnished=True)
    try:
        assert again.incident().policy_snapshot != snapshot, "it is named by its content"
        again.fires("later", "oom")
        assert again.incident("INC-2").policy_snapshot == again.incident().policy_snapshot
        contacts = again.rows("SELECT contact_id, hint FROM message WHERE user_id = ''")
        assert len({row["contact_id"] for row in contacts}) == 1
        assert len(contacts) == 2
        assert again.passes(minutes=10)
        assert again.incident().escalation_level == 2
        proof = again.database.read_now(trail.verify_all, ROOT)
        assert proof.ok, "the details are erased, the entries stay"
        assert not again.rows("SELECT * FROM audit_detail WHERE details LIKE '%webhook:http%'")
    finally:
        again.stop()


def _as_it_was(engine: Any) -> None:
    """The record said the address itself, too: an entry with such details, as they were written then."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE audit_detail SET details = :d WHERE EXISTS (SELECT 1 FROM audit_entry AS e WHERE"
                " e.chain = audit_detail.chain AND e.seq = audit_detail.seq AND e.action = 'policy.created')"
            ),
            {"d": f'{{"after":{{"steps":[{{"targets":["webhook:{URL}"]}}]}}}}'},
        )


def test_without_such_policies_no_key_is_needed(
    database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nowhere = tmp_path / "none" / "secret.key"
    monkeypatch.setenv("SIEMS_KEY_FILE", str(nowhere))
    engine = open_engine(parse_url(database_url))
    try:
        migrations.downgrade(engine, "0021")
        migrations.upgrade(engine)
    finally:
        engine.dispose()
    assert not nowhere.exists()
