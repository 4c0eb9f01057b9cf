"""An export proves itself: whatever is done to the file is found, without the database that it came from."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from siems.clock import rfc3339
from siems.domain.audit import GENESIS, Entry, canonical, digest, seal
from siems.domain.audit_file import Found, entry_line, examine, statement_line
from siems.domain.checkpoint import Kind, Statement, public_text, signed

from .making import T0

KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
DETAILS = {"before": "OPEN", "after": "é", "count": 3}


def chain(name: str, length: int) -> list[Entry]:
    found: list[Entry] = []
    for number in range(1, length + 1):
        found.append(seal(
            chain=name, seq=number, at=T0 + timedelta(minutes=number), actor="user-ana", via="cli",
            action="incident.noted", object=f"INC-{number}", company_id=name, digest=digest(DETAILS, f"s{number}"),
            reason="", prev_hash=found[-1].hash if found else GENESIS,
        ))  # fmt: skip
    return found


ACME, MSP = chain("comp-acme", 6), chain("msp", 3)


def exported(first: int = 1, last: int = 6, *, key: Ed25519PrivateKey = KEY, marks: int = 4) -> list[str]:
    """Some entries of Acme and all of the MSP, with one checkpoint."""
    before = (first - 1, ACME[first - 2].hash if first > 1 else GENESIS)
    head = Statement(
        kind=Kind.EXPORT, at=rfc3339(T0), key=public_text(key), begins={"comp-acme": before, "msp": (0, GENESIS)},
        chains={"comp-acme": (last, ACME[last - 1].hash), "msp": (3, MSP[-1].hash)},
    )  # fmt: skip
    mark = Statement(
        kind=Kind.CHECKPOINT, at=rfc3339(T0), key=public_text(KEY), chains={"comp-acme": (marks, ACME[marks - 1].hash)}
    )
    entries = [*ACME[first - 1 : last], *MSP]
    return [
        statement_line(signed(head, key)), statement_line(signed(mark, KEY)),
        *(entry_line(one, f"s{one.seq}", canonical(DETAILS)) for one in entries),
    ]  # fmt: skip


def damages(found: Found) -> list[tuple[str, int, str]]:
    return [(one.chain, one.damage.seq, one.damage.kind) for one in found.chains if one.damage is not None]


def changed(lines: list[str], where: int, **fields: Any) -> list[str]:
    return [*lines[:where], canonical(json.loads(lines[where]) | fields), *lines[where + 1 :]]


@pytest.mark.parametrize(("first", "last"), [(1, 6), (1, 1), (3, 5), (6, 6)])
def test_a_whole_file_is_whole(first: int, last: int) -> None:
    found = examine(exported(first, last, marks=last), trusted=public_text(KEY))
    assert found.ok
    assert (found.trusted, found.checkpoints) == (True, 1)
    assert [(one.chain, one.first, one.entries) for one in found.chains] == [
        ("comp-acme", first, last - first + 1), ("msp", 1, 3),
    ]  # fmt: skip


def test_erased_details_leave_it_whole() -> None:
    lines = exported()
    bare = {name: value for name, value in json.loads(lines[3]).items() if name not in ("salt", "details")}
    assert examine([*lines[:3], canonical(bare), *lines[4:]]).ok


@pytest.mark.parametrize(
    "field", ["at", "actor", "via", "action", "object", "company", "digest", "reason", "hash"]
)  # fmt: skip
def test_an_edited_field_is_named_with_its_entry(field: str) -> None:
    value = "2026-03-10T12:02:00.000001Z" if field == "at" else "f" * 64
    assert damages(examine(changed(exported(), 3, **{field: value}))) == [("comp-acme", 2, "edited")]


@pytest.mark.parametrize("value", ['{"after":"CLOSED"}', "no JSON", "[]", None, 7])
def test_edited_details_are_named(value: Any) -> None:
    assert damages(examine(changed(exported(), 3, details=value))) == [("comp-acme", 2, "details edited")]


def test_what_is_deleted_swapped_cut_off_or_added_is_named() -> None:
    lines = exported()
    assert damages(examine([*lines[:4], *lines[5:]])) == [("comp-acme", 3, "deleted")]
    assert damages(examine([*lines[:3], lines[4], lines[3], *lines[5:]])) == [("comp-acme", 2, "deleted")]
    assert damages(examine(lines[:-1])) == [("msp", 3, "truncated")]
    assert damages(examine(lines[:5])) == [("comp-acme", 4, "truncated"), ("msp", 1, "truncated")]
    assert damages(examine([*lines[:8], lines[7], *lines[8:]])) == [("comp-acme", 7, "inserted")]
    beta = entry_line(chain("comp-beta", 1)[0], None, None)
    assert examine([*lines, beta]).faults == ["there are entries of comp-beta that were not exported here"]
    assert not examine([*lines, lines[2]]).ok


def test_a_history_that_was_made_anew_does_not_end_as_was_signed() -> None:
    forged: list[Entry] = []
    for n in (1, 2, 3):
        forged.append(seal(
            chain="msp", seq=n, at=T0, actor="user-eve", via="cli", action="x", object="y", company_id="msp", digest="",
            reason="", prev_hash=forged[-1].hash if forged else GENESIS,
        ))  # fmt: skip
    lines = [*exported()[:-3], *(entry_line(one, None, None) for one in forged)]
    assert damages(examine(lines)) == [("msp", 3, "rewritten")]


def test_the_head_and_the_checkpoints_are_what_was_signed() -> None:
    lines = exported()
    head = json.loads(lines[0])
    head["statement"]["chains"]["msp"] = [2, MSP[1].hash]
    for forged in (canonical(head), "{}", "[]", "x", lines[2]):
        assert examine([forged, *lines[1:]]).faults
    mark = json.loads(lines[1])
    mark["statement"]["chains"]["comp-acme"] = [4, "f" * 64]
    assert not examine([lines[0], canonical(mark), *lines[2:]]).ok
    assert not examine([]).ok
    assert not examine([lines[0], *lines]).ok


def test_whoever_is_trusted_must_have_signed() -> None:
    assert examine(exported()).trusted is None
    assert examine(exported(key=OTHER)).ok
    found = examine(exported(key=OTHER), trusted=public_text(KEY))
    assert (found.trusted, found.ok) == (False, False)


def test_a_key_that_took_over_is_trusted_as_the_one_before() -> None:
    handed = Statement(kind=Kind.KEY, at=rfc3339(T0), key=public_text(OTHER), old=public_text(KEY))
    lines = exported(key=OTHER)
    lines.insert(1, statement_line(signed(handed, OTHER, old=KEY)))
    assert examine(lines, trusted=public_text(KEY)).ok
    assert examine(lines, trusted=public_text(OTHER)).ok
    stranger = Ed25519PrivateKey.generate()
    assert examine(lines, trusted=public_text(stranger)).trusted is False
