"""R12 in small: no step that waits for an ack fires after the ack was answered; a breach still does."""

from __future__ import annotations

import json

from .racing import race
from .world import World


def test_an_ack_races_the_step_that_waits_for_it(world: World) -> None:
    before, after = race(world, 200)
    assert before + after == 200
    assert min(before, after) > 20, "this was no race"
    world.passes(hours=1)
    assert world.count("timeline", "kind = 'escalation' AND data LIKE '%unacknowledged%'") == after


def test_a_resolution_breach_escalates_although_it_was_acknowledged(world: World) -> None:
    race(world, 20)
    world.passes(hours=8)
    rows = world.rows("SELECT data FROM timeline WHERE kind = 'escalation'")
    breaches = [row for row in rows if json.loads(row["data"] or "{}").get("cause") == "sla_breach"]
    assert len(breaches) == 20
