"""How an incident is named, what it counts, and when it flaps."""

from __future__ import annotations

import pytest

from siems.domain.incident import MAX_ASSETS_KEPT, humanise, include_asset, title_for, with_transition
from siems.vocabulary import State

from .making import T0, incident, minutes


@pytest.mark.parametrize(
    ("signature", "text"),
    [
        ("high_cpu_usage", "High CPU usage"),
        ("KubePodCrashLooping", "Kube pod crash looping"),
        ("disk-full", "Disk full"),
        ("DISK_FULL", "DISK FULL"),
        ("ssl_certificate_expired", "SSL certificate expired"),
        ("EC2 status check", "EC2 status check"),
        ("  backup   failed ", "Backup failed"),
        ("", "Alert"),
        ("___", "Alert"),
    ],
)
def test_a_signature_reads_like_a_sentence(signature, text) -> None:
    assert humanise(signature) == text


def test_a_title_says_what_and_where() -> None:
    assert title_for("high_cpu_usage", ("web-1",)) == "High CPU usage on web-1"
    assert title_for("high_cpu_usage", tuple("abcde")) == "High CPU usage across 5 servers"
    assert title_for("high_cpu_usage", ("web-1",), signatures=3) == "3 problems on web-1"
    assert title_for("high_cpu_usage", ("a", "b"), signatures=3) == "High CPU usage across 2 servers"


def test_four_transitions_within_the_window_are_flapping() -> None:
    found = incident()
    for minute in (0, 5, 10):
        found = with_transition(found, now=T0 + minutes(minute), window=minutes(15))
        assert not found.flapping
    assert with_transition(found, now=T0 + minutes(15), window=minutes(15)).flapping
    assert not with_transition(found, now=T0 + minutes(15.01), window=minutes(15)).flapping


def test_slow_transitions_never_flap_and_are_forgotten() -> None:
    found = incident()
    for number in range(20):
        found = with_transition(found, now=T0 + minutes(number * 6), window=minutes(15))
    assert not found.flapping
    assert len(found.transitions) == 3


def test_flapping_stays_until_somebody_ends_it() -> None:
    found = with_transition(incident(flapping=True), now=T0, window=minutes(15))
    assert found.flapping


def test_many_transitions_keep_a_bounded_memory() -> None:
    found = incident()
    for number in range(50):
        found = with_transition(found, now=T0 + minutes(number / 10), window=minutes(15))
    assert len(found.transitions) == 8
    assert found.transitions[-1] == T0 + minutes(4.9)


def test_an_asset_is_counted_once() -> None:
    found = include_asset(include_asset(incident(assets=(), asset_count=0), "a"), "a")
    assert (found.assets, found.asset_count) == (("a",), 1)
    assert include_asset(found, "b").assets == ("a", "b")


def test_beyond_the_limit_assets_are_counted_and_not_named() -> None:
    found = incident(assets=(), asset_count=0)
    for number in range(MAX_ASSETS_KEPT + 5):
        found = include_asset(found, f"web-{number}")
    assert len(found.assets) == MAX_ASSETS_KEPT
    assert found.asset_count == MAX_ASSETS_KEPT + 5


@pytest.mark.parametrize("state", State)
def test_what_is_resolved_or_closed_is_not_open(state) -> None:
    assert incident(state=state).open == (state in (State.OPEN, State.ASSIGNED, State.IN_PROGRESS))


def test_an_incident_is_typed_by_its_short_name() -> None:
    assert incident(id=7).ref == "INC-7"


def test_an_incident_counts_its_repeats_and_its_further_alerts() -> None:
    assert incident(alert_count=3, repeat_count=4).duplicates == 6
