"""What a message says of its incident, as it stands when the message leaves."""

from __future__ import annotations

import pytest

from siems.vocabulary import Role

from .posting import Post
from .world import ACME, World


@pytest.fixture
def post(world: World) -> Post:
    """Maria is told of what opens; every alert of one signature is in one incident."""
    found = Post(world)
    world.settings(ACME, strategy="signature")
    world.hire("maria", Role.TECHNICIAN, ACME)
    return found


def test_it_quotes_what_the_tools_say_the_worst_and_newest_first(world: World, post: Post) -> None:
    for number, severity in enumerate(("MEDIUM", "HIGH", "LOW", "CRITICAL", "HIGH")):
        world.fires(f"web-{number}", severity=severity, message=f"load is\n  9.{number}")
        world.clock.advance(seconds=1)
    [parcel] = [parcel for parcel in post.due() if parcel.event == "incident.opened"]
    assert parcel.text[4:7] == ("web-3: load is 9.3", "web-4: load is 9.4", "web-1: load is 9.1")
    assert parcel.text[7] == "owner: nobody"


def test_it_quotes_nothing_that_is_over_or_was_not_said_and_no_more_than_a_line(world: World, post: Post) -> None:
    world.fires("web-0", message="x" * 5_000)
    world.fires("web-1", message=" ")
    world.fires("web-2", message="all is well again")
    world.recovers("web-2")
    [parcel] = [parcel for parcel in post.due() if parcel.event == "incident.opened"]
    assert parcel.text[4:6] == ("web-0: " + "x" * 200, "owner: nobody")
