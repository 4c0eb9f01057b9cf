"""R12: people acknowledge while the step that waited for it falls due."""

from __future__ import annotations

import json
import random
import threading
from collections import defaultdict
from typing import Any

from siems.services import incidents as verbs
from siems.services.deadlines import fire
from siems.storage.repositories.deadlines import due_rows
from siems.storage.writer import Job
from siems.vocabulary import Action, Role
from siems.wire import ActAsk

from .world import ACME, World, reading


def race(world: World, count: int, *, at_once: int = 500) -> tuple[int, int]:
    """So many incidents whose first step is due are acknowledged meanwhile; (acks first, steps first)."""
    ana = world.hire("ana", Role.TECHNICIAN, ACME)
    world.hire("mara", Role.MANAGER, ACME)
    world.settings(ACME, correlation_enabled=False, rate_per_minute=1_000_000)
    rng = random.Random(12)
    for begin in range(0, count, at_once):
        number = min(at_once, count - begin)
        opened = world.take(*(reading(f"a{begin + n}", "disk_full", "HIGH") for n in range(number)))
        refs = [int(alert["incident_id"].removeprefix("INC-")) for alert in opened["alerts"]]
        world.clock.advance(minutes=15)
        _collide(world, ana, refs, rng)
    return _judge(world, count)


def _collide(world: World, actor: Any, refs: list[int], rng: random.Random) -> None:
    """Acks and due rows reach the one writer from two threads, in any order."""
    due = world.database.read_now(lambda c: due_rows(c, world.clock.now(), limit=10_000))
    steps = [row for row in due if row.kind == "escalation" and int(row.object.removeprefix("INC-")) in set(refs)]
    assert len(steps) == len(refs)
    rng.shuffle(steps)
    rng.shuffle(refs)
    fires = [Job(fire, (row,), (ACME,), False, None) for row in steps]
    acks = [Job(verbs.act, (actor, Action.ACK, ACME, ref, ActAsk()), (ACME,), False, None) for ref in refs]
    start = threading.Barrier(2)

    def put(jobs: list[Job]) -> None:
        for job in jobs:
            start.wait(10)  # side by side: neither gets all of its jobs in at once
            world.database.writer.put(job)

    threads = [threading.Thread(target=put, args=(jobs,)) for jobs in (fires, acks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for job in (*fires, *acks):
        job.wait()


def _judge(world: World, count: int) -> tuple[int, int]:
    """Nothing that waited for an ack came after it; and what came, came once."""
    story: dict[int, list[str]] = defaultdict(list)
    rows = world.rows(
        "SELECT incident_id, kind, data, text FROM timeline WHERE kind IN ('state', 'escalation') ORDER BY id"
    )
    for row in rows:
        data = json.loads(row["data"])
        word = data.get("cause") if row["kind"] == "escalation" else data.get("action")
        if word in ("unacknowledged", "ack"):
            story[row["incident_id"]].append(word)
    assert len(story) == count
    kinds = {tuple(words) for words in story.values()}
    assert kinds <= {("ack",), ("unacknowledged", "ack")}, kinds
    first = sum(words == ["ack"] for words in story.values())
    return first, count - first
