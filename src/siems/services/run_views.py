"""Looking up runs: lists, one with its hosts and steps, and what they printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, and_, func, select

from siems.domain.asking import possible
from siems.domain.permissions import Actor, Permission, allowed, missing, require, require_role
from siems.domain.rollout import longest
from siems.domain.run import BAD, HostState, Run, RunHost, RunState, may_approve
from siems.domain.runbook import Phase
from siems.services.filters import Asker, Field, _among, _clause, _company, _contains, _flag, _time, _word, in_scope
from siems.services.queries import MAX_PAGE, Ask, number_of
from siems.services.run_planning import scripts
from siems.services.views import Names, load_names
from siems.storage import tables as t
from siems.storage.repositories.runs import find, hosts_of
from siems.storage.run_rows import run_from
from siems.vocabulary import Risk
from siems.wire import Page, RunDetail, RunHostView, RunOutput, RunPiece, RunScripts, RunStepView, RunTryView, RunView

_R = t.run.c
FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "": _contains(_R.runbook, _R.detail, _R.reason),
        "runbook": _word(_R.runbook),
        "company": _company(_R.company_id),
        "company_id": _company(_R.company_id),
        "state": _among(_R.state, RunState),
        "risk": _among(_R.risk, Risk),
        "requested_by": _word(_R.requested_by),
        "verified": _flag(_R.verified.is_(True)),
        "self_healing": _flag(_R.heals.is_(True)),
        "requested": _time(_R.requested_at),
        "ended": _time(_R.ended_at),
    }
)
"""What a query over runs may name."""
PIECES = 500


def list_runs(connection: Connection, ask: Ask, *, incident_id: int | None = None) -> Page[RunView]:
    """Runs of the reader's scope, the newest first."""
    require_role(ask.actor, Permission.RUN)
    where: list[Any] = [in_scope(_R.company_id, ask.actor), _clause(ask.query, FIELDS, Asker(ask.actor, ask.now))]
    if incident_id is not None:
        where.append(_R.incident_id == incident_id)
    total = connection.execute(select(func.count()).select_from(t.run).where(*where)).scalar_one()
    page = list(where)
    if ask.cursor:
        page.append(_R.id < number_of(ask.cursor, "RUN"))
    limit = max(1, min(ask.limit or 100, MAX_PAGE))
    rows = connection.execute(select(t.run).where(*page).order_by(_R.id.desc()).limit(limit + 1)).all()
    runs = [run_from(row) for row in rows[:limit]]
    names, counts = load_names(connection), _counts(connection, [run.id for run in runs])
    items = [RunView(**_fields(run, names, counts[run.id], ask.actor)) for run in runs]
    following = items[-1].id if len(rows) > limit else None
    return Page(items=items, next=following, total=total, as_of=ask.now)


def find_run(connection: Connection, ref: str, actor: Actor) -> Run:
    """Raises NotFound for what is not there and for what the reader may not know of."""
    number = number_of(ref, "RUN")
    found = find(connection, number)
    if found is None:
        raise missing(f"RUN-{number}")
    require(actor, Permission.RUN, found.company_id, what=f"RUN-{number}")
    return found


def show_run(connection: Connection, run: Run, actor: Actor) -> RunDetail:
    hosts = hosts_of(connection, run.id)
    steps = _steps(connection, run.id)
    counts = Counter(host.state for host in hosts)
    names = load_names(connection)
    able = "answer" in actions(run, actor, counts)
    views = [_host_view(host, steps.get(host.name, []), names, able=able) for host in hosts]
    return RunDetail(**_fields(run, names, counts, actor), hosts=views)


def show_commands(connection: Connection, run: Run) -> list[RunScripts]:
    """The exact commands of a run, by platform; secrets are masked."""
    return scripts(run, hosts_of(connection, run.id))


def show_output(connection: Connection, run: Run, *, host: str, number: int, after: int, limit: int) -> RunOutput:
    """What was printed after `after`, in order; of one host or step only where they are named."""
    o, s = t.run_output.c, t.run_step.c
    where = [o.run_id == run.id, o.id > after]
    if host:
        where.append(o.host == host)
    if number:
        where.append(o.number == number)
    limit = max(1, min(limit or PIECES, PIECES))
    joined = t.run_output.outerjoin(
        t.run_step, and_(s.run_id == o.run_id, s.host == o.host, s.number == o.number, s.attempt == o.attempt)
    )  # fmt: skip
    rows = connection.execute(
        select(t.run_output, s.phase, s.name).select_from(joined).where(*where).order_by(o.id).limit(limit)
    ).all()
    items = [
        RunPiece(
            id=row.id, host=row.host, number=row.number, phase=row.phase or "", step=row.name or "", error=row.error,
            at=row.at, text=row.text, attempt=row.attempt,
        )
        for row in rows
    ]  # fmt: skip
    return RunOutput(items=items, next=items[-1].id if items else after, over=run.state.over and len(items) < limit)


