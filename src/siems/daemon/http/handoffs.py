"""What goes from one shift to the next, over HTTP."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from siems import wire
from siems.daemon.http.call import Call, encode, items_of
from siems.services import handoffs
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP


async def show_handoff(call: Call) -> web.Response:
    work = partial(handoffs.show, schedule=call.word("schedule"))
    return items_of(await call.read(work, call.actor, call.runtime.clock.now()))


async def note_handoff(call: Call) -> web.Response:
    ask = await call.body(wire.NoteAsk)
    incident = await call.read(handoffs.may_note, ask.incident, call.actor)

    def verb(uow: UnitOfWork) -> bytes:
        handoffs.note(uow, call.actor, incident.company_id, incident.id, ask)
        return encode({"id": incident.ref, "next_action": ask.text.strip(), "changed": True})

    return await call.write(verb, company=incident.company_id)


async def give_handoff(call: Call) -> web.Response:
    ask = await call.body(wire.GiveAsk)
    schedule_id, companies = await call.read(
        handoffs.find_schedule, ask.schedule, call.actor, call.runtime.clock.now()
    )  # fmt: skip

    def verb(uow: UnitOfWork) -> bytes:
        number = handoffs.give(uow, call.actor, schedule_id, ask)
        return encode(_done(uow, call, [number], [], []))

    return await call.write(verb, company=MSP, more=companies)


async def accept_handoff(call: Call) -> web.Response:
    ask = await call.body(wire.AcceptAsk)
    schedule_id, companies = await call.read(
        handoffs.find_schedule, ask.schedule, call.actor, call.runtime.clock.now()
    )  # fmt: skip

    def verb(uow: UnitOfWork) -> bytes:
        numbers, moved, left = handoffs.accept(uow, call.actor, schedule_id, ask, companies)
        return encode(_done(uow, call, numbers, moved, left))

    return await call.write(verb, company=MSP, more=companies)


def _done(uow: UnitOfWork, call: Call, numbers: list[int], moved: list[str], left: list[str]) -> wire.HandoffDone:
    uow.settle()
    uow.flush()
    shown = [handoffs.shown(uow.connection, call.actor, uow.now, number) for number in numbers]
    return wire.HandoffDone(handoffs=shown, moved=moved, left=left, changed=True)
