"""A count by hand over what happened: webhooks' answers and the audit log of random histories."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from siems.clock import from_micros
from siems.domain.measures import Measure
from siems.domain.permissions import Actor
from siems.services.analytics_sql import Range

from .world import ACME, BETA, World

HUMAN = ("incident.acknowledged", "incident.started", "incident.resolved")
SEVERITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
TOOLS = ("Datadog", "Zabbix")


# --- the hand count --------------------------------------------------------------------------------------------


@dataclass
class Case:
    """One incident as its events tell it."""

    ref: str
    company: str
    severity: str
    tool: str
    opened: datetime
    technician: str = "none"
    alerts: list[datetime] = field(default_factory=list)
    answered: datetime | None = None
    resolved: datetime | None = None
    healed: bool = False
    reopened: bool = False
    escalations: int = 0
    met: bool = False
    cancelled: bool = False
    late: set[str] = field(default_factory=set)

    def told(self, at: datetime, actor: str, action: str, details: Mapping[str, Any]) -> None:
        """One line of the audit log."""
        person = actor != "system"
        if action in HUMAN and person and not self.cancelled:  # a response that nobody waits for is not answered
            self.answered, self.met = self.answered or at, True
        if action == "incident.resolved":
            self.resolved, self.healed = at, not person
            self.cancelled = self.cancelled or not (person or self.met)
        elif action == "incident.reopened":
            self.resolved, self.reopened, self.healed = None, True, False
            if not person:
                self.met = self.cancelled = False
        elif action == "incident.escalated":
            self.escalations += 1
        elif action == "sla.breached":
            self.late.add(details["clock"])

    @property
    def response(self) -> str:
        if "response" in self.late:
            return "breached"
        return "in_time" if self.met else "cancelled" if self.cancelled or self.resolved else "running"

    @property
    def resolution(self) -> str:
        return "breached" if "resolution" in self.late else "in_time" if self.resolved else "running"


Keys = Callable[[Case, datetime], set[str]]
BY: dict[str, Keys] = {
    "company": lambda case, at: {case.company},
    "severity": lambda case, at: {case.severity},
    "technician": lambda case, at: {case.technician},
    "tool": lambda case, at: {case.tool},
    "hour": lambda case, at: {f"{case.opened:%H}"},
    "day": lambda case, at: {f"{at:%Y-%m-%d}"},
}


def hand(cases: Iterable[Case], span: Range, key: Callable[[Case, datetime], bool]) -> dict[Measure, float | None]:
    """Every measure of a group, counted one by one."""

    def within(at: datetime | None, case: Case) -> bool:
        return at is not None and span.since <= at < span.until and key(case, at)

    cases = list(cases)
    opened = [case for case in cases if within(case.opened, case)]
    answers = sorted((case.answered - case.opened).total_seconds() for case in cases
                     if case.answered and within(case.answered, case))  # fmt: skip
    done = [case for case in cases if within(case.resolved, case)]
    times = sorted((case.resolved - case.opened).total_seconds() for case in done if case.resolved)
    alerts = sum(len(case.alerts) for case in opened)

    def kept(clock: str) -> dict[str, int]:
        found: dict[str, int] = defaultdict(int)
        for case in opened:
            found[getattr(case, clock)] += 1
        return found

    response, resolution = kept("response"), kept("resolution")
    return {
        Measure.OPENED: len(opened), Measure.RESOLVED: len(done), Measure.ALERTS: alerts,
        Measure.REOPENED: sum(case.reopened for case in opened),
        Measure.ESCALATED: sum(case.escalations > 0 for case in opened),
        Measure.ESCALATION_RATE: share(sum(case.escalations > 0 for case in opened), len(opened)),
        Measure.NOISE_REDUCTION: share(alerts - len(opened), alerts),
        Measure.SELF_HEALED: sum(case.healed for case in done),
        Measure.SELF_HEALED_RATE: share(sum(case.healed for case in done), len(done)),
        Measure.ANSWERED: len(answers), Measure.MTTA: mean(answers), Measure.MTTR: mean(times),
        Measure.MTTA_MEDIAN: rank(answers, 50), Measure.MTTA_P90: rank(answers, 90),
        Measure.MTTR_MEDIAN: rank(times, 50), Measure.MTTR_P90: rank(times, 90),
        Measure.OPEN_NOW: sum(case.resolved is None and key(case, case.opened) for case in cases),
        Measure.RESPONSE: share(response["in_time"], response["in_time"] + response["breached"]),
        Measure.RESPONSE_IN_TIME: response["in_time"], Measure.RESPONSE_BREACHED: response["breached"],
        Measure.RESPONSE_CANCELLED: response["cancelled"], Measure.RESPONSE_RUNNING: response["running"],
        Measure.RESOLUTION: share(resolution["in_time"], resolution["in_time"] + resolution["breached"]),
        Measure.RESOLUTION_IN_TIME: resolution["in_time"], Measure.RESOLUTION_BREACHED: resolution["breached"],
        Measure.RESOLUTION_RUNNING: resolution["running"],
    }  # fmt: skip


def share(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


def mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def rank(values: list[float], percent: int) -> float | None:
    """The first value that at least so many of a hundred do not exceed."""
    return next((v for i, v in enumerate(values, 1) if 100 * i >= percent * len(values)), None)


# --- histories -------------------------------------------------------------------------------------------------


class History:
    """What a random week brings to two clients."""

    def __init__(self, world: World, ana: Actor, seed: int) -> None:
        self.world, self.ana, self.random = world, ana, Random(seed)
        self.cases: dict[str, Case] = {}
        self.began = world.clock.now()

    def run(self, moves: int) -> None:
        for _ in range(moves):
            self.world.passes(minutes=self.random.choice((1, 7, 45, 200, 600)))
            self.random.choices((self.alert, self.act), (5, 6))[0]()
        self._read_audit()

    def alert(self) -> None:
        number, random = self.random.randrange(8), self.random
        company, severity, tool = (ACME, BETA)[number % 2], SEVERITIES[number % 4], TOOLS[number // 2 % 2]
        known = [case for case in self.cases.values() if case.ref in self._open(company)]
        now, asset = self.world.clock.now(), f"asset-{number}"
        if known and random.random() < 0.4:
            self.world.recovers(asset, asset, company=company, severity=severity, tool_source=tool)
            return
        answer = self.world.fires(asset, asset, severity, company=company, tool_source=tool)
        ref = answer["incident_id"]
        self.cases.setdefault(ref, Case(ref, company, severity, tool, now)).alerts.append(now)

    def _open(self, company: str) -> set[str]:
        return {case.ref for case in self.cases.values() if case.company == company}

    def act(self) -> None:
        if not self.cases:
            return
        case = self.random.choice(list(self.cases.values()))
        can = {"OPEN": ("ack", "start"), "ASSIGNED": ("ack", "start", "resolve"), "IN_PROGRESS": ("resolve",),
               "RESOLVED": ("reopen",)}.get(self.world.incident(case.ref).state.value, ())  # fmt: skip
        if can:
            self.world.act(self.ana, self.random.choice(can), case.ref, company=case.company, note="n", reason="r")

    def _read_audit(self) -> None:
        lines = self.world.rows(
            "SELECT e.at, e.actor, e.action, e.object, d.details FROM audit_entry e LEFT JOIN audit_detail d"
            " ON d.chain = e.chain AND d.seq = e.seq WHERE e.object LIKE 'INC-%' ORDER BY e.at, e.seq"
        )
        for line in lines:
            actor = "system" if line["actor"].startswith("system") else line["actor"]
            self.cases[line["object"]].told(
                from_micros(line["at"]), actor, line["action"], json.loads(line["details"] or "{}")
            )
        for case in self.cases.values():
            case.technician = self.world.incident(case.ref).assignee or "none"
