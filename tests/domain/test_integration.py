"""Which addresses a network holds, and whose a body is."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siems.domain.integration import Terms, network, tenant_of, within
from siems.errors import InvalidField

from .making import T0


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("192.0.2.7", True),
        ("192.0.3.7", False),
        ("::ffff:192.0.2.7", True),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("", False),
        ("somewhere", False),
    ],
)
def test_an_address_is_in_one_of_the_networks_or_not(address: str, inside: bool) -> None:
    assert within(address, (network("192.0.2.0/24"), network("2001:db8::/32"))) is inside


@pytest.mark.parametrize(
    ("written", "kept"),
    [("192.0.2.7", "192.0.2.7/32"), ("192.0.2.7/24", "192.0.2.0/24"), (" 2001:db8::/32 ", "2001:db8::/32")],
)
def test_networks_are_kept_as_they_mean(written: str, kept: str) -> None:
    assert Terms(networks=(written,)).checked(T0).networks == (kept,)


@pytest.mark.parametrize(
    "terms",
    [
        Terms(networks=("192.0.2.0/33",)),
        Terms(networks=("office",)),
        Terms(networks=("192.0.2.1",) * 65),
        Terms(rate_per_minute=0),
        Terms(rate_per_minute=1_000_001),
        Terms(name="x" * 256),
        Terms(name="a\nb"),
        Terms(expires_at=T0),
        Terms(expires_at=T0 - timedelta(days=1)),
        Terms(expires_at=T0.replace(tzinfo=None) + timedelta(days=1)),
    ],
)
def test_what_cannot_be_is_refused(terms: Terms) -> None:
    with pytest.raises(InvalidField):
        terms.checked(T0)


@pytest.mark.parametrize(
    ("body", "path", "value"),
    [
        ({"organizationId": 77}, "organizationId", "77"),
        ({"organizationId": " north "}, "organizationId", "north"),
        ({"org": {"id": "a"}}, "org.id", "a"),
        ({"org.id": "b", "org": {"id": "a"}}, "org.id", "b"),
        ({"tags": ["x", "y"]}, "tags.1", "y"),
        ({"tags": ["x"]}, "tags.1", ""),
        ([{"org": 1}, {"org": 1}], "org", "1"),
        ([{"org": 1}, {"org": 2}], "org", "1, 2"),
        ({"alerts": [{"org": 5}]}, "org", "5"),
        ({"TopicArn": "t", "Message": '{"AWSAccountId": "111122223333"}'}, "AWSAccountId", "111122223333"),
        ({"TopicArn": "t", "Message": "{broken"}, "AWSAccountId", ""),
        ({"organizationId": True}, "organizationId", ""),
        ({"organizationId": None}, "organizationId", ""),
        ({"organizationId": {"a": 1}}, "organizationId", ""),
        ({}, "organizationId", ""),
        ("text", "organizationId", ""),
    ],
)
def test_the_field_that_names_the_client_is_found(body: object, path: str, value: str) -> None:
    assert tenant_of(json.dumps(body).encode(), path) == value


def test_a_body_that_is_no_json_names_nobody() -> None:
    assert tenant_of(b"\xff{", "a") == ""
    assert tenant_of(b"[" * 100_000, "a") == ""
    assert tenant_of(b'{"a": ' + b"9" * 5_000 + b"}", "a") == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abM") | st.text(max_size=5), inner),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(JSON, st.sampled_from(["a", "a.b", "a.0", "Message", "a.b.0.M", "", ".", "a..b"]))
def test_whatever_a_body_holds_the_answer_is_short_text_that_can_be_stored(body: object, path: str) -> None:
    found = tenant_of(json.dumps(body).encode(), path)
    assert len(found) <= 255
    assert "\x00" not in found
    found.encode()
