"""Invitations of browsers: what we have signed comes back whole, and nothing else does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siems.domain.answer import Answerable, AnswerVerb
from siems.domain.invitation import Invitation, read_invitation
from siems.errors import NotFound

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
KEY = b"k" * 32
MADE = Invitation("user-tess", "a1b2", NOW + timedelta(minutes=15))


def test_it_comes_back_until_it_is_too_old() -> None:
    assert read_invitation(KEY, MADE.token(KEY), NOW) == MADE
    with pytest.raises(NotFound, match="too old"):
        read_invitation(KEY, MADE.token(KEY), NOW + timedelta(minutes=16))


@given(st.integers(0, len(MADE.token(KEY)) - 2), st.sampled_from("abcXYZ019-_"))
def test_no_letter_of_it_can_be_changed(at: int, letter: str) -> None:
    token = MADE.token(KEY)
    changed = token[:at] + letter + token[at + 1 :]
    if changed != token:
        with pytest.raises(NotFound):
            read_invitation(KEY, changed, NOW)


def test_another_key_and_another_kind_of_link_are_not_ours() -> None:
    answer = Answerable("user-tess", "comp-acme", "INC-1", AnswerVerb.ACK, NOW + timedelta(hours=1)).token(KEY)
    for text in (MADE.token(b"x" * 32), answer, "", "x", "é", "A" * 200):
        with pytest.raises(NotFound):
            read_invitation(KEY, text, NOW)
