"""Advice for the tests of services: looked for, given, judged and shown."""

from __future__ import annotations

from typing import Any

from siems.domain.advice import Insight, Pattern
from siems.domain.advice_rules import advise
from siems.domain.drafts import read_draft
from siems.domain.permissions import Actor
from siems.services import advice_views, advising, insights, judging
from siems.vocabulary import Severity
from siems.wire import AdviceAsk

from .world import ACME, ROOT, World

ORDER = ("local",)


def looks(world: World, ref: str = "INC-1", *, company: str = ACME) -> bool:
    """As the daemon does with the local advisor; whether anything was kept."""
    number = int(ref.removeprefix("INC-"))
    world.clock.advance(seconds=10)
    work = world.do(advising.claim, number, company, companies=(company,))
    if work is None:
        return False
    known = world.database.read_now(insights.background, company, world.clock.now())
    question = world.database.read_now(insights.question_of, company, number, known, world.clock.now())
    kept: bool = world.do(
        advising.keep, work, read_draft(advise(question), question, "local"), companies=(company,)
    )  # fmt: skip
    return kept


def insight(**more: Any) -> Insight:
    facts: dict[str, Any] = {
        "provider": "gemini", "pattern": Pattern.ISOLATED, "root_cause": "x", "recommendation": "y", "confidence": 0.8,
    }  # fmt: skip
    return Insight(**(facts | more))


def told(world: World, ref: str = "INC-1", **values: Any) -> None:
    """Somebody advises this."""
    world.clock.advance(seconds=10)
    number = int(ref.removeprefix("INC-"))
    incident = world.incident(ref)
    world.do(lambda uow: uow.advice.queue(incident, uow.now), companies=(incident.company_id,))
    work = world.do(advising.claim, number, incident.company_id, companies=(incident.company_id,))
    assert work is not None
    assert world.do(advising.keep, work, insight(**values), companies=(incident.company_id,))


def lower(world: World, **more: Any) -> None:
    told(world, severity=Severity.LOW, severity_confidence=0.9, severity_why="it says so", **more)


def raise_(world: World, confidence: float = 0.9) -> None:
    told(world, severity=Severity.CRITICAL, severity_confidence=confidence)


def judge(world: World, actor: Actor, verdict: str, ref: str = "INC-1", **more: Any) -> Any:
    number = int(ref.removeprefix("INC-"))
    return world.do(judging.judge, actor, ACME, number, AdviceAsk(verdict=verdict, **more))


def view(world: World, ref: str = "INC-1", actor: Actor = ROOT) -> Any:
    return world.database.read_now(advice_views.show, ref, actor, ORDER)
