"""Who may approve a run, what a company may tighten, what is masked and kept of what hosts print."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from siems.domain.permissions import Actor
from siems.domain.run import Plan, RunRule, may_approve
from siems.domain.run_output import MASK, Masker, Meter
from siems.domain.run_script import with_values
from siems.domain.runbook import Shell
from siems.domain.self_heal import HealRule, Past, checked, refusal
from siems.domain.standing import Standing, hours_from
from siems.errors import InvalidField
from siems.vocabulary import Risk, Role

ACME = "comp-acme"
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("role", "low", "medium", "high"),
    [(Role.ADMIN, True, True, True), (Role.MANAGER, True, True, False),
     (Role.TECHNICIAN, False, False, False), (Role.CLIENT, False, False, False)],
)  # fmt: skip
def test_who_may_approve_follows_from_the_risk(role: Role, *, low: bool, medium: bool, high: bool) -> None:
    actor = Actor("user-x", "x", role, frozenset({ACME}))
    assert [may_approve(actor, ACME, risk, "user-maria") for risk in Risk] == [low, medium, high]
    assert not any(may_approve(actor, ACME, risk, "user-x") for risk in Risk), "never one's own"
    if role is not Role.ADMIN:
        assert not any(may_approve(actor, "comp-beta", risk, "user-maria") for risk in Risk)


def test_a_company_may_ask_for_more_and_never_gets_less() -> None:
    for low in Risk:
        for medium in Risk:
            rule = RunRule(low, medium)
            for declared in Risk:
                assert list(Risk).index(rule.counts_as(declared)) >= list(Risk).index(declared)
    assert RunRule(low=Risk.MEDIUM).counts_as(Risk.LOW) is Risk.MEDIUM


@pytest.mark.parametrize("wrong", [{"canary": -1}, {"parallel": 0}, {"parallel": 101}, {"max_failures": 501}])
def test_a_plan_has_limits(wrong: dict[str, int]) -> None:
    with pytest.raises(InvalidField):
        Plan(**wrong).checked()


# --- what is printed -------------------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    secret=st.text("abc", min_size=4, max_size=8),
    around=st.lists(st.text("abcx \n", max_size=9), min_size=2, max_size=5),
    cuts=st.lists(st.integers(0, 80), max_size=8),
)  # fmt: skip
def test_a_secret_is_masked_however_the_output_is_cut(secret: str, around: list[str], cuts: list[int]) -> None:
    text = secret.join(around)
    masker, places = Masker([secret]), sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    told = "".join(masker.feed(text[a:b]) for a, b in pairwise(places)) + masker.rest()
    assert secret not in told
    assert MASK in told


def test_of_a_key_every_line_is_secret() -> None:
    masker = Masker(["-----BEGIN KEY-----\nabcdefgh\n-----END KEY-----"])
    assert masker.feed("grep says: abcdefgh\n") + masker.rest() == f"grep says: {MASK}\n"


def test_what_is_kept_has_an_end_and_says_where() -> None:
    meter = Meter(host_limit=10, run_limit=15)
    assert meter.take("a", "12345678") == "12345678"
    assert meter.take("a", "å9").startswith("å\n[cut") or meter.of("a") <= 10
    assert meter.take("a", "more") == "" or meter.of("a") <= 10
    meter.take("b", "x" * 50)
    assert meter.total <= 15


@given(st.text(max_size=40).filter(lambda text: "\x00" not in text))
@settings(max_examples=60)
def test_a_value_is_one_word_of_the_shell(value: str) -> None:
    """Read as a shell reads single quotes: nothing in it ends them but what the prelude itself wrote."""
    line = with_values(Shell.SH, {"SIEMS_X": value}, "")
    body = line.removeprefix("export SIEMS_X=").removesuffix("\n")
    words = body.replace("'\"'\"'", "\x00").split("'")
    assert words[1::2] == [value.replace("'", "\x00")]
    assert not "".join(words[::2])


# --- in advance, and by itself ---------------------------------------------------------------------------------


def standing(**more: object) -> Standing:
    facts: dict[str, object] = {
        "id": 1, "company_id": ACME, "runbook": "restart-service", "digest": "d1", "targets": ("web-*",),
        "hours": hours_from("22:00-06:00", "mon", "Europe/Oslo"), "reason": "", "granted_by": "user-root",
        "granted_at": NOW, "expires_at": NOW + timedelta(days=30),
    }  # fmt: skip
    return Standing(**(facts | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({}, ""),
        ({"now": datetime(2026, 3, 17, 3, tzinfo=UTC)}, ""),  # the night of Monday goes on into Tuesday
        ({"now": datetime(2026, 3, 17, 6, tzinfo=UTC)}, "it is good mon 22:00-06:00 (Europe/Oslo)"),
        ({"now": datetime(2026, 3, 17, 22, tzinfo=UTC)}, "it is good mon 22:00-06:00 (Europe/Oslo)"),
        ({"digest": "d2"}, "restart-service was changed since it was granted"),
        ({"runbook": "clean-docker"}, "it is for restart-service"),
        ({"hosts": ["web-1", "db-1"]}, "it is not for db-1"),
        ({"now": NOW + timedelta(days=31)}, "it is over"),
    ],
)
def test_an_approval_in_advance_covers_what_it_names(how: dict[str, object], why: str) -> None:
    asked: dict[str, object] = {
        "runbook": "restart-service", "digest": "d1", "hosts": ["WEB-1"], "now": datetime(2026, 3, 16, 22, tzinfo=UTC),
    }  # fmt: skip
    assert standing().refusal(**(asked | how)) == why  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "words", [("25:00-26:00", "", "UTC"), ("22:00", "", "UTC"), ("", "noday", "UTC"), ("", "", "Moon")]
)
def test_hours_that_are_none_are_refused(words: tuple[str, str, str]) -> None:
    with pytest.raises(InvalidField):
        hours_from(*words)


def test_self_healing_has_limits() -> None:
    rule = checked(HealRule(company_id=ACME, runbook="x", digest="d", matchers=(), max_hosts=2, per_day=2))
    ago = lambda **span: Past(NOW - timedelta(**span), frozenset({"web-9"}))  # noqa: E731
    assert refusal(rule, ["web-1"], [], NOW) == ""
    assert refusal(rule, [], [], NOW) == "there is nothing to run it on"
    assert "more than the 2" in refusal(rule, ["a", "b", "c"], [], NOW)
    assert "2 times within a day" in refusal(rule, ["web-1"], [ago(hours=2), ago(hours=5)], NOW)
    assert "less than 1 h ago" in refusal(rule, ["web-9"], [ago(minutes=59)], NOW)
    assert refusal(rule, ["web-9"], [ago(minutes=60)], NOW) == ""
