"""Logging in, staying logged in, logging out."""

from __future__ import annotations

from aiohttp import web

from siems import wire
from siems.daemon.http.call import NOBODY, Call
from siems.daemon.http.middleware import RUNTIME, address_of, answer
from siems.daemon.runtime import Runtime
from siems.domain.permissions import granted
from siems.services import directory, oncall_views, overview, users
from siems.vocabulary import MSP


async def login(request: web.Request) -> web.StreamResponse:
    runtime = request.app[RUNTIME]
    ask = await Call(request, runtime, NOBODY).body(wire.LoginAsk)
    bucket = runtime.limiter.bucket(f"login:{address_of(request)}", per_minute=20, burst=10)
    directory.let_log_in(bucket.wait)
    bucket.tokens -= 1
    user_id = await runtime.database.peek(users.check_password, ask.user, ask.password)
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
    unread = await call.read(overview.unread_count, call.actor, now)
    until = await call.read(oncall_views.on_call_until, call.actor.id, now)
    may = granted(call.actor.role)
    return answer(wire.Me(user=user, unread=unread, server_time=now, context="local", on_call_until=until, may=may))
