"""What may be said of an asset, and what may depend on what."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siems.domain.asset import Asset, Facts, changes, find_cycle, merged, with_facts
from siems.errors import InvalidField
from siems.vocabulary import AssetSource

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
WEB = Asset(company_id="comp-acme", name="web-01", first_seen_at=NOON)


def said(**facts: object) -> Asset:
    return with_facts(WEB, Facts(**facts), AssetSource.BY_HAND)  # type: ignore[arg-type]


def test_what_is_not_said_stays_and_who_vouches_is_kept() -> None:
    first = said(critical=True, addresses=("10.0.0.7", "Web-01.Acme.Local", "2001:DB8::1"), platform="Linux")
    assert first.addresses == ("10.0.0.7", "web-01.acme.local", "2001:db8::1")
    assert (first.critical, first.platform, first.source) == (True, "linux", AssetSource.BY_HAND)
    then = with_facts(first, Facts(notes="rack 4"), AssetSource.IMPORTED)
    assert (then.addresses, then.notes, then.source) == (first.addresses, "rack 4", AssetSource.IMPORTED)
    assert with_facts(then, Facts(critical=True), AssetSource.BY_HAND) is then, "nothing new was said"
    assert with_facts(then, Facts(platform="", addresses=()), AssetSource.BY_HAND).platform == ""


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        ({"addresses": ("10.0.0.300",)}, "neither an IP address nor a host name"),
        ({"addresses": ("http://web-01/",)}, "neither an IP address nor a host name"),
        ({"addresses": tuple(f"10.0.0.{n}" for n in range(17))}, "at most 16"),
        ({"platform": "beos"}, "linux, windows, network, other"),
        ({"category": "weather"}, "cpu, memory, disk"),
        ({"instance_id": "i-1 i-2"}, "one word"),
        ({"notes": "x" * 4_001}, "at most 4000"),
        ({"depends_on": ("a\nb",)}, "one line"),
    ],
)
def test_what_cannot_be_taken_is_named(facts: dict[str, object], cause: str) -> None:
    with pytest.raises(InvalidField, match=cause):
        said(**facts)


def test_changes_tell_what_differs_and_nothing_else() -> None:
    after = said(critical=True, depends_on=("db-01",))
    assert changes(WEB, after) == {"critical": (False, True), "depends_on": ([], ["db-01"])}
    assert changes(None, after) == changes(WEB, after)
    assert changes(after, after) == {}


def test_merging_takes_from_the_other_what_the_survivor_does_not_say() -> None:
    other = Asset(
        company_id="comp-acme", name="web01.local", first_seen_at=NOON.replace(hour=1), critical=True,
        addresses=("10.0.0.7",), platform="linux", depends_on=("db-01", "web-01"), last_seen_at=NOON,
    )  # fmt: skip
    one = merged(said(platform="windows", addresses=("10.0.0.8",)), other)
    assert (one.name, one.platform, one.critical) == ("web-01", "windows", True)
    assert one.addresses == ("10.0.0.8", "10.0.0.7")
    assert one.depends_on == ("db-01",), "it does not depend on itself"
    assert (one.first_seen_at, one.last_seen_at) == (other.first_seen_at, NOON)


# --- cycles ----------------------------------------------------------------------------------------------------


def test_a_cycle_is_named_from_one_end_to_the_other() -> None:
    edges = {"lb": ["web"], "web": ["cache", "db"], "db": ["san"], "san": ["lb"], "cache": []}
    assert find_cycle(edges, ["web"]) == ("web", "db", "san", "lb", "web")
    assert find_cycle({"a": ["a"]}, ["a"]) == ("a", "a")
    assert find_cycle({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}, ["a"]) == ()


def test_a_long_chain_is_no_burden() -> None:
    edges = {str(n): [str(n + 1)] for n in range(20_000)}
    assert find_cycle(edges, edges) == ()


NODES = st.sampled_from("abcdef")


@given(st.dictionaries(NODES, st.lists(NODES, max_size=3, unique=True), max_size=6))
def test_a_cycle_is_found_exactly_when_there_is_one(edges: dict[str, list[str]]) -> None:
    found = find_cycle(edges, edges)
    if found:
        assert found[0] == found[-1]
        assert all(after in edges[before] for before, after in pairwise(found))
        return
    left = dict(edges)
    while left:  # without a cycle, something always depends on nothing that is left
        free = [name for name, others in left.items() if not any(other in left for other in others)]
        assert free
        for name in free:
            del left[name]
