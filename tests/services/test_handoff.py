"""A shift goes from one to the next: paging at once, ownership with the yes of whoever takes over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from siems.domain.permissions import Actor
from siems.errors import Conflict, NotFound
from siems.services import fairness, handoffs, readiness
from siems.services.oncall_views import find_schedule
from siems.vocabulary import MSP, Role
from siems.wire import NoteAsk

from .rota import accept, brief, crew, daily, give, make, on_call, stand_in, told
from .world import ACME, BETA, ROOT, World


def working(world: World) -> tuple[Actor, Actor]:
    """Jon is on call until nine tomorrow, then Sam; Jon has one incident of Acme (acked) and one of Beta (not)."""
    jon, sam = crew(world, "jon", "sam")
    make(world, daily("jon", "sam"))
    # LOW: time alone moves nothing within a day
    world.fires("web-1", severity="LOW")
    world.fires("db-1", severity="LOW", company=BETA)
    world.act(jon, "assign", "INC-1", to="@me")
    world.act(jon, "ack", "INC-1")
    world.act(ROOT, "assign", "INC-2", company=BETA, to="jon")
    return jon, sam


def note(world: World, by: Actor, ref: str, text: str, company: str = ACME) -> None:
    number = int(ref.removeprefix("INC-"))
    world.do(handoffs.note, by, company, number, NoteAsk(incident=ref, text=text), companies=(company,))


def test_the_brief_says_per_open_incident_what_is_next(world: World) -> None:
    jon, sam = working(world)
    world.act(jon, "hold", "INC-1", hold_for="vendor", until=world.clock.now() + timedelta(hours=3))
    note(world, jon, "INC-1", "call the vendor at 9")
    [found] = brief(world, jon)
    assert (found.state, found.next_user, found.actions) == ("on", "user-sam", ["note", "give"])
    first, second = found.incidents
    assert (first.id, first.next_action, first.next_action_by) == ("INC-1", "call the vendor at 9", "jon")
    assert (first.hold_reason, first.next_deadline) == ("vendor", "end of hold")
    assert (second.next_action, second.next_deadline, second.kept) == ("", "resolution", False)
    assert "next action: call the vendor at 9" in world.story()
    [seen] = brief(world, sam)
    assert (seen.id, seen.actions) == (found.id, [])
    note(world, jon, "INC-1", "")
    assert brief(world, jon)[0].incidents[0].next_action == ""


def test_paging_goes_on_by_itself_and_owners_change_with_a_yes(world: World) -> None:
    jon, sam = working(world)
    world.passes(hours=21)
    assert on_call(world) == ["sam"]
    assert world.incident("INC-1").assignee == "user-jon"
    assert "2 open incidents to take over" in told(world, "oncall.started")[-1][1]
    found, own = brief(world, sam)
    assert (found.state, found.actions, own.state) == ("waiting", ["accept"], "on")
    assert accept(world, sam) == ([1], ["INC-1", "INC-2"], [])
    for ref in ("INC-1", "INC-2"):
        incident = world.incident(ref)
        assert incident.assignee == "user-sam"
        assert incident.acknowledged_at == world.clock.now()
    assert [user for user, _ in told(world, "handoff.accepted")] == ["user-jon"]
    world.passes(minutes=20)
    assert told(world, "handoff.overdue") == []
    with pytest.raises(Conflict, match="nobody hands primary over"):
        accept(world, sam)
    assert [one.user for one in brief(world, jon)] == ["user-sam"]


def test_a_quarter_of_an_hour_without_a_yes_tells_managers_of_what_is_theirs(world: World) -> None:
    working(world)
    world.hire("mia", Role.MANAGER, ACME)
    world.passes(hours=21, minutes=14)
    assert told(world, "handoff.overdue") == []
    fired = world.passes(minutes=1)
    assert ("SHF-1", "handoff_accept") in fired
    text = "sam has not accepted the handoff of primary: 1 open with jon still"
    # beta has no manager: its admins hear of it
    assert sorted(told(world, "handoff.overdue")) == [("user-mia", text), ("user-root", text)]
    world.passes(hours=1)
    assert len(told(world, "handoff.overdue")) == 2


def test_what_is_kept_stays_and_an_early_yes_is_possible_once_it_is_given(world: World) -> None:
    jon, sam = working(world)
    with pytest.raises(Conflict):
        accept(world, sam)
    with pytest.raises(Conflict, match="no shift of primary"):
        give(world, sam)
    with pytest.raises(NotFound):
        give(world, jon, "INC-9")
    give(world, jon, "INC-2")
    assert told(world, "handoff.given") == [("user-sam", "jon hands primary over to you: 1 open:  siems handoff show")]
    assert accept(world, sam) == ([1], ["INC-1"], [])
    assert world.incident("INC-2").assignee == "user-jon"
    assert on_call(world) == ["jon"]
    world.passes(hours=21, minutes=20)
    assert on_call(world) == ["sam"]
    assert told(world, "handoff.overdue") == []


def test_what_nobody_accepted_goes_to_whoever_is_on_call_after_that(world: World) -> None:
    _, sam = working(world)
    [ana] = crew(world, "ana")
    world.passes(hours=21)
    stand_in(world, "ana", hours=5)
    assert [(one.user, one.actions) for one in brief(world, sam)] == [("user-ana", [])]
    assert accept(world, ana)[1] == ["INC-1", "INC-2"]


def test_whoever_comes_back_has_nothing_to_accept(world: World) -> None:
    jon, _ = working(world)
    stand_in(world, "sam", hours=0.2)
    world.passes(hours=0.2)
    assert on_call(world) == ["jon"]
    assert world.rows("SELECT accepted_at FROM shift WHERE id = 1")[0]["accepted_at"] is not None
    world.passes(minutes=30)
    assert told(world, "handoff.overdue") == []
    assert accept(world, jon) == ([2], [], [])


def test_incidents_of_clients_that_one_may_not_see_stay_where_they_are(world: World) -> None:
    jon, _ = working(world)
    tess = world.hire("tess", Role.TECHNICIAN, ACME)
    stand_in(world, "tess")
    found, _ = brief(world, tess)
    assert [item.id for item in found.incidents] == ["INC-1"]
    assert accept(world, tess) == ([1], ["INC-1"], ["INC-2"])
    assert world.incident("INC-2").assignee == jon.id


# --- how duty is shared ----------------------------------------------------------------------------------------


def test_a_month_counts_what_came_to_pass_and_then_what_is_planned(world: World) -> None:
    crew(world, "jon", "sam")
    make(world, daily("jon", "sam"), country="NO")
    stand_in(world, "sam", hours=9)  # from noon to 21 h
    world.passes(hours=11)  # 23 h: jon again
    world.fires("web-1", severity="CRITICAL")
    schedule = world.database.read_now(find_schedule, "primary", ROOT, world.clock.now())
    found = world.database.read_now(fairness.fairness, schedule, "2026-03", world.clock.now())
    assert found.planned_from == world.clock.now()
    people = {load.user: load for load in found.people}
    # from the 10th at noon to the end of the month: 21.5 days
    assert sum(load.seconds for load in found.people) == 21.5 * 86_400
    assert people["user-sam"].seconds == (9 + 10 * 24 + 15) * 3_600
    assert (people["user-jon"].pages, people["user-jon"].wake_ups) == (1, 1)
    april = world.database.read_now(fairness.fairness, schedule, "2026-04", world.clock.now())
    assert sum(load.holiday_seconds for load in april.people) == 4 * 86_400  # easter: 2, 3, 5 and 6 April
    assert april.planned_from == april.starts_at


def test_who_is_not_ready_is_told_what_is_missing(world: World) -> None:
    jon, _ = crew(world, "jon", "sam")
    make(world, daily("jon", "sam"))

    def look(**more: object) -> list[tuple[str, list[str]]]:
        given = {"schedule": "", "user": "", "hours": 24} | more

        def read(connection: object) -> object:
            return readiness.ready(connection, ROOT, world.clock.now(), **given)  # type: ignore[arg-type]

        found = world.database.read_now(read)
        return [(one.user_name, [c.name for c in one.checks if not c.ok]) for one in found]  # type: ignore[attr-defined]

    assert look(hours=1) == [("jon", ["contact", "delivery", "login"])]
    assert [name for name, _ in look()] == ["jon", "sam"]
    from siems.services.users import begin_session

    world.do(begin_session, jon.id, b"k" * 32, companies=(MSP,))
    assert look(user="jon") == [("jon", ["contact", "delivery"])]
