"""The audit chain: whatever is done to it is found, and called by its name."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siems.domain.audit import GENESIS, Entry, canonical, digest, seal, verify
from siems.domain.changing import replace

from .making import T0, minutes

DETAILS = {number: (f"salt-{number}", {"before": "OPEN", "after": number}) for number in range(1, 7)}


def sealed(number: int, prev_hash: str, **changes: object) -> Entry:
    facts = {
        "chain": "comp-acme", "seq": number, "at": T0 + minutes(number), "actor": "user-ana", "via": "cli",
        "action": "incident.acknowledged", "object": f"INC-{number}", "company_id": "comp-acme",
        "digest": digest(DETAILS[number][1], DETAILS[number][0]), "reason": "", "prev_hash": prev_hash,
    }  # fmt: skip
    return seal(**(facts | changes))


def written(length: int = 5) -> list[Entry]:
    chain: list[Entry] = []
    for number in range(1, length + 1):
        chain.append(sealed(number, chain[-1].hash if chain else GENESIS))
    return chain


def resealed(chain: list[Entry]) -> list[Entry]:
    """What somebody gets who can compute hashes: every number, link and hash fits again."""
    out: list[Entry] = []
    for number, entry in enumerate(chain, 1):
        facts = {f.name: getattr(entry, f.name) for f in fields(Entry) if f.name != "hash"}
        out.append(seal(**(facts | {"seq": number, "prev_hash": out[-1].hash if out else GENESIS})))
    return out


CHAIN = written()
HEAD = (5, CHAIN[-1].hash)


def found(chain: list[Entry], head: tuple[int, str] | None = HEAD) -> tuple[int, str] | None:
    damage = verify(chain, details=DETAILS, head=head)
    return None if damage is None else (damage.seq, damage.kind)


def test_a_whole_chain_is_whole() -> None:
    assert found(CHAIN) is None
    assert verify(CHAIN) is None
    assert verify([], head=(0, GENESIS)) is None


def test_each_entry_follows_from_the_one_before() -> None:
    assert CHAIN[0].prev_hash == GENESIS
    assert all(a.hash == b.prev_hash for a, b in pairwise(CHAIN))
    assert len({entry.hash for entry in CHAIN}) == 5


@pytest.mark.parametrize(
    "name", ["chain", "actor", "via", "action", "object", "company_id", "digest", "reason", "hash"]
)
@pytest.mark.parametrize("number", [1, 3, 5])
def test_an_edited_field_is_found_where_it_stands(name, number) -> None:
    chain = list(CHAIN)
    chain[number - 1] = replace(chain[number - 1], **{name: "f" * 64})
    assert found(chain) == (number, "edited")


@pytest.mark.parametrize("shift", [timedelta(microseconds=1), timedelta(days=-1)])
def test_an_edited_time_is_found(shift) -> None:
    chain = [*CHAIN[:2], replace(CHAIN[2], at=CHAIN[2].at + shift), *CHAIN[3:]]
    assert found(chain) == (3, "edited")


def test_an_edited_link_is_a_broken_link() -> None:
    chain = [*CHAIN[:2], replace(CHAIN[2], prev_hash="f" * 64), *CHAIN[3:]]
    assert found(chain) == (3, "broken link")


def test_an_entry_that_was_edited_and_sealed_again_breaks_the_next_link() -> None:
    forged = sealed(3, CHAIN[1].hash, actor="user-eve")
    assert found([*CHAIN[:2], forged, *CHAIN[3:]]) == (4, "broken link")


@pytest.mark.parametrize("number", [1, 2, 4])
def test_a_deleted_entry_is_named_by_its_number(number) -> None:
    assert found([e for e in CHAIN if e.seq != number]) == (number, "deleted")


def test_a_deleted_entry_with_the_rest_renumbered_is_a_broken_link() -> None:
    chain = [*CHAIN[:2], *(replace(e, seq=e.seq - 1) for e in CHAIN[3:])]
    assert found(chain) == (3, "broken link")


def test_two_entries_that_changed_places_are_found_at_the_first() -> None:
    assert found([CHAIN[0], CHAIN[2], CHAIN[1], *CHAIN[3:]]) == (2, "deleted")
    chain = [CHAIN[0], replace(CHAIN[2], seq=2), replace(CHAIN[1], seq=3), *CHAIN[3:]]
    assert found(chain) == (2, "broken link")


def test_an_inserted_entry_is_found() -> None:
    assert found([*CHAIN[:3], sealed(3, CHAIN[2].hash), *CHAIN[3:]]) == (4, "inserted")
    chain = [*CHAIN[:3], sealed(4, CHAIN[2].hash), *(replace(e, seq=e.seq + 1) for e in CHAIN[3:])]
    assert found(chain) == (5, "broken link")


@pytest.mark.parametrize("left", [0, 1, 4])
def test_a_chain_that_ends_early_is_truncated_after_its_last_entry(left) -> None:
    assert found(CHAIN[:left]) == (left + 1, "truncated")


def test_without_a_head_nobody_can_know_of_a_truncation() -> None:
    assert found(CHAIN[:4], head=None) is None


def test_what_was_added_behind_the_head_is_inserted() -> None:
    assert found([*CHAIN, sealed(6, CHAIN[-1].hash)]) == (6, "inserted")


def test_a_history_that_was_computed_anew_is_told_from_a_truncation() -> None:
    forged = resealed([*CHAIN[:2], replace(CHAIN[2], actor="user-eve"), *CHAIN[3:]])
    assert verify(forged) is None
    assert found(forged) == (5, "rewritten")


def test_a_history_computed_anew_without_one_entry_is_too_short() -> None:
    forged = resealed([e for e in CHAIN if e.seq != 3])
    assert verify(forged) is None
    assert verify(forged, head=HEAD).kind == "truncated"


def test_details_that_were_edited_are_told_from_an_edited_entry() -> None:
    edited = DETAILS | {2: ("salt-2", {"before": "OPEN", "after": 99})}
    damage = verify(CHAIN, details=edited, head=HEAD)
    assert (damage.seq, damage.kind) == (2, "details edited")
    resalted = DETAILS | {4: ("another", DETAILS[4][1])}
    assert verify(CHAIN, details=resalted).seq == 4


def test_details_that_were_erased_leave_the_chain_whole() -> None:
    assert verify(CHAIN, details={}, head=HEAD) is None
    assert verify(CHAIN, details={5: DETAILS[5]}, head=HEAD) is None


def test_the_digest_needs_its_salt_and_not_the_order_of_the_keys() -> None:
    assert digest({"a": 1, "b": 2}, "s") == digest({"b": 2, "a": 1}, "s")
    assert digest({"a": 1}, "s") != digest({"a": 1}, "t")
    assert canonical({"b": "é", "a": None}) == '{"a":null,"b":"\\u00e9"}'


def test_text_cannot_move_from_one_field_to_its_neighbour() -> None:
    one = sealed(1, GENESIS, actor="user-a", via="cli")
    other = sealed(1, GENESIS, actor="user-a,cli", via="")
    assert one.hash != other.hash


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_any_other_order_or_selection_of_the_entries_is_damage(data) -> None:
    picked = data.draw(st.lists(st.sampled_from(CHAIN), max_size=7))
    damage = verify(picked, head=HEAD)
    assert (damage is None) == (picked == CHAIN)
    if damage is not None:
        good = next((i for i, e in enumerate(picked) if i >= 5 or e != CHAIN[i]), len(picked))
        assert damage.seq == good + 1
        assert damage.chain in ("", "comp-acme")
