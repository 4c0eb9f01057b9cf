"""Cross-company parents over HTTP: what is done to one is done to each of its incidents in a verb of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256

import msgspec
from aiohttp import web

from siems import wire
from siems.daemon.http.call import Call, encode, items_of
from siems.daemon.http.middleware import answer
from siems.domain.parent import Parent, ParentState
from siems.domain.permissions import Permission, require_role
from siems.errors import SiemsError
from siems.services import idempotency, incidents, parent_views, parents, status_updates
from siems.services.parents import Placed
from siems.services.queries import number_of
from siems.services.views import load_names
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, Action, State

Child = tuple[int, str]
Verb = Callable[[UnitOfWork, int, str], tuple[bool, str]]


async def list_parents(call: Call) -> web.Response:
    words = call.word("state") or ("ended" if call.word("ended") == "true" else "")
    work = partial(parent_views.list_parents, states=parent_views.states_named(words), limit=call.limit())
    return items_of(await call.read(work, call.actor))


async def show_parent(call: Call) -> web.Response:
    return answer(await call.read(parent_views.show_parent, call.path("ref"), call.actor))


async def create_parent(call: Call) -> web.Response:
    """A group of incidents of several clients; those that match its query now and later belong to it, too."""
    ask = await call.body(wire.ParentAsk)

    def verb(uow: UnitOfWork) -> bytes:
        made = parents.create(uow, call.actor, title=ask.title, query=ask.query, refs=ask.incidents, reason=ask.reason)
        return _said(uow, call, *made)

    response = await call.write(verb, company=MSP)
    response.set_status(201)
    return response


async def add_children(call: Call) -> web.Response:
    """More incidents; where it is acknowledged, so are they."""
    ask = await call.body(wire.ParentActAsk)
    said = await _change(call, lambda uow, number: parents.add(uow, call.actor, number, ask.incidents))
    if said.parent.acknowledged_by is not None:
        new = [_child(one) for one in said.results if one.changed]
        await _each(call, new, _act(call, Action.ACK, wire.ActAsk(reason=ask.reason)))
    return await _shown(call, said.results)


async def remove_children(call: Call) -> web.Response:
    """They are on their own again: those that nobody has acknowledged go back to their chain."""
    ask = await call.body(wire.ParentActAsk)
    said = await _change(call, lambda uow, number: parents.remove(uow, call.actor, number, ask.incidents))
    await _let_go(call, [_child(one) for one in said.results if one.changed])
    return await _shown(call, said.results)


async def ack_parent(call: Call) -> web.Response:
    """Acknowledges every incident of it as this person; what joins later calls nobody."""
    ask = await call.body(wire.ParentActAsk)
    number = _number(call)
    await _parent(call, lambda uow: parents.acknowledge(uow, call.actor, number, ask.reason))
    return await _all(call, Action.ACK, wire.ActAsk(reason=ask.reason))


async def note_parent(call: Call) -> web.Response:
    """A note for those who work on the cause; with `to_children` for each incident as well."""
    ask = await call.body(wire.ParentActAsk)
    number, wide = _number(call), ask.to_children or ask.public
    await _parent(call, lambda uow: parents.note(uow, call.actor, number, ask.note, to_children=wide))
    if not wide:
        return await _shown(call, [])
    return await _all(call, Action.NOTE, wire.ActAsk(note=ask.note, public=ask.public, reason=ask.reason), over=True)


async def update_parent(call: Call) -> web.Response:
    """Tells every client where things stand, by a template, each of its own incident."""
    ask = await call.body(wire.ParentActAsk)
    number = _number(call)
    await _parent(call, lambda uow: parents.acted(uow, call.actor, number, "updated", ask.reason))
    update = wire.UpdateAsk(template=ask.template, text=ask.note, reason=ask.reason)

    def verb(uow: UnitOfWork, incident: int, company: str) -> tuple[bool, str]:
        done = status_updates.update(uow, call.actor, company, incident, update)
        return done.changed, uow.incidents.get(company, incident).state.value

    return await _shown(call, await _each(call, await _children(call), verb))


async def hold_parent(call: Call) -> web.Response:
    ask = await call.body(wire.ParentActAsk)
    number = _number(call)
    await _parent(call, lambda uow: parents.acted(uow, call.actor, number, "held", ask.reason))
    return await _all(call, Action.HOLD, wire.ActAsk(hold_for=ask.hold_for, until=ask.until, reason=ask.reason))


async def resume_parent(call: Call) -> web.Response:
    ask = await call.body(wire.ParentActAsk)
    number = _number(call)
    await _parent(call, lambda uow: parents.acted(uow, call.actor, number, "resumed", ask.reason))
    return await _all(call, Action.RESUME, wire.ActAsk(reason=ask.reason))


async def resolve_parent(call: Call) -> web.Response:
    """Resolves every incident of it, each with its own clocks; nothing joins it any more."""
    ask = await call.body(wire.ParentActAsk)
    number = _number(call)
    await _parent(call, lambda uow: parents.end(uow, call.actor, number, ParentState.RESOLVED, ask.reason)[0])
    return await _all(call, Action.RESOLVE, wire.ActAsk(note=ask.note, cause=ask.cause, reason=ask.reason))


async def close_parent(call: Call) -> web.Response:
    """The group is over; its incidents stay as they are."""
    ask = await call.body(wire.ParentActAsk)
    number = _number(call)
    await _parent(call, lambda uow: parents.end(uow, call.actor, number, ParentState.CLOSED, ask.reason)[0])
    await _let_go(call, await _children(call))
    return await _shown(call, [])


# --- in common -------------------------------------------------------------------------------------------------


def _number(call: Call) -> int:
    require_role(call.actor, Permission.PARENTS)
    return number_of(call.path("ref"), "PAR")


def _child(result: wire.ParentResult) -> Child:
    return number_of(result.id), result.company_id


async def _children(call: Call) -> list[Child]:
    return await call.read(parent_views.children_of, _number(call))


async def _write(call: Call, name: str, verb: Callable[[UnitOfWork], bytes], company: str) -> bytes:
    """One part of it, once under the key of the whole; in a dry run it is taken back."""
    database = call.runtime.database
    if call.word("dry_run") == "true":
        try:
            await database.write(idempotency.rehearse, verb, companies=(company,))
        except idempotency.Rehearsed as done:
            return done.answer
        raise AssertionError("a rehearsal always ends by raising")
    key = call.request.headers.get("Idempotency-Key", "")[:180]
    key = f"{key}:{name}" if key else ""
    body_hash = sha256(await call.request.read()).hexdigest()
    route = f"{call.request.method} {call.request.path}"[:200]
    return await database.write(idempotency.once, call.actor, route, key, body_hash, verb, companies=(company,))


async def _parent(call: Call, change: Callable[[UnitOfWork], Parent]) -> None:
    def verb(uow: UnitOfWork) -> bytes:
        return encode({"id": change(uow).ref})

    await _write(call, "parent", verb, MSP)


async def _change(
    call: Call, change: Callable[[UnitOfWork, int], tuple[Parent, list[Placed]]]
) -> wire.ParentAnswer:  # fmt: skip
    number = _number(call)

    def verb(uow: UnitOfWork) -> bytes:
        return _said(uow, call, *change(uow, number))

    return msgspec.json.decode(await _write(call, "parent", verb, MSP), type=wire.ParentAnswer)


def _said(uow: UnitOfWork, call: Call, parent: Parent, placed: Sequence[Placed]) -> bytes:
    uow.settle()
    uow.flush()
    view = parent_views.view(uow.connection, parent, call.actor, load_names(uow.connection), story=True)
    results = [_result(one.ref, one.company_id, one.changed, one.state, one.error) for one in placed]
    return encode(wire.ParentAnswer(parent=view, results=results))


def _result(ref: str, company: str, changed: bool, state: str, error: SiemsError | None) -> wire.ParentResult:
    said = None if error is None else wire.ActError(code=error.code, message=error.message, hint=error.hint)
    return wire.ParentResult(id=ref, company_id=company, changed=changed, state=state, error=said)


def _act(call: Call, action: Action, ask: wire.ActAsk) -> Verb:
    def verb(uow: UnitOfWork, incident: int, company: str) -> tuple[bool, str]:
        done = incidents.act(uow, call.actor, action, company, incident, ask)
        return done.changed, done.incident.state.value

    return verb


async def _all(call: Call, action: Action, ask: wire.ActAsk, *, over: bool = False) -> web.Response:
    """To each incident that is open (with `over`: to all); a result for each."""
    children = await _children(call)
    if not over:
        view = await call.read(parent_views.show_parent, call.path("ref"), call.actor)
        alive = {child.id for child in view.children if child.open}
        children = [child for child in children if f"INC-{child[0]}" in alive]
    return await _shown(call, await _each(call, children, _act(call, action, ask)))


async def _each(call: Call, children: Sequence[Child], verb: Verb) -> list[wire.ParentResult]:
    """All at once, so that they share a commit; one that fails leaves the others as they are."""

    async def one(child: Child) -> wire.ParentResult:
        number, company = child
        ref = f"INC-{number}"

        def work(uow: UnitOfWork) -> bytes:
            return encode(_result(ref, company, *verb(uow, number, company), None))

        try:
            return msgspec.json.decode(await _write(call, ref, work, company), type=wire.ParentResult)
        except SiemsError as why:
            return _result(ref, company, False, "", why)

    return list(await asyncio.gather(*(one(child) for child in children)))


async def _let_go(call: Call, children: Sequence[Child]) -> None:
    """What nobody has acknowledged, and nobody was called for, begins its chain."""

    def verb(uow: UnitOfWork, incident: int, company: str) -> tuple[bool, str]:
        found = uow.incidents.get(company, incident)
        rests = found.acknowledged_at is None and found.escalates_at is None and found.recovered_at is None
        if found.state is State.ASSIGNED and rests:
            found = incidents.act(uow, call.actor, Action.UNASSIGN, company, incident, wire.ActAsk()).incident
        return False, found.state.value

    await _each(call, children, verb)


async def _shown(call: Call, results: Sequence[wire.ParentResult]) -> web.Response:
    view = await call.read(parent_views.show_parent, call.path("ref"), call.actor)
    return answer(wire.ParentAnswer(parent=view, results=list(results)))
