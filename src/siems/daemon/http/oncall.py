"""Schedules, overrides, swaps and handoffs over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial

from aiohttp import web

from siems import wire
from siems.clock import within_reason
from siems.daemon.http.call import Call, encode, items_of
from siems.daemon.http.middleware import answer
from siems.domain.fairness import holidays_of
from siems.errors import InvalidField
from siems.services import directory, fairness, oncall_policies, oncall_views, readiness, schedules, standing_in
from siems.services.oncall import visible
from siems.services.views import load_names
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP

SHOWN_DAYS = 14


async def who(call: Call) -> web.Response:
    at, now = call.word("at"), call.runtime.clock.now()
    ask = oncall_views.WhoAsk(
        at=_instant(at) if at else now, company=call.word("company"), schedule=call.word("schedule"),
        incident=call.word("incident"), policy=call.word("policy"),
    )  # fmt: skip
    return items_of(await call.read(oncall_policies.who if ask.policy else oncall_views.who, ask, call.actor))


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as why:
        raise InvalidField(f"{text[:40]!r} is no time", hint="2026-03-10T14:00:00Z") from why
    if found.tzinfo is None:
        raise InvalidField("at has no time zone", hint="write it like 2026-03-10T14:00:00Z")
    return within_reason(found)


async def ready(call: Call) -> web.Response:
    work = partial(
        readiness.ready, schedule=call.word("schedule"), user=call.word("user"), hours=_number(call, "hours", 24)
    )  # fmt: skip
    return items_of(await call.read(work, call.actor, call.runtime.clock.now()))


# --- schedules -------------------------------------------------------------------------------------------------


async def list_schedules(call: Call) -> web.Response:
    work = partial(oncall_views.list_schedules, company=call.word("company"))
    return items_of(await call.read(work, call.actor, call.runtime.clock.now()))


async def create_schedule(call: Call) -> web.Response:
    ask = await call.body(wire.ScheduleAsk)
    company_id = MSP
    if ask.company not in ("", MSP):
        company_id = await call.read(directory.find_company, ask.company, call.actor)
    await _check_country(call, ask.country)

    def verb(uow: UnitOfWork) -> bytes:
        return encode(_shown(uow, call, schedules.create(uow, call.actor, company_id, ask).id))

    response = await call.write(verb, company=company_id)
    response.set_status(201)
    return response


async def _check_country(call: Call, country: str) -> None:
    """Looking a country's holidays up takes too long for the writer. Raises InvalidField."""
    if country:
        await asyncio.to_thread(holidays_of, country, (call.runtime.clock.now().year,))


async def show_schedule(call: Call) -> web.Response:
    now = call.runtime.clock.now()
    found = await call.read(oncall_views.find_schedule, call.path("ref"), call.actor, now)
    work = partial(oncall_views.show_schedule, days=_number(call, "days", SHOWN_DAYS))
    return answer(await call.read(work, found.id, call.actor, now))


async def edit_schedule(call: Call) -> web.Response:
    ask = await call.body(wire.ScheduleEdit)
    await _check_country(call, ask.country or "")
    return await _change_schedule(
        call, lambda uow, schedule_id: schedules.edit(uow, call.actor, schedule_id, ask), shown=True
    )


async def delete_schedule(call: Call) -> web.Response:
    return await _change_schedule(
        call,
        lambda uow, schedule_id: schedules.delete(uow, call.actor, schedule_id, reason=call.word("reason")),
        shown=False,
    )


async def _change_schedule(
    call: Call, change: Callable[[UnitOfWork, str], object], *, shown: bool
) -> web.Response:  # fmt: skip
    found = await call.read(oncall_views.find_schedule, call.path("ref"), call.actor, call.runtime.clock.now())

    def verb(uow: UnitOfWork) -> bytes:
        change(uow, found.id)
        return encode(_shown(uow, call, found.id)) if shown else encode({"id": found.id, "changed": True})

    return await call.write(verb, company=found.company_id)