# --- parts -----------------------------------------------------------------------------------------------------


def _counts(connection: Connection, numbers: Sequence[int]) -> dict[int, Counter[HostState]]:
    h = t.run_host.c
    found: dict[int, Counter[HostState]] = {number: Counter() for number in numbers}
    rows = connection.execute(
        select(h.run_id, h.state, func.count()).where(h.run_id.in_(numbers)).group_by(h.run_id, h.state)
    )
    for number, state, count in rows:
        found[number][HostState(state)] += count
    return found


def _steps(connection: Connection, number: int) -> dict[str, list[RunStepView]]:
    s = t.run_step.c
    found: dict[str, list[RunStepView]] = {}
    rows = select(t.run_step).where(s.run_id == number).order_by(s.host, s.number, s.attempt)
    for row in connection.execute(rows):
        steps = found.setdefault(row.host, [])
        before = steps.pop() if steps and steps[-1].number == row.number else None
        steps.append(
            RunStepView(
                number=row.number, phase=row.phase, name=row.name, state=row.state, exit_code=row.exit_code,
                detail=row.detail, started_at=row.started_at, ended_at=row.ended_at, attempt=row.attempt,
                tries=[] if before is None else [*before.tries, _tried(before)],
            )
        )  # fmt: skip
    return found


def _tried(step: RunStepView) -> RunTryView:
    return RunTryView(
        attempt=step.attempt, state=step.state, exit_code=step.exit_code, detail=step.detail,
        started_at=step.started_at, ended_at=step.ended_at,
    )  # fmt: skip


def _host_view(h: RunHost, steps: list[RunStepView], names: Names, *, able: bool) -> RunHostView:
    return RunHostView(
        name=h.name, platform=h.platform.value, executor=h.executor, state=h.state.value, phase=h.phase,
        exit_code=h.exit_code, detail=h.detail, started_at=h.started_at, ended_at=h.ended_at,
        output_bytes=h.output_bytes, steps=steps, step=h.step, asked_at=h.asked_at, answer=h.answer,
        answered_by=h.answered_by or None, answered_by_name=names.users.get(h.answered_by, h.answered_by) or None,
        actions=[answer.value for answer in possible(h)] if able else [],
    )  # fmt: skip


def _fields(r: Run, names: Names, counts: Counter[HostState], actor: Actor) -> dict[str, Any]:
    users = names.users
    return {
        "id": r.ref, "company_id": r.company_id, "company": names.companies.get(r.company_id, r.company_id),
        "runbook": r.runbook.name, "title": r.runbook.title, "risk": r.risk.value, "origin": r.origin,
        "digest": r.runbook.digest, "state": r.state.value, "detail": r.detail, "reason": r.reason,
        "incident_id": None if r.incident_id is None else f"INC-{r.incident_id}",
        "rollback_of": None if r.rollback_of is None else f"RUN-{r.rollback_of}", "self_healing": r.heals,
        "verified": r.verified, "values": dict(r.shown), "canary": r.plan.canary, "parallel": r.plan.parallel,
        "max_failures": r.plan.max_failures, "requested_by": r.requested_by,
        "requested_by_name": users.get(r.requested_by, r.requested_by), "requested_at": r.requested_at,
        "expires_at": r.expires_at, "answered_by": r.answered_by,
        "answered_by_name": users.get(r.answered_by or "", r.answered_by), "answered_at": r.answered_at,
        "standing": r.standing, "started_at": r.started_at, "ended_at": r.ended_at,
        "hosts_total": counts.total(), "hosts_done": sum(n for s, n in counts.items() if s.over),
        "hosts_succeeded": counts[HostState.SUCCEEDED], "hosts_failed": sum(n for s, n in counts.items() if s in BAD),
        "hosts_asking": counts[HostState.ASKING] + counts[HostState.HELD], "until": _until(r, counts.total()),
        "output_bytes": r.output_bytes, "actions": actions(r, actor, counts),
    }  # fmt: skip


def _until(run: Run, hosts: int) -> datetime | None:
    """When it is stopped, if it has not ended by then."""
    if run.started_at is None or run.state.over:
        return None
    return run.started_at + longest(hosts, run.plan, run.runbook.timeout)


def actions(run: Run, actor: Actor, counts: Counter[HostState]) -> list[str]:
    """What this reader may do to a run now."""
    if not allowed(actor, Permission.RUN, run.company_id):
        return []
    if run.state is RunState.PENDING:
        approves = may_approve(actor, run.company_id, run.risk, run.requested_by)
        return [*(["approve", "reject"] if approves else []), "cancel"]
    if not run.state.over:
        asked = counts[HostState.ASKING] or counts[HostState.HELD]
        return [] if run.state is RunState.CANCELLING else ["answer", "cancel"] if asked else ["cancel"]
    back = run.started_at is not None and run.rollback_of is None and run.runbook.phases.get(Phase.ROLLBACK)
    return ["rollback"] if back else []
