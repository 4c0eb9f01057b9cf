"""What placing one alert costs while many incidents are open, as ratios in one run."""

from __future__ import annotations

import gc
import random
import statistics
import time
from dataclasses import dataclass
from datetime import timedelta

from benchmarks.correlation import generator
from siems.domain.alert import Reading
from siems.domain.changing import replace
from siems.domain.correlation import Rules
from siems.domain.replay import TELLS_AFTER, Happening, replay
from siems.domain.sentences import words_of
from siems.domain.trails import shakes, spreads
from siems.vocabulary import Severity, Strategy

STEP = TELLS_AFTER
"""A replay tells after so many alerts; the time between two of these is measured."""
OPEN = 10_000
FEW = STEP
MEASURED = 2 * STEP
ROUNDS = 3
_NOUNS = ("queue", "mailbox", "volume", "tunnel", "license", "printer", "session", "replica", "cluster", "sensor")
_VERBS = ("stuck", "delayed", "refused", "missing", "detached", "expired", "degraded", "overdue", "rejected", "stale")


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds of CPU for each alert, medians over some rounds; `key` is what `asset|signature` takes."""

    few: float
    many: float
    key: float

    @property
    def added(self) -> float:
        """What the rules of `auto` add, in milliseconds."""
        return max(0.0, self.many - self.key) / 1_000


def measure() -> Cost:
    """The same storm with few and with many incidents open, all of them in the window."""
    edges, storm = _storm()
    rounds = [
        (_each(FEW, Rules(), edges, storm), _each(OPEN, Rules(), edges, storm),
         _each(OPEN, Rules(strategy=Strategy.ASSET_SIGNATURE), edges, storm))
        for _ in range(ROUNDS)
    ]  # fmt: skip
    few, many, key = (statistics.median(column) for column in zip(*rounds, strict=True))
    return Cost(few, many, key)


def told(spent: Cost) -> str:
    return (
        f"one alert with {OPEN:,} open incidents: {spent.many:.0f} µs of CPU for auto, {spent.key:.0f} µs for "
        f"asset|signature: auto adds {spent.added:.3f} ms; {spent.many / spent.few:.2f} times what it takes "
        f"with {FEW} open"
    )


def _each(open_: int, rules: Rules, edges: dict[str, tuple[str, ...]], storm: list[Happening]) -> float:
    marks: dict[int, float] = {}

    def told(number: int) -> None:
        marks[number] = time.process_time()

    before = _fillers(open_, storm[0])
    for known in (words_of, spreads, shakes):
        known.cache_clear()  # alerts of a storm are new to everybody
    gc.collect()
    gc.disable()  # a replay keeps all that it made: the collector would look at it again and again
    try:
        replay([*before, *storm], rules, edges, told=told)
    finally:
        gc.enable()
    return (marks[open_ + MEASURED] - marks[open_]) / MEASURED * 1e6


def _storm() -> tuple[dict[str, tuple[str, ...]], list[Happening]]:
    """Two days of several clients' faults as one client's, within a window; nothing recovers."""
    stream = generator.make(seed=7)
    edges = {f"{t.name}-{a}": tuple(f"{t.name}-{b}" for b in bs)
             for t in stream.tenants.values() for a, bs in t.edges.items()}  # fmt: skip
    found = []
    for tenant in stream.tenants.values():
        for happening in tenant.stream:
            reading = replace(happening.reading, asset_name=f"{tenant.name}-{happening.reading.asset_name}")
            found.append(replace(happening, reading=reading))
    found.sort(key=lambda h: (h.at, h.id))
    names: dict[str, Happening] = {}
    for happening in found:
        names.setdefault(happening.reading.fingerprint("storm"), happening)
    every = timedelta(minutes=14) / MEASURED
    begins = generator.START
    unique = list(names.items())[:MEASURED]
    return edges, [
        replace(h, id=OPEN + n, at=begins + n * every, fingerprint=name, repeats=0, last_at=None, over_at=None)
        for n, (name, h) in enumerate(unique, 1)
    ]  # fmt: skip


def _fillers(count: int, first: Happening) -> list[Happening]:
    """Incidents that have nothing to do with each other, in the minute before."""
    chance = random.Random(11)
    found = []
    for number in range(count):
        noun, verb = chance.choice(_NOUNS), chance.choice(_VERBS)
        reading = Reading(
            asset_name=f"box-{number}", signature=f"{noun}.{verb}.{number}", severity=Severity.LOW,
            original_severity="", message=f"{noun} {number} of tenant{number % 97} is {verb}", tool_source="Zabbix",
        )  # fmt: skip
        at = first.at - timedelta(minutes=1) * (count - number) / count
        found.append(Happening(id=number - count, at=at, reading=reading, fingerprint=f"filler-{number}"))
    return found
