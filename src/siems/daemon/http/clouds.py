"""Cloud accounts, agents and patches over HTTP. What a cloud says is asked for outside of the verbs."""

from __future__ import annotations

from aiohttp import web

from siems import wire
from siems.daemon.agent_install import Installing
from siems.daemon.clouds import Clouds
from siems.daemon.http.call import Call, encode, items_of
from siems.daemon.http.middleware import answer
from siems.domain.cloud import CloudAccount
from siems.domain.permissions import Permission, require
from siems.errors import InvalidField
from siems.services import agent_views, cloud_accounts, directory
from siems.storage.unit_of_work import UnitOfWork


def clouds_of(call: Call) -> Clouds:
    return Clouds(call.runtime.settings, call.runtime.vault)


async def _company(call: Call) -> str:
    found: str = await call.read(directory.find_company, call.path("ref"), call.actor)
    return found


async def _account(call: Call) -> CloudAccount:
    found = await call.read(cloud_accounts.find_account, call.path("ref"), call.actor)
    assert isinstance(found, CloudAccount)
    return found


async def list_cloud_accounts(call: Call) -> web.Response:
    word = call.word("company")
    company = await call.read(directory.find_company, word, call.actor) if word else None
    return items_of(await call.read(cloud_accounts.list_accounts, call.actor, company, call.word("kind")))


async def show_cloud_account(call: Call) -> web.Response:
    return answer(await call.read(cloud_accounts.show_account, await _account(call)))


async def set_up_cloud_account(call: Call) -> web.Response:
    """A secret is in the body and never in the answer, so the answer may be kept for an idempotency key."""
    ask = await call.body(wire.CloudAccountAsk)
    company_id = await _company(call)

    def verb(uow: UnitOfWork) -> bytes:
        made = cloud_accounts.set_up(uow, call.actor, company_id, ask, call.runtime.vault)
        return encode(cloud_accounts.show_account(uow.connection, made))

    return await call.write(verb, company=company_id)


async def tell_cloud_setup(call: Call) -> web.Response:
    """What is to be done over there: the template, a link that opens it, the steps."""
    ask, account = await call.body(wire.CloudSetupAsk), await _account(call)
    if ask.principal and not ask.principal.startswith("arn:"):
        raise InvalidField("a principal is an ARN", hint="--principal arn:aws:iam::111122223333:role/siems")
    shown = await call.read(cloud_accounts.show_account, account)
    return answer(await clouds_of(call).setup(account, shown, ask.principal))


async def check_cloud_account(call: Call) -> web.Response:
    account = await _account(call)
    findings = await clouds_of(call).check(account)

    def verb(uow: UnitOfWork) -> bytes:
        after = cloud_accounts.note_check(uow, call.actor, account, findings)
        return encode(cloud_accounts.show_account(uow.connection, after))

    return await call.write(verb, company=account.company_id)


async def remove_cloud_account(call: Call) -> web.Response:
    ask, account = await call.body(wire.CloudChangeAsk), await _account(call)

    def verb(uow: UnitOfWork) -> bytes:
        cloud_accounts.remove(uow, call.actor, account, ask.reason)
        return encode({"id": account.id, "removed": True})

    return await call.write(verb, company=account.company_id)


async def list_agents(call: Call) -> web.Response:
    estate = await call.read(agent_views.estate, call.actor, await _company(call))
    look = await clouds_of(call).look(estate.accounts)
    return answer(agent_views.agents_view(estate, look, call.runtime.clock.now()))


async def install_agents(call: Call) -> web.Response:
    """With `dry_run=true` what would be done; else it is done, which takes as long as the slowest machine."""
    ask = await call.body(wire.InstallAsk)
    company_id = await _company(call)
    require(call.actor, Permission.ADMINISTER, company_id, what=company_id)
    estate = await call.read(agent_views.estate, call.actor, company_id)
    installing = Installing(call.runtime, call.actor, estate)
    await installing.plan(ask.hosts)
    if call.word("dry_run") != "true":
        await installing.carry_out(ask.reason)
    return answer(installing.told())


async def list_patches(call: Call) -> web.Response:
    estate = await call.read(agent_views.estate, call.actor, await _company(call))
    found, failed = await clouds_of(call).patches(estate.accounts)
    return answer(agent_views.patches_view(estate, found, failed))
