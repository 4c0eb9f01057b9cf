"""Silences: what they hold back, what comes up when they end, and who is not paged meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from siems.domain.permissions import Actor
from siems.domain.silence import Silence
from siems.errors import Conflict, Forbidden, InvalidField, NotFound
from siems.services import silence_views, silences
from siems.services.views import load_names
from siems.vocabulary import Role
from siems.wire import SilenceAsk, SilenceEndAsk, SilenceExtendAsk, SilencePreview, SilenceView

from .test_memory import picture
from .world import ACME, BETA, ROOT, World, reading

HOUR = 3_600


def silence(world: World, *matchers: str, by: Actor = ROOT, company: str = ACME, **ask: Any) -> Silence:
    given: dict[str, Any] = {"seconds": 2 * HOUR, "comment": "battery swap"} | ask
    asked = SilenceAsk(company=company, matchers=list(matchers or ("asset=web*",)), **given)
    found = world.do(silences.create, by, company, asked, companies=(company,))
    assert isinstance(found, Silence)
    return found


def end(world: World, number: int = 1, *, by: Actor = ROOT, once: bool = False) -> tuple[Silence, bool]:
    found: tuple[Silence, bool] = world.do(silences.end, by, ACME, number, SilenceEndAsk(once=once))
    return found


def extend(world: World, number: int = 1, *, by: Actor = ROOT, **ask: Any) -> Silence:
    found = world.do(silences.extend, by, ACME, number, SilenceExtendAsk(**ask))
    assert isinstance(found, Silence)
    return found


def preview(world: World, *matchers: str) -> SilencePreview:
    names = world.database.read_now(load_names)
    found = world.do(silences.preview, ROOT, ACME, list(matchers), names)
    assert isinstance(found, SilencePreview)
    return found


def shown(world: World, number: int = 1) -> SilenceView:
    def look(connection: Any) -> SilenceView:
        found = silence_views.find_silence(connection, f"SIL-{number}", ROOT)
        return silence_views.show_silence(connection, found, world.clock.now())

    return world.database.read_now(look)


def alert(world: World, number: int = 1) -> dict[str, Any]:
    [found] = world.rows("SELECT * FROM alert WHERE id = :n", n=number)
    return found


def told(world: World, *types: str) -> list[tuple[str, str]]:
    rows = world.rows("SELECT type, object FROM event ORDER BY cursor")
    return [(row["type"], row["object"]) for row in rows if row["type"] in types]


# --- at arrival ------------------------------------------------------------------------------------------------


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


# --- the end of the window -------------------------------------------------------------------------------------


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


# --- before the end --------------------------------------------------------------------------------------------


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


# --- windows that come again -----------------------------------------------------------------------------------


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
    with pytest.raises(Conflict, match="does not come again"):
        silence(world)
        end(world, 2, once=True)


# --- incidents that are open already ---------------------------------------------------------------------------


def escalating(world: World) -> Actor:
    """Ana, Mia and an incident that nobody acknowledges."""
    ana = world.hire("ana", Role.TECHNICIAN, ACME)
    world.hire("mia", Role.MANAGER, ACME)
    world.fires("web-1")
    return ana


def test_pages_of_an_incident_whose_active_alerts_all_match_stop_and_its_clocks_run_on(world: World) -> None:
    escalating(world)
    silence(world)
    world.passes(hours=1, minutes=59)
    found = world.incident()
    assert found.escalation_level > 1
    assert found.clocks.response_warned_at is not None
    assert world.notices("incident.escalated") == set()
    assert world.notices("sla.warned") == set()
    lines = [line for line in world.story() if "nobody is paged" in line]
    assert lines == [
        "nobody is paged: SIL-1 battery swap, until 2026-03-10 14:00Z, is about all of its alerts; the clocks run on"
    ]


def test_one_active_alert_that_does_not_match_is_enough_to_page(world: World) -> None:
    escalating(world)
    world.settings(strategy="signature")
    assert world.fires("db-1")["incident_id"] == "INC-1"
    silence(world)
    world.passes(minutes=20)
    assert "user-mia" in world.notices("incident.escalated")


def test_what_a_person_asks_for_by_hand_still_reaches_people(world: World) -> None:
    ana = escalating(world)
    silence(world)
    world.act(ana, "escalate", reason="no access")
    assert "user-mia" in world.notices("incident.escalated")


def test_after_the_silence_whoever_was_not_paged_is(world: World) -> None:
    escalating(world)
    silence(world)
    world.passes(hours=1)
    end(world)
    assert world.notices("incident.unsilenced") == {"user-mia", "user-root"}
    assert "SIL-1 battery swap is over: people are paged again" in world.story()


def test_after_the_silence_nobody_is_told_of_what_is_in_hand(world: World) -> None:
    ana = escalating(world)
    silence(world)
    world.passes(minutes=30)
    world.act(ana, "ack")
    world.passes(hours=2)
    assert world.notices("incident.unsilenced") == set()


def test_what_never_paged_is_not_told_of_the_end(world: World) -> None:
    escalating(world)
    silence(world, seconds=60)
    world.passes(minutes=2)
    assert not [line for line in world.story() if "SIL-1" in line]


# --- verbs -----------------------------------------------------------------------------------------------------


def test_who_may_silence_for_how_long(world: World) -> None:
    ana, mia = world.hire("ana", Role.TECHNICIAN, ACME), world.hire("mia", Role.MANAGER, ACME)
    gus = world.hire("gus", Role.CLIENT, ACME)
    silence(world, by=ana, seconds=24 * HOUR)
    for ask in ({"seconds": 24 * HOUR + 1}, {"change": "CHG-9"}, {"repeat": "weekly", "time_zone": "UTC"}):
        with pytest.raises(Forbidden, match="ana is a technician and may not silence for longer"):
            silence(world, by=ana, **ask)
        silence(world, by=mia, **ask)
    with pytest.raises(Forbidden):
        silence(world, by=gus)
    with pytest.raises(NotFound):
        silence(world, by=ana, company=BETA)
    with pytest.raises(Forbidden):
        extend(world, by=ana, seconds=1)
    with pytest.raises(Forbidden):
        end(world, 2, by=ana)
    end(world, 1, by=ana)


def test_every_change_is_in_the_record_with_who_and_why(world: World) -> None:
    ana = world.hire("ana", Role.TECHNICIAN, ACME)
    silence(world, by=ana)
    extend(world, by=ana, seconds=HOUR, reason="takes longer")
    end(world, by=ana)
    rows = world.rows("SELECT action, actor, reason FROM audit_entry WHERE object = 'SIL-1' ORDER BY seq")
    assert [(row["action"], row["actor"], row["reason"]) for row in rows] == [
        ("silence.created", "user-ana", "battery swap"), ("silence.extended", "user-ana", "takes longer"),
        ("silence.ended", "user-ana", ""),
    ]  # fmt: skip
    assert [kind for kind, _ in told(world, "silence.created", "silence.extended", "silence.ended")] == [
        "silence.created", "silence.extended", "silence.ended",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ask", "cause"),
    [
        ({"comment": " "}, "a reason"),
        ({"seconds": None}, "needs an end"),
        ({"seconds": 0}, "ends after it has begun"),
        ({"seconds": -5}, "ends after it has begun"),
        ({"seconds": 1 << 40}, "for a year at most"),
        ({"ends_at": datetime.fromisoformat("2026-03-11T00:00:00Z")}, "needs an end"),
        ({"seconds": None, "ends_at": datetime.fromisoformat("2026-03-11T00:00:00")}, "no time zone"),
        ({"starts_at": datetime.fromisoformat("2026-03-09T00:00:00Z")}, "over already"),
        ({"repeat": "hourly"}, "how often"),
        ({"repeat": "daily", "time_zone": "Mars"}, "time zone"),
        ({"repeat": "daily", "seconds": 25 * HOUR}, "overlap"),
    ],
)
def test_what_cannot_be_a_silence_is_named_and_changes_nothing(world: World, ask, cause) -> None:
    with pytest.raises(InvalidField, match=cause) as refused:
        silence(world, **ask)
    assert refused.value.hint
    assert world.count("silence") == 0


def test_what_is_over_is_not_extended_and_nothing_is_extended_to_an_earlier_end(world: World) -> None:
    silence(world)
    with pytest.raises(InvalidField, match="not end later"):
        extend(world, seconds=-60)
    end(world)
    with pytest.raises(Conflict, match="SIL-1 is over") as refused:
        extend(world, seconds=60)
    assert "siems silence add asset=web*" in refused.value.hint


def test_a_company_has_no_more_silences_than_an_alert_can_be_held_against(world: World) -> None:
    for _ in range(3):
        silence(world)
    kept, silences.MOST = silences.MOST, 3
    try:
        with pytest.raises(Conflict, match="has 3 silences already"):
            silence(world)
    finally:
        silences.MOST = kept


def test_the_preview_tells_what_matches_now_and_how_much_did_today(world: World) -> None:
    for asset in ("web-1", "web-2", "db-1"):
        world.fires(asset, f"sig-{asset}")
    world.recovers("web-2", "sig-web-2")
    world.fires("web-1", "other")
    found = preview(world, "asset=web*")
    assert ([a.id for a in found.alerts], found.alert_count) == (["ALR-4", "ALR-1"], 2)
    assert [(i.id, i.hushed) for i in found.incidents] == [("INC-4", True), ("INC-1", True)]
    [part] = preview(world, "signature=other").incidents
    assert (part.id, part.hushed) == ("INC-4", True)
    now = world.clock.now()
    assert world.database.read_now(silences.last_day, ACME, ["asset=web*"], now) == (3, 4)
    later = now + timedelta(hours=25)
    assert world.database.read_now(silences.last_day, ACME, ["asset=web*"], later) == (0, 0)
    assert world.count("silence") == 0


def test_the_preview_tells_which_incidents_would_go_on_paging(world: World) -> None:
    world.settings(strategy="signature")
    world.fires("web-1")
    world.fires("db-1")
    assert [(i.id, i.hushed) for i in preview(world, "asset=web*").incidents] == [("INC-1", False)]


def test_lists_tell_what_is_on_what_is_to_come_and_what_was(world: World) -> None:
    silence(world)
    silence(world, starts_at=world.clock.now() + timedelta(days=1))
    silence(world, company=BETA)
    silence(world, "asset=x")
    end(world, 4)
    world.fires("web-1")

    def found(actor: Actor = ROOT, **how: Any) -> list[tuple[str, str, int]]:
        given: dict[str, Any] = {"company_id": None, "ended": False, "limit": 100} | how
        work = silence_views.list_silences
        items = world.database.read_now(lambda c: work(c, actor, world.clock.now(), **given))
        return [(s.id, s.state, s.suppressed) for s in items]

    assert found() == [("SIL-1", "active", 1), ("SIL-3", "active", 0), ("SIL-2", "coming", 0)]
    assert found(company_id=BETA) == [("SIL-3", "active", 0)]
    assert found(ended=True) == [("SIL-4", "ended", 0)]
    assert found(world.hire("ana", Role.TECHNICIAN, BETA)) == [("SIL-3", "active", 0)]


def test_alerts_are_found_by_what_suppressed_them(world: World) -> None:
    from siems.services.queries import Ask, list_alerts

    silence(world)
    world.fires("web-1")
    world.fires("db-1")

    def ids(query: str) -> list[str]:
        page = world.database.read_now(list_alerts, Ask(ROOT, world.clock.now(), query))
        return [a.id for a in page.items]

    assert ids("suppressed_by:SIL-1") == ["ALR-1"]
    assert ids("suppressed_by:10") == []
    assert ids("-suppressed_by:1") == ["ALR-2"]
    assert ids("status:suppressed") == ["ALR-1"]


def test_readings_of_one_body_are_each_held_against_the_silences(world: World) -> None:
    silence(world)
    answers = world.take(reading("web-1"), reading("db-1", "slow"))["alerts"]
    assert [a["message"] for a in answers] == ["suppressed", "accepted"]
