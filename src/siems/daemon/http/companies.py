"""Companies, integrations, assets and users over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from siems import wire
from siems.daemon.http.call import Call, encode, items_of
from siems.daemon.http.middleware import answer
from siems.daemon.runtime import company_defaults
from siems.domain.permissions import Permission, require_role
from siems.errors import InvalidField
from siems.services import companies, directory, users
from siems.sources import SOURCES
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, Signing


async def list_companies(call: Call) -> web.Response:
    return items_of(await call.read(directory.list_companies, call.actor))


async def show_company(call: Call) -> web.Response:
    company_id = await call.read(directory.find_company, call.path("ref"), call.actor)
    return answer(await call.read(directory.show_company, company_id))


async def onboard(call: Call) -> web.Response:
    ask = await call.body(wire.OnboardAsk)
    runtime = call.runtime

    def verb(uow: UnitOfWork) -> bytes:
        made = companies.onboard(
            uow, call.actor, ask, runtime.vault, company_defaults(runtime.settings), runtime.public_url
        )
        return encode(made)

    return await _secret(call, verb, MSP)


async def edit_company(call: Call) -> web.Response:
    ask = await call.body(wire.CompanyEdit)
    return await _change_company(call, lambda uow, company_id: companies.edit(uow, call.actor, company_id, ask))


async def set_sla(call: Call) -> web.Response:
    ask = await call.body(wire.SlaPolicyAsk)
    return await _change_company(call, lambda uow, company_id: companies.set_sla(uow, call.actor, company_id, ask))


async def _change_company(call: Call, change: Callable[[UnitOfWork, str], None]) -> web.Response:
    company_id = await call.read(directory.find_company, call.path("ref"), call.actor)

    def verb(uow: UnitOfWork) -> bytes:
        change(uow, company_id)
        return b"{}"

    await call.write(verb, company=company_id)
    return answer(await call.read(directory.show_company, company_id))


async def list_integrations(call: Call) -> web.Response:
    return items_of(await call.read(directory.list_integrations, call.actor))


async def add_integration(call: Call) -> web.Response:
    ask = await call.body(wire.IntegrationAsk)
    tool = SOURCES.get(ask.tool)
    signing = _signing(ask.signing) or (Signing.NONE if tool.signing is None else Signing.REQUIRED)
    company_id = await call.read(directory.find_company, ask.company, call.actor)
    runtime = call.runtime

    def verb(uow: UnitOfWork) -> bytes:
        return encode(
            companies.add_integration(
                uow, call.actor, company_id, tool.name, signing, runtime.vault, runtime.public_url
            )
        )

    return await _secret(call, verb, company_id)


def _signing(word: str) -> Signing | None:
    try:
        return Signing(word.lower()) if word else None
    except ValueError as why:
        raise InvalidField(f"signing is required or none, not {word!r}", hint="--signing none") from why


async def _secret(call: Call, verb: Callable[[UnitOfWork], bytes], company: str) -> web.Response:
    """An answer with secrets is shown once: it is kept nowhere, so it has no idempotency key."""
    if call.word("dry_run") == "true":
        return await call.rehearse(verb, company=company)
    said = await call.runtime.database.write(verb, companies=(company,))
    await call.runtime.reload_keys()
    return web.Response(body=said, status=201, content_type="application/json", headers={"Cache-Control": "no-store"})


async def list_assets(call: Call) -> web.Response:
    company_id = await call.read(directory.find_company, call.path("ref"), call.actor)
    return items_of(await call.read(directory.list_assets, company_id))


async def edit_asset(call: Call) -> web.Response:
    ask = await call.body(wire.AssetEdit)
    company_id = await call.read(directory.find_company, call.path("ref"), call.actor)
    name = call.path("name")

    def verb(uow: UnitOfWork) -> bytes:
        companies.edit_asset(uow, call.actor, company_id, name, critical=ask.critical)
        return encode({"company_id": company_id, "name": name, "critical": ask.critical})

    return await call.write(verb, company=company_id)


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
