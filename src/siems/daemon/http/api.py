"""The API under /api/v1: each route reads its request, asks a verb or a query, and shows the answer."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, TypeVar

import msgspec
from aiohttp import web
from sqlalchemy import Connection

from siems import wire
from siems.daemon.http.middleware import RUNTIME, Handler, actor_of, answer, not_draining
from siems.daemon.runtime import Runtime, company_defaults
from siems.domain.permissions import Actor, Permission, require, require_role
from siems.errors import InvalidField, NotFound, UsageError
from siems.services import companies, directory, idempotency, incidents, queries, trail, users
from siems.services.views import incident_view, load_names
from siems.sources import SOURCES
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, Action, Role

A = TypeVar("A")
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Call:
    """A request, with whoever asks and what answers."""

    request: web.Request
    runtime: Runtime
    actor: Actor

    async def body(self, kind: type[A]) -> A:
        """The body as the shape that the route takes. Raises UsageError and InvalidField naming the field."""
        raw = await self.request.read() or b"{}"
        try:
            return msgspec.json.decode(raw, type=kind)
        except msgspec.ValidationError as why:
            raise InvalidField(str(why), hint="siems schema shows what this takes") from why
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as why:
            raise UsageError("the body is not valid JSON", hint=str(why)) from why

    def word(self, name: str, default: str = "") -> str:
        return self.request.query.get(name, default)

    def limit(self) -> int:
        text = self.word("limit", "0")
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise InvalidField(f"limit is a number, not {text[:20]!r}")
        return int(text)

    def path(self, name: str) -> str:
        return self.request.match_info[name]

    async def read(self, fn: Callable[..., A], *args: Any) -> A:
        return await self.runtime.database.read(fn, *args)

    async def write(self, verb: Callable[[UnitOfWork], bytes], *, company: str) -> web.Response:
        """A verb whose answer may be asked for again under its idempotency key."""
        if self.word("dry_run") == "true":
            return await self.rehearse(verb, company=company)
        key = self.request.headers.get("Idempotency-Key", "")
        if len(key) > 200:
            raise InvalidField("an Idempotency-Key has at most 200 characters")
        route = f"{self.request.method} {self.request.path}"[:200]
        body_hash = sha256(await self.request.read()).hexdigest()
        said = await self.runtime.database.write(
            idempotency.once, self.actor, route, key, body_hash, verb, companies=(company,)
        )
        return web.Response(body=said, content_type="application/json")

    async def rehearse(self, verb: Callable[[UnitOfWork], bytes], *, company: str) -> web.Response:
        """What the verb would answer; nothing is changed."""
        try:
            await self.runtime.database.write(idempotency.rehearse, verb, companies=(company,))
        except idempotency.Rehearsed as done:
            return web.Response(body=done.answer, content_type="application/json", headers={"X-Dry-Run": "true"})
        raise AssertionError("a rehearsal always ends by raising")


Route = Callable[[Call], Any]


def signed_in(route: Route) -> Handler:
    """A route for people who are logged in."""

    async def handler(request: web.Request) -> web.StreamResponse:
        runtime = request.app[RUNTIME]
        actor = await actor_of(request)
        if request.method != "GET":
            not_draining(runtime)
        found: web.StreamResponse = await route(Call(request, runtime, actor))
        return found

    return handler


# --- incidents -------------------------------------------------------------------------------------------------


async def list_incidents(call: Call) -> web.Response:
    ask = queries.Ask(
        call.actor, call.runtime.clock.now(), call.word("query"), call.word("sort"), call.limit(), call.word("cursor")
    )
    return answer(await call.read(queries.list_incidents, ask))


async def show_incident(call: Call) -> web.Response:
    return answer(await call.read(queries.incident_detail, call.path("ref"), call.actor, call.runtime.clock.now()))


async def incident_timeline(call: Call) -> web.Response:
    return _items(await call.read(queries.incident_timeline, call.path("ref"), call.actor, call.limit()))


async def incident_alerts(call: Call) -> web.Response:
    return _items(await call.read(queries.incident_alerts, call.path("ref"), call.actor, call.limit()))


async def act(call: Call) -> web.Response:
    """`POST /incidents/INC-42/actions/ack`."""
    try:
        action = Action(call.path("action"))
    except ValueError as why:
        raise NotFound(f"there is no action {call.path('action')[:40]!r}", hint=f"one of: {', '.join(Action)}") from why
    ask = await call.body(wire.ActAsk)
    if (match := call.request.headers.get("If-Match")) is not None:
        word = match.strip('"')
        if not (word.isascii() and word.isdigit() and len(word) < 10):
            raise InvalidField("If-Match is the version of the incident")
        ask.version = int(word)
    incident = await call.read(queries.find_incident, call.path("ref"), call.actor)

    def verb(uow: UnitOfWork) -> bytes:
        done = incidents.act(uow, call.actor, action, incident.company_id, incident.id, ask)
        uow.settle()
        current = uow.incidents.get(incident.company_id, incident.id)
        shown = incident_view(uow.connection, current, call.actor, load_names(uow.connection), as_of=uow.now)
        return _encode(
            wire.ActAnswer(
                incident=shown, changed=done.changed, steps=list(done.steps), undo_until=done.undo_until,
                server_time=uow.now,
            )
        )  # fmt: skip

    return await call.write(verb, company=incident.company_id)


async def look_up_write(call: Call) -> web.Response:
    found = await call.read(idempotency.find, call.actor, call.path("key"))
    return answer({"found": found is not None, "answer": msgspec.json.decode(found) if found else None})


# --- alerts ----------------------------------------------------------------------------------------------------


async def list_alerts(call: Call) -> web.Response:
    ask = queries.Ask(call.actor, call.runtime.clock.now(), call.word("query"), "", call.limit(), call.word("cursor"))
    return answer(await call.read(queries.list_alerts, ask))


async def show_alert(call: Call) -> web.Response:
    view, raw = await call.read(queries.alert_detail, call.path("ref"), call.actor)
    shown: dict[str, Any] = msgspec.to_builtins(view)
    try:
        shown["raw"] = raw.decode()
    except UnicodeDecodeError:
        shown["raw_base64"] = base64.b64encode(raw).decode()
    return answer(shown)


async def list_rejections(call: Call) -> web.Response:
    await call.runtime.flush_refusals()
    return _items(await call.read(queries.rejections, call.actor, call.limit()))


# --- companies, integrations, assets ---------------------------------------------------------------------------


async def list_companies(call: Call) -> web.Response:
    return _items(await call.read(directory.list_companies, call.actor))


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
        return _encode(made)

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
    return _items(await call.read(directory.list_integrations, call.actor))


async def add_integration(call: Call) -> web.Response:
    ask = await call.body(wire.IntegrationAsk)
    tool = SOURCES.canonical(ask.tool)
    company_id = await call.read(directory.find_company, ask.company, call.actor)
    runtime = call.runtime

    def verb(uow: UnitOfWork) -> bytes:
        return _encode(companies.add_integration(uow, call.actor, company_id, tool, runtime.vault, runtime.public_url))

    return await _secret(call, verb, company_id)


async def _secret(call: Call, verb: Callable[[UnitOfWork], bytes], company: str) -> web.Response:
    """An answer with secrets is shown once: it is kept nowhere, so it has no idempotency key."""
    if call.word("dry_run") == "true":
        return await call.rehearse(verb, company=company)
    said = await call.runtime.database.write(verb, companies=(company,))
    await call.runtime.reload_keys()
    return web.Response(body=said, status=201, content_type="application/json", headers={"Cache-Control": "no-store"})


async def list_assets(call: Call) -> web.Response:
    company_id = await call.read(directory.find_company, call.path("ref"), call.actor)
    return _items(await call.read(directory.list_assets, company_id))


async def edit_asset(call: Call) -> web.Response:
    ask = await call.body(wire.AssetEdit)
    company_id = await call.read(directory.find_company, call.path("ref"), call.actor)
    name = call.path("name")

    def verb(uow: UnitOfWork) -> bytes:
        companies.edit_asset(uow, call.actor, company_id, name, critical=ask.critical)
        return _encode({"company_id": company_id, "name": name, "critical": ask.critical})

    return await call.write(verb, company=company_id)


# --- people and sessions ---------------------------------------------------------------------------------------


async def list_users(call: Call) -> web.Response:
    company = call.word("company")
    company_id = await call.read(directory.find_company, company, call.actor) if company else None
    return _items(await call.read(users.users_for, call.actor, company_id))


async def create_user(call: Call) -> web.Response:
    ask = await call.body(wire.UserAsk)
    require(call.actor, Permission.ADMINISTER, MSP)
    minimum = call.runtime.settings.auth.min_password
    hashed = await asyncio.to_thread(users.hash_password, ask.password, minimum)

    def verb(uow: UnitOfWork) -> bytes:
        user_id = users.create(uow, call.actor, ask, hashed)
        return _encode(directory.user_itself(uow.connection, user_id))

    response = await call.write(verb, company=MSP)
    response.set_status(201)
    return response


async def login(request: web.Request) -> web.StreamResponse:
    runtime = request.app[RUNTIME]
    ask = await Call(request, runtime, NOBODY).body(wire.LoginAsk)
    bucket = f"login:{request.remote}"
    directory.let_log_in(runtime.limiter.wait(bucket, per_minute=20, burst=10))
    runtime.limiter.take(bucket, per_minute=20, burst=10)
    user_id = await runtime.database.read(users.check_password, ask.user, ask.password)
    session = await runtime.database.write(users.begin_session, user_id, runtime.token_key, companies=(MSP,))
    return await _session_answer(runtime, session)


async def refresh(request: web.Request) -> web.StreamResponse:
    runtime = request.app[RUNTIME]
    ask = await Call(request, runtime, NOBODY).body(wire.RefreshAsk)
    session = await runtime.database.write(users.renew_session, ask.refresh_token, runtime.token_key, companies=(MSP,))
    if session is None:
        raise users.not_logged_in()
    return await _session_answer(runtime, session)


async def logout(request: web.Request) -> web.StreamResponse:
    runtime = request.app[RUNTIME]
    ask = await Call(request, runtime, NOBODY).body(wire.RefreshAsk)
    await runtime.database.write(users.end_session, ask.refresh_token, companies=(MSP,))
    return answer({"changed": True})


async def _session_answer(runtime: Runtime, session: users.Session) -> web.Response:
    user = await runtime.database.read(directory.user_itself, session.user_id)
    response = answer(
        wire.TokenPair(
            access_token=session.access_token, refresh_token=session.refresh_token,
            expires_at=session.expires_at, user=user,
        )
    )  # fmt: skip
    response.headers["Cache-Control"] = "no-store"
    return response


async def me(call: Call) -> web.Response:
    now = call.runtime.clock.now()
    user = await call.read(directory.user_itself, call.actor.id)
    unread = await call.read(queries.unread_count, call.actor, now)
    return answer(wire.Me(user=user, unread=unread, server_time=now, context="local"))


NOBODY = Actor("", "nobody", Role.CLIENT)
"""Who has not said yet who they are."""


# --- inbox, audit, the whole -----------------------------------------------------------------------------------


class ReadAsk(wire.Ask):
    ids: list[int] | None = None


async def inbox(call: Call) -> web.Response:
    unread = call.word("unread") == "true"
    work = partial(queries.inbox, unread=unread, limit=call.limit() or 100)
    return _items(await call.read(work, call.actor, call.runtime.clock.now()))


async def read_inbox(call: Call) -> web.Response:
    ask = await call.body(ReadAsk)

    def verb(uow: UnitOfWork) -> bytes:
        return _encode({"read": directory.mark_read(uow, call.actor, ask.ids)})

    return await call.write(verb, company=MSP)


async def list_audit(call: Call) -> web.Response:
    company = call.word("company")
    chain: str | None = None
    if company:
        chain = MSP if company == MSP else await call.read(directory.find_company, company, call.actor)
    work = partial(trail.list_entries, chain=chain, object=call.word("object"), limit=call.limit() or 100)
    return _items(await call.read(work, call.actor))


async def verify_audit(call: Call) -> web.Response:
    return answer(await call.read(trail.verify_all, call.actor))


async def summary(call: Call) -> web.Response:
    return answer(await call.read(queries.summary, call.actor, call.runtime.clock.now()))


async def status(call: Call) -> web.Response:
    require_role(call.actor, Permission.SEE_AUDIT)
    runtime = call.runtime
    overdue = await runtime.scheduler.overdue()
    shown = runtime.database.url.render_as_string(hide_password=True)
    checks = await call.read(partial(directory.checks, overdue=overdue, drift=runtime.clock.drift()))
    return answer(
        wire.Status(
            version=runtime.version, pid=directory.process_id(), url=runtime.public_url, database=shown,
            started_at=runtime.started_at, server_time=runtime.clock.now(),
            queue=runtime.database.writer.lanes.length, overdue=overdue, subscribers=runtime.hub.subscribers,
            clock_drift_seconds=runtime.clock.drift().total_seconds(), checks=checks,
        )
    )  # fmt: skip


def _items(items: list[Any]) -> web.Response:
    return answer({"items": items})


async def livez(request: web.Request) -> web.Response:
    """Whether this process works; never asks the database."""
    runtime = request.app[RUNTIME]
    alive = runtime.scheduler.alive() and runtime.database.writer.alive()
    return answer({"ok": alive}, status=200 if alive else 503)


async def readyz(request: web.Request) -> web.Response:
    """Whether it takes alerts: asks the database, and fails first when it drains."""
    runtime = request.app[RUNTIME]
    not_draining(runtime)
    await runtime.database.read(_ping)
    return answer({"ok": True})


def _ping(connection: Connection) -> None:
    connection.exec_driver_sql("SELECT 1")


ROUTES: tuple[tuple[str, str, Route], ...] = (
    ("GET", "/incidents", list_incidents),
    ("GET", "/incidents/{ref}", show_incident),
    ("GET", "/incidents/{ref}/timeline", incident_timeline),
    ("GET", "/incidents/{ref}/alerts", incident_alerts),
    ("POST", "/incidents/{ref}/actions/{action}", act),
    ("GET", "/idempotency/{key}", look_up_write),
    ("GET", "/alerts", list_alerts),
    ("GET", "/alerts/{ref}", show_alert),
    ("GET", "/rejections", list_rejections),
    ("GET", "/companies", list_companies),
    ("POST", "/companies", onboard),
    ("GET", "/companies/{ref}", show_company),
    ("PATCH", "/companies/{ref}", edit_company),
    ("POST", "/companies/{ref}/sla", set_sla),
    ("GET", "/companies/{ref}/assets", list_assets),
    ("PATCH", "/companies/{ref}/assets/{name}", edit_asset),
    ("GET", "/integrations", list_integrations),
    ("POST", "/integrations", add_integration),
    ("GET", "/users", list_users),
    ("POST", "/users", create_user),
    ("GET", "/me", me),
    ("GET", "/inbox", inbox),
    ("POST", "/inbox/read", read_inbox),
    ("GET", "/audit", list_audit),
    ("POST", "/audit/verify", verify_audit),
    ("GET", "/summary", summary),
    ("GET", "/status", status),
)
"""Every route for people who are logged in: the permission tests read this table."""
