"""Pages of people: who is called and how often, what stops it, and what a key is good for."""

from __future__ import annotations

from typing import Any

import pytest

from siems.domain.permissions import Actor
from siems.errors import Conflict, Forbidden, InvalidField, NotFound
from siems.services import oncall, paging, paging_views, schedules
from siems.services.paging import Paged
from siems.storage.people import Person
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Role
from siems.wire import LayerAsk, PageAsk, PageView, ScheduleAsk

from .world import ACME, BETA, ROOT, World


@pytest.fixture
def jon(world: World) -> Actor:
    return world.hire("jon", Role.TECHNICIAN, ACME)


def page(
    world: World, to: str = "jon", *, by: Actor = ROOT, company: str = ACME, about: int | None = None, **ask: Any
) -> Paged:
    asked = PageAsk(to=to, company=company, **({"message": "the VPN is down"} | ask))
    found = world.do(paging.open_page, by, company, asked, about, companies=(company,))
    assert isinstance(found, Paged)
    return found


def ack(world: World, by: Actor, number: int = 1) -> Paged:
    found = world.do(paging.acknowledge, by, ACME, number)
    assert isinstance(found, Paged)
    return found


def end(world: World, by: Actor = ROOT, number: int = 1) -> Paged:
    found = world.do(paging.end, by, ACME, number)
    assert isinstance(found, Paged)
    return found


def calls(world: World, ref: str = "PAG-1") -> list[str]:
    """Whom messages called, in order."""
    rows = world.rows(
        "SELECT user_id FROM notification WHERE object = :o AND event IN ('page.opened', 'page.repeated')"
        " ORDER BY created_at, user_id",
        o=ref,
    )
    return [row["user_id"].removeprefix("user-") for row in rows]


def told(world: World, event: str, ref: str = "PAG-1") -> set[str]:
    return world.notices(event, ref)


def shown(world: World, number: int = 1) -> PageView:
    def look(connection: Any) -> PageView:
        return paging_views.show_page(connection, paging_views.find_page(connection, f"PAG-{number}", ROOT))

    return world.database.read_now(look)


