"""Assignment: who should take an incident, by one of several strategies, with the scores of everybody (DOMAIN §10).

A strategy rates those who may be given work. Of two with the same score, the one comes first who was given something
longest ago. Busy people come into question where nobody is free, those who are away only while they are on call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from siems.registry import Registry
from siems.vocabulary import Availability, Category

SKILL, ON_CALL, FREE = 40, 30, 20
LOAD, LOAD_AT_MOST = 5, 50
"""Points of `best_match`; each open incident costs `LOAD`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody who might take it, as far as a strategy may know.

    `on_call`: their place in the order in which people are paged, from 1; 0 for those who are not.
    """

    id: str
    name: str
    skills: frozenset[Category] = frozenset()
    availability: Availability = Availability.AVAILABLE
    on_call: int = 0
    open: int = 0
    assigned_at: datetime | None = None

    @property
    def asked(self) -> bool:
        """Whether they may be given work at all."""
        return self.on_call > 0 or self.availability is not Availability.AWAY

    @property
    def free(self) -> bool:
        return self.availability is Availability.AVAILABLE


@dataclass(frozen=True, slots=True)
class Rated:
    """A candidate with what a strategy makes of them; `terms` add up to the score.

    Without `fit` they get nothing; with `later` only where nobody else is fit.
    """

    candidate: Candidate
    terms: dict[str, int] = field(default_factory=dict)
    fit: bool = True
    later: bool = False

    @property
    def score(self) -> int:
        return sum(self.terms.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What came of it: whom the strategy chose (None: nobody), and everybody it looked at, the best first."""

    strategy: str
    category: Category
    rated: tuple[Rated, ...]

    @property
    def chosen(self) -> Candidate | None:
        first = self.rated[0] if self.rated else None
        return first.candidate if first is not None and first.fit else None


Strategy = Callable[[Sequence[Candidate], Category], list[Rated]]

MANUAL = "manual"
"""No strategy: people assign."""

STRATEGIES: Registry[Strategy] = Registry(
    "assignment",
    {
        "best_match": "siems.domain.assignment:best_match",
        "round_robin": "siems.domain.assignment:round_robin",
        "least_loaded": "siems.domain.assignment:least_loaded",
        "on_call": "siems.domain.assignment:on_call",
    },
)


def choose(strategy: str, candidates: Sequence[Candidate], category: Category) -> Choice:
    """Rate everybody and order them, the best first; the order of the candidates makes no difference."""
    rated = STRATEGIES.get(strategy)(candidates, category)

    def order(one: Rated) -> tuple[bool, bool, int, bool, float, str]:
        who = one.candidate
        since = who.assigned_at.timestamp() if who.assigned_at is not None else 0.0
        return (not one.fit, one.later, -one.score, who.assigned_at is not None, since, who.id)

    return Choice(strategy=strategy, category=category, rated=tuple(sorted(rated, key=order)))


def best_match(candidates: Sequence[Candidate], category: Category) -> list[Rated]:
    """Skills for the category, being on call and free, less what they have open already."""
    return [
        Rated(
            c,
            {
                "skill": SKILL if category in c.skills else 0,
                "on_call": ON_CALL if c.on_call else 0,
                "available": FREE if c.free else 0,
                "workload": -min(c.open * LOAD, LOAD_AT_MOST),
            },
            c.asked,
        )
        for c in candidates
    ]


def round_robin(candidates: Sequence[Candidate], category: Category) -> list[Rated]:
    """Everybody in turn: all are worth the same, so whoever was given something longest ago comes first."""
    return [Rated(c, {}, c.asked, later=not c.free) for c in candidates]


def least_loaded(candidates: Sequence[Candidate], category: Category) -> list[Rated]:
    """Whoever has the fewest open incidents."""
    return [Rated(c, {"workload": -c.open}, c.asked, later=not c.free) for c in candidates]


def on_call(candidates: Sequence[Candidate], category: Category) -> list[Rated]:
    """Whoever is on call, the first of them first."""
    last = max((c.on_call for c in candidates), default=0)
    return [Rated(c, {"on_call": last + 1 - c.on_call if c.on_call else 0}, c.on_call > 0) for c in candidates]
