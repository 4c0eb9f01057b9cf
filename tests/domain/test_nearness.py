"""What a sentence model may say about incidents that look alike, and how much that counts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from siems.domain.advice_rules import recommendation
from siems.domain.changing import replace
from siems.domain.likeness import ALIKE, CLOSE, LEAST, Features, Shelf, rank
from siems.domain.nearness import sentence
from siems.domain.patterns import find

from .advising import past, question
from .making import T0

ACME = "comp-acme"
ASKED = Features(frozenset({"icmp_loss"}), frozenset({"web-1"}), ("no ping",))


def ranked(*known: object, near: dict[tuple[str, str], float] | None = None, least: float = LEAST) -> list[object]:
    shelf = Shelf([replace(one, company_id=ACME) for one in known])  # type: ignore[type-var]
    return list(rank(ASKED, shelf.likely(ASKED, near=near), {}, most=9, least=least))


def test_a_model_reads_the_problem_without_numbers_and_without_where_it_is() -> None:
    assert sentence("HostDown", "WEB-01 (10.0.0.7): 3 of 5 pings lost", "web-01") == "Host down. ( ): of pings lost"
    assert sentence("disk_full", "", "") == "Disk full."
    assert len(sentence("x", "word " * 1_000, "a")) < 320


def test_what_a_model_finds_near_is_shown_with_how_near() -> None:
    node = past(7, "db-9", "node_offline", messages=("no reply",))
    assert ranked(node) == []
    [found] = ranked(node, near={(ACME, "node_offline"): 0.9})
    assert found.why == ("text is near by the sentence model (0.90)",)  # type: ignore[attr-defined]
    assert ranked(node, near={("comp-beta", "node_offline"): 0.9}) == [], "another client's words are not this one's"


@given(near=st.floats(0.5, 1.0), same=st.booleans())
def test_a_model_alone_never_makes_two_incidents_the_same_thing(near: float, same: bool) -> None:
    [found] = ranked(past(7, "web-1" if same else "db-9", "node_offline"), near={(ACME, "node_offline"): near}, least=0)
    plain = 0.25 * same
    assert found.likeness >= plain  # type: ignore[attr-defined]
    assert same or found.likeness < CLOSE  # type: ignore[attr-defined]
    assert found.likeness <= 0.5 * ALIKE + 0.25 + plain  # type: ignore[attr-defined]


def test_the_same_signature_counts_as_before_whatever_a_model_says() -> None:
    node = past(7, "db-9", "icmp_loss")
    assert ranked(node, near={(ACME, "icmp_loss"): 1.0}) == ranked(node) != []


def test_a_recommendation_says_that_a_model_found_it() -> None:
    like = past(7, likeness=0.8, near=0.9)
    for known, said in (
        (like, "INC-7 looked like this, by the sentence model, and was fixed by maria: restarted the worker"),
        (replace(like, by_person=False), "INC-7 reads much the same, by the sentence model"),
    ):
        asked = question(similar=(known,), now=T0)
        assert recommendation(asked, find(asked)).startswith(said)
