"""What the writer keeps in memory is what the database says: after a restart, after failures, in any order."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from siems.errors import Conflict
from siems.services import idempotency
from siems.storage.journal import Journal
from siems.storage.memory import CompanyMemory
from siems.storage.writer import Job
from siems.vocabulary import Role

from .world import ACME, World, reading


def picture(world: World, company: str = ACME) -> dict[str, Any]:
    """All that is remembered of a company, but empty containers and how long ago a signature was seen."""
    memory: CompanyMemory = world.database.memory.companies[company]
    heads = {chain: head for chain, head in world.database.memory.heads.items() if chain == company}
    return {
        "incidents": dict(memory.incidents),
        "alerts": dict(memory.alerts),
        "active_of": {number: set(found) for number, found in memory.active_of.items() if found},
        "keys": dict(memory.keys),
        "waiting": {key: set(found) for key, found in memory.waiting.items() if found},
        "assets": dict(memory.assets),
        "counters": dict(world.database.memory.counters),
        "heads": heads,
    }


def shift(world: World) -> None:
    """A bit of everything."""
    ana = world.hire("ana", Role.TECHNICIAN, ACME)
    for asset in ("a", "b", "c", "d"):
        world.fires(asset)
    world.recovers("d")
    world.fires("db", "disk_full", "CRITICAL")
    world.act(ana, "ack", "INC-3")
    world.fires("db", "slow")
    world.act(ana, "resolve", "INC-4", note="done")
    world.clock.advance(minutes=40)
    world.fires("db", "slow")
    world.settings(min_alerts=3)
    world.fires("w", "one_of_three")


def test_a_restart_remembers_what_was_remembered(world: World) -> None:
    shift(world)
    world.fires("w", "one_of_three", tool_source="Zabbix")
    before = picture(world)
    world.restart()
    assert picture(world) == before


def test_after_a_restart_repeats_dedupe_folded_incidents_take_joins_and_numbers_go_on(world: World) -> None:
    shift(world)
    numbers = {name: int(row) for name, row in world.database.memory.counters.items()}
    world.restart()
    assert world.fires("a", tool_source="Zabbix")["incident_id"] == "INC-1"
    assert world.fires("b")["message"] == "repeated"
    world.settings(min_alerts=1)
    assert world.fires("brand-new", "never_seen")["incident_id"] == f"INC-{numbers['incident'] + 1}"
    assert world.count("event") == world.database.memory.counters["event"]


def test_a_new_asset_joins_the_open_folded_incident_and_not_a_resolved_one_after_a_restart(world: World) -> None:
    ana = world.hire("ana", Role.TECHNICIAN, ACME)
    for asset in ("a", "b", "c"):
        world.fires(asset)
    world.act(ana, "resolve", "INC-1", note="done")
    world.clock.advance(minutes=40)
    for asset in ("d", "e", "f"):
        world.fires(asset)
    assert world.incident("INC-3").asset_count == 3
    world.act(ana, "ack", "INC-3")
    world.restart()
    assert world.fires("g")["incident_id"] == "INC-3"


# --- failures --------------------------------------------------------------------------------------------------


def fails_at_once(uow: Any) -> None:
    uow.next_number("incident")
    raise Conflict("no")


def fails_late(uow: Any) -> None:
    uow.insert("raw_body", (uow.next_number("raw_body"), ACME, "x", 1, b"x"))
    uow.next_number("event")
    uow.flush()
    raise Conflict("no")


def breaks_the_database(uow: Any) -> None:
    uow.connection.execute(text("INSERT INTO company (id) VALUES ('x')"))


def cannot_be_written(uow: Any) -> None:
    """What the driver itself refuses, when the batch is written at its end."""
    uow.insert("raw_body", (uow.next_number("raw_body"), ACME, "\ud800", 1, b"x"))


def is_a_bug(uow: Any) -> None:
    uow.next_number("alert")
    raise ZeroDivisionError


BAD: tuple[tuple[Callable[..., Any], bool], ...] = (
    (fails_at_once, False), (fails_at_once, True), (fails_late, False), (breaks_the_database, False),
    (breaks_the_database, True), (cannot_be_written, False), (cannot_be_written, True), (is_a_bug, False),
    (is_a_bug, True),
)  # fmt: skip


@pytest.mark.parametrize(("verb", "ingest"), BAD, ids=[f"{v.__name__}-{'ingest' if i else 'person'}" for v, i in BAD])
def test_a_verb_that_fails_alone_leaves_memory_and_database_as_they_were(world: World, verb, ingest) -> None:
    world.fires()
    before, rows = deepcopy(picture(world)), world.count("raw_body")
    job = Job(verb, (), (ACME,), ingest, None)
    world.database.writer.put(job)
    with pytest.raises(Exception):
        job.wait()
    if ACME in world.database.memory.companies:
        assert picture(world) | {"counters": 0} == before | {"counters": 0}
    assert world.count("raw_body") == rows
    assert world.fires("web-2", "disk_full")["incident_id"] == "INC-2"
    assert world.fires()["message"] == "repeated"


@pytest.mark.parametrize(("verb", "ingest"), BAD, ids=[f"{v.__name__}-{'ingest' if i else 'person'}" for v, i in BAD])
def test_a_poisoned_verb_fails_alone_in_a_batch(world: World, verb, ingest) -> None:
    with world.one_batch() as jobs:
        jobs += [
            world.job(reading("a", "one"), delivery="d-1"),
            Job(verb, (), (ACME,), ingest, None),
            world.job(reading("b", "two"), delivery="d-2"),
        ]
    assert [job.error is None for job in jobs] == [True, False, True]
    assert {row["asset_name"] for row in world.rows("SELECT asset_name FROM alert")} == {"a", "b"}
    assert world.count("delivery") == 2
    world.restart()
    assert world.fires("c", "three")["incident_id"] == "INC-3"


def test_no_answer_is_given_for_what_was_not_committed(world: World) -> None:
    """Every job of a batch that could not be written is told so, whatever its verb had answered before."""
    real = world.database.writer._attempt

    def dies(batch: Any) -> None:
        for job in batch:
            job.result = b"202"
        raise RuntimeError("power cut")

    world.database.writer._attempt = dies  # type: ignore[method-assign]
    jobs = [world.job(reading("a", "one")), world.job(reading("b", "two"))]
    for job in jobs:
        world.database.writer.put(job)
    assert all(job.done.wait(10) for job in jobs)
    world.database.writer._attempt = real  # type: ignore[method-assign]
    assert [(job.result, job.error is None) for job in jobs] == [(None, False), (None, False)]
    assert world.count("alert") == 0


def test_a_rehearsal_in_a_batch_takes_no_numbers_from_the_next_verb(world: World) -> None:
    world.fires()

    def verb(uow: Any) -> bytes:
        uow.stream.add("company.edited", "x", company_id=ACME, data={})
        return b"{}"

    with world.one_batch() as jobs:
        jobs += [
            Job(idempotency.rehearse, (verb,), (ACME,), False, None),
            Job(verb, (), (ACME,), True, None),
        ]
    assert jobs[1].error is None
    [kept] = world.rows("SELECT value FROM counter WHERE name = 'event'")
    assert kept["value"] == world.rows("SELECT max(cursor) AS m FROM event")[0]["m"]
    world.restart()
    assert world.fires("web-2", "disk_full")["incident_id"] == "INC-2"


def test_what_is_told_after_a_commit_may_fail_without_hurting_anybody(world: World) -> None:
    def broken(committed: Any) -> None:
        raise RuntimeError("the listener has gone")

    world.database.writer._on_commit = broken
    assert world.fires()["incident_id"] == "INC-1"
    assert world.count("alert") == 1


# --- the journal -----------------------------------------------------------------------------------------------

KEYS = st.integers(0, 3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), KEYS, st.integers()),
        st.tuples(st.just("drop"), KEYS, st.none()),
        st.tuples(st.just("append"), st.none(), st.integers()),
    ),
    max_size=20,
)


@settings(max_examples=60, deadline=None)
@given(kept=STEPS, undone=STEPS)
def test_a_journal_takes_back_exactly_what_came_after_the_mark(kept, undone) -> None:
    journal, mapping, items = Journal(), {0: "zero"}, ["first"]

    def run(steps: Any) -> None:
        for kind, key, value in steps:
            if kind == "set":
                journal.set(mapping, key, value)
            elif kind == "drop":
                journal.drop(mapping, key)
            else:
                journal.append(items, value)

    run(kept)
    mark, before = journal.mark(), (dict(mapping), list(items))
    run(undone)
    journal.rollback(mark)
    assert (mapping, items) == before
    journal.rollback(0)
    assert (mapping, items) == ({0: "zero"}, ["first"])
