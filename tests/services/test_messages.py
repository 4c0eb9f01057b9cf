"""Messages on their way out: decided with the change, leased, bundled, tried again, given up, stopped by an ack."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.services.world import ACME, ROOT, VAULT, World

from siems.domain.permissions import Actor
from siems.services import contacts
from siems.services.delivered import Outcome, retry
from siems.services.delivery import next_send
from siems.vocabulary import MSP, Role
from siems.wire import CompanyEdit, FollowAsk, PreferencesAsk

from .posting import BUSY, NEVER, Post


@pytest.fixture
def post(world: World) -> Post:
    return Post(world)


@pytest.fixture
def maria(world: World) -> Actor:
    return world.hire("maria", Role.TECHNICIAN, ACME)


def test_a_page_is_decided_with_the_incident_and_sent_once(world: World, post: Post, maria: Actor) -> None:
    post.contact(maria, "sms")
    world.fires(severity="HIGH")
    assert post.states() == ["email pending", "sms pending"]
    parcels = post.due()
    assert {(p.channel, p.user, p.object) for p in parcels} == {("email", "maria", "INC-1"), ("sms", "maria", "INC-1")}
    [sms] = [p for p in parcels if p.channel == "sms"]
    assert json.loads(VAULT.unseal(sms.address)) == {"address": "+4790000100", "options": {}}
    assert sms.text[0] == "INC-1 HIGH OPEN: High CPU on web-1"
    assert post.due() == [], "what is leased is nobody else's"
    for parcel in parcels:
        assert post.end(parcel)
    assert post.states() == ["email sent", "sms sent"]
    assert not post.end(parcels[0]), "a lease is used up"


def test_nothing_is_planned_while_no_channel_is_set_up(world: World, maria: Actor) -> None:
    world.fires()
    assert world.count("message") == 0
    assert world.notices("incident.opened") == {maria.id}


def test_an_ack_stops_what_waits_for_one(world: World, post: Post, maria: Actor) -> None:
    post.contact(maria, "sms")
    post.contact(maria, "voice", "+4790000200")
    post.rule(maria, "sms", severity="HIGH")
    post.rule(maria, "voice", severity="HIGH", after_seconds=300)
    world.fires()
    [first] = post.due()
    post.end(first)
    world.act(maria, "ack")
    world.clock.advance(minutes=10)
    assert post.due() == []
    assert post.states() == ["sms sent", "voice cancelled"]
    assert world.rows("SELECT last_error FROM message WHERE channel = 'voice'")[0]["last_error"] == "taken up by maria"


def test_without_an_ack_the_next_rule_follows(world: World, post: Post, maria: Actor) -> None:
    post.contact(maria, "voice")
    post.rule(maria, "voice", severity="HIGH", after_seconds=300)
    world.fires()
    assert post.due() == []
    assert world.database.read_now(next_send) == world.clock.now() + _minutes(5)
    world.clock.advance(minutes=5)
    assert [p.channel for p in post.due()] == ["voice"]


def _minutes(n: int) -> Any:
    from datetime import timedelta

    return timedelta(minutes=n)


def test_an_undone_ack_lets_the_page_go_after_all(world: World, post: Post, maria: Actor) -> None:
    post.contact(maria, "voice")
    post.rule(maria, "voice", severity="HIGH", after_seconds=300)
    world.fires()
    world.clock.advance(seconds=20)
    world.act(maria, "ack")
    assert post.states() == ["voice cancelled"]
    world.act(maria, "undo")
    assert post.states() == ["voice pending"]
    world.clock.advance(minutes=5)
    assert len(post.due()) == 1


def test_a_notice_of_an_act_that_was_undone_is_not_sent(world: World, post: Post, maria: Actor) -> None:
    boss = world.hire("dana", Role.MANAGER, ACME)
    world.fires(severity="MEDIUM")
    for parcel in post.due():
        post.end(parcel)
    world.act(boss, "assign", to="maria", undoable=True)
    assert post.states("event = 'incident.assigned'") == ["email pending"]
    assert post.due() == [], "it waits for the undo"
    world.act(boss, "undo")
    world.clock.advance(minutes=1)
    assert post.states("event = 'incident.assigned'") == ["email cancelled"]
    assert post.due() == []


def test_a_provider_that_is_busy_is_tried_again_in_time(world: World, post: Post, maria: Actor) -> None:
    post.contact(maria, "sms")
    post.rule(maria, "sms")
    world.fires()
    waits = []
    for _ in range(6):
        [parcel] = post.due()
        before = world.clock.now()
        post.end(parcel, BUSY)
        due = world.database.read_now(next_send)
        if post.states("channel = 'sms'") == ["sms dead"]:
            break
        assert due is not None
        waits.append(round((due - before).total_seconds()))
        world.clock.advance(seconds=waits[-1])
    assert waits == [5, 30, 120, 300, 600]
    assert post.states("channel = 'sms'") == ["sms dead"]
    assert {parcel.key} == {row["dedup_key"] for row in world.rows("SELECT dedup_key FROM message WHERE channel='sms'")}


def test_retry_after_is_honoured(world: World, post: Post, maria: Actor) -> None:
    post.contact(maria, "sms")
    post.rule(maria, "sms")
    world.fires()
    [parcel] = post.due()
    post.end(parcel, Outcome(accepted=False, error="429", retry_after=90.0))
    assert world.database.read_now(next_send) == world.clock.now() + _minutes(1.5)  # type: ignore[arg-type]


def test_what_is_refused_for_good_goes_to_the_next_channel_at_once(world: World, post: Post, maria: Actor) -> None:
    post.contact(maria, "sms")
    post.contact(maria, "voice")
    post.rule(maria, "sms", severity="HIGH")
    post.rule(maria, "voice", severity="HIGH", after_seconds=600)
    world.fires()
    [sms] = post.due()
    post.end(sms, NEVER)
    assert [p.channel for p in post.due()] == ["voice"], "the call does not wait any more"
    assert world.story()[-1] == "sms to maria (...0100) was given up: no such number"


def test_where_no_rule_is_left_a_contact_that_was_not_asked_is(world: World, post: Post, maria: Actor) -> None:
    post.contact(maria, "sms")
    post.rule(maria, "sms", severity="HIGH")
    world.fires()
    [sms] = post.due()
    post.end(sms, NEVER)
    [mail] = post.due()
    assert (mail.channel, mail.address) == ("email", "maria@msp.example")
    post.end(mail, NEVER)
    assert world.rows("SELECT user_id FROM notification WHERE event = 'message.dead'") == [{"user_id": ROOT.id}]


def test_a_lease_that_runs_out_is_unknown_and_sent_again_with_the_same_key(
    world: World, post: Post, maria: Actor
) -> None:
    post.contact(maria, "sms")
    post.rule(maria, "sms")
    world.fires()
    [lost] = post.due()
    world.clock.advance(seconds=19)
    assert post.due() == []
    world.clock.advance(seconds=2)
    [again] = post.due()
    assert again.key == lost.key
    assert again.attempt == 2
    assert not post.end(lost), "who lost the lease decides nothing"
    assert post.end(again)
    [row] = world.rows("SELECT state, unknown_at FROM message WHERE channel = 'sms'")
    assert row["state"] == "sent"
    assert row["unknown_at"] is not None, "it is shown that it may have arrived twice"


def test_pages_of_one_company_go_together_and_are_numbered(world: World, post: Post, maria: Actor) -> None:
    post.contact(maria, "sms")
    post.rule(maria, "sms", severity="HIGH")
    world.fires(asset="web-1", signature="one")
    [first] = post.due()
    assert first.bundle is None, "who heard nothing for a while hears at once"
    post.end(first)
    for number in range(14):
        severity = "CRITICAL" if number == 13 else "HIGH"
        world.fires(asset=f"db-{number}", signature=f"s{number}", severity=severity)
    assert post.due() == [], "the next ones are gathered"
    world.clock.advance(seconds=15)
    [bundle] = post.due()
    assert bundle.bundle == 1
    assert len(bundle.ids) == 14
    assert bundle.lines[0] == "1. CRITICAL opened: S13 on db-13"
    assert (len(bundle.lines), bundle.counted) == (10, 4)
    rows = world.rows("SELECT listed FROM message WHERE bundle_id = 1 ORDER BY listed")
    assert [row["listed"] for row in rows] == [0, 0, 0, 0, *range(1, 11)]


def test_a_bundle_is_tried_again_as_it_was_less_what_is_answered(world: World, post: Post, maria: Actor) -> None:
    post.contact(maria, "sms")
    post.rule(maria, "sms", severity="HIGH")
    with world.one_batch() as jobs:
        jobs += [world.job(_reading(n)) for n in range(3)]
    [bundle] = post.due()
    assert len(bundle.ids) == 3
    post.end(bundle, BUSY)
    world.act(maria, "ack", "INC-2")
    world.fires(asset="web-9", signature="new")
    world.clock.advance(seconds=5)
    [again] = post.due()
    assert again.key == bundle.key
    assert len(again.ids) == 2


def _reading(number: int) -> Any:
    from tests.services.world import reading

    return reading(asset=f"db-{number}", signature=f"s{number}")


def test_companies_are_not_mixed_and_a_chat_is_not_bundled(world: World, post: Post, maria: Actor) -> None:
    both = world.hire("jon", Role.TECHNICIAN, ACME, "comp-beta")
    post.contact(both, "sms")
    post.contact(both, "slack", "#ops")
    post.rule(both, "sms")
    post.rule(both, "slack")
    with world.one_batch() as jobs:
        jobs += [world.job(_reading(n)) for n in range(2)]
        jobs += [world.job(_reading(n), company="comp-beta") for n in range(2)]
    mine = [p for p in post.due() if p.user == "jon"]
    assert sorted((p.company, p.channel, len(p.ids)) for p in mine) == [
        ("Acme", "slack", 1), ("Acme", "slack", 1), ("Acme", "sms", 2),
        ("Beta", "slack", 1), ("Beta", "slack", 1), ("Beta", "sms", 2),
    ]  # fmt: skip


def test_the_most_severe_goes_first_and_a_full_channel_stops_only_itself(
    world: World, post: Post, maria: Actor
) -> None:
    post.contact(maria, "webhook", "https://hooks.example/x")
    post.contact(maria, "slack", "#ops")
    post.rule(maria, "webhook")
    post.rule(maria, "slack")
    for number, severity in enumerate(("LOW", "CRITICAL", "MEDIUM")):
        world.fires(asset=f"a{number}", signature=f"s{number}", severity=severity)
    parcels = post.due(webhook=0, slack=2)
    assert [(p.channel, p.severity.name) for p in parcels] == [("slack", "CRITICAL"), ("slack", "MEDIUM")]


def test_what_has_waited_for_long_says_so(world: World, post: Post, maria: Actor) -> None:
    post.contact(maria, "sms")
    post.rule(maria, "sms")
    opened = world.clock.now()
    world.fires()
    world.clock.advance(minutes=45)
    [late] = post.due()
    assert late.late_since == opened


def test_in_shadow_everything_is_decided_and_nothing_is_told(world: World, post: Post, maria: Actor) -> None:
    from siems.services import companies, overview, reach_views

    world.do(companies.edit, ROOT, ACME, CompanyEdit(paging="shadow"), companies=(ACME,))
    post.contact(maria, "sms")
    world.fires()
    assert post.due() == []
    assert post.states() == ["email cancelled", "sms cancelled"]
    now = world.clock.now()
    inbox = world.database.read_now(lambda c: overview.inbox(c, maria, now, unread=False, limit=10))
    assert inbox == []
    would = world.database.read_now(lambda c: reach_views.would_have(c, ROOT, since=now - _minutes(60)))
    assert [(w.user, w.channels, w.pages) for w in would] == [("maria", ["inbox", "email", "sms"], True)]


def test_who_follows_hears_of_the_end(world: World, post: Post, maria: Actor) -> None:
    client = world.hire("carol", Role.CLIENT, ACME)
    world.do(contacts.follow, client, FollowAsk(company="acme"), companies=(MSP,))
    world.fires()
    world.act(maria, "resolve", note="restarted it")
    assert world.notices("incident.resolved") == {client.id}


def test_the_ledger_says_why(world: World, post: Post, maria: Actor) -> None:
    from siems.services import reach_views

    post.contact(maria, "sms")
    post.rule(maria, "sms", severity="CRITICAL")
    world.fires()
    world.do(contacts.delete_contact, ROOT, "CON-1", companies=(MSP,))
    world.database.memory.channels = frozenset({"sms"})
    world.fires(asset="web-2", signature="other")
    [mailed] = world.database.read_now(lambda c: reach_views.why(c, ROOT, "INC-1"))
    assert [m.why for m in mailed.messages] == ["default: email for everything"], "a page is told, if not by phone"
    post.contact(maria, "sms")
    post.rule(maria, "sms", severity="CRITICAL")
    world.fires(asset="web-3", signature="another")
    [told] = world.database.read_now(lambda c: reach_views.why(c, ROOT, "INC-3"))
    assert told.why == "inbox only: no rule matches a HIGH page about incident.opened"
    assert told.messages == []


def test_a_dead_message_can_be_tried_again(world: World, post: Post, maria: Actor) -> None:
    post.contact(maria, "sms")
    post.rule(maria, "sms")
    world.fires()
    [parcel] = post.due()
    post.end(parcel, NEVER)
    number = world.rows("SELECT id FROM message WHERE state = 'dead'")[0]["id"]
    assert world.do(retry, ROOT, number)
    assert number in post.due()[0].ids
    assert not world.do(retry, ROOT, number), "it is on its way"


def test_a_wrong_code_is_used_up(world: World, post: Post, maria: Actor) -> None:
    ref = post.contact(maria, "sms")
    world.do(contacts.keep_code, ref, "123456", companies=(MSP,))
    assert not world.do(contacts.verify_contact, maria, ref, "111111", companies=(MSP,))
    assert not world.do(contacts.verify_contact, maria, ref, "123456", companies=(MSP,)), "one guess per code"
    world.do(contacts.keep_code, ref, "123456", companies=(MSP,))
    assert world.do(contacts.verify_contact, maria, ref, " 123456 ", companies=(MSP,))


def test_nobody_changes_how_another_is_reached(world: World, post: Post, maria: Actor) -> None:
    from siems.errors import Forbidden, NotFound

    jon = world.hire("jon", Role.TECHNICIAN, ACME)
    away = world.hire("eve", Role.TECHNICIAN, "comp-beta")
    boss = world.hire("dana", Role.MANAGER, ACME)
    ref = post.contact(maria, "sms")
    for who, error in ((jon, Forbidden), (away, NotFound)):
        with pytest.raises(error):
            world.do(contacts.delete_contact, who, ref, companies=(MSP,))
        with pytest.raises(error):
            world.do(contacts.set_preferences, who, PreferencesAsk(user="maria", zone="UTC"), companies=(MSP,))
    assert world.do(contacts.delete_contact, boss, ref, companies=(MSP,)) == 0
