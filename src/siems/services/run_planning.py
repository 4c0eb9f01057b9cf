"""What a run would do before anything is asked for: its hosts, values, commands, and who has to approve it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from siems.domain.permissions import Actor, Permission
from siems.domain.run import Plan, Run, RunHost, approval_by, may_approve
from siems.domain.run_output import MASK
from siems.domain.run_script import with_values
from siems.domain.runbook import Phase, Runbook, Shell
from siems.domain.runbook_found import Found
from siems.domain.runbook_values import environment, values
from siems.domain.standing import Standing
from siems.errors import InvalidField
from siems.services import runbooks
from siems.services.run_targets import Target, targets
from siems.storage.people import Person
from siems.storage.repositories.runs import rule_of, standing_of
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Platform, Risk
from siems.wire import RunAsk, RunCommand, RunPlan, RunScripts, RunTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A run that could be asked for."""

    found: Found
    values: Mapping[str, str]
    targets: tuple[Target, ...]
    plan: Plan
    risk: Risk
    asked: bool
    """Whether somebody has to approve it."""
    approvers: tuple[Person, ...] = ()
    standing: Standing | None = None
    notes: tuple[str, ...] = ()

    @property
    def hosts(self) -> list[str]:
        return [target.host.name for target in self.targets]


def prepare(
    uow: UnitOfWork, actor: Actor, company_id: str, incident_id: int | None, ask: RunAsk, *, local: bool
) -> Planned:  # fmt: skip
    """Everything is looked at before anything is asked for. Raises InvalidField, NotFound, Forbidden."""
    found = runbooks.find(uow.connection, company_id, ask.runbook)
    plan = Plan(canary=ask.canary, parallel=ask.parallel, max_failures=ask.max_failures).checked()
    if not found.runbook.phases.get(Phase.STEPS):
        raise InvalidField(f"{found.runbook.name} has no steps", hint=f"siems runbook show {found.runbook.name}")
    given = values(found.runbook, ask.values)
    executor = ask.executor.strip().lower()
    where = targets(uow.connection, company_id, incident_id, ask.hosts, found, executor, local=local)
    risk = rule_of(uow.connection, company_id).counts_as(found.effective_risk)
    planned = Planned(
        found=found, values=given, targets=tuple(where), plan=plan, risk=risk,
        asked=ask.request_approval or risk is not Risk.LOW,
    )  # fmt: skip
    return _answered(uow, actor, company_id, planned) if planned.asked else planned


def _answered(uow: UnitOfWork, actor: Actor, company_id: str, planned: Planned) -> Planned:
    """With who may approve it, or with what has been approved in advance."""
    name, digest = planned.found.runbook.name, planned.found.runbook.digest
    notes = []
    for standing in standing_of(uow.connection, company_id):
        if standing.runbook != name or not standing.alive(uow.now):
            continue
        why = standing.refusal(runbook=name, digest=digest, hosts=planned.hosts, now=uow.now)
        if not why:
            return replace(planned, standing=standing, asked=False)
        notes.append(f"{standing.ref} does not cover this: {why}")
    people = tuple(approvers(uow, company_id, planned.risk, actor.id))
    if not people:
        notes.append("nobody but you could approve this")
    return replace(planned, approvers=people, notes=tuple(notes))


def approvers(uow: UnitOfWork, company_id: str, risk: Risk, requested_by: str) -> list[Person]:
    """Everybody who may approve such a run of this requester."""
    return [
        person
        for person in uow.people()
        if may_approve(Actor(person.id, person.name, person.role, person.scope), company_id, risk, requested_by)
    ]


# --- for people ------------------------------------------------------------------------------------------------


def shown_values(runbook: Runbook, given: Mapping[str, str]) -> dict[str, str]:
    """Values without the secret ones."""
    secret = {parameter.name for parameter in runbook.parameters if parameter.secret}
    return {name: MASK if name in secret and value else value for name, value in given.items()}


def plan_view(uow: UnitOfWork, planned: Planned, company_id: str) -> RunPlan:
    """What people look at before they say yes."""
    found, runbook = planned.found, planned.found.runbook
    company = uow.company(company_id).name
    shown = shown_values(runbook, planned.values)
    notes = list(planned.notes)
    if not found.approved:
        notes.append("its content has not been approved, so it counts as high risk")
    elif planned.risk is not found.effective_risk:
        notes.append(f"{company} has {found.effective_risk.value} risk approved as {planned.risk.value}")
    return RunPlan(
        company_id=company_id, company=company, runbook=runbook.name, title=runbook.title, origin=found.origin.value,
        risk=planned.risk.value, approval=_approval(planned), approvers=[p.name for p in planned.approvers],
        standing=planned.standing.ref if planned.standing else "", values=shown,
        targets=[
            RunTarget(
                name=target.host.name, platform=target.host.platform.value, executor=target.host.executor,
                address=target.address, note=target.note,
                commands=commands(runbook, planned.plan, target.host.platform, shown),
            )
            for target in planned.targets
        ],
        notes=notes,
    )  # fmt: skip


def _approval(planned: Planned) -> str:
    if not planned.asked:
        return ""
    return "an admin" if approval_by(planned.risk) is Permission.APPROVE_HIGH_RUN else "a manager or an admin"


def scripts(run: Run, hosts: Sequence[RunHost]) -> list[RunScripts]:
    """The commands of a run as it was asked for, by platform."""
    return [
        RunScripts(platform=platform.value, commands=commands(run.runbook, run.plan, platform, run.shown))
        for platform in dict.fromkeys(host.platform for host in hosts)
    ]


def commands(runbook: Runbook, plan: Plan, platform: Platform, shown: Mapping[str, str]) -> list[RunCommand]:
    """What is run on a host of this platform, in order, with the values that its shell is given."""
    shell = Shell.of(platform)
    return [
        RunCommand(
            phase=phase.value, step=step.name, shell=shell.value,
            script=with_values(shell, environment(shown), step.run[platform]),
            timeout_seconds=int((step.timeout or runbook.timeout).total_seconds()), on_failure=step.on_failure.value,
        )
        for phase in plan.phases
        for step in runbook.steps(phase, platform)
    ]  # fmt: skip
