"""Texts as words: what is only a number, an id or a name does not make two sentences different."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siems.domain.sentences import near, same_asset, words_of

MAIL = "The mail service refuses new sessions, queue 7 holds 93 entries"


@pytest.mark.parametrize(
    "other",
    [
        "The mail service refuses new sessions, queue 8 holds 14 entries",
        "the MAIL service refuses new sessions: queue 7 holds 93.5 entries (https://tool.example/e/1)",
        "mail service refuses new sessions, queue 0x9f holds 1,204 entries on web-1.corp.example",
    ],
)
def test_numbers_links_and_names_aside_it_is_the_same(other: str) -> None:
    assert near(words_of(MAIL, "web-1"), words_of(other, "web-1"))


@pytest.mark.parametrize(
    "other",
    [
        "The mail service accepts new sessions again, queue 7 is empty",
        "The backup service refuses old tapes, shelf 7 holds 93 entries",
        "",
    ],
)
def test_another_sentence_is_another(other: str) -> None:
    assert not near(words_of(MAIL, "web-1"), words_of(other, "web-1"))


def test_what_a_text_names_is_kept_apart_from_what_it_says() -> None:
    said = words_of("No route from 10.0.0.8 to core-sw-2 for session deadbeef01", "web-1")
    assert said.names == {"10.0.0.8", "core-sw-2", "deadbeef01"}
    assert said.words == ("session", "route", "no")


def test_a_short_text_says_too_little() -> None:
    assert not words_of("CPU at 95%", "web-1").telling
    assert words_of(MAIL, "web-1").telling


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("WEB-1", "web-1", True), ("web-1", "web-1.corp.example", True), ("web-1", "web-10", False),
        ("10.0.0.1", "10.0.0.2", False), ("10.0.0.1", "10", False),
    ],
)  # fmt: skip
def test_one_asset_under_two_names(one: str, other: str, same: bool) -> None:
    assert same_asset(one, other) is same is same_asset(other, one)


@settings(max_examples=80, deadline=None)
@given(words=st.lists(st.text("abcdefgh", min_size=3, max_size=7), min_size=4, max_size=12), drop=st.integers(0, 11))
def test_near_texts_share_one_of_the_words_under_which_they_are_found(words: list[str], drop: int) -> None:
    """Otherwise the second would never be compared with the first."""
    one = words_of(" ".join(words), "web-1")
    other = words_of(" ".join(words[:drop] + words[drop + 1 :]), "web-1")
    if near(one, other) and other.words:
        assert set(one.prefix) & set(other.prefix)
