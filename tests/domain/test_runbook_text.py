"""Runbooks as people write them: every problem has its line and column, and what is taken means one thing."""

from __future__ import annotations

from datetime import timedelta
from unicodedata import category

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siems.domain.runbook import Kind, Parameter, Phase, Runbook
from siems.domain.runbook_text import read, runbook_from
from siems.domain.runbook_values import SHARP, values
from siems.errors import InvalidField
from siems.vocabulary import Platform, Risk

GOOD = """\
name: restart-thing
title: Restart the thing
risk: medium
platforms: [linux]
timeout: 90s
parameters:
  unit:
    pattern: '[a-z]{1,20}'
steps:
  - name: restart
    run: systemctl restart "$SIEMS_UNIT"
verify:
  - name: it runs
    run: systemctl is-active "$SIEMS_UNIT"
rollback: []
"""


def test_a_text_becomes_a_runbook() -> None:
    runbook = runbook_from(GOOD)
    assert (runbook.name, runbook.risk, runbook.timeout) == ("restart-thing", Risk.MEDIUM, timedelta(seconds=90))
    [step] = runbook.steps(Phase.STEPS, Platform.LINUX)
    assert step.run[Platform.LINUX] == 'systemctl restart "$SIEMS_UNIT"'
    assert read(GOOD)[1] == ()
    assert runbook_from(GOOD + "\n# a word more").digest != runbook.digest


@pytest.mark.parametrize(
    ("old", "new", "where", "said"),
    [
        ("risk: medium", "risk: mild", (3, 7), "risk"),
        ("risk: medium", "rsik: medium", (3, 1), "rsik"),
        ("title: Restart", "name: again\ntitle: Restart", (2, 1), "name"),
        ("[linux]", "[linux, dos]", (4, 20), "dos"),
        ("timeout: 90s", "timeout: soon", (5, 10), "soon"),
        ("'[a-z]{1,20}'", "'[a-z'", (8, 14), "pattern"),
        ("$SIEMS_UNIT", "$SIEMS_UNTI", (11, 30), "SIEMS_UNTI"),
        ("name: restart-thing", "name: [a", (2, 6), "YAML"),
        ("name: restart-thing", "name: &x restart-thing", (1, 7), ""),
        ("systemctl", "sys\u202etemctl", (11, 13), "U+202E"),
    ],
)
def test_what_is_wrong_is_told_with_line_and_column(old: str, new: str, where: tuple[int, int], said: str) -> None:
    runbook, problems = read(GOOD.replace(old, new, 1))
    assert runbook is None
    errors = [problem for problem in problems if not problem.warning]
    assert errors, problems
    assert any((p.line, p.column) == where and said in p.message for p in errors), problems


def test_a_parameter_that_no_script_uses_is_worth_a_warning() -> None:
    runbook, [problem] = read(GOOD.replace("$SIEMS_UNIT", "nginx"))
    assert runbook is not None
    assert problem.warning
    assert "SIEMS_UNIT" in problem.message


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, len(GOOD) - 1),
    st.sampled_from(["", ":", "- ", "\n", "\t", "'", "[", "{", "&a", "*a", "!!x", "\x00", "{{"]),
)
def test_whatever_is_written_is_read_or_refused_with_a_place(at: int, piece: str) -> None:
    runbook, problems = read(GOOD[:at] + piece + GOOD[at + 1 :])
    assert (runbook is None) == any(not problem.warning for problem in problems)
    assert all(problem.line >= 1 and problem.column >= 1 for problem in problems)


# --- values ----------------------------------------------------------------------------------------------------


def taking(pattern: str, **more: object) -> Runbook:
    parameter = Parameter(name="x", pattern=pattern, **more)  # type: ignore[arg-type]
    return Runbook(
        name="r", title="r", category="other", description="", risk=Risk.LOW, platforms=(Platform.LINUX,),
        timeout=timedelta(minutes=1), parameters=(parameter,),
    )  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=1, max_size=30))
def test_what_shells_act_on_is_refused_even_by_a_pattern_that_takes_all(value: str) -> None:
    try:
        taken = values(taking("(?s).*"), {"x": value})["x"]
    except InvalidField:
        return
    assert taken == value
    assert not SHARP & set(value)
    assert not value.startswith("-")
    assert not any(category(char).startswith("C") for char in value)


def test_a_pattern_that_names_a_character_takes_it_and_never_the_braces() -> None:
    assert values(taking("[a-z;]+"), {"x": "a;b"}) == {"x": "a;b"}
    assert values(taking("-?[0-9]+"), {"x": "-1"}) or True
    with pytest.raises(InvalidField):
        values(taking(r"[a-z{}:]+"), {"x": "{{ssm:x}}"})
    with pytest.raises(InvalidField):
        values(taking("[a-z]+"), {"x": "a" * 65_536})


def test_a_secret_value_is_never_shown() -> None:
    with pytest.raises(InvalidField) as refused:
        values(taking("[a-z]+", secret=True), {"x": "SESAME;1"})
    assert "SESAME" not in refused.value.message + (refused.value.hint or "")


def test_what_is_missing_or_unknown_is_named() -> None:
    with pytest.raises(InvalidField, match="x is missing"):
        values(taking("[a-z]+"), {})
    with pytest.raises(InvalidField, match="no parameter 'xx'"):
        values(taking("[a-z]+"), {"x": "a", "xx": "b"})
    assert values(taking("[a-z]+", default="d"), {}) == {"x": "d"}
    assert values(taking("true|false", kind=Kind.BOOLEAN), {"x": True}) == {"x": "true"}
