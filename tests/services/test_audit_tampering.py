"""Somebody has the database and knows how hashes are made; what was signed outside of it still finds them out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from siems.clock import from_micros, rfc3339
from siems.domain.audit import GENESIS, seal
from siems.domain.checkpoint import Kind, Statement, public_text, signed, witness, written
from siems.services import checkpoints, trail
from siems.storage.repositories.audit import heads_of
from siems.wire import ChainState

from .test_audit_trail import live, unguarded, write
from .world import ACME, World

Rows = list[dict[str, Any]]
KEY = Ed25519PrivateKey.generate()


@dataclass
class Sink:
    """What is kept outside: it is out of their reach."""

    world: World
    lines: list[str] = field(default_factory=list)

    def sign(self, kind: Kind = Kind.CHECKPOINT, **said: Any) -> None:
        chains = said.pop("chains", None) or self.world.database.read_now(heads_of)
        statement = Statement(
            kind=kind, at=rfc3339(self.world.clock.now()), chains=chains, key=public_text(KEY), **said
        )  # fmt: skip
        self.lines.append(written(signed(statement, KEY)))

    def verify(self) -> dict[str, ChainState]:
        answer = self.world.database.read_now(trail.verify_all, self.world.admin, witness(self.lines))
        assert answer.ok == all(chain.ok for chain in answer.chains)
        return {chain.chain: chain for chain in answer.chains}

    def looked(self) -> dict[str, str]:
        """What the daemon sees when it is about to sign: chain → kind."""
        found = self.world.database.read_now(checkpoints.look, witness(self.lines).heads())
        return {chain: damage.kind for chain, damage in found.damages.items()}


@pytest.fixture
def sink(world: World) -> Sink:
    """Two checkpoints over some work, and a little work that is not signed yet."""
    made = Sink(world)
    live(world)
    made.sign()
    world.fires("c")
    world.fires("d")
    made.sign()
    world.fires("e")
    unguarded(world)
    return made


def chain_of(world: World) -> Rows:
    return world.rows("SELECT * FROM audit_entry WHERE chain = :c ORDER BY seq", c=ACME)


def put(world: World, rows: Rows) -> None:
    """Another history in the place of the one that was, with all that the database knows of its end."""
    write(world, "DELETE FROM audit_entry WHERE chain = :c", c=ACME)
    marks = ", ".join(f":{name}" for name in rows[0])
    for row in rows:
        write(world, f"INSERT INTO audit_entry ({', '.join(row)}) VALUES ({marks})", **row)
    last = rows[-1]
    write(
        world, "UPDATE audit_head SET seq = :s, hash = :h WHERE chain = :c", s=last["seq"], h=last["hash"], c=ACME
    )  # fmt: skip
    write(world, "DELETE FROM audit_detail WHERE chain = :c", c=ACME)


def made_anew(rows: Rows) -> Rows:
    """Numbers, links and hashes computed again, so that each chain is whole in itself."""
    found: Rows = []
    for number, row in enumerate(rows, 1):
        names = ("chain", "actor", "via", "action", "object", "company_id", "digest", "reason")
        entry = seal(
            **{name: row[name] for name in names}, seq=number, at=from_micros(row["at"]),
            prev_hash=found[-1]["hash"] if found else GENESIS,
        )  # fmt: skip
        found.append({**row, "seq": number, "prev_hash": entry.prev_hash, "hash": entry.hash})
    return found


def edited(rows: Rows) -> Rows:
    return [*rows[:1], {**rows[1], "actor": "user-eve"}, *rows[2:]]


def without(rows: Rows) -> Rows:
    return [*rows[:1], *rows[2:]]


def swapped(rows: Rows) -> Rows:
    return [*rows[:1], rows[2], rows[1], *rows[3:]]


def with_another(rows: Rows) -> Rows:
    return [*rows[:2], {**rows[1], "reason": "I always did"}, *rows[2:]]


@pytest.mark.parametrize("lie", [edited, without, swapped, with_another], ids=lambda lie: lie.__name__)
def test_a_history_that_was_computed_anew_is_named(world: World, sink: Sink, lie: Callable[[Rows], Rows]) -> None:
    put(world, made_anew(lie(chain_of(world))))
    assert world.database.read_now(trail.verify_all, world.admin).ok, "without a witness nobody could know"
    chains = sink.verify()
    found = chains[ACME]
    assert (found.ok, found.damage) == (False, "rewritten")
    assert found.seq is not None
    assert found.seq <= 2, "the first entry that may be another one"
    assert "was signed at 2026-03-10 12:00:00 UTC" in str(found.explanation)
    assert [chain.ok for name, chain in chains.items() if name != ACME] == [True, True]
    assert sink.looked() in ({ACME: "rewritten"}, {ACME: "truncated"}), "and it is not signed as if it were true"


def test_the_first_bad_entry_is_found_between_two_signatures(world: World, sink: Sink) -> None:
    rows = chain_of(world)
    first, second = sorted(witness(sink.lines).marks[ACME])
    put(world, made_anew([*rows[: second - 1], {**rows[second - 1], "reason": "no"}, *rows[second:]]))
    found = sink.verify()[ACME]
    assert (found.damage, found.seq) == ("rewritten", first + 1)


@pytest.mark.parametrize("left", [1, 3])
def test_an_end_that_was_cut_off_is_named_though_the_database_agrees(world: World, sink: Sink, left: int) -> None:
    put(world, chain_of(world)[:left])
    assert world.database.read_now(trail.verify_all, world.admin).ok
    found = sink.verify()[ACME]
    assert (found.ok, found.damage, found.seq) == (False, "truncated", left + 1)
    assert sink.looked() == {ACME: "truncated"}


def test_what_was_cut_off_and_grew_again_is_not_what_was_signed(world: World, sink: Sink) -> None:
    rows = chain_of(world)
    put(world, rows[:3])
    world.restart()
    for n in range(len(rows)):
        world.fires(f"later-{n}")
    found = sink.verify()[ACME]
    assert (found.damage, found.seq) == ("rewritten", 1), "one of those up to the first signature"
    assert sink.looked() == {ACME: "rewritten"}


def test_a_chain_that_is_gone_is_missed(world: World, sink: Sink) -> None:
    for table in ("audit_entry", "audit_detail", "audit_head"):
        write(world, f"DELETE FROM {table} WHERE chain = :c", c=ACME)
    found = sink.verify()[ACME]
    assert (found.damage, found.seq, found.entries) == ("truncated", 1, 0)
    assert sink.looked() == {ACME: "truncated"}


@pytest.mark.parametrize("column", ["at", "seq"])
def test_what_no_entry_can_hold_is_an_edit_and_no_crash(world: World, sink: Sink, column: str) -> None:
    if world.database.dialect.name == "postgresql":
        return  # its columns have types
    write(world, f"UPDATE audit_entry SET {column} = 'x' WHERE chain = :c AND seq = 2", c=ACME)
    found = sink.verify()[ACME]
    assert (found.ok, found.damage in ("edited", "deleted"), found.seq) == (False, True, 2)


def test_details_that_are_no_json_any_more_are_details_that_were_edited(world: World, sink: Sink) -> None:
    write(world, "UPDATE audit_detail SET details = 'x' WHERE chain = :c AND seq = 2", c=ACME)
    found = sink.verify()[ACME]
    assert (found.damage, found.seq) == ("details edited", 2)


def test_a_stretch_of_one_chain_is_proved_by_itself(world: World, sink: Sink) -> None:
    def stretch(first: int, last: int | None = None) -> tuple[bool, int, str | None]:
        answer = world.database.read_now(
            lambda c: trail.verify_all(c, world.admin, witness(sink.lines), chain=ACME, first=first, last=last)
        )
        [found] = answer.chains
        return found.ok, found.entries, found.damage

    assert stretch(3, 5) == (True, 3, None)
    assert stretch(2)[0]
    write(world, "UPDATE audit_entry SET actor = 'user-eve' WHERE chain = :c AND seq = 2", c=ACME)
    assert stretch(1, 1) == (True, 1, None)
    assert stretch(2, 4) == (False, 1, "edited")
    assert stretch(3, 5) == (True, 3, None)


def test_a_backup_that_was_put_back_is_recognised_when_somebody_with_the_key_says_so(world: World, sink: Sink) -> None:
    rows = chain_of(world)
    backup = {"msp": world.database.read_now(heads_of)["msp"], ACME: (3, rows[2]["hash"])}
    sink.sign(Kind.BACKUP, chains=backup)
    put(world, rows[:3])
    found = sink.verify()[ACME]
    assert (found.damage, found.seq) == ("truncated", 4)
    assert "as in the backup of 2026-03-10 12:00:00 UTC; if you have put that back" in str(found.explanation)
    found_so_far = witness(sink.lines)
    heads = world.database.read_now(heads_of)
    branch = world.database.read_now(checkpoints.branch_of, found_so_far, heads)
    assert branch == heads
    sink.sign(Kind.RESTORED, chains=branch, lost={ACME: found_so_far.heads()[ACME]}, source="b.db")
    answer = world.database.read_now(trail.verify_all, world.admin, witness(sink.lines))
    assert answer.ok
    assert [(one.source, list(one.lost)) for one in answer.restored] == [("b.db", [ACME])]
    put(world, rows[:2])
    assert not sink.verify()[ACME].ok, "less than that is not what was declared"


def test_where_it_went_on_after_a_backup_the_branch_is_where_it_left_what_was_signed(world: World, sink: Sink) -> None:
    first = min(witness(sink.lines).marks[ACME])
    rows = chain_of(world)
    put(world, rows[:first])
    world.restart()
    for n in range(len(rows)):
        world.fires(f"later-{n}")
    heads = world.database.read_now(heads_of)
    branch = world.database.read_now(checkpoints.branch_of, witness(sink.lines), heads)
    assert branch[ACME] == (first, rows[first - 1]["hash"])
    assert branch["msp"] == heads["msp"]
    sink.sign(Kind.RESTORED, chains=branch, lost={ACME: (len(rows), rows[-1]["hash"])}, source="by hand")
    assert sink.verify()[ACME].ok
    sink.sign()
    assert sink.verify()[ACME].ok
    assert sink.looked() == {}


def test_a_line_of_the_witness_that_was_changed_is_no_proof(world: World, sink: Sink) -> None:
    sink.lines[0] = sink.lines[0].replace("comp-acme", "comp-beta")
    answer = world.database.read_now(trail.verify_all, world.admin, witness(sink.lines))
    assert not answer.ok
    assert all(chain.ok for chain in answer.chains)