def _shown(uow: UnitOfWork, call: Call, schedule_id: str) -> wire.ScheduleDetail:
    uow.settle()
    uow.flush()
    return oncall_views.show_schedule(uow.connection, schedule_id, call.actor, uow.now, days=SHOWN_DAYS)


async def schedule_fairness(call: Call) -> web.Response:
    now = call.runtime.clock.now()
    found = await call.read(oncall_views.find_schedule, call.path("ref"), call.actor, now)
    month = call.word("month") or f"{now.astimezone(found.clock):%Y-%m}"
    return answer(await call.read(fairness.fairness, found, month, now))


def _number(call: Call, name: str, default: int) -> int:
    text = call.word(name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise InvalidField(f"{name} is a number, not {text[:20]!r}")
    return int(text)


# --- overrides and swaps ---------------------------------------------------------------------------------------


async def list_overrides(call: Call) -> web.Response:
    work = partial(oncall_views.list_overrides, schedule=call.word("schedule"))
    return items_of(await call.read(work, call.actor, call.runtime.clock.now()))


async def add_override(call: Call) -> web.Response:
    ask = await call.body(wire.OverrideAsk)
    schedule = await call.read(oncall_views.meant_schedule, ask.schedule, call.actor, call.runtime.clock.now())

    def verb(uow: UnitOfWork) -> bytes:
        made = standing_in.add(uow, call.actor, schedule.id, ask)
        return encode(oncall_views.override_view(made, schedule, load_names(uow.connection)))

    response = await call.write(verb, company=schedule.company_id)
    response.set_status(201)
    return response


async def remove_override(call: Call) -> web.Response:
    now = call.runtime.clock.now()
    found, schedule = await call.read(oncall_views.seen_override, call.path("ref"), call.actor, now)

    def verb(uow: UnitOfWork) -> bytes:
        after, changed = standing_in.remove(uow, call.actor, found.id, reason=call.word("reason"))
        view = oncall_views.override_view(after, schedule, load_names(uow.connection))
        return encode({"override": view, "changed": changed})

    return await call.write(verb, company=schedule.company_id)


async def list_swaps(call: Call) -> web.Response:
    return items_of(await call.read(oncall_views.list_swaps, call.actor, call.runtime.clock.now()))


async def ask_swap(call: Call) -> web.Response:
    ask = await call.body(wire.SwapAsk)
    schedule = await call.read(oncall_views.meant_schedule, ask.schedule, call.actor, call.runtime.clock.now())

    def verb(uow: UnitOfWork) -> bytes:
        return encode(_swap_shown(uow, call, standing_in.ask_swap(uow, call.actor, schedule.id, ask)))

    response = await call.write(verb, company=schedule.company_id)
    response.set_status(201)
    return response


async def accept_swap(call: Call) -> web.Response:
    return await _answer_swap(call, accept=True)


async def decline_swap(call: Call) -> web.Response:
    return await _answer_swap(call, accept=False)


async def _answer_swap(call: Call, *, accept: bool) -> web.Response:
    found, schedule = await call.read(
        oncall_views.seen_swap, call.path("ref"), call.actor, call.runtime.clock.now()
    )  # fmt: skip

    def verb(uow: UnitOfWork) -> bytes:
        changed = standing_in.answer_swap(uow, call.actor, found.id, accept=accept, reason=call.word("reason"))
        return encode({"swap": _swap_shown(uow, call, found.id), "changed": changed})

    return await call.write(verb, company=schedule.company_id)


def _swap_shown(uow: UnitOfWork, call: Call, number: int) -> wire.SwapView:
    row, schedule = oncall_views.seen_swap(uow.connection, f"SWP-{number}", call.actor, uow.now)
    assert visible(schedule, call.actor)
    return oncall_views.swap_view(uow.connection, row, schedule, call.actor, load_names(uow.connection))
