"""What a person says about hosts of a run that ask."""

from __future__ import annotations

from dataclasses import replace

from siems.domain.asking import HostAnswer, answered
from siems.domain.events import RunAnswered
from siems.domain.permissions import Actor
from siems.domain.rollout import goes_on
from siems.domain.run import Run, RunState
from siems.errors import Conflict, InvalidField, NotFound
from siems.services.runs import held
from siems.storage.unit_of_work import UnitOfWork
from siems.wire import RunHostAnswerAsk

LISTED = 5


def answer(uow: UnitOfWork, actor: Actor, company_id: str, number: int, ask: RunHostAnswerAsk) -> tuple[Run, bool]:
    """Say what becomes of these hosts: of all or, where one of them asks nothing, of none.

    (the run, whether that was new). Raises InvalidField, NotFound for a host that it does not run on, Conflict.
    """
    before = held(uow, actor, company_id, number)
    wanted, names = _answer(ask.answer), list(dict.fromkeys(ask.hosts))
    if not names:
        raise InvalidField("which host?", hint=f"siems runbook status {before.ref}")
    if before.state is RunState.CANCELLING:
        raise Conflict(f"{before.ref} is being stopped", hint=f"siems runbook status {before.ref}")
    known = {host.name: host for host in uow.runs.hosts(number)}
    missing = [name for name in names if name not in known]
    if missing:
        listed = ", ".join(list(known)[:LISTED])
        raise NotFound(f"{before.ref} does not run on {missing[0][:60]!r}", hint=f"it runs on {listed}")
    moved = []
    for name in names:
        after = answered(before.ref, known[name], wanted, by=actor.id, name=actor.name, now=uow.now)
        if after is not None:
            moved.append((known[name], after))
            known[name] = after
    uow.runs.put_hosts(before, [after for _, after in moved])
    run = before
    if before.state is RunState.ASKING and goes_on(list(known.values()), before.plan):
        run = replace(before, state=RunState.QUEUED)
        uow.runs.put(run)
    for was, after in moved:
        uow.emit(RunAnswered(run=run, before=was, host=after, actor=actor, reason=ask.reason.strip()[:1_000]))
    return run, bool(moved)


def _answer(word: str) -> HostAnswer:
    try:
        return HostAnswer(word.strip().lower())
    except ValueError as why:
        raise InvalidField(f"{word[:20]!r} is no answer", hint=f"one of: {', '.join(HostAnswer)}") from why
