"""What is decided about runs over HTTP: approvals in advance, self-healing, tighter rules, logins."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from siems import wire
from siems.daemon.http.call import Call, encode, items_of
from siems.daemon.http.middleware import answer
from siems.domain.permissions import Permission, require
from siems.services import directory, run_setting_views, run_settings
from siems.services.views import load_names
from siems.storage.unit_of_work import UnitOfWork


async def _asked(call: Call) -> str | None:
    company = call.word("company")
    return await call.read(directory.find_company, company, call.actor) if company else None


async def _company(call: Call, permission: Permission) -> str:
    """The company of the path, for whoever may do this there."""
    company_id = await call.read(directory.find_company, call.path("ref"), call.actor)
    require(call.actor, permission, company_id, what=company_id)
    return company_id


async def list_standing(call: Call) -> web.Response:
    work = partial(run_setting_views.list_standing, ended=call.word("ended") == "true")
    return items_of(await call.read(work, call.actor, call.runtime.clock.now(), await _asked(call)))


async def grant_standing(call: Call) -> web.Response:
    ask = await call.body(wire.StandingAsk)
    company_id = await call.read(directory.find_company, ask.company, call.actor)

    def verb(uow: UnitOfWork) -> bytes:
        granted = run_settings.grant(uow, call.actor, company_id, ask)
        return encode(run_setting_views.standing_view(granted, load_names(uow.connection), uow.now))

    response = await call.write(verb, company=company_id)
    response.set_status(201)
    return response


async def revoke_standing(call: Call) -> web.Response:
    ask = await call.body(wire.ReasonAsk)
    known = await call.read(run_setting_views.standing_named, call.path("ref"), call.actor)

    def verb(uow: UnitOfWork) -> bytes:
        after, changed = run_settings.revoke(uow, call.actor, known.company_id, known.id, ask.reason)
        view = run_setting_views.standing_view(after, load_names(uow.connection), uow.now)
        return encode({"standing": view, "changed": changed})

    return await call.write(verb, company=known.company_id)


async def list_heals(call: Call) -> web.Response:
    return items_of(await call.read(run_setting_views.list_heals, call.actor, await _asked(call)))


async def set_heal(call: Call) -> web.Response:
    ask = await call.body(wire.HealAsk)
    company_id = await _company(call, Permission.RUN_SETTINGS)

    def verb(uow: UnitOfWork) -> bytes:
        rule = run_settings.set_heal(uow, call.actor, company_id, call.path("name"), ask)
        return encode(run_setting_views.heal_view(uow.connection, rule, load_names(uow.connection)))

    return await call.write(verb, company=company_id)


async def remove_heal(call: Call) -> web.Response:
    ask = await call.body(wire.ReasonAsk)
    company_id, name = await _company(call, Permission.RUN_SETTINGS), call.path("name")

    def verb(uow: UnitOfWork) -> bytes:
        run_settings.remove_heal(uow, call.actor, company_id, name, ask.reason)
        return encode({"id": name, "company_id": company_id, "removed": True})

    return await call.write(verb, company=company_id)


async def show_rule(call: Call) -> web.Response:
    return answer(await call.read(run_setting_views.rule_view, await _company(call, Permission.RUN)))


async def set_rule(call: Call) -> web.Response:
    ask = await call.body(wire.RunRuleAsk)
    company_id = await _company(call, Permission.RUN_SETTINGS)

    def verb(uow: UnitOfWork) -> bytes:
        run_settings.set_rule(uow, call.actor, company_id, ask)
        return encode(run_setting_views.rule_view(uow.connection, company_id))

    return await call.write(verb, company=company_id)


async def list_logins(call: Call) -> web.Response:
    company_id = await _asked(call)
    return items_of(await call.read(run_setting_views.list_logins, call.actor, call.runtime.vault, company_id))


async def set_login(call: Call) -> web.Response:
    ask = await call.body(wire.HostLoginAsk)
    company_id, executor = await _company(call, Permission.RUN_SETTINGS), call.path("executor")
    vault = call.runtime.vault

    def verb(uow: UnitOfWork) -> bytes:
        run_settings.set_login(uow, call.actor, company_id, executor, ask, vault)
        found = run_setting_views.list_logins(uow.connection, call.actor, vault, company_id)
        return encode(next(one for one in found if one.executor == executor))

    return await call.write(verb, company=company_id)


async def remove_login(call: Call) -> web.Response:
    ask = await call.body(wire.ReasonAsk)
    company_id, executor = await _company(call, Permission.RUN_SETTINGS), call.path("executor")

    def verb(uow: UnitOfWork) -> bytes:
        run_settings.remove_login(uow, call.actor, company_id, executor, ask.reason)
        return encode({"id": executor, "company_id": company_id, "removed": True})

    return await call.write(verb, company=company_id)
