"""Silences: what they hold back, and what comes up when they end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from siems.errors import Conflict
from siems.services import silences
from siems.vocabulary import Role
from siems.wire import SilenceAsk

from .silencing import HOUR, alert, end, extend, shown, silence, told
from .test_memory import picture
from .world import ACME, BETA, ROOT, World

# --- at arrival --------------------------------------------------------------------------------------------------


def test_a_new_alert_that_matches_is_stored_with_the_reason_and_opens_nothing(world: World) -> None:
    silence(world, change="CHG-9")
    answer = world.fires("web-1")
    assert (answer["message"], answer["alert_id"], answer["incident_id"]) == ("suppressed", "ALR-1", None)
    kept = alert(world)
    assert (kept["status"], kept["suppressed_by"], kept["incident_id"]) == ("suppressed", "SIL-1 CHG-9", None)
    assert "SIL-1 CHG-9 until 2026-03-10 14:00Z" in kept["evidence"]
    assert world.count("incident") == 0
    assert world.count("notification") == 0
    assert told(world, "alert.suppressed", "alert.received") == [("alert.suppressed", "ALR-1")]


def test_without_a_change_the_comment_is_the_reason(world: World) -> None:
    silence(world)
    world.fires("web-1")
    assert alert(world)["suppressed_by"] == "SIL-1 battery swap"


def test_what_does_not_match_is_not_touched(world: World) -> None:
    silence(world, "asset=web*", "severity!=CRITICAL")
    assert world.fires("db-1")["incident_id"] == "INC-1"
    assert world.fires("web-1", severity="CRITICAL")["incident_id"] == "INC-2"
    assert world.fires("web-1", "other")["incident_id"] is None


def test_another_client_is_not_touched(world: World) -> None:
    silence(world)
    assert world.fires("web-1", company=BETA)["incident_id"] == "INC-1"


def test_repeats_are_counted(world: World) -> None:
    silence(world)
    world.fires("web-1")
    world.clock.advance(minutes=5)
    assert [world.fires("web-1")["message"] for _ in range(3)] == ["repeated"] * 3
    world.restart()
    world.fires("web-1")
    world.restart()
    assert (alert(world)["count"], alert(world)["status"]) == (5, "suppressed")
    assert world.count("alert") == 1


def test_a_recovery_resolves_it_and_it_never_pages_later(world: World) -> None:
    silence(world)
    world.fires("web-1")
    assert world.recovers("web-1")["message"] == "resolved"
    assert (alert(world)["status"], alert(world)["suppressed_by"]) == ("resolved", "SIL-1 battery swap")
    world.passes(hours=3)
    assert world.count("incident") == 0
    assert world.notices("incident.opened") == set()


def test_a_delivery_that_is_sent_again_is_answered_as_before_and_stored_once(world: World) -> None:
    silence(world)
    first = world.fires("web-1", delivery="d-1")
    again = world.fires("web-1", delivery="d-1")
    assert again == first | {"duplicate": True}
    assert alert(world)["count"] == 1
    end(world)
    assert world.fires("web-1", delivery="d-1") == first | {"duplicate": True}


def test_a_repeat_that_has_got_worse_than_what_is_silent_comes_up(world: World) -> None:
    silence(world, "asset=web*", "severity!=CRITICAL")
    world.fires("web-1", severity="LOW")
    answer = world.fires("web-1", severity="CRITICAL")
    assert answer["incident_id"] == "INC-1"
    assert (alert(world)["status"], alert(world)["suppressed_by"], alert(world)["count"]) == ("active", None, 2)
    assert "SIL-1 is not about it any more" in alert(world)["evidence"]
    assert world.notices("incident.opened") == {"user-root"}


def test_an_alert_that_waits_for_others_is_suppressed_by_its_next_repeat(world: World) -> None:
    world.settings(min_alerts=2)
    world.fires("web-1")
    silence(world)
    assert world.fires("web-1")["incident_id"] is None
    assert (alert(world)["status"], alert(world)["count"]) == ("suppressed", 2)
    world.passes(hours=3)
    assert alert(world)["status"] == "active"


def test_a_silence_to_come_matches_only_when_it_has_begun(world: World) -> None:
    silence(world, starts_at=world.clock.now() + timedelta(hours=1))
    assert world.fires("web-1")["incident_id"] == "INC-1"
    world.clock.advance(minutes=61)
    assert world.fires("web-2", "other")["message"] == "suppressed"


# --- the end of the window ---------------------------------------------------------------------------------------


def test_what_is_still_active_at_the_end_enters_correlation_as_if_received_then(world: World) -> None:
    silence(world, change="CHG-9")
    for asset in ("web-1", "web-2", "web-3", "web-4"):
        world.fires(asset)
    world.recovers("web-4")
    world.passes(hours=1, minutes=59)
    assert world.count("incident") == 0
    fired = world.passes(minutes=1)
    assert ("SIL-1", "silence_end") in fired
    found = world.incident("INC-1")
    assert (found.alert_count, found.asset_count, found.created_at) == (3, 3, world.clock.now())
    assert found.clocks.response_due == world.clock.now() + timedelta(hours=2)
    assert world.notices("incident.opened") == {"user-root"}
    assert alert(world)["evidence"].startswith("SIL-1 CHG-9 is over; ")
    assert ("silence.ended", "SIL-1") in told(world, "silence.ended")
    assert world.fires("web-1")["message"] == "repeated"
    assert shown(world).state == "ended"
    assert shown(world).ended_by == "system"


def test_what_another_silence_is_about_stays_suppressed_by_that_one(world: World) -> None:
    silence(world)
    silence(world, "asset=web-1", seconds=4 * HOUR, comment="disk")
    world.fires("web-1")
    world.fires("web-2", "other")
    world.passes(hours=2)
    assert (alert(world)["status"], alert(world)["suppressed_by"]) == ("suppressed", "SIL-2 disk")
    assert alert(world, 2)["incident_id"] == 1
    world.passes(hours=2)
    assert alert(world)["incident_id"] == 2


def test_it_joins_an_incident_that_is_open_by_then(world: World) -> None:
    silence(world, "tool=Datadog")
    world.fires("web-1")
    world.fires("web-1", tool_source="Zabbix")
    world.passes(hours=2)
    assert world.incident("INC-1").alert_count == 2
    assert world.count("incident") == 1


def test_ending_it_by_hand_brings_up_what_it_held(world: World) -> None:
    silence(world)
    world.fires("web-1")
    ended, changed = end(world)
    assert changed
    assert ended.ended_by == "user-root"
    assert alert(world)["incident_id"] == 1
    assert end(world)[1] is False
    assert world.deadlines("SIL-1") == {}


def test_a_storm_under_a_silence_is_let_go_in_parts(world: World) -> None:
    silence(world, "asset=*")
    for number in range(250):
        world.fires(f"host-{number}", f"sig-{number}")
    end(world)
    assert world.count("incident") == 100
    world.tick()
    assert world.count("incident") == 250
    assert world.count("alert", "status = 'suppressed'") == 0
    assert world.deadlines("SIL-1") == {}


def test_after_downtime_the_end_is_made_good(world: World) -> None:
    silence(world)
    world.fires("web-1")
    world.clock.advance(hours=30)
    world.restart()
    assert world.fires("web-9", "late")["incident_id"] == "INC-1"
    world.tick()
    assert alert(world)["incident_id"] == 2
    assert world.notices("silence.expiring", "SIL-1") == set()


def test_what_is_remembered_of_silences_is_what_the_database_says(world: World) -> None:
    silence(world)
    silence(world, "asset=db*", repeat="weekly tue", time_zone="Europe/Oslo")
    silence(world, "asset=x", seconds=60)
    world.fires("web-1")
    world.fires("db-1")
    world.fires("app-1")
    world.passes(minutes=5)

    def all_of_it() -> dict[str, Any]:
        return picture(world) | {"silences": dict(world.database.memory.companies[ACME].silences)}

    before = all_of_it()
    assert list(before["silences"]) == [1, 2]
    world.restart()
    assert all_of_it() == before
    assert world.fires("web-2", "other")["message"] == "suppressed"


def test_a_silence_that_is_refused_leaves_nothing_in_memory(world: World) -> None:
    def fails(uow: Any) -> None:
        silences.create(uow, ROOT, ACME, SilenceAsk(company=ACME, matchers=["asset=*"], seconds=60, comment="x"))
        uow.settle()
        raise Conflict("no")

    with pytest.raises(Conflict):
        world.do(fails)
    assert world.fires("web-1")["incident_id"] == "INC-1"
    assert silence(world).ref == "SIL-1"


# --- before the end ----------------------------------------------------------------------------------------------


def test_the_end_is_announced_to_its_author(world: World) -> None:
    ana = world.hire("ana", Role.TECHNICIAN, ACME)
    silence(world, by=ana)
    world.fires("web-1")
    world.passes(minutes=107)
    assert world.notices("silence.expiring", "SIL-1") == set()
    world.passes(minutes=1)
    assert world.notices("silence.expiring", "SIL-1") == {"user-ana"}
    [notice] = world.rows("SELECT subject FROM notification")
    assert "SIL-1 battery swap ends at 2026-03-10T14:00:00Z; it holds 1 alert back" in notice["subject"]
    assert told(world, "silence.expiring") == [("silence.expiring", "SIL-1")]


def test_what_is_extended_is_announced_again_and_ends_later(world: World) -> None:
    silence(world)
    world.fires("web-1")
    world.passes(minutes=110)
    assert extend(world, seconds=HOUR).ends_at == datetime.fromisoformat("2026-03-10T15:00:00Z")
    world.passes(minutes=30)
    assert alert(world)["status"] == "suppressed"
    world.passes(minutes=40)
    assert told(world, "silence.expiring", "silence.ended") == [
        ("silence.expiring", "SIL-1"), ("silence.expiring", "SIL-1"), ("silence.ended", "SIL-1"),
    ]  # fmt: skip


# --- windows that come again -------------------------------------------------------------------------------------


def test_each_window_holds_and_lets_go(world: World) -> None:
    silence(world, repeat="daily", change="CHG-9")
    for day in range(3):
        assert world.fires("web-1", f"day-{day}")["message"] == "suppressed"
        world.passes(hours=2)
        assert world.incident(f"INC-{2 * day + 1}").signature == f"day-{day}"
        assert world.fires("web-1", f"evening-{day}")["incident_id"] == f"INC-{2 * day + 2}"
        world.passes(hours=22)
    assert shown(world).state == "active"
    assert shown(world).starts_at == world.clock.now()


def test_windows_that_touch_hold_on(world: World) -> None:
    silence(world, repeat="daily", seconds=24 * HOUR)
    world.fires("web-1")
    world.clock.advance(hours=24)
    assert world.fires("web-2", "other")["message"] == "suppressed", "before the end is even written down"
    world.passes(hours=30)
    assert world.count("incident") == 0


def test_one_window_can_be_ended_or_extended_and_the_next_comes_as_planned(world: World) -> None:
    silence(world, repeat="daily")
    world.fires("web-1")
    after, changed = end(world, once=True)
    assert changed
    assert after.starts_at == world.clock.now() + timedelta(hours=24)
    assert alert(world)["incident_id"] == 1
    assert world.fires("web-2", "other")["incident_id"] == "INC-2"
    world.passes(hours=24)
    assert world.fires("web-3", "third")["message"] == "suppressed"
    extend(world, seconds=HOUR)
    world.passes(hours=2, minutes=30)
    assert world.fires("web-4", "fourth")["message"] == "suppressed"
    world.passes(hours=1)
    assert shown(world).starts_at == datetime.fromisoformat("2026-03-12T12:00:00Z")
    silence(world)
    with pytest.raises(Conflict, match="does not come again"):
        end(world, 2, once=True)
