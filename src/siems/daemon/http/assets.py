"""The inventory over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from aiohttp import web

from siems import wire
from siems.clouds import aws
from siems.daemon.http.call import Call, encode, items_of
from siems.daemon.http.middleware import answer
from siems.domain.asset import Asset
from siems.domain.permissions import Permission, require
from siems.services import asset_clouds, asset_queries, asset_tables, assets, directory, queries
from siems.storage.unit_of_work import UnitOfWork


async def list_assets(call: Call) -> web.Response:
    ask = queries.Ask(call.actor, call.runtime.clock.now(), call.word("query"), "", call.limit(), call.word("cursor"))
    return answer(await call.read(asset_queries.list_assets, ask))


async def assets_of_company(call: Call) -> web.Response:
    company_id = await call.read(directory.find_company, call.path("ref"), call.actor)
    return items_of(await call.read(asset_queries.assets_of, call.actor, company_id))


async def show_asset(call: Call) -> web.Response:
    company_id = await call.read(directory.find_company, call.path("ref"), call.actor)
    return answer(await call.read(asset_queries.show_asset, call.actor, company_id, call.path("name")))


async def create_asset(call: Call) -> web.Response:
    ask = await call.body(wire.AssetAsk)
    facts = assets.facts_of(ask)
    made = await _change(call, partial(assets.create, name=ask.name, facts=facts, reason=ask.reason))
    made.set_status(201)
    return made


async def edit_asset(call: Call) -> web.Response:
    ask = await call.body(wire.AssetEdit)
    facts = assets.facts_of(ask)
    return await _change(call, partial(assets.edit, name=call.path("name"), facts=facts, reason=ask.reason))


async def merge_asset(call: Call) -> web.Response:
    ask = await call.body(wire.AssetMerge)
    return await _change(call, partial(assets.merge, name=call.path("name"), into=ask.into, reason=ask.reason))


async def _change(call: Call, change: Callable[..., Asset]) -> web.Response:
    """A verb that leaves an asset as it is now."""
    company_id = await call.read(directory.find_company, call.path("ref"), call.actor)

    def verb(uow: UnitOfWork) -> bytes:
        asset = change(uow, call.actor, company_id)
        return encode(asset_queries.show_asset(uow.connection, call.actor, company_id, asset.name))

    return await call.write(verb, company=company_id)


async def delete_asset(call: Call) -> web.Response:
    company_id = await call.read(directory.find_company, call.path("ref"), call.actor)
    name = call.path("name")

    def verb(uow: UnitOfWork) -> bytes:
        assets.delete(uow, call.actor, company_id, name, reason=call.word("reason"))
        return encode({"company_id": company_id, "name": name, "deleted": True})

    return await call.write(verb, company=company_id)


async def import_assets(call: Call) -> web.Response:
    ask = await call.body(wire.AssetImport)
    company_id = await call.read(directory.find_company, call.path("ref"), call.actor)
    listed, problems = asset_tables.read(ask.csv)

    def verb(uow: UnitOfWork) -> bytes:
        return encode(
            assets.bring_in(
                uow, call.actor, company_id, listed, origin="csv", reason=ask.reason, problems=problems
            )
        )  # fmt: skip

    return await call.write(verb, company=company_id)


async def import_from_aws(call: Call) -> web.Response:
    """What AWS lists is asked for before the verb: it takes seconds, and a verb has milliseconds."""
    ask = await call.body(wire.CloudImport)
    company_id = await call.read(directory.find_company, call.path("ref"), call.actor)
    require(call.actor, Permission.ADMINISTER, company_id, what=company_id)
    found = await asyncio.to_thread(aws.inventory, call.runtime.settings.aws, regions=ask.regions, role=ask.role)

    def verb(uow: UnitOfWork) -> bytes:
        return encode(asset_clouds.bring_in(uow, call.actor, company_id, found, reason=ask.reason))

    return await call.write(verb, company=company_id)
