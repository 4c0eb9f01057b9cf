"""Why an incident is as it is, and what a pretended one would lead to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from siems.errors import Forbidden
from siems.services import explaining, whatif
from siems.vocabulary import Role
from siems.wire import WhatIfAsk

from .posting import Post
from .world import ACME, ROOT, World


def test_the_whole_trace_of_an_incident(world: World) -> None:
    post = Post(world)
    maria = world.hire("maria", Role.TECHNICIAN, ACME)
    world.hire("dana", Role.MANAGER, ACME)
    post.contact(maria, "sms")
    post.rule(maria, "sms", severity="HIGH")
    for asset in ("web-1", "web-2", "web-3"):
        world.fires(asset, severity="HIGH")
    world.fires("web-1", severity="HIGH")
    for parcel in post.due():
        post.end(parcel)
    told = world.database.read_now(explaining.explain, "INC-1", ROOT, world.clock.now())
    assert len(told.grouping) == 3
    assert told.grouping[2].rule == "auto:signature" or "3" in told.grouping[2].evidence
    assert sum(term.points for term in told.terms) == told.score
    assert {term.name for term in told.terms} == {"base", "critical_asset", "duplicates", "multi_tool", "age"}
    assert told.ownership == []
    page = next(t for t in told.told if t.event == "incident.opened")
    assert (page.user, page.pages) == ("maria", True)
    assert [(m.channel, m.state) for m in page.messages] == [("sms", "sent")]
    escalation = next(one for one in told.next if one.kind == "escalation")
    assert escalation.text == "nobody has acknowledged: the chain goes on to level 2 (manager)"
    assert escalation.at - world.clock.now() == timedelta(minutes=15)


def test_what_people_did_and_what_the_chain_did_are_told_apart(world: World) -> None:
    maria = world.hire("maria", Role.TECHNICIAN, ACME)
    world.fires(severity="CRITICAL")
    world.passes(minutes=6)
    world.act(maria, "ack")
    told = world.database.read_now(explaining.explain, "INC-1", ROOT, world.clock.now())
    assert any("acknowledged" in line for line in told.ownership)
    assert any("escalated to level" in line for line in told.escalations)
    assert not any(one.kind == "escalation" for one in told.next), "an ack stops what waits for one"


def test_a_client_does_not_see_how_decisions_are_made(world: World) -> None:
    carol = world.hire("carol", Role.CLIENT, ACME)
    world.fires()
    with pytest.raises(Forbidden):
        world.database.read_now(explaining.explain, "INC-1", carol, world.clock.now())


def test_what_if_names_people_times_and_ways_and_changes_nothing(world: World) -> None:
    post = Post(world)
    maria = world.hire("maria", Role.TECHNICIAN, ACME)
    world.hire("dana", Role.MANAGER, ACME)
    post.contact(maria, "sms")
    post.contact(maria, "voice")
    post.rule(maria, "sms", severity="HIGH")
    post.rule(maria, "voice", severity="HIGH", after_seconds=300)
    before = world.count("event"), world.count("notification"), world.count("message"), world.count("audit_entry")
    seen = world.do(whatif.page, maria, ACME, WhatIfAsk(company=ACME, severity="HIGH"))
    first, second = seen.steps[0], seen.steps[1]
    [person] = first.people
    assert (person.name, person.pages) == ("maria", True)
    assert [(m.channel, m.at - seen.at) for m in person.messages] == [
        ("sms", timedelta(0)), ("voice", timedelta(minutes=5)),
    ]  # fmt: skip
    assert second.at - seen.at == timedelta(minutes=15)
    assert [p.name for p in second.people] == ["dana"]
    after = world.count("event"), world.count("notification"), world.count("message"), world.count("audit_entry")
    assert after == before


def test_what_if_says_what_would_keep_people_from_hearing_of_it(world: World) -> None:
    world.hire("maria", Role.TECHNICIAN, ACME)
    world.settings(paging="shadow")
    seen = world.do(whatif.page, ROOT, ACME, WhatIfAsk(company=ACME, severity="MEDIUM"))
    assert any("shadow" in note for note in seen.notes)
    assert not seen.steps[0].people[0].pages, "MEDIUM wakes nobody"
    warning = next(step for step in seen.steps if step.kind == "warning")
    assert (warning.at - seen.at, warning.text) == (timedelta(hours=7, minutes=30), "the response deadline is near")
    assert warning.people[0].pages, "but its deadline does"
    assert not any(person.pages for step in seen.steps if step.at < warning.at for person in step.people)


def test_addresses_that_a_policy_calls_are_told_of_too(world: World) -> None:
    from .chains import policy, step

    Post(world)
    policy(world, step("owner", "webhook:https://hooks.example/T0/secret"))
    world.hire("maria", Role.TECHNICIAN, ACME)
    world.fires(severity="CRITICAL")
    told = world.database.read_now(explaining.explain, "INC-1", ROOT, world.clock.now())
    [called] = [one for one in told.told if not one.user_id]
    assert [(m.channel, m.hint, m.state) for m in called.messages] == [
        ("webhook", "https://hooks.example/...", "pending"),
    ]  # fmt: skip
    assert "secret" not in str(world.story())
    maria = world.hire("tess", Role.TECHNICIAN, ACME)
    world.act(maria, "ack")
    rows = world.rows("SELECT state FROM message WHERE user_id = ''")
    assert [row["state"] for row in rows] == ["cancelled"], "an ack stops it as it stops people's pages"
