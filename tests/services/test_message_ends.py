"""What stops a message that was decided: an answer in mid-send, who left, what was switched off since."""

from __future__ import annotations

from datetime import timedelta

import pytest

from siems.domain.permissions import Actor
from siems.services import accounts, companies, contacts, paging
from siems.services.delivered import Outcome, finish
from siems.vocabulary import MSP, Role
from siems.wire import CompanyEdit, ContactAsk, PageAsk, UserEdit

from .posting import BUSY, FREE, NEVER, Post
from .world import ACME, ROOT, VAULT, World, reading


@pytest.fixture
def post(world: World) -> Post:
    return Post(world)


@pytest.fixture
def maria(world: World, post: Post) -> Actor:
    found = world.hire("maria", Role.TECHNICIAN, ACME)
    post.contact(found, "sms")
    post.rule(found, "sms")
    return found


@pytest.mark.parametrize("act", [{"action": "ack"}, {"action": "resolve", "note": "done"}])
@pytest.mark.parametrize("outcome", [BUSY, NEVER], ids=["busy", "never"])
def test_what_is_answered_while_it_is_sent_is_not_tried_again(
    world: World, post: Post, maria: Actor, act: dict[str, str], outcome: Outcome
) -> None:
    world.fires()
    [parcel] = post.due()
    world.clock.advance(seconds=1)
    world.act(maria, **act)
    assert post.end(parcel, outcome)
    assert post.states("event = 'incident.opened'") == ["sms cancelled"]
    world.clock.advance(hours=1)
    assert [p for p in post.due() if p.event == "incident.opened"] == []


def test_what_was_answered_and_then_lost_is_not_sent_again(world: World, post: Post, maria: Actor) -> None:
    world.fires()
    assert post.due()
    world.act(maria, "ack")
    world.clock.advance(minutes=1)  # the daemon that sent it is gone
    assert post.due() == []
    assert post.states() == ["sms cancelled"]


def test_whoever_is_gone_hears_nothing_more(world: World, post: Post, maria: Actor) -> None:
    world.fires()
    world.do(accounts.edit, ROOT, "maria", UserEdit(disabled=True), companies=(MSP,))
    assert post.due() == []
    assert post.states() == ["sms cancelled"]


def test_whoever_does_not_work_for_the_client_any_more_hears_nothing_of_it(
    world: World, post: Post, maria: Actor
) -> None:
    world.fires()

    def leave(uow) -> None:  # type: ignore[no-untyped-def]
        uow.run("DELETE FROM user_company WHERE user_id = ?", [(maria.id,)])
        uow.journal.drop(uow.memory.people_loaded, MSP)

    world.do(leave, companies=(MSP,))
    assert post.due() == []
    assert post.states() == ["sms cancelled"]


def test_a_channel_that_is_not_set_up_any_more_gives_way_to_the_next(world: World, post: Post, maria: Actor) -> None:
    world.fires()
    free = {name: room for name, room in FREE.items() if name != "sms"}
    [parcel] = world.do(lambda uow: _claim(uow, free), companies=(MSP,))
    assert parcel.obstacle == "sms is not set up"
    assert world.do(finish, parcel, Outcome(accepted=False, error=parcel.obstacle, refused=True), companies=(ACME,))
    assert post.states() == ["sms dead", "email pending"]


def _claim(uow, free):  # type: ignore[no-untyped-def]
    from siems.services.delivery import claim

    return claim(uow, "me", free)


def test_switching_to_shadow_stops_what_waits_but_not_a_call_by_hand(world: World, post: Post, maria: Actor) -> None:
    world.fires()
    world.do(companies.edit, ROOT, ACME, CompanyEdit(paging="shadow"), companies=(ACME,))
    assert post.due() == []
    assert post.states() == ["sms cancelled"]
    world.do(paging.open_page, ROOT, ACME, PageAsk(to="maria", message="call me"), None, companies=(MSP, ACME))
    assert [p.object for p in post.due()] == ["PAG-1"]


def test_a_bundle_that_is_tried_again_keeps_its_numbers(world: World, post: Post, maria: Actor) -> None:
    with world.one_batch() as jobs:
        jobs += [world.job(reading(f"db-{n}", f"s{n}")) for n in range(14)]
    [bundle] = post.due()
    shown = dict(line.split(". ", 1) for line in bundle.lines)
    post.end(bundle, BUSY)
    world.act(maria, "ack", "INC-2")
    world.clock.advance(seconds=6)
    [again] = post.due()
    left = dict(line.split(". ", 1) for line in again.lines)
    assert left == {number: text for number, text in shown.items() if number in left}
    assert len(left) == 9


def test_what_is_given_to_somebody_and_not_acknowledged_calls_them(world: World, post: Post, maria: Actor) -> None:
    dana = world.hire("dana", Role.MANAGER, ACME)
    world.fires(severity="CRITICAL")
    world.act(dana, "assign", to="maria")
    [row] = world.rows("SELECT pages, unacknowledged FROM message WHERE event = 'incident.assigned'")
    assert (bool(row["pages"]), bool(row["unacknowledged"])) == (True, True)


def test_an_address_that_is_not_proven_does_not_replace_the_one_of_the_account(
    world: World, post: Post, maria: Actor
) -> None:
    ask = ContactAsk(channel="email", address="tpyo@example.org", user="maria")
    ref = world.do(contacts.add_contact, ROOT, ask, ask.address, VAULT, companies=(MSP,))
    hints = lambda: {c.hint for c in world.do(lambda uow: uow.reach(maria.id).contacts, companies=(MSP,))}  # noqa: E731
    assert "maria@msp.example" in hints()
    world.do(contacts.keep_code, ref, "123456", companies=(MSP,))
    assert world.do(contacts.verify_contact, maria, ref, "123456", companies=(MSP,))
    assert "maria@msp.example" not in hints()


def test_waiting_for_the_next_look_costs_no_write(world: World, post: Post, maria: Actor) -> None:
    from siems.services.delivery import next_send

    assert world.database.read_now(next_send) is None
    world.fires()
    due = world.database.read_now(next_send)
    assert due is not None
    assert due <= world.clock.now() + timedelta(seconds=1)
