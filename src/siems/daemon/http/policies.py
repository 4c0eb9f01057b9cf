"""Escalation policies over HTTP."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from siems import wire
from siems.daemon.http.call import Call, encode, items_of
from siems.daemon.http.middleware import answer
from siems.services import directory, policies, policy_preview, policy_views, whatif
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP


async def list_policies(call: Call) -> web.Response:
    company = call.word("company")
    company_id = await call.read(directory.find_company, company, call.actor) if company else None
    return items_of(await call.read(policy_views.list_policies, call.actor, company_id))


async def show_policy(call: Call) -> web.Response:
    return answer(await call.read(policy_views.show_policy, call.path("ref"), call.actor))


async def create_policy(call: Call) -> web.Response:
    ask = await call.body(wire.PolicyAsk)
    owner = MSP if ask.company == MSP else await call.read(directory.find_company, ask.company, call.actor)

    def verb(uow: UnitOfWork) -> bytes:
        made = policies.create(uow, call.actor, owner, ask, call.runtime.vault)
        return encode(policy_views.view(uow.connection, made, call.actor))

    response = await call.write(verb, company=owner)
    response.set_status(201)
    return response


async def edit_policy(call: Call) -> web.Response:
    ask = await call.body(wire.PolicyEdit)
    named = await call.read(policy_views.readable, call.path("ref"), call.actor)
    companies = await call.read(policies.concerned, named)

    def verb(uow: UnitOfWork) -> bytes:
        after, changed = policies.edit(uow, call.actor, named.id, ask, call.runtime.vault)
        shown = policy_views.view(uow.connection, after, call.actor)
        return encode(wire.PolicyChanged(policy=shown, changed=changed))

    return await call.write(verb, company=named.company_id, more=companies)


async def delete_policy(call: Call) -> web.Response:
    ask = await call.body(wire.PolicyDelete)
    named = await call.read(policy_views.readable, call.path("ref"), call.actor)

    def verb(uow: UnitOfWork) -> bytes:
        policies.delete(uow, call.actor, named.id, reason=ask.reason)
        return encode({"id": named.id, "name": named.name, "deleted": True})

    return await call.write(verb, company=named.company_id)


async def what_if(call: Call) -> web.Response:
    """Who would be told, when and how; nothing is changed."""
    ask = await call.body(wire.WhatIfAsk)
    company_id = await call.read(directory.find_company, ask.company, call.actor)
    work = partial(whatif.page, actor=call.actor, company_id=company_id, ask=ask)
    return answer(await call.runtime.database.write(work, companies=(company_id,)))


async def try_policy(call: Call) -> web.Response:
    """Who would be paged, when; nothing is changed."""
    ask = await call.body(wire.PolicyTrialAsk)
    named = await call.read(policy_views.readable, call.path("ref"), call.actor)
    if ask.company == MSP and call.actor.sees(MSP):
        company_id = MSP
    elif ask.company:
        company_id = await call.read(directory.find_company, ask.company, call.actor)
    else:
        company_id = await call.read(policy_views.trial_company, named, call.actor)
    work = partial(policy_views.trial, company_id=company_id, ask=ask)
    return answer(
        await call.runtime.database.write(lambda uow: work(uow, call.actor, named.id), companies=(company_id,))
    )


async def preview_policy(call: Call) -> web.Response:
    """Who would be paged by a policy that is not kept yet; nothing is changed."""
    ask = await call.body(wire.PolicyPreviewAsk)
    named = await call.read(policy_views.readable, ask.ref, call.actor) if ask.ref else None
    owner = named.company_id if named else await _whose(call, ask.owner)
    if ask.company:
        company_id = await _whose(call, ask.company)
    elif named is not None:
        company_id = await call.read(policy_views.trial_company, named, call.actor)
    else:
        company_id = owner
    work = partial(policy_preview.preview, owner=owner, company_id=company_id)
    return answer(await call.runtime.database.write(lambda uow: work(uow, call.actor, ask), companies=(company_id,)))


async def _whose(call: Call, ref: str) -> str:
    return MSP if ref == MSP else str(await call.read(directory.find_company, ref, call.actor))
