"""Requests for approval that are answered by the link of a message: how one stands, and its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from siems.clock import rfc3339
from siems.domain.answer import AnswerVerb
from siems.domain.permissions import Actor, Permission, require
from siems.domain.run import Run, RunHost, RunState, may_approve
from siems.services import runs
from siems.services.run_planning import scripts
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Risk
from siems.wire import RunAnswerAsk

ASKED = "run.approval_asked"
"""The notice that carries the links."""
LISTED = 20
_ENDED = {RunState.EXPIRED: "expired", RunState.CANCELLED: "cancelled"}


@dataclass(frozen=True, slots=True)
class Request:
    """A request for approval as its page shows it. `typed`: what has to be typed to approve it."""

    title: str
    text: str
    details: tuple[str, ...]
    waits: bool
    typed: str = ""


def look(uow: UnitOfWork, actor: Actor, run: Run) -> Request:
    """What would run where, and how it stands. Raises NotFound for whoever may not know of it."""
    require(actor, Permission.RUN, run.company_id, what=run.ref)
    hosts = uow.runs.hosts(run.id)
    company = uow.company(run.company_id).name
    waits = run.state is RunState.PENDING and (run.expires_at is None or uow.now < run.expires_at)
    return Request(
        title=f"{run.title} on {_count(hosts)} of {company}",
        text=stands(uow, run),
        details=(*summary(uow, run, hosts), "", *_scripts(run, hosts)),
        waits=waits and may_approve(actor, run.company_id, run.risk, run.requested_by),
        typed=run.company_id if run.risk is Risk.HIGH else "",
    )


def decide(uow: UnitOfWork, actor: Actor, run: Run, verb: AnswerVerb, *, note: str, typed: str, by: str) -> bool:
    """Approve or reject it as this person; whether anything was changed. Raises Conflict, Forbidden, InvalidField."""
    reason = f"answered by {by}" + (f": {note}" if note else "")
    if verb is AnswerVerb.APPROVE:
        ask = RunAnswerAsk(confirm=typed, reason=reason)
        return runs.approve(uow, actor, run.company_id, run.id, ask)[1]
    # what whoever asked reads is the reason alone
    return runs.reject(uow, actor, run.company_id, run.id, RunAnswerAsk(reason=note))[1]


def found(uow: UnitOfWork, company_id: str, ref: str) -> Run | None:
    """The run that a link names."""
    run = uow.runs.find(int(ref.removeprefix("RUN-")))
    return run if run is not None and run.company_id == company_id else None


def stands(uow: UnitOfWork, run: Run) -> str:
    """A sentence: who has answered it and when, and what became of it."""
    risk = f"{run.risk.value} risk"
    if run.state is RunState.PENDING:
        until = f" until {_at(run.expires_at)}" if run.expires_at is not None else ""
        return f"{risk}, waits for an answer{until}"
    if run.state is RunState.REJECTED:
        return f"{risk}, rejected by {_name(uow, run.answered_by)} at {_at(run.answered_at)}: {run.detail}"
    if run.answered_by:
        now = f", {run.state.value} now" if not run.state.over else f", {run.state.value} at {_at(run.ended_at)}"
        return f"{risk}, approved by {_name(uow, run.answered_by)} at {_at(run.answered_at)}{now}"
    word = _ENDED.get(run.state, run.state.value)
    return f"{risk}, {word} at {_at(run.ended_at)}: {run.detail}" if run.ended_at else f"{risk}, {word}"


def summary(uow: UnitOfWork, run: Run, hosts: Sequence[RunHost]) -> tuple[str, ...]:
    """What a message or page says below its first line; without secrets."""
    names = ", ".join(host.name for host in hosts[:LISTED])
    more = f" and {len(hosts) - LISTED} more" if len(hosts) > LISTED else ""
    lines = [
        f"{run.ref} {run.title}, {run.risk.value} risk: {run.runbook.title}",
        f"company: {uow.company(run.company_id).name} ({run.company_id})",
        f"on: {names}{more}",
        f"asked by {_name(uow, run.requested_by)} at {_at(run.requested_at)}{f': {run.reason}' if run.reason else ''}",
    ]
    if run.incident_id is not None:
        lines.append(f"for INC-{run.incident_id}")
    if run.shown:
        lines.append("with " + ", ".join(f"{name}={value}" for name, value in run.shown.items()))
    if run.expires_at is not None:
        lines.append(f"expires at {_at(run.expires_at)}")
    return tuple(lines)


def _scripts(run: Run, hosts: Sequence[RunHost]) -> list[str]:
    """What is run on each kind of host, as its shell reads it."""
    lines: list[str] = []
    for kind in scripts(run, hosts):
        for one in kind.commands:
            lines += [f"# {kind.platform}, {one.phase}: {one.step}", *one.script.splitlines(), ""]
    return lines


def _count(hosts: Sequence[RunHost]) -> str:
    return "1 host" if len(hosts) == 1 else f"{len(hosts)} hosts"


def _name(uow: UnitOfWork, user_id: str | None) -> str:
    person = uow.person(user_id or "")
    return person.name if person is not None else user_id or "nobody"


def _at(at: datetime | None) -> str:
    return "" if at is None else rfc3339(at.replace(microsecond=0))
