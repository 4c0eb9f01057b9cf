"""What makes two alerts the same, how bad a word is, and what text may be kept."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siems.domain.alert import Alert, category_of, clip, severity_from
from siems.domain.changing import replace
from siems.vocabulary import AlertStatus, Category, Severity

from .making import ACME, T0, reading

ONE = reading()


@pytest.mark.parametrize("field", ["asset_name", "signature", "tool_source"])
def test_without_a_key_company_tool_asset_and_signature_make_the_fingerprint(field) -> None:
    assert replace(ONE, **{field: "other"}).fingerprint(ACME) != ONE.fingerprint(ACME)


@pytest.mark.parametrize(
    "other",
    [
        {"message": "99%"},
        {"severity": Severity.LOW},
        {"firing": False},
        {"labels": {"a": "b"}},
        {"dedup_key": ""},
    ],
)
def test_nothing_else_makes_it(other) -> None:
    assert replace(ONE, **other).fingerprint(ACME) == ONE.fingerprint(ACME)


def test_the_key_of_the_tool_makes_it_where_there_is_one() -> None:
    keyed = replace(ONE, dedup_key="k-1")
    assert replace(keyed, asset_name="other", signature="other").fingerprint(ACME) == keyed.fingerprint(ACME)
    assert replace(keyed, dedup_key="k-2").fingerprint(ACME) != keyed.fingerprint(ACME)
    assert replace(keyed, tool_source="Zabbix").fingerprint(ACME) != keyed.fingerprint(ACME)
    assert keyed.fingerprint(ACME) != ONE.fingerprint(ACME)


def test_two_companies_never_share_a_fingerprint() -> None:
    for alert in (ONE, replace(ONE, dedup_key="k-1")):
        assert alert.fingerprint("comp-acme") != alert.fingerprint("comp-umbrella")


def test_an_asset_called_key_is_not_a_key() -> None:
    named = reading("key", "k-1")
    assert named.fingerprint(ACME) != replace(ONE, dedup_key="k-1").fingerprint(ACME)


def test_text_cannot_move_from_the_asset_to_the_signature() -> None:
    assert reading("web", "1cpu").fingerprint(ACME) != reading("web1", "cpu").fingerprint(ACME)


@settings(max_examples=60, deadline=None)
@given(asset=st.text(st.characters()), signature=st.text(st.characters()))
def test_a_fingerprint_is_24_hex_digits_of_whatever_arrives(asset, signature) -> None:
    found = reading(asset, signature).fingerprint(ACME)
    assert len(found) == 24
    assert set(found) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("critical", Severity.CRITICAL),
        (" Disaster ", Severity.CRITICAL),
        ("P1", Severity.CRITICAL),
        ("High", Severity.HIGH),
        ("error", Severity.HIGH),
        ("WARNING", Severity.MEDIUM),
        ("average", Severity.MEDIUM),
        ("info", Severity.LOW),
        ("ok", Severity.LOW),
    ],
)
def test_a_known_word_is_known_however_it_is_written(word, severity) -> None:
    assert severity_from(word) == (severity, word.strip(), "")


@pytest.mark.parametrize("word", ["purple", 7, True, ["high"], {"a": 1}])
def test_an_unknown_word_is_medium_and_says_so(word) -> None:
    severity, original, warning = severity_from(word)
    assert severity is Severity.MEDIUM
    assert original == str(word)
    assert repr(str(word)) in warning
    assert "MEDIUM" in warning


@pytest.mark.parametrize("word", [None, "", "  "])
def test_no_word_is_medium_and_says_so(word) -> None:
    assert severity_from(word) == (Severity.MEDIUM, "", "no severity given; taken as MEDIUM")


def test_a_long_unknown_word_is_cut() -> None:
    assert severity_from("x" * 500)[1] == "x" * 64


def test_a_source_may_know_better() -> None:
    assert severity_from("ok", words={"ok": Severity.HIGH})[0] is Severity.HIGH
    assert severity_from("critical", words={})[0] is Severity.MEDIUM


def test_severities_are_ordered() -> None:
    assert Severity.LOW < Severity.MEDIUM < Severity.HIGH < Severity.CRITICAL


@pytest.mark.parametrize(
    ("signature", "category"),
    [
        ("high_cpu_usage", Category.CPU),
        ("MemoryPressure", Category.MEMORY),
        ("disk_full", Category.DISK),
        ("PostgresDown", Category.DATABASE),
        ("backup_failed", Category.BACKUP),
        ("failed_login", Category.SECURITY),
        ("icmp_unreachable", Category.NETWORK),
        ("fan_failure", Category.HARDWARE),
        ("ec2_status", Category.CLOUD),
        ("nginx_service", Category.SERVICE),
        ("xyzzy", Category.OTHER),
        ("", Category.OTHER),
    ],
)
def test_the_signature_tells_which_skill_is_asked_for(signature, category) -> None:
    assert category_of(signature) is category


def test_nul_and_lone_surrogates_become_readable() -> None:
    assert clip("a\x00b", 50) == "a\\x00b"
    assert clip("a\ud800b", 50) == "a\\ud800b"
    assert clip("Grüße 🐘\n", 50) == "Grüße 🐘\n"


def test_a_text_is_cut_with_a_mark_and_only_when_it_is_too_long() -> None:
    assert clip("abcde", 5) == "abcde"
    assert clip("abcdef", 5) == "abcd…"
    assert clip("\x00" * 3, 6) == "\\x00\\…"


@settings(max_examples=100, deadline=None)
@given(text=st.text(st.characters(), max_size=40), limit=st.integers(1, 30))
def test_whatever_is_clipped_can_be_stored_and_fits(text, limit) -> None:
    kept = clip(text, limit)
    assert len(kept) <= limit
    assert "\x00" not in kept
    kept.encode()
    assert clip(kept, limit) == kept


def alert(**changes: object) -> Alert:
    facts = {
        "id": 1, "company_id": ACME, "incident_id": 42, "fingerprint": "f", "asset_name": "web-1", "count": 1,
        "signature": "high_cpu", "severity": Severity.HIGH, "original_severity": "high", "message": "CPU 95%",
        "tool_source": "Datadog", "status": AlertStatus.ACTIVE, "starts_at": T0, "received_at": T0,
        "last_seen_at": T0,
    }  # fmt: skip
    return Alert(**(facts | changes))


@pytest.mark.parametrize(
    "said",
    [
        {"id": 2},
        {"fingerprint": "g"},
        {"asset_name": "web-2"},
        {"signature": "disk_full"},
        {"severity": Severity.LOW},
        {"message": "CPU at 96%"},
    ],
)
def test_the_audit_commits_to_what_an_alert_says(said) -> None:
    assert alert(**said).commitment() != alert().commitment()


def test_the_audit_does_not_commit_to_what_changes_later() -> None:
    later = alert(count=9, incident_id=7, status=AlertStatus.RESOLVED, resolved_at=T0)
    assert later.commitment() == alert().commitment()
