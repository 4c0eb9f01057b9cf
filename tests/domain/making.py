"""Instants, people, readings and incidents for the tests of the domain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from siems.domain import sla
from siems.domain.alert import Reading
from siems.domain.incident import Incident
from siems.domain.lifecycle import Outcome, apply
from siems.domain.moves import Command
from siems.domain.permissions import Actor
from siems.vocabulary import Action, Category, Role, Severity, State

T0 = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
ACME = "comp-acme"
TARGET = sla.Target(timedelta(hours=2), timedelta(hours=8))


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def person(name: str, role: Role = Role.TECHNICIAN, *scope: str) -> Actor:
    """Somebody of Acme unless a scope is named."""
    return Actor(f"user-{name}", name, role, frozenset(scope or (ACME,)))


ANA = person("ana")
BEN = person("ben")
MARA = person("mara", Role.MANAGER)


def incident(**changes: Any) -> Incident:
    """A HIGH incident of Acme that opened at T0."""
    facts: dict[str, Any] = {
        "id": 42, "company_id": ACME, "title": "High CPU usage on web-1", "severity": Severity.HIGH,
        "state": State.OPEN, "category": Category.CPU, "rule": "auto:1", "signature": "high_cpu",
        "created_at": T0, "last_alert_at": T0, "clocks": sla.begin(TARGET, now=T0), "sla_snapshot": "s",
        "policy_snapshot": "p", "assets": ("web-1",), "asset_count": 1, "alert_count": 1, "active_count": 1,
    }  # fmt: skip
    return Incident(**(facts | changes))


def reading(asset: str = "web-1", signature: str = "high_cpu", **changes: Any) -> Reading:
    """A HIGH alert of Datadog."""
    facts: dict[str, Any] = {
        "asset_name": asset, "signature": signature, "severity": Severity.HIGH, "original_severity": "high",
        "message": "CPU at 95%", "tool_source": "Datadog",
    }  # fmt: skip
    return Reading(**(facts | changes))


def act(on: Incident, action: Action, actor: Actor = ANA, *, now: datetime = T0, **more: Any) -> Outcome:
    """Do one thing, with a note and a reason unless others are given."""
    given: dict[str, Any] = {"note": "done", "reason": "because", "target": TARGET}
    return apply(on, Command(action=action, actor=actor, now=now, **(given | more)))


def after(on: Incident, *actions: Action, actor: Actor = ANA, now: datetime = T0) -> Incident:
    """The incident after somebody did these things, one after the other."""
    for action in actions:
        on = act(on, action, actor, now=now).incident
    return on
