"""Runs as rows and back. The runbook lies in the row of its run as it was when it was asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, time, timedelta
from types import MappingProxyType
from typing import Any

from siems.clock import to_micros
from siems.domain.matchers import parse
from siems.domain.run import HostState, Plan, Run, RunHost, RunState
from siems.domain.runbook import Kind, OnFailure, Parameter, Phase, Runbook, Step
from siems.domain.self_heal import HealRule
from siems.domain.standing import Hours, Standing
from siems.vocabulary import Platform, Risk


def _micros(at: datetime | None) -> int | None:
    return None if at is None else to_micros(at)


# --- runbooks --------------------------------------------------------------------------------------------------


def _runbook_body(r: Runbook) -> dict[str, Any]:
    return {
        "name": r.name, "title": r.title, "category": r.category, "description": r.description, "risk": r.risk.value,
        "platforms": [p.value for p in r.platforms], "timeout": r.timeout.total_seconds(),
        "parameters": [asdict(p) for p in r.parameters], "matches": list(r.matches), "digest": r.digest,
        "phases": {phase.value: [_step_body(s) for s in steps] for phase, steps in r.phases.items()},
    }  # fmt: skip


def _step_body(step: Step) -> dict[str, Any]:
    timeout = None if step.timeout is None else step.timeout.total_seconds()
    scripts = {p.value: text for p, text in step.run.items()}
    return {"name": step.name, "run": scripts, "timeout": timeout, "on_failure": step.on_failure.value}


def _runbook_from(body: Mapping[str, Any]) -> Runbook:
    phases = {Phase(name): tuple(_step_from(s) for s in steps) for name, steps in body["phases"].items()}
    parameters = tuple(
        Parameter(**{**p, "kind": Kind(p["kind"]), "choices": tuple(p["choices"])}) for p in body["parameters"]
    )
    return Runbook(
        name=body["name"], title=body["title"], category=body["category"], description=body["description"],
        risk=Risk(body["risk"]), platforms=tuple(Platform(p) for p in body["platforms"]),
        timeout=timedelta(seconds=body["timeout"]), parameters=parameters, matches=tuple(body["matches"]),
        phases=MappingProxyType(phases), digest=body["digest"],
    )  # fmt: skip


def _step_from(body: Mapping[str, Any]) -> Step:
    timeout = None if body["timeout"] is None else timedelta(seconds=body["timeout"])
    scripts = {Platform(p): text for p, text in body["run"].items()}
    on_failure = OnFailure(body.get("on_failure", OnFailure.STOP))  # older ones do not say
    return Step(name=body["name"], run=MappingProxyType(scripts), timeout=timeout, on_failure=on_failure)


def _body(run: Run) -> str:
    plan = {
        "canary": run.plan.canary, "parallel": run.plan.parallel, "max_failures": run.plan.max_failures,
        "phases": [phase.value for phase in run.plan.phases],
    }  # fmt: skip
    return json.dumps({"runbook": _runbook_body(run.runbook), "plan": plan})


# --- runs ------------------------------------------------------------------------------------------------------


def run_row(r: Run) -> tuple[Any, ...]:
    """The values of the `run` table, in its order."""
    return (
        r.id, r.company_id, r.runbook.name, r.origin, r.runbook.digest, r.risk.value, _body(r), r.given,
        json.dumps(dict(r.shown)), r.incident_id, r.rollback_of, r.heals, r.state.value, r.detail, r.reason,
        r.requested_by, to_micros(r.requested_at), r.answered_by, _micros(r.answered_at), r.standing,
        _micros(r.started_at), _micros(r.ended_at), r.verified, r.lease_owner, r.lease_token, _micros(r.lease_until),
        r.output_bytes,
    )  # fmt: skip


def run_from(row: Any) -> Run:
    """The run of a row of `run`."""
    body = json.loads(row.body)
    plan = body["plan"]
    return Run(
        id=row.id, company_id=row.company_id, runbook=_runbook_from(body["runbook"]), origin=row.origin,
        risk=Risk(row.risk),
        plan=Plan(
            canary=plan["canary"], parallel=plan["parallel"], max_failures=plan["max_failures"],
            phases=tuple(Phase(p) for p in plan["phases"]),
        ),
        given=row.given, shown=json.loads(row.shown), incident_id=row.incident_id, rollback_of=row.rollback_of,
        heals=row.heals, state=RunState(row.state), detail=row.detail, reason=row.reason,
        requested_by=row.requested_by, requested_at=row.requested_at, answered_by=row.answered_by,
        answered_at=row.answered_at, standing=row.standing, started_at=row.started_at, ended_at=row.ended_at,
        verified=row.verified, lease_owner=row.lease_owner, lease_token=row.lease_token, lease_until=row.lease_until,
        output_bytes=row.output_bytes,
    )  # fmt: skip


def host_row(run_id: int, company_id: str, h: RunHost) -> tuple[Any, ...]:
    """The values of the `run_host` table, in its order."""
    return (
        run_id, h.name, company_id, h.position, h.platform.value, h.executor, h.state.value, h.phase, h.exit_code,
        h.detail, _micros(h.started_at), _micros(h.ended_at), h.output_bytes, h.step, _micros(h.asked_at), h.answer,
        h.answered_by,
    )  # fmt: skip


def host_from(row: Any) -> RunHost:
    """The host of a row of `run_host`."""
    return RunHost(
        name=row.host, position=row.position, platform=Platform(row.platform), executor=row.executor,
        state=HostState(row.state), phase=row.phase, exit_code=row.exit_code, detail=row.detail,
        started_at=row.started_at, ended_at=row.ended_at, output_bytes=row.output_bytes, step=row.step,
        asked_at=row.asked_at, answer=row.answer, answered_by=row.answered_by,
    )  # fmt: skip


# --- what is approved in advance, what heals -------------------------------------------------------------------


def standing_row(s: Standing) -> tuple[Any, ...]:
    """The values of the `standing_approval` table, in its order."""
    h = s.hours
    hours = {"from": h.starts.isoformat(), "until": h.ends.isoformat(), "days": list(h.days), "zone": h.zone}
    return (
        s.id, s.company_id, s.runbook, s.digest, json.dumps(s.targets), json.dumps(hours), s.reason, s.granted_by,
        to_micros(s.granted_at), to_micros(s.expires_at), s.revoked_by, _micros(s.revoked_at),
    )  # fmt: skip


def standing_from(row: Any) -> Standing:
    """The approval of a row of `standing_approval`."""
    h = json.loads(row.hours)
    hours = Hours(time.fromisoformat(h["from"]), time.fromisoformat(h["until"]), tuple(h["days"]), h["zone"])
    return Standing(
        id=row.id, company_id=row.company_id, runbook=row.runbook, digest=row.digest,
        targets=tuple(json.loads(row.targets)), hours=hours, reason=row.reason, granted_by=row.granted_by,
        granted_at=row.granted_at, expires_at=row.expires_at, revoked_by=row.revoked_by, revoked_at=row.revoked_at,
    )  # fmt: skip


def heal_row(r: HealRule) -> tuple[Any, ...]:
    """The values of the `self_heal` table, in its order."""
    assert r.set_at is not None
    rules = {
        "matchers": [str(m) for m in r.matchers], "max_hosts": r.max_hosts, "per_day": r.per_day,
        "cool_down": r.cool_down.total_seconds(), "wait": r.wait.total_seconds(), "executor": r.executor,
        "values": dict(r.values),
    }  # fmt: skip
    return (r.company_id, r.runbook, json.dumps(rules), r.digest, r.set_by, to_micros(r.set_at))


def heal_from(row: Any) -> HealRule:
    """The rule of a row of `self_heal`."""
    b = json.loads(row.rules)
    return HealRule(
        company_id=row.company_id, runbook=row.runbook, digest=row.digest, matchers=parse(b["matchers"]),
        max_hosts=b["max_hosts"], per_day=b["per_day"], cool_down=timedelta(seconds=b["cool_down"]),
        wait=timedelta(seconds=b["wait"]), executor=b["executor"], values=b["values"], set_by=row.set_by,
        set_at=row.set_at,
    )  # fmt: skip
