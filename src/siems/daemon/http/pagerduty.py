"""PagerDuty's Events API at its own addresses, for tools that are told nothing but another host.

The integration key in `routing_key` is the API key of an integration. Answers are in PagerDuty's own words and codes,
since its clients decide by them whether to send again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog
from aiohttp import web

from siems.daemon.http.middleware import RUNTIME, answer, body_of, not_draining
from siems.daemon.http.webhooks import received, take
from siems.domain.alert import Read
from siems.errors import NotAuthenticated, RateLimited, ReplayMismatch, SiemsError, TooLarge, UsageError
from siems.sources import SOURCES, Tool
from siems.sources.pagerduty import CHANGES, EVENTS, FIRST_EVENTS

log = structlog.get_logger()

LARGEST = 512 * 1024
INVALID = "Event object is invalid"
Handler = Callable[[web.Request], Awaitable[web.Response]]


def _door(
    tool: Tool, said: Callable[[Read], dict[str, str]], *, named: str = "routing_key", status: int = 202
) -> Handler:
    async def enqueue(request: web.Request) -> web.Response:
        try:
            not_draining(request.app[RUNTIME])
            body = await body_of(request)
            if len(body) > LARGEST:
                raise TooLarge(f"an event has at most {LARGEST} bytes")
            key = request.match_info.get("key") or _key(request, body, named)
            incoming, _ = await take(request, tool, key, body)
        except web.HTTPRequestEntityTooLarge:
            return _refused(TooLarge(f"an event has at most {LARGEST} bytes"))
        except SiemsError as error:
            return _refused(error, named)
        return answer({"status": "success"} | said(incoming.read), status=status)

    return enqueue


def _key(request: web.Request, body: bytes, named: str) -> str:
    """The integration key: from the body, or from the header that some senders use."""
    key = _said(body).get(named)
    return key if isinstance(key, str) and key else request.headers.get("X-Routing-Key", "")


def _said(body: bytes) -> dict[str, Any]:
    """The fields of an event; none of what is no object."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}


def _refused(error: SiemsError, named: str = "routing_key") -> web.Response:
    """An error as PagerDuty says it."""
    status, found = error.status, {"status": "error", "message": error.message}
    errors: list[str] = []
    match error:
        case NotAuthenticated():
            status, found = 400, {"status": "invalid event", "message": INVALID}
            errors = [f"'{named}' is missing, or not one that is accepted here"]
        case RateLimited():
            told = "Requests for this service are arriving too quickly.  Please retry later."
            found = {"status": "throttle exceeded", "message": told}
        case TooLarge():
            found, errors = {"status": "invalid event", "message": INVALID}, [error.message]
        case UsageError() | ReplayMismatch():
            status, found = 400, {"status": "invalid event", "message": INVALID}
            errors = error.message.split("; ")
    response = answer({**found, "errors": errors} if errors else found, status=status)
    response.headers.update(error.headers)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _processed(read: Read) -> dict[str, str]:
    keys = (*(reading.dedup_key for reading in read.readings), *(remark.dedup_key for remark in read.remarks))
    return {"message": "Event processed", "dedup_key": next(filter(None, keys), "")}


def _first_processed(read: Read) -> dict[str, str]:
    told = _processed(read)
    return {"message": told["message"], "incident_key": told["dedup_key"]}


def _changed(read: Read) -> dict[str, str]:
    return {"message": "Change event processed"}


_enqueue = _door(EVENTS, _processed)
_enqueue_first = _door(FIRST_EVENTS, _first_processed, named="service_key", status=200)


async def _integrated(request: web.Request) -> web.Response:
    """`POST /integration/KEY/enqueue`. The guides of PagerDuty's partners give this address to whatever sends a body
    of its own, such as a topic of SNS or an action group of Azure: the key says which tool it is."""
    key = request.match_info["key"]
    name = request.app[RUNTIME].intake.tool_of(key)
    if name in ("", EVENTS.name, "generic"):
        try:
            said = _said(await body_of(request))  # aiohttp keeps it for who reads it next
        except web.HTTPRequestEntityTooLarge:
            said = {}
        if "event_type" in said and "event_action" not in said:
            return await _enqueue_first(request)
        if name != "generic" or "event_action" in said:
            return await _enqueue(request)
    try:
        await received(request, SOURCES.get(name), key)
    except NotAuthenticated as error:  # whether a key is unknown or may not send is told to nobody
        return _refused(error)
    return answer({"status": "success", "message": "Event processed"}, status=202)


ADDRESSES: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/v2/enqueue", _enqueue),
    ("POST", "/generic/2010-04-15/create_event.json", _enqueue_first),
    ("POST", "/integration/{key}/enqueue", _integrated),
    ("POST", "/v2/change/enqueue", _door(CHANGES, _changed)),
)
