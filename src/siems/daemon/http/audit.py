"""The audit log over HTTP: reading it, proving it, taking it away as a file that proves itself."""

from __future__ import annotations

import asyncio
from functools import partial

import msgspec
from aiohttp import web

from siems import wire
from siems.daemon.http.call import Call, items_of
from siems.daemon.http.middleware import answer
from siems.domain.audit_file import statement_line
from siems.domain.checkpoint import public_text, signed
from siems.domain.permissions import Permission, require_role
from siems.errors import Unavailable
from siems.services import audit_export, directory, trail
from siems.vocabulary import MSP

LINES = "application/x-ndjson"


async def _chain(call: Call, company: str) -> str:
    """The chain of a company; nothing for nobody's."""
    return company if company in ("", MSP) else await call.read(directory.find_company, company, call.actor)


async def list_audit(call: Call) -> web.Response:
    company = call.word("company")
    ask = trail.TrailAsk(
        actor=call.actor, now=call.runtime.clock.now(), query=call.word("query"),
        chain=await _chain(call, company) if company else None, object=call.word("object"), limit=call.limit(),
        cursor=call.word("cursor"),
    )  # fmt: skip
    return answer(await call.read(trail.list_entries, ask))


async def list_chains(call: Call) -> web.Response:
    return items_of(await call.read(trail.list_chains, call.actor))


async def show_witness(call: Call) -> web.Response:
    """How it stands with what is signed outside of the database."""
    require_role(call.actor, Permission.VERIFY_AUDIT)
    checkpoints = call.runtime.checkpoints
    try:
        return answer(checkpoints.state(await checkpoints.witness()))
    except Unavailable:
        return answer(checkpoints.state(None))


async def verify_audit(call: Call) -> web.Response:
    ask = await call.body(wire.ProofAsk)
    require_role(call.actor, Permission.VERIFY_AUDIT)
    chain = await _chain(call, ask.company)
    checkpoints = call.runtime.checkpoints
    try:
        found = await checkpoints.witness()  # before the entries: what was signed is there already
    except Unavailable:
        found = None
    work = partial(trail.verify_all, chain=chain, first=ask.first, last=ask.last)
    proof = await call.read(work, call.actor, found)
    return answer(msgspec.structs.replace(proof, witness=checkpoints.state(found)))


async def export_audit(call: Call) -> web.StreamResponse:
    """Lines of JSON: the signed head, what was signed before, the entries."""
    ask = await call.body(wire.ExportAsk)
    require_role(call.actor, Permission.VERIFY_AUDIT)
    chain, checkpoints = await _chain(call, ask.company), call.runtime.checkpoints
    key = await asyncio.to_thread(checkpoints.signing_key)
    found = await checkpoints.witness()
    work = partial(audit_export.head_of, now=call.runtime.clock.now(), key=public_text(key))
    head = signed(await call.read(work, call.actor, ask, chain), key)
    await call.runtime.database.write(audit_export.exported, call.actor, head, companies=(MSP,))
    before = await asyncio.to_thread(lambda: audit_export.signed_before(found, checkpoints.file.lines(), head))
    response = web.StreamResponse(headers={"Content-Type": LINES, "Cache-Control": "no-store"})
    await response.prepare(call.request)
    for statement in (head, *before):
        await response.write(statement_line(statement).encode() + b"\n")
    for piece in audit_export.pieces(head):
        lines = await call.runtime.database.peek(audit_export.lines_of, piece)
        await response.write("".join(f"{line}\n" for line in lines).encode())
    await response.write_eof()
    return response
