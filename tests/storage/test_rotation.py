"""Another key: everything is sealed again, and wherever it is interrupted nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, MetaData, select

from siems.errors import Unavailable
from siems.storage import rotation
from siems.storage import tables as t
from siems.storage.database import open_engine, parse_url
from siems.storage.ticket_tag import ticket_tag
from siems.storage.vault import Vault

STEPS = ("both keys are in the file", "all is sealed again")
SECRETS = {
    "integration": "whsec_1", "contact": '{"address": "+47"}', "ticket_account": "token-1", "old_key": "whsec_0",
    "cloud_account": "client-secret", "host_login": '{"password": "x"}',
    "policy_hook": '{"address": "https://x"}', "run": '{"TOKEN": "y"}',
}  # fmt: skip


class Cut(Exception):
    """The power is gone."""


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = open_engine(parse_url(database_url))
    yield made
    made.dispose()


@pytest.fixture
def path(tmp_path: Path, engine: Engine) -> Path:
    """A key file, and one secret in each table that has some."""
    file = tmp_path / "secret.key"
    vault = Vault.open(file)
    now = _now()
    with engine.begin() as connection:
        for column, _ in rotation.SEALED:
            values = _row(column.table, now) | {column.name: vault.seal(SECRETS[column.table.name])}
            connection.execute(column.table.insert().values(**values))
        c = _row(t.old_key, now) | {"id": 2, "kind": "key", "value": "a hash, not sealed"}
        connection.execute(t.old_key.insert().values(**c))
    return file


def _now() -> object:
    from datetime import UTC, datetime

    return datetime(2026, 3, 10, tzinfo=UTC)


def _row(table: object, now: object) -> dict[str, object]:
    """Something for each column that must have something."""
    found: dict[str, object] = {}
    for column in table.columns:  # type: ignore[attr-defined]
        if column.nullable or column.server_default is not None:
            continue
        kind = type(column.type).__name__
        found[column.name] = (
            "hmac" if column.name == "kind" else "{}" if kind == "Text" else now if kind == "Instant"
            else 1 if "Int" in kind or kind == "Id" else False if kind == "Boolean" else "x"
        )  # fmt: skip
    return found


def opened(engine: Engine, path: Path) -> dict[str, str]:
    """What the key file opens of each table."""
    vault = Vault.open(path)
    with engine.connect() as connection:
        return {
            column.table.name: vault.unseal(connection.execute(select(column).where(where)).scalar_one())
            for column, where in rotation.SEALED
        }


def test_all_secrets_open_with_the_new_key_alone(engine: Engine, path: Path) -> None:
    before = path.read_text()
    old = Vault.open(path)
    assert rotation.rotate(engine, path) == dict.fromkeys(SECRETS, 1)
    assert path.stat().st_mode & 0o777 == 0o600
    after = path.read_text()
    assert len(after.split()) == 1
    assert after.strip() != before.strip()
    assert opened(engine, path) == SECRETS
    with engine.connect() as connection, pytest.raises(Unavailable):
        old.unseal(str(connection.execute(select(t.contact.c.address)).scalar_one()))
    with engine.connect() as connection:
        kept = connection.execute(select(t.old_key.c.value).where(t.old_key.c.kind == "key")).scalar_one()
    assert kept == "a hash, not sealed"
    assert Vault.open(path).derived("answers") != old.derived("answers")


def test_the_tag_in_tickets_outlives_the_keys(engine: Engine, path: Path) -> None:
    first = Vault.open(path).derived("tickets").hex()[:8]  # what is in tickets that were written before it was kept
    rotation.rotate(engine, path)
    rotation.rotate(engine, path)
    with engine.begin() as connection:
        assert ticket_tag(connection, Vault.open(path)) == first


@pytest.mark.parametrize("step", STEPS)
def test_an_end_between_two_steps_loses_nothing_and_the_next_run_goes_on(engine: Engine, path: Path, step: str) -> None:
    def cut(reached: str) -> None:
        if reached == step:
            raise Cut

    with pytest.raises(Cut):
        rotation.rotate(engine, path, after=cut)
    both = path.read_text().split()
    assert len(both) == 2
    assert opened(engine, path) == SECRETS, "a daemon that starts now reads all"
    rotation.rotate(engine, path)
    assert path.read_text().split() == both[:1], "no third key"
    assert opened(engine, path) == SECRETS


def test_an_end_within_the_transaction_changes_no_row(
    engine: Engine, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = rotation.reseal

    def cut(*given: object) -> dict[str, int]:
        whole(*given)  # type: ignore[arg-type]
        raise Cut

    monkeypatch.setattr(rotation, "reseal", cut)
    old = Vault.open(path)
    with pytest.raises(Cut):
        rotation.rotate(engine, path)
    with engine.connect() as connection:
        for column, where in rotation.SEALED:
            assert old.is_newest(connection.execute(select(column).where(where)).scalar_one())
    assert opened(engine, path) == SECRETS


def test_a_secret_that_the_key_does_not_open_stops_it_before_anything_is_changed(engine: Engine, path: Path) -> None:
    with engine.begin() as connection:
        connection.execute(t.contact.update().values(address=Vault.open(path.with_name("other")).seal("x")))
    before = path.read_text()
    with pytest.raises(Unavailable, match="another one"):
        rotation.rotate(engine, path)
    assert path.read_text() == before


def test_what_was_sealed_with_the_old_key_meanwhile_keeps_it(engine: Engine, path: Path) -> None:
    old = Vault.open(path)

    def late(reached: str) -> None:
        if reached == STEPS[-1]:
            with engine.begin() as connection:
                connection.execute(t.contact.update().values(address=old.seal(SECRETS["contact"])))

    with pytest.raises(Unavailable):
        rotation.rotate(engine, path, after=late)
    assert opened(engine, path) == SECRETS
    rotation.rotate(engine, path)
    assert opened(engine, path) == SECRETS


def test_every_column_that_may_hold_something_sealed_is_known() -> None:
    """Whoever adds one is asked to name it in SEALED."""
    metadata: MetaData = t.contact.metadata
    known = {f"{column.table.name}.{column.name}" for column, _ in rotation.SEALED}
    named = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if "secret" in column.name
        or (table.name, column.name) in (("contact", "address"), ("policy_hook", "address"), ("run", "given"))
    }
    assert named <= known
