"""Where a request comes from, when proxies stand in front: what is read from the right, and from ours only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siems.domain.integration import network, origin, within

OURS = (network("10.0.0.0/8"), network("2001:db8:1::/48"))
ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9", "198.51.100.7, 10.9.9.9"], "198.51.100.7"),
        ("10.0.0.1", ["198.51.100.7:4711"], "198.51.100.7"),
        ("10.0.0.1", ["[2001:db8:2::1]:4711"], "2001:db8:2::1"),
        ("2001:db8:1::1", ["2001:db8:2::1"], "2001:db8:2::1"),
        ("::ffff:10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["10.0.0.2, 10.0.0.3"], "10.0.0.2"),
        ("10.0.0.1", ["198.51.100.7, unknown"], ""),
        ("10.0.0.1", ["198.51.100.7,"], ""),
        ("", ["198.51.100.7"], ""),
    ],
)
def test_the_address_is_the_last_one_that_a_proxy_of_ours_has_heard(
    peer: str, forwarded: list[str], found: str
) -> None:
    assert origin(peer, forwarded, OURS) == found


@given(ADDRESSES, st.lists(st.text(max_size=40), max_size=4))
def test_without_proxies_nothing_that_is_said_counts(peer: str, forwarded: list[str]) -> None:
    assert origin(peer, forwarded, ()) == peer


@given(ADDRESSES.filter(lambda a: not within(a, OURS)), st.lists(ADDRESSES, max_size=5), st.text(max_size=60))
def test_nobody_can_pretend_through_a_proxy_of_ours(real: str, more: list[str], lie: str) -> None:
    said = [lie, ", ".join([*more, real])]
    assert origin("10.0.0.1", said, OURS) == real
