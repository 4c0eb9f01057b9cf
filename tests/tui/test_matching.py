"""The query language over incidents in memory says what the daemon's says, field by field."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from scripted import NOW, incidents, view

from siems.errors import InvalidField
from siems.services import filters
from siems.tui import matching
from siems.tui.matching import Moment, compiled, moves_with_time

ME = Moment(NOW, "user-maria")


def found(text: str) -> list[str]:
    test = compiled(text)
    return sorted(one.id for one in incidents() if test(one, ME))


@pytest.mark.parametrize(
    ("text", "refs"),
    [
        ("", "101 102 109 118 121 71 75 88 90 97"), ("severity:CRITICAL", "118 121"), ("severity:>=HI",
        "109 118 121 71 97"),
        ("severity:low,critical", "118 121 90"), ("state:OPEN,RESOLVED", "102 118 71"), ("@me", "101 121 97"),
        ("assignee:none", "102 118"), ("assignee:@any -@me", "109 71 75 88 90"), ("assignee:jon", "109 71 88"),
        ("#acme", "109 118 71"), ('company:"Cedar Law"', "101 97"), ("on_hold:true", "75"), ("-on_hold:false", "75"),
        ("dc01", "118"), ("VPN OR pos", "102 121"), ("(vpn OR pos) #borealis", "121"), ("-(severity:MEDIUM)",
        "109 118 121 71 90 97"), ("118", "118"), ("INC-118", "118"), ("id:118,inc-71", "118 71"), ("asset:fw", "121"),
        ("source:meraki", "121"), ("priority_score:>=100", "118 121"), ("alert_count:1", "102 90"),
        ("category:network", "121"), ("sla:breached", "118"), ("sla:paused", "75"), ("sla:met", "71"),
        ("sla:<1h", "101 109 118 121 97"), ("sla:>5h sla:<8h", "88 90"), ("created:>20m",
        "101 102 109 118 121 71 75 88 90 97"),
        ("created:<20m", ""), ("resolved:<1h", ""), ("acknowledged:false", "102 118"), ("title:disk", "101"),
        ("flapping:true", ""), ("escalation_level:<=1", "101 102 109 118 121 71 75 88 90 97"), ("cause:x", ""),
        ("resolved_by:jon", ""), ("merged_into:4", ""), ("recurrence_of:4", ""), ("version:1 118", "118"),
    ],
)  # fmt: skip
def test_fields(text: str, refs: str) -> None:
    assert found(text) == [f"INC-{number}" for number in refs.split()]


def test_it_knows_the_fields_of_the_daemon_and_says_which_a_past_board_does_not_tell() -> None:
    assert set(matching._FIELDS) | set(matching.NOT_ON_RECORD) == set(filters._INCIDENT)
    with pytest.raises(InvalidField, match="not told by a past board"):
        compiled("#acme signature:cpu")


@pytest.mark.parametrize(
    "text", ["nothing:1", "severity:huge", "state:gone", "alert_count:x", "on_hold:maybe", "sla:later", "created:<5",
             "title:>x", "id:x", "(a", 'a"'],
)  # fmt: skip
def test_what_the_daemon_would_refuse_is_refused(text: str) -> None:
    with pytest.raises(InvalidField):
        compiled(text)


def test_time_moves_what_matches() -> None:
    assert moves_with_time("#acme sla:<1h")
    assert not moves_with_time("#acme severity:HIGH")
    one, test = view(1, minutes=120), compiled("sla:<1h")
    assert [test(one, Moment(NOW + timedelta(minutes=m))) for m in (0, 61)] == [False, True]
    closed = msgspec.structs.replace(one, state="CLOSED")
    assert not test(closed, Moment(NOW + timedelta(hours=9)))
