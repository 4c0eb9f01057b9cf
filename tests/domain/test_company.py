"""The short name of a company."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siems.domain.company import Company, slug_of
from siems.errors import InvalidField

from .making import T0


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Acme Corp", "acme"),
        ("Acme, Inc.", "acme"),
        ("Muster GmbH & Co. KG", "muster"),
        ("Fjord Media", "fjord-media"),
        ("Café Zürich AG", "cafe-zurich"),
        ("Company", "company"),
        ("Co Ltd", "co"),
        ("Inc Logistics", "inc-logistics"),
        ("4th   Floor__Labs", "4th-floor-labs"),
    ],
)
def test_a_name_becomes_short_and_easy_to_type(name, slug) -> None:
    assert slug_of(name) == slug


@pytest.mark.parametrize("name", ["", "  ", "!!!", "東京", "MSP", "msp Ltd."])
def test_a_name_that_leaves_nothing_or_means_the_msp_asks_for_another(name) -> None:
    with pytest.raises(InvalidField, match=re.escape(repr(name))) as refused:
        slug_of(name)
    assert "--slug" in refused.value.hint


def test_a_long_name_is_cut_without_a_dangling_dash() -> None:
    assert slug_of("a" * 39 + " bcd") == "a" * 39
    assert slug_of("x" * 90) == "x" * 40


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_whatever_comes_out_is_a_slug_and_its_own_slug_or_shorter(name) -> None:
    try:
        slug = slug_of(name)
    except InvalidField:
        return
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert len(slug) <= 40


def test_a_company_is_known_by_its_short_name() -> None:
    assert Company(id="comp-acme", name="Acme", created_at=T0).slug == "acme"
