"""Signed statements: what they bind, what takes them back, and that nobody else can make one."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from siems.clock import rfc3339
from siems.domain.checkpoint import Kind, Statement, Witness, public_text, read, signed, thinned, witness, written

from .making import T0

KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


def line(minute: float = 0, *, kind: str = Kind.CHECKPOINT, key: Ed25519PrivateKey = KEY, **said: object) -> str:
    at = rfc3339(T0 + timedelta(minutes=minute))
    old = said.pop("old_key", None)
    if old is not None:
        said["old"] = public_text(old)  # type: ignore[arg-type]
    statement = Statement(kind=kind, at=at, key=public_text(key), **said)  # type: ignore[arg-type]
    return written(signed(statement, key, old=old))  # type: ignore[arg-type]


def told(*lines: str, key: Ed25519PrivateKey = KEY) -> Witness:
    return witness(lines, trusted=public_text(key))


ONE = line(1, chains={"msp": (3, "a3"), "comp-acme": (5, "b5")}, full=True)
TWO = line(2, chains={"comp-acme": (9, "b9")})


def test_the_last_of_each_chain_binds_and_all_before_it_too() -> None:
    found = told(ONE, TWO)
    assert found.heads() == {"msp": (3, "a3"), "comp-acme": (9, "b9")}
    assert sorted(found.marks["comp-acme"]) == [5, 9]
    assert (found.statements, found.bad_lines, found.unvouched) == (2, [], [])
    assert (found.first_at, found.last_at) == (T0 + timedelta(minutes=1), T0 + timedelta(minutes=2))


@pytest.mark.parametrize("field", sorted(json.loads(ONE)))
def test_a_statement_that_was_changed_in_any_field_is_none(field: str) -> None:
    said = json.loads(ONE)
    said[field] = {"chains": {"msp": (4, "a4")}, "full": False, "v": 2}.get(field, "0" * 64)
    assert read(json.dumps(said)) is None
    assert told(ONE, json.dumps(said), TWO).bad_lines == [2]
    del said[field]
    assert read(json.dumps(said)) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\ufffd", '{"v": 1}', ONE[:-2], ONE + "x"])
def test_what_is_no_statement_is_named_by_its_line(text: str) -> None:
    assert told(text, ONE).bad_lines == [1]


def test_a_restored_backup_takes_back_what_came_after_it_and_nothing_else() -> None:
    back = line(3, kind=Kind.RESTORED, chains={"msp": (3, "a3"), "comp-acme": (7, "b7")}, source="b.db",
                lost={"comp-acme": (9, "b9")})  # fmt: skip
    found = told(ONE, TWO, back)
    assert found.heads() == {"msp": (3, "a3"), "comp-acme": (7, "b7")}
    assert sorted(found.marks["comp-acme"]) == [5, 7]
    [one] = found.restored
    assert (one.source, one.lost, one.anew) == ("b.db", {"comp-acme": (8, 9)}, False)
    later = told(ONE, TWO, back, line(4, chains={"comp-acme": (9, "other")}))
    assert later.marks["comp-acme"][9].hash == "other"


def test_another_history_voids_all_before_it() -> None:
    found = told(ONE, TWO, line(3, kind=Kind.RESTORED, chains={"msp": (1, "x")}, anew=True))
    assert found.heads() == {"msp": (1, "x")}
    assert found.restored[0].anew


def test_the_first_signature_of_an_entry_stands() -> None:
    found = told(ONE, line(2, chains={"msp": (3, "forged later")}))
    assert found.marks["msp"][3].hash == "a3"


def test_a_key_vouches_for_the_one_that_handed_over_to_it_and_for_no_other() -> None:
    third = Ed25519PrivateKey.generate()
    handed = line(2, kind=Kind.KEY, key=OTHER, old_key=KEY)
    again = line(3, kind=Kind.KEY, key=third, old_key=OTHER)
    assert told(ONE, handed, again, key=third).unvouched == []
    assert told(ONE, key=OTHER).unvouched == [public_text(KEY)]
    lost = line(2, kind=Kind.KEY, key=OTHER)
    assert told(ONE, lost, key=OTHER).unvouched == [public_text(KEY)]
    assert told(ONE, lost, key=OTHER).heads() == told(ONE).heads(), "it still binds"


def test_nobody_can_make_a_key_take_over_from_one_that_they_do_not_have() -> None:
    at, mine = rfc3339(T0), Ed25519PrivateKey.generate()
    forged = Statement(kind=Kind.KEY, at=at, key=public_text(mine), old=public_text(KEY))
    assert read(written(signed(forged, mine))) is None
    assert read(written(signed(forged, mine, old=mine))) is None
    assert read(written(signed(forged, mine, old=KEY))) is not None


def test_old_checkpoints_make_room_and_the_others_bind_as_before() -> None:
    lines = [
        line(minute, chains={"msp": (minute + 1, f"h{minute}")}, full=minute % 60 == 0)
        for minute in range(0, 4 * 1_440, 10)
    ]
    back = line(100, kind=Kind.RESTORED, chains={"msp": (101, "h100")})
    broken = "{broken"
    now = T0 + timedelta(days=4)
    kept = thinned([*lines[:11], back, broken, *lines[11:]], now=now, fine=1, coarse=2)
    assert back in kept
    assert broken in kept
    ages = [one for one in kept if one not in (back, broken)]
    assert len(ages) < len(lines) / 2
    assert [one for one in lines if one in kept] == ages, "in order"
    assert ages[-144:] == lines[-144:], "the last day is whole"
    assert told(*ages).heads() == told(*lines).heads()
    assert thinned(kept, now=now, fine=1, coarse=2) == kept
