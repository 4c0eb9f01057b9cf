"""Runs of runbooks, their approval, and how hosts are reached."""

from __future__ import annotations

from datetime import datetime

import msgspec

from siems.wire.run_steps import RunStepView
from siems.wire.shapes import Ask, Wire


class RunHostView(Wire):
    """One host of a run; `phase` and `step` say where it is, or ended.

    `asked_at`: since when it asks, or asked last; `answer` is what was said to that; `actions` may be said now.
    """

    name: str
    platform: str
    executor: str
    state: str
    phase: str
    exit_code: int | None
    detail: str
    started_at: datetime | None
    ended_at: datetime | None
    output_bytes: int
    steps: list[RunStepView]
    step: int = 0
    asked_at: datetime | None = None
    answer: str = ""
    answered_by: str | None = None
    answered_by_name: str | None = None
    actions: list[str] = msgspec.field(default_factory=list)


class RunView(Wire):
    """A run. `hosts_*` count its hosts; `actions` is what this reader may do now.

    `until`: it is stopped then if it has not ended, also while it asks.
    """

    id: str
    company_id: str
    company: str
    runbook: str
    title: str
    risk: str
    origin: str
    digest: str
    state: str
    detail: str
    reason: str
    incident_id: str | None
    rollback_of: str | None
    self_healing: bool
    verified: bool
    values: dict[str, str]
    canary: int
    parallel: int
    max_failures: int
    requested_by: str
    requested_by_name: str
    requested_at: datetime
    expires_at: datetime | None
    answered_by: str | None
    answered_by_name: str | None
    answered_at: datetime | None
    standing: str
    started_at: datetime | None
    ended_at: datetime | None
    hosts_total: int
    hosts_done: int
    hosts_succeeded: int
    hosts_failed: int
    hosts_asking: int
    until: datetime | None
    output_bytes: int
    actions: list[str]


class RunDetail(RunView):
    hosts: list[RunHostView]


class RunCommand(Wire):
    """What is run on a host, as its shell reads it; secrets are masked."""

    phase: str
    step: str
    shell: str
    script: str
    timeout_seconds: int
    on_failure: str = "stop"


class RunScripts(Wire):
    """What a run does on each of its hosts with this platform, in order."""

    platform: str
    commands: list[RunCommand]


class RunTarget(Wire):
    """A host that a run would reach, and how."""

    name: str
    platform: str
    executor: str
    address: str
    note: str
    commands: list[RunCommand]


class RunPlan(Wire):
    """What a run would do, and to whom. `approval` is who has to approve it, empty where nobody has to."""

    company_id: str
    company: str
    runbook: str
    title: str
    origin: str
    risk: str
    approval: str
    approvers: list[str]
    standing: str
    values: dict[str, str]
    targets: list[RunTarget]
    notes: list[str]


class RunAsk(Ask):
    """A run of a runbook on assets of a company, or of an incident: all of its assets unless hosts are named.

    For HIGH `confirm` is the id of the company. `request_approval` has a LOW run approved, too.
    """

    runbook: str
    company: str = ""
    incident: str = ""
    hosts: list[str] = msgspec.field(default_factory=list)
    values: dict[str, str | int | bool] = msgspec.field(default_factory=dict)
    executor: str = ""
    parallel: int = 4
    canary: int = 1
    max_failures: int = 0
    request_approval: bool = False
    confirm: str = ""
    reason: str = ""


class RunMade(Wire):
    run: RunDetail
    plan: RunPlan


class RunAnswerAsk(Ask):
    """`confirm`: the run's id, or for HIGH the id of its company."""

    confirm: str = ""
    reason: str = ""


class RunHostAnswerAsk(Ask):
    """`answer`: skip, retry, hold or go-on, for all of these hosts."""

    answer: str
    hosts: list[str]
    reason: str = ""


class RunChanged(Wire):
    run: RunDetail
    changed: bool


class RunPiece(Wire):
    """Something that a host printed; `error` is its other stream. `id` grows in the order in which it was stored."""

    id: int
    host: str
    number: int
    phase: str
    step: str
    error: bool
    at: datetime
    text: str
    attempt: int = 1


class RunOutput(Wire):
    """A stretch of what was printed; go on after `next`. `over`: the run has ended, and this is all."""

    items: list[RunPiece]
    next: int
    over: bool


# --- settings ----------------------------------------------------------------------------------------------------


class StandingView(Wire):
    """An approval that was given in advance."""

    id: str
    company_id: str
    company: str
    runbook: str
    digest: str
    targets: list[str]
    hours: str
    reason: str
    granted_by: str
    granted_by_name: str
    granted_at: datetime
    expires_at: datetime
    state: str


class StandingAsk(Ask):
    """`targets` are names with `*`; `hours` 22:00-06:00, `days` mon,tue. Until `expires_at`, or for `seconds`."""

    company: str
    runbook: str
    targets: list[str]
    hours: str = ""
    days: str = ""
    time_zone: str = "UTC"
    expires_at: datetime | None = None
    seconds: int | None = None
    confirm: str = ""
    reason: str = ""


class HealView(Wire):
    """What may run by itself. `state` says why not, where it may not."""

    company_id: str
    company: str
    runbook: str
    matchers: list[str]
    max_hosts: int
    per_day: int
    cool_down_seconds: int
    wait_seconds: int
    executor: str
    values: dict[str, str]
    set_by: str
    set_by_name: str
    set_at: datetime | None
    state: str
    runs: int
    succeeded: int


class HealAsk(Ask):
    matchers: list[str]
    max_hosts: int = 5
    per_day: int = 10
    cool_down_seconds: int = 3600
    wait_seconds: int = 30
    executor: str = ""
    values: dict[str, str | int | bool] = msgspec.field(default_factory=dict)
    reason: str = ""


class ReasonAsk(Ask):
    reason: str = ""


class RunRuleView(Wire):
    """As which risk the runs of a company count."""

    company_id: str
    low: str
    medium: str
    high: str


class RunRuleAsk(Ask):
    low: str | None = None
    medium: str | None = None
    reason: str = ""


class HostLoginView(Wire):
    """How an executor logs in to a company's hosts; `secrets` are the names of what is kept encrypted."""

    company_id: str
    company: str
    executor: str
    username: str
    port: int | None
    known_hosts: int
    options: dict[str, str]
    secrets: list[str]
    updated_by: str
    updated_at: datetime


class HostLoginAsk(Ask):
    """`secrets`: password, private_key, passphrase; what is left out stays as it is."""

    username: str | None = None
    port: int | None = None
    known_hosts: str | None = None
    options: dict[str, str] = msgspec.field(default_factory=dict)
    secrets: dict[str, str] = msgspec.field(default_factory=dict)
    reason: str = ""
