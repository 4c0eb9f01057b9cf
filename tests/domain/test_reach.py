"""How a person is reached."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siems.domain.reach import (
    RETRIES,
    Contact,
    Notice,
    Preferences,
    Reach,
    Rule,
    hint_of,
    manner_of,
    plan,
    retry_at,
)
from siems.vocabulary import Severity

NOW = datetime(2026, 3, 10, 1, 30, tzinfo=UTC)
MAIL = Contact("CON-1", "user-maria", "email", "maria@msp.example")
PHONE = Contact("CON-2", "user-maria", "sms", "...0100")
CALL = Contact("CON-3", "user-maria", "voice", "...0100")


def notice(severity: Severity = Severity.HIGH, **more: object) -> Notice:
    facts: dict[str, object] = {
        "key": "incident.opened:INC-1:1", "event": "incident.opened", "object": "INC-1", "company_id": "comp-acme",
        "severity": severity, "subject": "it broke", "pages": severity >= Severity.HIGH, "unacknowledged": True,
    }  # fmt: skip
    return Notice(**(facts | more))  # type: ignore[arg-type]


def sent(reach: Reach, said: Notice, now: datetime = NOW) -> dict[str, timedelta]:
    """Channel → how long from now."""
    return {one.contact.channel: one.at - now for one in plan(reach, said, now=now).messages}


def test_without_rules_mail_gets_everything_and_a_phone_gets_pages() -> None:
    reach = Reach((MAIL, PHONE, CALL))
    at_once = timedelta(0)
    assert sent(reach, notice(Severity.HIGH)) == {"email": at_once, "sms": at_once}
    assert sent(reach, notice(Severity.MEDIUM)) == {"email": at_once}
    assert sent(reach, notice(Severity.CRITICAL)) == {"email": at_once, "sms": at_once}, "no call unless asked for"


def test_without_a_contact_it_says_so() -> None:
    assert plan(Reach(), notice(), now=NOW).why == "inbox only: there is no contact"
    only = plan(Reach((PHONE,)), notice(Severity.LOW), now=NOW)
    assert only.messages == ()
    assert only.why == "inbox only: no contact takes it by default a LOW message about incident.opened"


def test_rules_say_in_which_order_and_a_wait_is_for_pages_that_nobody_answers() -> None:
    rules = (
        Rule("NR-1", "CON-2", Severity.HIGH),
        Rule("NR-2", "CON-3", Severity.CRITICAL, timedelta(minutes=5)),
        Rule("NR-3", "CON-1", Severity.LOW, about=("incident.resolved",)),
    )
    reach = Reach((MAIL, PHONE, CALL), rules)
    five = timedelta(minutes=5)
    assert sent(reach, notice(Severity.CRITICAL)) == {"sms": timedelta(0), "voice": five}
    assert sent(reach, notice(Severity.CRITICAL, unacknowledged=False)) == {"sms": timedelta(0)}
    assert sent(reach, notice(Severity.LOW)) == {}
    assert set(sent(reach, notice(Severity.LOW, event="incident.resolved", pages=False))) == {"email"}
    [page] = plan(reach, notice(Severity.HIGH), now=NOW).messages
    assert (page.rule, page.why) == ("NR-1", "NR-1: sms from HIGH")


def test_of_two_rules_for_one_contact_the_sooner_counts() -> None:
    rules = (
        Rule("NR-1", "CON-2", Severity.LOW, timedelta(minutes=10)),
        Rule("NR-2", "CON-2", Severity.CRITICAL),
    )
    reach = Reach((PHONE,), rules)
    assert sent(reach, notice(Severity.CRITICAL)) == {"sms": timedelta(0)}
    assert sent(reach, notice(Severity.HIGH)) == {"sms": timedelta(minutes=10)}


def test_a_rule_may_be_about_one_company() -> None:
    reach = Reach((PHONE,), (Rule("NR-1", "CON-2", Severity.LOW, company_id="comp-acme"),))
    assert sent(reach, notice())
    assert not sent(reach, notice(company_id="comp-beta"))


@pytest.mark.parametrize(
    ("at", "end"),
    [("22:00", "06:00"), ("23:59", "06:00"), ("05:59", "06:00"), ("06:00", None), ("12:00", None), ("21:59", None)],
)
def test_quiet_hours_over_midnight(at: str, end: str | None) -> None:
    quiet = Preferences(time(22), time(6))
    now = datetime.combine(NOW.date(), time.fromisoformat(at), UTC)
    until = quiet.quiet_end(now)
    assert (None if until is None else f"{until:%H:%M}") == end
    assert until is None or timedelta(0) < until - now <= timedelta(hours=8)


def test_critical_comes_through_quiet_hours_and_nothing_else_wakes() -> None:
    reach = Reach((MAIL, PHONE), preferences=Preferences(time(22), time(6)))
    assert sent(reach, notice(Severity.CRITICAL))["sms"] == timedelta(0)
    held = plan(reach, notice(Severity.HIGH), now=NOW)
    assert {one.contact.channel: one.at - NOW for one in held.messages} == {
        "email": timedelta(0), "sms": timedelta(hours=4, minutes=30),
    }  # fmt: skip
    assert [one.why for one in held.messages if one.contact.channel == "sms"] == [
        "default: sms for pages, held by quiet hours until 06:00"
    ]


def test_quiet_hours_end_on_the_wall_clock_of_their_owner() -> None:
    """In the night when Oslo's clocks go forward, six o'clock comes an hour sooner."""
    quiet = Preferences(time(22), time(6), zone="Europe/Oslo")
    before = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
    assert quiet.quiet_end(before) == datetime(2026, 3, 29, 4, 0, tzinfo=UTC)


def test_low_waits_for_the_digest() -> None:
    reach = Reach((MAIL,), preferences=Preferences(digest_at=time(8)))
    assert sent(reach, notice(Severity.LOW)) == {"email": timedelta(hours=6, minutes=30)}
    assert sent(reach, notice(Severity.MEDIUM)) == {"email": timedelta(0)}
    late = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)
    assert sent(reach, notice(Severity.LOW), late) == {"email": timedelta(days=1)}


@given(
    start=st.times(), end=st.times(), zone=st.sampled_from(["UTC", "Europe/Oslo", "Australia/Lord_Howe"]),
    minutes=st.integers(0, 4 * 365 * 24 * 60),
)  # fmt: skip
def test_what_is_held_is_let_go_within_a_day(start: time, end: time, zone: str, minutes: int) -> None:
    at = NOW + timedelta(minutes=minutes)
    until = Preferences(start.replace(tzinfo=None), end.replace(tzinfo=None), zone=zone).quiet_end(at)
    assert until is None or timedelta(hours=-1) <= until - at <= timedelta(hours=25)


def test_tries_spread_and_end() -> None:
    spans = [retry_at(n, now=NOW, chance=0.5) for n in range(1, len(RETRIES) + 1)]
    assert [int((at - NOW).total_seconds()) for at in spans if at] == [5, 30, 120, 300, 600]
    assert retry_at(len(RETRIES) + 1, now=NOW, chance=0.5) is None
    early, later = retry_at(1, now=NOW, chance=0.0), retry_at(1, now=NOW, chance=1.0)
    assert early == NOW + timedelta(seconds=4)
    assert later == NOW + timedelta(seconds=6)
    assert retry_at(1, now=NOW, chance=0.5, retry_after=90) == NOW + timedelta(seconds=90)


def test_a_hint_opens_no_door() -> None:
    assert hint_of("sms", "+4791234567") == "...4567"
    assert hint_of("webhook", "https://hooks.example/T0/secret?token=x") == "https://hooks.example/..."
    assert hint_of("webhook", "https://user:pw@hooks.example/x") == "https://hooks.example/..."
    assert hint_of("apprise", "tgram://bottoken/chat") == "tgram://..."
    assert hint_of("webpush", '{"endpoint": "https://push.example/secret"}') == "a browser"
    assert manner_of("from-a-plugin").bundles
