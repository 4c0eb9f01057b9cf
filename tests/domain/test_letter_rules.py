"""Rules of mail: what a client says of single messages, as it is kept, shown and applied."""

from __future__ import annotations

from typing import Any

import pytest

from siems.domain.alert import Reading
from siems.domain.letter import opened
from siems.domain.letter_rules import ruled, rules_from, rules_told
from siems.errors import InvalidField
from siems.sources.email import read_letter

COOLING: list[dict[str, Any]] = [
    {"field": "subject", "pattern": "kühlung * in ordnung", "signature": "cooling", "recovery": True},
    {"field": "subject", "pattern": "kühlung *", "signature": "cooling", "severity": "HIGH"},
]


def one(subject: str) -> Reading:
    letter = opened(f"From: mon@acme.example\nSubject: {subject}\n\n".encode())
    [found] = ruled(rules_from(COOLING), letter, read_letter(letter)).readings
    return found


def test_a_rule_says_that_it_is_over_in_words_of_the_client() -> None:
    begun, over = one("Kühlung ausgefallen"), one("Kühlung wieder in Ordnung")
    assert (begun.firing, over.firing) == (True, False)
    assert begun.fingerprint("comp-acme") == over.fingerprint("comp-acme")


def test_rules_are_shown_as_they_were_written() -> None:
    assert rules_told(rules_from(COOLING)) == COOLING


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"recovery": "yes"}, "true or false"), ({"signature": 7}, "texts"), ({}, "does nothing"),
        ({"severity": "URGENT"}, "severity is"), ({"state": "ok"}, "an object of"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_meant_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidField, match=said):
        rules_from([{"field": "subject", "pattern": "x", **wrong}])
