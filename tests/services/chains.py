"""Policies for the tests of the services: made from a document, given to Acme."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from siems.services import policies, policy_views
from siems.vocabulary import MSP
from siems.wire import PolicyAsk, PolicyEdit, PolicyTrial, PolicyTrialAsk

from .world import ACME, ROOT, VAULT, World


def policy(world: World, *steps: dict[str, Any], name: str = "night", company: str = ACME, **more: Any) -> str:
    """A policy of these steps that the company uses from now on; its id."""
    ask = PolicyAsk(name=name, policy={"steps": list(steps), **more})
    made = world.do(policies.create, ROOT, MSP, ask, VAULT, companies=(MSP,))
    world.settings(company, policy=made.id)
    return str(made.id)


def step(*targets: str, wait: Any = "10m", **more: Any) -> dict[str, Any]:
    return {"targets": list(targets), **({"wait": wait} if wait else {}), **more}


def change(world: World, policy_id: str, **ask: Any) -> bool:
    """Whether it changed."""
    return bool(world.do(policies.edit, ROOT, policy_id, PolicyEdit(**ask), VAULT, companies=(MSP, ACME))[1])


def trial(world: World, policy_id: str, *, severity: str = "HIGH", at: datetime | None = None) -> PolicyTrial:
    ask = PolicyTrialAsk(severity=severity, at=at)
    found = world.do(lambda uow: policy_views.trial(uow, ROOT, policy_id, ACME, ask))
    assert isinstance(found, PolicyTrial)
    return found


def on_call(monkeypatch: pytest.MonkeyPatch, world: World, *names: str, **schedules: str) -> None:
    """Who is on call from now on, for every company; and by schedule."""

    def people(uow: Any, words: Any) -> list[Any]:
        return [person for person in map(uow.person, words) if person is not None]

    monkeypatch.setattr("siems.services.staffing.on_call", lambda uow, company, at=None: people(uow, names))
    monkeypatch.setattr("siems.services.escalations.on_call", lambda uow, company, at=None: people(uow, names))
    monkeypatch.setattr(
        "siems.services.staffing.on_schedule",
        lambda uow, schedule, at=None: people(uow, [schedules[schedule]] if schedule in schedules else []),
    )


def available(world: World, user_id: str, word: str) -> None:
    """Somebody says that they are available, busy or away."""
    from sqlalchemy import text

    def verb(uow: Any) -> None:
        uow.connection.execute(
            text("UPDATE user_account SET availability = :w WHERE id = :i"), {"w": word, "i": user_id}
        )
        uow.journal.drop(uow.memory.people_loaded, MSP)

    world.do(verb, companies=(MSP,))
