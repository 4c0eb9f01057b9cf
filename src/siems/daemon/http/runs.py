"""Runs of runbooks over HTTP: ask, look, answer, stop, go back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from aiohttp import web

from siems import wire
from siems.daemon.http.call import Call, encode, items_of
from siems.daemon.http.middleware import answer
from siems.domain.run import Run
from siems.errors import InvalidField, UsageError
from siems.services import directory, queries, run_asking, run_views, runs
from siems.services.queries import Ask
from siems.services.run_planning import plan_view
from siems.storage.unit_of_work import UnitOfWork


async def list_runs(call: Call) -> web.Response:
    incident = call.word("incident")
    number = (await call.read(queries.find_incident, incident, call.actor)).id if incident else None
    ask = Ask(
        call.actor, call.runtime.clock.now(), query=call.word("query"), limit=call.limit(), cursor=call.word("cursor")
    )
    return answer(await call.read(partial(run_views.list_runs, incident_id=number), ask))


async def show_run(call: Call) -> web.Response:
    run = await call.read(run_views.find_run, call.path("ref"), call.actor)
    return answer(await call.read(run_views.show_run, run, call.actor))


async def run_output(call: Call) -> web.Response:
    run = await call.read(run_views.find_run, call.path("ref"), call.actor)
    work = partial(
        run_views.show_output, host=call.word("host"), number=_number(call, "step"), after=_number(call, "after"),
        limit=call.limit(),
    )  # fmt: skip
    return answer(await call.read(work, run))


async def run_commands(call: Call) -> web.Response:
    run = await call.read(run_views.find_run, call.path("ref"), call.actor)
    return items_of(await call.read(run_views.show_commands, run))


def _number(call: Call, name: str) -> int:
    text = call.word(name, "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise InvalidField(f"{name} is a number, not {text[:20]!r}")
    return int(text)


async def ask_for_run(call: Call) -> web.Response:
    ask = await call.body(wire.RunAsk)
    incident = await call.read(queries.find_incident, ask.incident, call.actor) if ask.incident else None
    if ask.company:
        company_id = await call.read(directory.find_company, ask.company, call.actor)
    elif incident is not None:
        company_id = incident.company_id
    else:
        raise UsageError("a run belongs to a client", hint="add  --company NAME  or  --incident INC-12")
    if incident is not None and incident.company_id != company_id:
        raise UsageError(f"{incident.ref} is not of {company_id}", hint="leave --company out")
    number = None if incident is None else incident.id
    runtime, rehearsal = call.runtime, call.word("dry_run") == "true"
    local = runtime.running.executors.local

    def verb(uow: UnitOfWork) -> bytes:
        run, planned = runs.request(
            uow, call.actor, company_id, number, ask, runtime.vault, local=local, rehearsal=rehearsal
        )
        plan = plan_view(uow, planned, company_id)
        return encode(wire.RunMade(run=_shown(uow, call, run), plan=plan))

    response = await call.write(verb, company=company_id)
    response.set_status(201)
    return response


async def approve_run(call: Call) -> web.Response:
    return await _change(call, runs.approve)


async def reject_run(call: Call) -> web.Response:
    return await _change(call, runs.reject)


async def cancel_run(call: Call) -> web.Response:
    return await _change(call, runs.cancel)


async def answer_run(call: Call) -> web.Response:
    ask = await call.body(wire.RunHostAnswerAsk)
    known = await call.read(run_views.find_run, call.path("ref"), call.actor)

    def verb(uow: UnitOfWork) -> bytes:
        run, changed = run_asking.answer(uow, call.actor, known.company_id, known.id, ask)
        return encode(wire.RunChanged(run=_shown(uow, call, run), changed=changed))

    return await call.write(verb, company=known.company_id)


async def roll_back_run(call: Call) -> web.Response:
    ask = await call.body(wire.RunAnswerAsk)
    known = await call.read(run_views.find_run, call.path("ref"), call.actor)

    def verb(uow: UnitOfWork) -> bytes:
        run = runs.roll_back(uow, call.actor, known.company_id, known.id, ask.reason)
        return encode(wire.RunChanged(run=_shown(uow, call, run), changed=True))

    return await call.write(verb, company=known.company_id)


async def _change(call: Call, change: Callable[..., tuple[Run, bool]]) -> web.Response:
    ask = await call.body(wire.RunAnswerAsk)
    known = await call.read(run_views.find_run, call.path("ref"), call.actor)

    def verb(uow: UnitOfWork) -> bytes:
        run, changed = change(uow, call.actor, known.company_id, known.id, ask)
        return encode(wire.RunChanged(run=_shown(uow, call, run), changed=changed))

    return await call.write(verb, company=known.company_id)


def _shown(uow: UnitOfWork, call: Call, run: Run) -> wire.RunDetail:
    uow.settle()
    uow.flush()
    return run_views.show_run(uow.connection, run, call.actor)
