"""Silences: who is not paged meanwhile, who may make them, and what one would match."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from siems.domain.permissions import Actor
from siems.errors import Conflict, Forbidden, InvalidField, NotFound
from siems.services import silence_views, silences
from siems.vocabulary import Role

from .silencing import HOUR, end, extend, preview, silence, told
from .world import ACME, BETA, ROOT, World, reading

# --- incidents that are open already -----------------------------------------------------------------------------


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


# --- verbs -------------------------------------------------------------------------------------------------------


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
    from siems.services.alert_list import list_alerts
    from siems.services.queries import Ask

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
