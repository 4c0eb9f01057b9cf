"""The audit log: it is whole, it cannot be changed by accident, and it tells when it was changed on purpose."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from siems.errors import Forbidden
from siems.services import trail
from siems.vocabulary import Role
from siems.wire import ChainState

from .world import ACME, BETA, World


def verify(world: World) -> dict[str, ChainState]:
    answer = world.database.read_now(trail.verify_all, world.admin)
    assert answer.ok == all(chain.ok for chain in answer.chains)
    return {chain.chain: chain for chain in answer.chains}


def live(world: World) -> None:
    """Enough for a few entries in each chain."""
    ana = world.hire("ana", Role.TECHNICIAN, ACME)
    for asset in ("a", "b"):
        world.fires(asset)
        world.fires(asset, company=BETA)
    world.act(ana, "ack", "INC-1")
    world.act(ana, "resolve", "INC-1", note="done")


def write(world: World, *statements: str, **values: Any) -> None:
    """As somebody who has the database, not the daemon."""
    engine = world.database._write_engine
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement), values)


def unguarded(world: World) -> None:
    """Take the guards away, as somebody would who means it."""
    if world.database.dialect.name == "sqlite":
        write(world, "DROP TRIGGER audit_entry_no_update", "DROP TRIGGER audit_entry_no_delete")
    else:
        write(
            world, "DROP TRIGGER audit_entry_guard ON audit_entry", "DROP TRIGGER audit_entry_truncate ON audit_entry"
        )


def test_every_chain_is_whole_after_a_day_of_work_and_a_restart(world: World) -> None:
    live(world)
    world.restart()
    world.fires("c", "disk_full")
    world.passes(hours=9)
    chains = verify(world)
    assert set(chains) == {"msp", ACME, BETA}
    assert all(chain.ok and chain.entries > 1 for chain in chains.values())


def test_every_change_by_a_person_has_an_entry_with_its_actor_and_door(world: World) -> None:
    live(world)
    found = world.rows("SELECT actor, via, action FROM audit_entry WHERE object = 'INC-1' AND actor <> 'system'")
    assert {(row["actor"], row["action"]) for row in found} >= {
        ("user-ana", "incident.acknowledged"), ("user-ana", "incident.resolved"),
    }  # fmt: skip
    assert {row["via"] for row in found} == {"api"}


def test_machine_made_facts_of_a_batch_are_one_entry_per_company(world: World) -> None:
    from .world import reading

    with world.one_batch() as jobs:
        jobs += [world.job(reading(f"a{n}", f"s{n}")) for n in range(10)]
        jobs += [world.job(reading(f"b{n}", f"s{n}"), company=BETA) for n in range(10)]
    assert world.count("audit_entry", "action = 'alerts.accepted'") == 2


@pytest.mark.parametrize("statement", ["UPDATE audit_entry SET actor = 'x'", "DELETE FROM audit_entry"])
def test_the_database_itself_refuses_to_change_entries(world: World, statement) -> None:
    live(world)
    before = world.count("audit_entry")
    with pytest.raises(DBAPIError, match="audit entries cannot be changed"):
        write(world, statement)
    assert world.count("audit_entry") == before
    assert all(chain.ok for chain in verify(world).values())


def test_postgresql_refuses_to_truncate_entries_too(world: World) -> None:
    if world.database.dialect.name != "postgresql":
        return  # SQLite has no such statement
    live(world)
    with pytest.raises(DBAPIError, match="audit entries cannot be changed"):
        write(world, "TRUNCATE audit_entry")


COLUMNS = {
    "at": "at + 1", "actor": "'user-eve'", "via": "'cli'", "action": "'incident.noted'", "object": "'INC-9'",
    "company_id": "'comp-beta'", "digest": "'0'", "reason": "'nothing to see'", "hash": "'0'",
}  # fmt: skip


@pytest.mark.parametrize("column", COLUMNS)
def test_an_edit_of_any_column_is_named_with_the_first_bad_entry(world: World, column) -> None:
    live(world)
    unguarded(world)
    write(world, f"UPDATE audit_entry SET {column} = {COLUMNS[column]} WHERE chain = :c AND seq = 2", c=ACME)
    chains = verify(world)
    assert (chains[ACME].ok, chains[ACME].seq, chains[ACME].damage) == (False, 2, "edited")
    assert chains["msp"].ok
    assert chains[BETA].ok


DAMAGE = {
    "deleted": ("DELETE FROM audit_entry WHERE chain = :c AND seq = 2", 2),
    "deleted at the start": ("DELETE FROM audit_entry WHERE chain = :c AND seq = 1", 1),
    "truncated": ("DELETE FROM audit_entry WHERE chain = :c AND seq > 2", 3),
    "broken link": ("UPDATE audit_entry SET prev_hash = 'f' WHERE chain = :c AND seq = 2", 2),
    "details edited": ("UPDATE audit_detail SET details = '{}' WHERE chain = :c AND seq = 3", 3),
    "erased": ("DELETE FROM audit_entry WHERE chain = :c", 1),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_the_kind_of_damage_is_named_with_the_first_bad_entry(world: World, kind) -> None:
    live(world)
    unguarded(world)
    statement, seq = DAMAGE[kind]
    write(world, statement, c=ACME)
    chain = verify(world)[ACME]
    named = {"deleted at the start": "deleted", "erased": "truncated"}.get(kind, kind)
    assert (chain.ok, chain.damage, chain.seq) == (False, named, seq)
    assert chain.explanation


def test_details_may_be_erased_without_breaking_the_chain(world: World) -> None:
    live(world)
    write(world, "DELETE FROM audit_detail WHERE chain = :c", c=ACME)
    assert verify(world)[ACME].ok


def test_a_forged_entry_at_the_end_is_found(world: World) -> None:
    live(world)
    [last] = world.rows("SELECT * FROM audit_entry WHERE chain = :c ORDER BY seq DESC LIMIT 1", c=ACME)
    from siems.clock import from_micros
    from siems.domain.audit import seal

    said = {key: last[key] for key in ("chain", "actor", "via", "action", "object", "company_id", "digest", "reason")}
    forged = seal(**said, seq=last["seq"] + 1, at=from_micros(last["at"]), prev_hash=last["hash"])
    values = {**last, "seq": forged.seq, "prev_hash": forged.prev_hash, "hash": forged.hash}
    marks = ", ".join(f":{name}" for name in values)
    write(world, f"INSERT INTO audit_entry ({', '.join(values)}) VALUES ({marks})", **values)
    chain = verify(world)[ACME]
    assert (chain.ok, chain.damage, chain.seq) == (False, "inserted", forged.seq)


def test_only_admins_verify(world: World) -> None:
    mara = world.hire("mara", Role.MANAGER, ACME)
    with pytest.raises(Forbidden):
        world.database.read_now(trail.verify_all, mara)


def test_managers_read_their_companies_and_technicians_only_their_own_acts(world: World) -> None:
    live(world)
    mara = world.hire("mara", Role.MANAGER, ACME)
    ben = world.hire("ben", Role.TECHNICIAN, ACME)

    def seen(actor: Any) -> list[Any]:
        ask = trail.TrailAsk(actor=actor, now=world.clock.now(), limit=100)
        return world.database.read_now(trail.list_entries, ask).items

    assert {entry.company_id for entry in seen(mara)} == {ACME}
    assert {entry.actor for entry in seen(mara)} >= {"user-ana", "system"}
    assert seen(ben) == []
    ana = world.hire("zoe", Role.TECHNICIAN, ACME)
    world.act(ana, "note", "INC-2", note="x") if world.incident("INC-2").company_id == ACME else None
    assert {entry.actor for entry in seen(ana)} <= {ana.id}
