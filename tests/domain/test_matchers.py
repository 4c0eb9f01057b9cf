"""What a silence is about: how conditions are written, and what they hold for."""

from __future__ import annotations

import time
from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siems.domain.matchers import FIELDS, Matcher, holds, parse
from siems.errors import InvalidField
from siems.vocabulary import Category, Severity

from .making import reading

WORDS = st.text("ab.-", max_size=5)
OPS = st.sampled_from(["=", "!=", "~", "!~"])
GLOBS = st.text("ab*.-", min_size=1, max_size=6)


def one(text: str) -> Matcher:
    [matcher] = parse([text])
    return matcher


@pytest.mark.parametrize(
    ("text", "facts", "found"),
    [
        ("asset=dc01", {"asset": "dc01"}, True),
        ("asset=dc01", {"asset": "DC01"}, True),
        ("asset=dc01", {"asset": "dc012"}, False),
        ("asset=dc*", {"asset": "dc01"}, True),
        ("asset=dc*", {"asset": "adc01"}, False),
        ("asset=*01*", {"asset": "dc01.lan"}, True),
        ("asset=a.b*", {"asset": "axb"}, False),
        ("asset!=dc*", {"asset": "dc01"}, False),
        ("asset!=dc*", {"asset": "web"}, True),
        ("asset~dc[0-9]+", {"asset": "dc01"}, True),
        ("asset~dc[0-9]+", {"asset": "dc01.lan"}, False),
        ("asset=~dc.*", {"asset": "dc01"}, True),
        ("asset!~dc.*|web.*", {"asset": "web"}, False),
        ("signature=disk_full", {"signature": "disk_full"}, True),
        ("severity=high", {}, True),
        ("severity=HI", {}, True),
        ("severity!=CRITICAL", {"severity": Severity.CRITICAL}, False),
        ("severity~LOW|MEDIUM", {"severity": Severity.LOW}, True),
        ("tool=datadog", {}, True),
        ("source=datadog", {}, True),
        ("message~.*timeout.*", {"message": "a\nTimeout here"}, True),
        ("category=disk", {"signature": "disk_full"}, True),
        ("category!=disk", {"signature": "disk_full"}, False),
        ("label.env=test", {"labels": {"env": "test"}}, True),
        ("label.env=test", {}, False),
        ("label.env=", {}, True),
        ("label.env!=prod", {}, True),
        ("label.k8s.io/app=web", {"labels": {"k8s.io/app": "web"}}, True),
        ("  asset = dc01 ", {"asset": "dc01"}, True),
    ],
)
def test_what_a_matcher_holds_for(text, facts, found) -> None:
    assert holds(one(text), reading(**facts)) is found


@pytest.mark.parametrize(
    ("texts", "cause"),
    [
        ([], "what it is about"),
        (["dc01"], "no matcher"),
        (["asest=dc01"], "no 'asest'"),
        (["tags.env=x"], "no 'tags.env'"),
        (["asset="], "no value"),
        (["severity=bad"], "no severity"),
        (["category=weather"], "no category"),
        (["asset~(a"], "cannot be read"),
        (["asset~" + "a" * 201], "longer than 200"),
        (["asset=" + "a" * 256], "longer than 255"),
        ([f"asset=a{n}" for n in range(17)], "at most 16"),
    ],
)
def test_what_is_no_matcher_is_named(texts, cause) -> None:
    with pytest.raises(InvalidField, match=cause) as refused:
        parse(texts)
    assert refused.value.hint or "longer" in cause


def test_no_pattern_takes_longer_than_its_text_is_long() -> None:
    """The thread that writes matches it: a pattern that another engine would try for years must not hold it up."""
    evil = [one(f"message~{pattern}") for pattern in ("(a+)+b", "(a|a)*b", ".*.*.*.*.*.*b", "(a?){40}a{40}b")]
    begun = time.process_time()
    assert not any(holds(matcher, reading(message="a" * 8_000)) for matcher in evil)
    assert time.process_time() - begun < 5


@settings(deadline=None)
@given(st.sampled_from([*FIELDS, "label.env", "label.a.b"]), OPS, st.text(max_size=20))
def test_a_matcher_reads_what_it_writes(field, op, value) -> None:
    try:
        matcher = one(f"{field}{op}{value}")
    except InvalidField:
        return
    assert one(str(matcher)) == matcher


@settings(deadline=None)
@given(WORDS, GLOBS)
def test_a_star_is_anything_and_nothing_else_is_special(word, glob) -> None:
    assert holds(one(f"asset={glob}"), reading(word)) == fnmatchcase(word, glob)


@settings(deadline=None)
@given(WORDS, GLOBS, st.sampled_from(["=", "~"]))
def test_a_condition_or_its_opposite_holds_and_never_both(word, value, op) -> None:
    try:
        yes, no = one(f"asset{op}{value}"), one(f"asset!{op}{value}")
    except InvalidField:
        return
    assert holds(yes, reading(word)) is not holds(no, reading(word))


@settings(deadline=None)
@given(st.sampled_from(Category), st.sampled_from(Severity))
def test_words_of_the_vocabulary_are_found_whatever_their_case(category, severity) -> None:
    assert one(f"category={category.value.upper()}").value == category.value
    assert one(f"severity={severity.name.lower()}").value == severity.name