def on_call(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    def there(uow: UnitOfWork, company_id: str, at: object = None) -> list[Person]:
        return [p for name in names if (p := uow.person(f"user-{name}")) is not None]

    monkeypatch.setattr(oncall, "on_call", there)


# --- calling -------------------------------------------------------------------------------------------------------


def test_a_page_is_sent_at_once_and_every_five_minutes_for_an_hour_then_given_up(world: World, jon: Actor) -> None:
    done = page(world)
    assert (done.page.ref, done.changed, done.notes) == ("PAG-1", True, ())
    assert calls(world) == ["jon"]
    world.passes(minutes=4, seconds=59)
    assert calls(world) == ["jon"]
    world.passes(seconds=1)
    assert calls(world) == ["jon", "jon"]
    world.passes(minutes=50)
    assert calls(world) == ["jon"] * 12
    assert shown(world).state == "open"
    world.passes(minutes=5)
    assert (shown(world).state, shown(world).next_at) == ("expired", None)
    assert told(world, "page.expired") == {"user-root"}
    world.passes(hours=24)
    assert calls(world) == ["jon"] * 12
    assert world.deadlines("PAG-1") == {}


def test_an_ack_stops_it_and_whoever_paged_hears_of_it(world: World, jon: Actor) -> None:
    page(world)
    world.passes(minutes=6)
    assert ack(world, jon).changed
    assert not ack(world, jon).changed
    world.passes(hours=2)
    assert calls(world) == ["jon", "jon"]
    assert told(world, "page.acknowledged") == {"user-root"}
    view = shown(world)
    assert (view.state, view.acknowledged_by_name) == ("acknowledged", "jon")


def test_it_changes_no_incident_and_stands_in_its_story(world: World, jon: Actor) -> None:
    world.fires()
    before = world.incident()
    done = page(world, about=1, message="")
    assert (done.page.message, done.page.severity.name) == (before.title, before.severity.name)
    ack(world, jon)
    assert world.incident() == before
    assert world.story() == [f"PAG-1 calls jon: {before.title}", "PAG-1 acknowledged"]


def test_what_is_not_needed_any_more_is_told_to_whoever_would_come(world: World, jon: Actor) -> None:
    page(world)
    assert end(world).changed
    assert not end(world).changed
    world.passes(hours=2)
    assert calls(world) == ["jon"]
    assert told(world, "page.ended") == {jon.id}
    with pytest.raises(Conflict, match="PAG-1 has ended"):
        ack(world, jon)


def test_somebody_who_is_away_is_called_all_the_same_and_that_is_said(world: World, jon: Actor) -> None:
    from siems.services import accounts
    from siems.vocabulary import MSP

    world.do(accounts.set_availability, jon, "@me", "away", companies=(MSP,))
    assert page(world).notes == ("jon is away",)
    assert calls(world) == ["jon"]


# --- who is on call ------------------------------------------------------------------------------------------------


def test_a_page_of_who_is_on_call_reaches_one_more_of_them_each_time(
    world: World, jon: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    mia = world.hire("mia", Role.MANAGER, ACME)
    on_call(monkeypatch, "jon", "mia")
    page(world, "oncall")
    assert calls(world) == ["jon"]
    world.passes(minutes=5)
    assert calls(world) == ["jon", "jon", "mia"]
    ack(world, mia)
    world.passes(hours=1)
    assert len(calls(world)) == 3
    assert told(world, "page.acknowledged") == {"user-root", jon.id}


def test_a_change_of_shift_calls_who_has_it_now(world: World, jon: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    world.hire("mia", Role.MANAGER, ACME)
    on_call(monkeypatch, "jon")
    page(world, "oncall")
    on_call(monkeypatch, "mia")
    world.passes(minutes=5)
    assert calls(world)[0] == "jon"
    assert "mia" in calls(world)[1:]


def test_nobody_acknowledges_so_it_reaches_one_circle_more_each_time(world: World, jon: Actor) -> None:
    world.hire("ana", Role.TECHNICIAN, ACME)
    world.hire("mia", Role.MANAGER, ACME)
    world.hire("eve", Role.TECHNICIAN, BETA)
    day = ScheduleAsk(name="day", time_zone="UTC", layers=[LayerAsk(members=["jon"], rotation="weekly")])
    world.do(schedules.create, ROOT, ACME, day)
    page(world, "oncall")
    reached = [calls(world)]
    for _ in range(4):
        before = len(calls(world))
        world.passes(minutes=5)
        reached.append(sorted(calls(world)[before:]))
    # on call, then level 2 and 3 of the policy (the managers, the admins), then the other technicians
    assert reached == [
        ["jon"], ["jon", "mia"], ["jon", "mia", "root"], ["ana", "jon", "mia", "root"], ["ana", "jon", "mia", "root"],
    ]  # fmt: skip
    assert "user-eve" not in world.notices("page.repeated", "PAG-1")


def test_where_nobody_is_on_call_the_technicians_are_called_else_the_admins(world: World) -> None:
    done = page(world, "@oncall")
    assert calls(world) == ["root"]
    assert done.notes == ("nobody is on call for comp-acme: the admins are paged",)
    for name in ("jon", "ana"):
        world.hire(name, Role.TECHNICIAN, ACME)
    assert "its technicians are paged" in page(world, "oncall").notes[0]
    assert calls(world, "PAG-2") == ["ana", "jon"]


# --- keys ----------------------------------------------------------------------------------------------------------


def test_the_same_key_pages_once_until_the_page_has_ended(world: World, jon: Actor) -> None:
    page(world, key="backup")
    again = page(world, key="backup", message="other words")
    assert (again.page.id, again.changed, again.page.message) == (1, False, "the VPN is down")
    assert page(world, key="disk").page.id == 2
    assert calls(world) == ["jon"]
    ack(world, jon)
    assert not page(world, key="backup").changed
    end(world)
    assert page(world, key="backup").page.id == 3


def test_twelve_hours_after_its_ack_a_key_is_free_again(world: World, jon: Actor) -> None:
    page(world, key="backup")
    ack(world, jon)
    world.passes(hours=11, minutes=59)
    assert not page(world, key="backup").changed
    world.passes(minutes=1)
    assert shown(world).state == "ended"
    assert page(world, key="backup").page.id == 2


def test_the_key_of_another_client_is_another_key(world: World, jon: Actor) -> None:
    page(world, key="backup")
    assert page(world, "root", key="backup", company=BETA).changed


# --- who may, and what is refused ----------------------------------------------------------------------------------


def test_staff_page_within_their_scope_and_clients_do_not(world: World, jon: Actor) -> None:
    assert page(world, "@me", by=jon).page.people == (jon.id,)
    with pytest.raises(NotFound):
        page(world, by=jon, company=BETA)
    gus = world.hire("gus", Role.CLIENT, ACME)
    with pytest.raises(Forbidden):
        page(world, by=gus)
    with pytest.raises(Forbidden):
        ack(world, gus)
    stranger = world.hire("sam", Role.TECHNICIAN, BETA)
    with pytest.raises(NotFound):
        ack(world, stranger)


@pytest.mark.parametrize(
    ("ask", "error", "cause", "hint"),
    [
        ({"message": "  "}, InvalidField, "what it is about", "--message"),
        ({"to": "jno"}, NotFound, "no user 'jno'", "did you mean jon?"),
        ({"to": "gus"}, InvalidField, "gus does not work", "siems user list"),
        ({"severity": "critcal"}, InvalidField, "no severity", "did you mean CRITICAL?"),
        ({"key": "k" * 201}, InvalidField, "200 characters", ""),
    ],
)
def test_what_cannot_be_a_page_is_named_and_calls_nobody(world: World, jon: Actor, ask, error, cause, hint) -> None:
    world.hire("gus", Role.CLIENT, ACME)
    with pytest.raises(error, match=cause) as refused:
        page(world, **ask)
    assert hint in refused.value.hint
    assert world.count("page") == 0
    assert world.count("notification") == 0


def test_every_step_is_in_the_record_and_on_the_stream(world: World, jon: Actor) -> None:
    page(world)
    world.passes(minutes=5)
    ack(world, jon)
    end(world)
    rows = world.rows("SELECT action, actor FROM audit_entry WHERE object = 'PAG-1' ORDER BY seq")
    steps = [
        ("page.opened", "user-root"), ("page.repeated", "system"), ("page.acknowledged", "user-jon"),
        ("page.ended", "user-root"),
    ]  # fmt: skip
    assert [(row["action"], row["actor"]) for row in rows] == steps
    events = [row["type"] for row in world.rows("SELECT type FROM event WHERE object = 'PAG-1' ORDER BY cursor")]
    assert [type for type in events if type.startswith("page.")] == [step for step, _ in steps]


def test_after_a_restart_an_open_page_goes_on(world: World, jon: Actor) -> None:
    page(world)
    world.clock.advance(hours=3)
    world.restart()
    world.tick()
    assert calls(world) == ["jon", "jon"]
    assert shown(world).state == "open"


def test_lists_show_what_goes_on_within_the_scope(world: World, jon: Actor) -> None:
    page(world, key="a")
    page(world, "root", company=BETA)
    page(world, "root")
    end(world, number=3)

    def look(who: Actor, **how: Any) -> list[str]:
        given: dict[str, Any] = {"company_id": None, "ended": False, "mine": False, "limit": 50} | how
        return [p.id for p in world.database.read_now(lambda c: paging_views.list_pages(c, who, **given))]

    assert look(ROOT) == ["PAG-2", "PAG-1"]
    assert look(ROOT, company_id=BETA) == ["PAG-2"]
    assert look(ROOT, ended=True) == ["PAG-3"]
    assert look(jon) == look(jon, mine=True) == ["PAG-1"]
