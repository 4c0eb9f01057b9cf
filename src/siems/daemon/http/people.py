"""People over HTTP: one of them, their skills and availability, their account."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from siems import wire
from siems.daemon.http.call import Call, encode
from siems.daemon.http.middleware import answer
from siems.services import accounts, users
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP


async def show_user(call: Call) -> web.Response:
    return answer(await call.read(accounts.show, call.path("ref"), call.actor))


async def edit_user(call: Call) -> web.Response:
    ask, ref = await call.body(wire.UserEdit), call.path("ref")
    return await _change(call, lambda uow: accounts.edit(uow, call.actor, ref, ask))


async def set_availability(call: Call) -> web.Response:
    ask, ref = await call.body(wire.AvailabilityAsk), call.path("ref")
    return await _change(
        call, lambda uow: accounts.set_availability(uow, call.actor, ref, ask.availability, ask.reason)
    )


async def reset_password(call: Call) -> web.Response:
    ask, ref = await call.body(wire.PasswordAsk), call.path("ref")
    await call.read(accounts.may_reset_password, ref, call.actor)
    hashed = await asyncio.to_thread(users.hash_password, ask.password, call.runtime.settings.auth.min_password)
    return await _change(call, lambda uow: accounts.reset_password(uow, call.actor, ref, hashed, ask.reason))


async def _change(call: Call, change: Callable[[UnitOfWork], wire.UserChanged]) -> web.Response:
    return await call.write(lambda uow: encode(change(uow)), company=MSP)
