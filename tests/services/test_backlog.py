"""R13: after an hour without sending pages go together, say how old they are, and the worst goes first."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.services.world import ACME, BETA, World

from siems.domain.permissions import Actor
from siems.services.delivery import LISTED, STALE, next_send
from siems.vocabulary import Role

from .posting import BUSY, Post

ABOUT = ["incident.opened"]
CRITICAL = (17, 41)
"""The minutes of the hour at which something CRITICAL happened."""


@pytest.fixture
def post(world: World) -> Post:
    return Post(world)


@pytest.fixture
def jon(world: World) -> Actor:
    return world.hire("jon", Role.TECHNICIAN, ACME, BETA)


def an_hour(world: World) -> datetime:
    """Each minute something breaks, and nothing is sent; when it began."""
    begun = world.clock.now()
    for minute in range(60):
        severity = "CRITICAL" if minute in CRITICAL else ("LOW", "MEDIUM", "HIGH")[minute % 3]
        world.fires(asset=f"a{minute}", signature=f"s{minute}", severity=severity)
        world.clock.advance(minutes=1)
    world.restart()
    Post(world)  # the daemon that starts tells which channels there are
    return begun


def test_the_pages_of_an_hour_are_one_message_that_says_so(world: World, post: Post, jon: Actor) -> None:
    post.contact(jon, "sms")
    post.rule(jon, "sms", about=ABOUT)
    begun = an_hour(world)
    [page] = post.due()
    assert len(page.ids) == world.count("message", "channel = 'sms'") == 60
    assert (len(page.lines), page.counted) == (LISTED, 60 - LISTED)
    assert [line.split()[1] for line in page.lines] == ["CRITICAL"] * 2 + ["HIGH"] * (LISTED - 2)
    assert page.severity.name == "CRITICAL"
    assert page.late_since == begun
    assert page.subject.startswith("60 messages about Acme, first: CRITICAL")
    assert post.end(page)
    assert world.database.read_now(next_send) is None, "nothing of it comes again"


def test_what_cannot_go_together_goes_the_worst_first_and_only_the_old_is_called_old(
    world: World, post: Post, jon: Actor
) -> None:
    post.contact(jon, "slack", "#ops")
    post.rule(jon, "slack", about=ABOUT)
    an_hour(world)
    now = world.clock.now()
    sent = []
    while parcels := post.due():
        for parcel in parcels:
            assert post.end(parcel)
        sent += parcels
    assert len(sent) == 60
    severities = [int(parcel.severity) for parcel in sent]
    assert severities == sorted(severities, reverse=True)
    late = [parcel for parcel in sent if parcel.late_since is not None]
    assert len(late) == 60 - STALE // timedelta(minutes=1)
    assert all(now - parcel.late_since > STALE for parcel in late if parcel.late_since)
    assert {row["state"] for row in world.rows("SELECT state FROM message")} == {"sent"}


def test_each_company_has_its_own_and_what_was_answered_meanwhile_is_not_sent(
    world: World, post: Post, jon: Actor
) -> None:
    post.contact(jon, "sms")
    post.rule(jon, "sms", about=ABOUT)
    for number in range(6):
        world.fires(asset=f"a{number}", signature=f"s{number}", company=ACME if number % 2 else BETA)
        world.clock.advance(minutes=10)
    world.act(jon, "ack", "INC-1", company=BETA)
    parcels = post.due()
    assert sorted((p.company, len(p.ids)) for p in parcels) == [("Acme", 3), ("Beta", 2)]
    assert not any("INC-1 " in line for parcel in parcels for line in parcel.lines)


def test_a_backlog_that_fails_stays_one_message_with_one_key_while_new_ones_are_gathered(
    world: World, post: Post, jon: Actor
) -> None:
    post.contact(jon, "sms")
    post.rule(jon, "sms", about=ABOUT)
    an_hour(world)
    [page] = post.due()
    post.end(page, BUSY)
    world.fires(asset="new", signature="new", severity="CRITICAL")
    world.clock.advance(seconds=20)
    again, new = sorted(post.due(), key=lambda parcel: -len(parcel.ids))
    assert (again.key, again.ids) == (page.key, page.ids)
    assert new.late_since is None
    assert len(new.ids) == 1
