"""The daemon's door: errors become problem documents, callers become actors, every answer has an id and a time."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog
from aiohttp import web

from siems.clock import rfc3339
from siems.daemon.runtime import Runtime
from siems.domain.integration import origin
from siems.domain.permissions import Actor
from siems.errors import NotAuthenticated, SiemsError, TooLarge, Unavailable, UsageError
from siems.services.users import identify
from siems.storage.vault import random_token
from siems.vocabulary import Via
from siems.wire import Problem

log = structlog.get_logger()

RUNTIME: web.AppKey[Runtime] = web.AppKey("runtime", Runtime)
PROBLEM = "application/problem+json"
BODY_SECONDS = 30.0
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_encode = msgspec.json.Encoder().encode
_PROCESS = random_token("req", 6) + "-"
"""Request ids are a random name of this process and a number: asking the system for each costs too much."""
_numbers = itertools.count(1)
_TITLES = {
    400: "Bad request", 401: "Not authenticated", 403: "Forbidden", 404: "Not found", 405: "Method not allowed",
    409: "Conflict", 410: "Gone", 413: "Too large", 415: "Unsupported media type", 422: "Cannot be processed",
    429: "Too many requests", 500: "Internal error", 503: "Unavailable",
}  # fmt: skip


def answer(value: Any, *, status: int = 200) -> web.Response:
    """A value as JSON."""
    return web.Response(body=_encode(value), status=status, content_type="application/json")


def problem(error: SiemsError) -> web.Response:
    """An error as RFC 9457 says."""
    body, headers = document(error)
    return web.Response(body=body, status=error.status, content_type=PROBLEM, headers=headers)


def document(error: SiemsError) -> tuple[bytes, dict[str, str]]:
    """(the problem document, the headers that go with it)."""
    body = Problem(
        type="about:blank", title=_TITLES.get(error.status, "Error"), status=error.status, detail=error.message,
        code=error.code, hint=error.hint,
    )  # fmt: skip
    headers = dict(error.headers)
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return _encode(body), headers


def next_request_id() -> str:
    return f"{_PROCESS}{next(_numbers):x}"


@web.middleware
async def doorway(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors out, in one shape; whatever was not foreseen is logged and answered without its details."""
    request_id = next_request_id()
    try:
        _readable(request)
        response = await handler(request)
    except SiemsError as error:
        response = problem(error)
    except web.HTTPException as found:
        response = problem(_translated(found))
    except (ConnectionError, asyncio.CancelledError):
        raise
    except Exception:
        log.exception("request.failed", method=request.method, path=_route_of(request), request_id=request_id)
        response = problem(SiemsError("something went wrong inside siems", hint="siems daemon logs"))
    if not response.prepared:
        response.headers["Server"] = "siems"
        response.headers["X-Request-Id"] = request_id
        response.headers["X-Server-Time"] = rfc3339(request.app[RUNTIME].clock.now())
    return response


def _route_of(request: web.Request) -> str:
    """The address without what is in it: some hold a secret."""
    resource = request.match_info.route.resource
    return "" if resource is None else resource.canonical


def _readable(request: web.Request) -> None:
    """Raises UsageError for an address with characters that no name has: NUL, and bytes that are no UTF-8."""
    if "%" not in request.raw_path and request.raw_path.isascii():
        return  # nearly always
    for text in (request.path, *request.query, *request.query.values()):
        if "\x00" in text or not _encodable(text):
            raise UsageError("the address has characters that no name has")


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _translated(found: web.HTTPException) -> SiemsError:
    error = SiemsError(found.reason, hint="siems help")
    error.status = found.status  # type: ignore[misc]
    code = {404: "not_found", 405: "usage", 413: "too_large", 415: "unsupported_media"}.get(found.status, "usage")
    error.code = code  # type: ignore[misc]
    if found.status == 404:
        error.message, error.hint = "there is nothing at this address", ""
    if found.status == 413:
        error.message, error.hint = "the body is larger than this daemon takes", "server.max_body_kib"
    return error


async def actor_of(request: web.Request) -> Actor:
    """Who asks. Raises NotAuthenticated."""
    runtime = request.app[RUNTIME]
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token or not token.isascii():
        raise NotAuthenticated("you are not logged in", hint="siems login")
    said = request.headers.get("X-Siems-Via", "api")
    via = Via(said) if said in (Via.CLI, Via.TUI) else Via.API
    return await runtime.database.peek(identify, token.strip(), runtime.token_key, runtime.clock, via)


async def body_of(request: web.Request) -> bytes:
    """The whole body. Raises UsageError when it does not come in time, and TooLarge before any of it is kept."""
    if (request.content_length or 0) > request.client_max_size:
        raise TooLarge("the body is larger than this daemon takes", hint="server.max_body_kib")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except TimeoutError as why:
        raise UsageError(f"the body did not come within {BODY_SECONDS:.0f} s", hint="try again") from why


def address_of(request: web.Request) -> str:
    """Where a request comes from, through proxies of ours if there are any."""
    proxies = request.app[RUNTIME].settings.server.proxies
    return origin(request.remote or "", request.headers.getall("X-Forwarded-For", []), proxies)


def not_draining(runtime: Runtime) -> None:
    if runtime.draining:
        raise stopping()


def stopping() -> Unavailable:
    """What is said to whoever comes too late."""
    return Unavailable("the daemon is stopping", hint="try again in a moment", retry_after=2)
