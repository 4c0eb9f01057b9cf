"""Escalation policies as JSON: in their rows, and in the snapshots of incidents.

What is as it was when a field was added is left out, so that a policy keeps the name of its content.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Any

from siems.domain.conditions import Condition, Window
from siems.domain.escalation import DEFAULT_POLICY, Policy, Step, StepTarget, TargetKind
from siems.vocabulary import Severity


def policy_json(policy: Policy) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": policy.name,
        "repeat": policy.repeat,
        "reassign": policy.reassign,
        "steps": [_step_json(step) for step in policy.steps],
    }
    if policy.opening_hours:
        found["opening_hours"] = True
    if policy.ack_timeouts != DEFAULT_POLICY.ack_timeouts:
        found["ack_timeouts"] = _spans_json(policy.ack_timeouts)
    if policy.strategies != DEFAULT_POLICY.strategies:
        found["strategies"] = {name: dict(params) for name, params in policy.strategies.items()}
    return found


def _spans_json(spans: Mapping[Severity, timedelta]) -> dict[str, float]:
    return {severity.name: span.total_seconds() for severity, span in sorted(spans.items())}


def _step_json(step: Step) -> dict[str, Any]:
    found: dict[str, Any] = {
        "level": step.level,
        "targets": [[target.kind.value, target.name] for target in step.targets],
        "waits": _spans_json(step.waits),
    }
    if not step.important:
        found["important"] = False
    if step.condition is not None:
        c, w = step.condition, step.condition.window
        found["condition"] = {
            "severities": [severity.name for severity in c.severities],
            "priority": c.priority,
            "window": w and [list(w.days), f"{w.starts:%H:%M}", f"{w.ends:%H:%M}", w.zone],
        }
    return found


def policy_from(data: Mapping[str, Any]) -> Policy:
    given: dict[str, Any] = {name: data[name] for name in ("opening_hours", "strategies") if name in data}
    if "ack_timeouts" in data:
        given["ack_timeouts"] = _spans_from(data["ack_timeouts"])
    return Policy(
        name=data["name"],
        repeat=data["repeat"],
        reassign=data["reassign"],
        steps=tuple(_step_from(step) for step in data["steps"]),
        **given,
    )


def _spans_from(data: Mapping[str, float]) -> dict[Severity, timedelta]:
    return {Severity[name]: timedelta(seconds=seconds) for name, seconds in data.items()}


def _step_from(data: Mapping[str, Any]) -> Step:
    return Step(
        data["level"],
        tuple(StepTarget(TargetKind(kind), name) for kind, name in data["targets"]),
        _spans_from(data["waits"]),
        data.get("important", True),
        _condition_from(data.get("condition")),
    )


def _condition_from(data: Mapping[str, Any] | None) -> Condition | None:
    if data is None:
        return None
    window = None
    if data["window"] is not None:
        days, starts, ends, zone = data["window"]
        window = Window(tuple(days), time.fromisoformat(starts), time.fromisoformat(ends), zone)
    return Condition(tuple(Severity[name] for name in data["severities"]), data["priority"], window)
