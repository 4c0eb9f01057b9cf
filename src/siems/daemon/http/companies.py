"""Companies and users over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from siems import wire
from siems.daemon.http.call import Call, encode, items_of
from siems.daemon.http.middleware import answer
from siems.daemon.http.sla import know_holidays
from siems.daemon.runtime import company_defaults
from siems.domain.permissions import Permission, require_role
from siems.services import companies, directory, users
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP


async def list_companies(call: Call) -> web.Response:
    return items_of(await call.read(directory.list_companies, call.actor))


async def show_company(call: Call) -> web.Response:
    company_id = await call.read(directory.find_company, call.path("ref"), call.actor)
    return answer(await call.read(directory.show_company, company_id))


async def onboard(call: Call) -> web.Response:
    ask = await call.body(wire.OnboardAsk)
    await know_holidays(call, ask.holidays)
    runtime = call.runtime

    def verb(uow: UnitOfWork) -> bytes:
        made = companies.onboard(
            uow, call.actor, ask, runtime.vault, company_defaults(runtime.settings), runtime.public_url
        )
        return encode(made)

    return await call.write_secret(verb, company=MSP)


async def edit_company(call: Call) -> web.Response:
    ask = await call.body(wire.CompanyEdit)
    await know_holidays(call, ask.holidays)
    return await _change_company(call, lambda uow, company_id: companies.edit(uow, call.actor, company_id, ask))


async def set_sla(call: Call) -> web.Response:
    ask = await call.body(wire.SlaPolicyAsk)
    await know_holidays(call, ask.holidays)
    return await _change_company(call, lambda uow, company_id: companies.set_sla(uow, call.actor, company_id, ask))


async def _change_company(call: Call, change: Callable[[UnitOfWork, str], None]) -> web.Response:
    company_id = await call.read(directory.find_company, call.path("ref"), call.actor)

    def verb(uow: UnitOfWork) -> bytes:
        change(uow, company_id)
        return b"{}"

    await call.write(verb, company=company_id)
    return answer(await call.read(directory.show_company, company_id))


async def list_users(call: Call) -> web.Response:
    company = call.word("company")
    company_id = await call.read(directory.find_company, company, call.actor) if company else None
    return items_of(await call.read(users.users_for, call.actor, company_id))


async def create_user(call: Call) -> web.Response:
    ask = await call.body(wire.UserAsk)
    require_role(call.actor, Permission.ADMINISTER)
    minimum = call.runtime.settings.auth.min_password
    hashed = await asyncio.to_thread(users.hash_password, ask.password, minimum)

    def verb(uow: UnitOfWork) -> bytes:
        user_id = users.create(uow, call.actor, ask, hashed)
        return encode(directory.user_itself(uow.connection, user_id))

    response = await call.write(verb, company=MSP)
    response.set_status(201)
    return response
