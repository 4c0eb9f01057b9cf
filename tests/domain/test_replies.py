"""Answers by text message, as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siems.domain.replies import LONGEST_NOTE, Reply, replies


@pytest.mark.parametrize(
    ("text", "number", "verb", "note"),
    [
        ("12a", "12", "ack", ""), ("12A", "12", "ack", ""), (" 12 a ", "12", "ack", ""), ("12a.", "12", "ack", ""),
        ("12 ack", "12", "ack", ""), ("12e", "12", "escalate", ""), ("012a", "12", "ack", ""),
        ("Reply 12a", "12", "ack", ""),
        ("P7a", "P7", "ack", ""), ("p 07 ack", "P7", "ack", ""), ('"12a"', "12", "ack", ""), ("“12a”", "12", "ack", ""),
        ("12r disk was full", "12", "resolve", "disk was full"),
        ("12R: Disk was FULL", "12", "resolve", "Disk was FULL"),
        ("12 resolve - restarted", "12", "resolve", "restarted"), ("12a on my way", "12", "ack", "on my way"),
        ("B7a", "B7", "ack", ""), ("b7a", "B7", "ack", ""), ("B 7 a", "B7", "ack", ""), ("b07A", "B7", "ack", ""),
        ("12r cleaned\nthe disk\n\nthen rebooted", "12", "resolve", "cleaned the disk then rebooted"),
        ("12a\r\n\r\nSent from my phone", "12", "ack", "Sent from my phone"),
        ("12a\n> Reply 13a to ack", "12", "ack", ""), ("12a\nOn Mon, siems wrote:\n13a", "12", "ack", ""),
        ("ok then\n12a", "12", "ack", ""),
    ],
)  # fmt: skip
def test_what_is_understood(text: str, number: str, verb: str, note: str) -> None:
    assert replies(text) == [Reply(number=number, verb=verb, note=note)]


@pytest.mark.parametrize(
    "text",
    ["", "a", "12", "ok", "12x", "12 apples", "12reboot", "x12a", "1234567890a", "a12", "STOP", "> 12a", "１２a",
     "BB7a", "12 on it", "-12", "12 rest"],
)  # fmt: skip
def test_what_is_not(text: str) -> None:
    assert replies(text) == []


def test_several_lines_are_several_answers_each_once() -> None:
    assert replies("12a\n13r fixed\nB7a\n12a") == [
        Reply(number="12", verb="ack"), Reply(number="13", verb="resolve", note="fixed"),
        Reply(number="B7", verb="ack"),
    ]  # fmt: skip


@given(
    number=st.integers(1, 999_999_999), bundle=st.booleans(), verb=st.sampled_from(["a", "r", "e"]),
    note=st.text("abc xyz", max_size=40), before=st.sampled_from(["", " ", "\t", '"']), upper=st.booleans(),
    between=st.sampled_from(["", " ", ": ", "-"]),
)  # fmt: skip
def test_whatever_way_it_is_typed_it_means_the_same(
    number: int, bundle: bool, verb: str, note: str, before: str, upper: bool, between: str
) -> None:
    typed = f"{'b' if bundle else ''}{number}{between}{verb}"
    [reply] = replies(before + (typed.upper() if upper else typed) + " " + note)
    assert reply.number == ("B" if bundle else "") + str(number)
    assert reply.verb == {"a": "ack", "r": "resolve", "e": "escalate"}[verb]
    assert reply.note == note.strip()


@given(st.text())
def test_nothing_that_is_sent_breaks_it(text: str) -> None:
    for reply in replies(text):
        assert reply.verb in ("ack", "resolve", "escalate")
        digits = reply.number.lstrip("BP")
        assert digits.isdigit()
        assert digits in text.replace(" ", "") or reply.number == "0" or "0" in text
        assert len(reply.note) <= LONGEST_NOTE
