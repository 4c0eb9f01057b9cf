"""Opsgenie's Alert API at its own address, for tools that are told nothing but another host.

Opsgenie answers before it works and tells later how it went; siems answers after the commit, so what a request id
stands for is known when it is given, and written into it: nothing is kept for it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from aiohttp import web

from siems.clock import from_micros, rfc3339
from siems.daemon.http.middleware import RUNTIME, address_of, answer, body_of, not_draining
from siems.daemon.http.opsgenie_search import found, view
from siems.daemon.http.webhooks import take
from siems.daemon.keyring import Entry
from siems.domain.alert import Alert
from siems.errors import Forbidden, InvalidField, NotAuthenticated, NotFound, RateLimited, SiemsError, TooLarge
from siems.services import senders
from siems.services.heartbeats import beat_named
from siems.sources.opsgenie import ACTS, API, REMOVED, reader_of
from siems.sources.reading import short_key
from siems.vocabulary import AlertStatus

CREATE, CLOSE, DELETE = "create", "close", "delete"
_ACTS = (CREATE, CLOSE, DELETE, *ACTS)  # request ids hold their places: new ones come last
PAGE, MAX_PAGE, FARTHEST = 20, 100, 20_000
_SORTS = ("createdAt", "updatedAt", "tinyId", "alias", "message", "status", "acknowledged", "isSeen", "snoozed",
          "count", "lastOccurredAt", "source", "owner")  # fmt: skip
Route = Callable[[web.Request, float], Awaitable[web.Response]]


# --- request ids -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Done:
    """What a request has come to; alert 0 when there was none to act on."""

    act: str
    alert: int
    at: datetime

    def request_id(self) -> str:
        seconds = int(self.at.timestamp())
        number = self.alert.to_bytes(7) + seconds.to_bytes(5)
        return str(UUID(bytes=bytes([_ACTS.index(self.act)]) + number + os.urandom(3)))

    @classmethod
    def of(cls, request_id: str) -> Done | None:
        """What a request id stands for; None when siems has not given it."""
        try:
            said = UUID(request_id).bytes
            act, at = _ACTS[said[0]], from_micros(int.from_bytes(said[8:13]) * 1_000_000)
        except (ValueError, IndexError, OverflowError):
            return None
        return cls(act, int.from_bytes(said[1:8]), at)


# --- alerts ----------------------------------------------------------------------------------------------------


async def create(request: web.Request, began: float) -> web.Response:
    """`POST /v2/alerts`"""
    _, said = await take(request, API, _key(request), await body_of(request))
    return _accepted(request, CREATE, said, began)


async def act(request: web.Request, began: float) -> web.Response:
    """`POST /v2/alerts/ID/close` and what else may be said of an alert; `DELETE /v2/alerts/ID`, `.../ID/tags`"""
    verb = request.match_info.get("act", DELETE)
    if request.method == "DELETE":
        verb = REMOVED.get(verb, verb if verb == DELETE else "")
    elif verb in REMOVED.values():
        verb = ""
    if verb not in (CLOSE, DELETE, *ACTS):
        return await unsupported(request, began)
    alias, body = request.match_info["ref"], await body_of(request)
    if _kind(request) != "alias":
        alert = await _sent(request, _admitted(request, body))
        if alert is None or alert.status is AlertStatus.RESOLVED:
            return _done(request, verb, 0 if alert is None else alert.id, began)
        alias = alert.labels.get("alias", "")
    more = request.query if request.method == "DELETE" else {}
    _, said = await take(request, reader_of(verb, alias, more), _key(request), body)
    return _accepted(request, verb, said, began)


async def show(request: web.Request, began: float) -> web.Response:
    """`GET /v2/alerts/ID`"""
    alert = await _sent(request, _admitted(request, b""))
    if alert is None:
        raise NotFound(f"Alert with {_kind(request)} [{request.match_info['ref']}] does not exist")
    incident = await request.app[RUNTIME].database.read(senders.incident_of, alert)
    return _answer({"data": view(alert, incident)}, began)


async def listing(request: web.Request, began: float) -> web.Response:
    """`GET /v2/alerts`: alerts of this sender, in pages."""
    limit, offset = _number(request, "limit", PAGE, MAX_PAGE), _number(request, "offset", 0, FARTHEST)
    sort, order = request.query.get("sort", "createdAt"), request.query.get("order", "desc")
    if sort not in _SORTS or order not in ("asc", "desc"):
        raise InvalidField(f"sort: should be one of [ {', '.join(_SORTS)} ], with order asc or desc")
    views = await _searched(request)
    views.sort(key=lambda one: int(one[sort]) if sort == "tinyId" else one[sort], reverse=order == "desc")

    def page(start: int) -> str:
        query = {**request.query, "offset": str(start), "limit": str(limit), "sort": sort, "order": order}
        return f"{request.app[RUNTIME].public_url}/v2/alerts?{urlencode(query)}"

    last = (len(views) - 1) // limit * limit if views else 0
    paging = {"first": page(0), "last": page(last)}
    if offset + limit < len(views):
        paging["next"] = page(offset + limit)
    if offset > 0:
        paging["prev"] = page(max(0, offset - limit))
    return _answer({"data": views[offset : offset + limit], "paging": paging}, began)


async def count(request: web.Request, began: float) -> web.Response:
    """`GET /v2/alerts/count`"""
    return _answer({"data": {"count": len(await _searched(request))}}, began)


async def _searched(request: web.Request) -> list[dict[str, Any]]:
    entry = _admitted(request, b"")
    if request.query.get("searchIdentifier"):
        raise InvalidField("searchIdentifier: siems keeps no searches, send their query as query")
    query = request.query.get("query", "")
    return await request.app[RUNTIME].database.read(found, entry.company_id, API.name, query)


def _number(request: web.Request, name: str, default: int, most: int) -> int:
    said = request.query.get(name, str(default))
    if not (said.isascii() and said.isdigit() and len(said) < 10 and (name == "offset" or int(said))):
        raise InvalidField(f"{name}: should be a positive number")
    if int(said) > most:
        raise InvalidField(f"{name}: should be at most {most}")
    return int(said)


async def status(request: web.Request, began: float) -> web.Response:
    """`GET /v2/alerts/requests/ID`: how a request went."""
    entry, done = _admitted(request, b""), Done.of(request.match_info["id"])
    alert = None
    if done is not None and done.alert:
        read = request.app[RUNTIME].database.read
        alert = await read(senders.numbered, entry.company_id, API.name, done.alert)
    if done is None or (done.alert and alert is None):
        raise NotFound("Request not found. It might not be processed, yet.")
    told = {
        "success": alert is not None, "isSuccess": alert is not None, "action": done.act.capitalize(),
        "processedAt": rfc3339(done.at), "integrationId": entry.integration_id,
        "status": "Alert does not exist" if alert is None else f"{done.act.capitalize()} done",
        "alertId": "" if alert is None else f"ALR-{alert.id}",
        "alias": "" if alert is None else alert.labels.get("alias", ""),
    }  # fmt: skip
    return _answer({"data": told}, began)


async def ping(request: web.Request, began: float) -> web.Response:
    """`GET /v2/heartbeats/NAME/ping`: a beat of the company's heartbeat of that name."""
    entry, name = _admitted(request, await body_of(request)), request.match_info["name"]
    try:
        await request.app[RUNTIME].database.write(
            beat_named, entry.company_id, name, companies=(entry.company_id,), ingest=True
        )
    except NotFound as why:
        raise NotFound(f"Heartbeat with name [{name}] does not exist") from why
    return _answer({"result": "PONG - Heartbeat received"}, began, status=202)


async def unsupported(request: web.Request, began: float) -> web.Response:
    _admitted(request, await body_of(request))
    raise Forbidden(f"siems does not answer {request.method} at this address; docs/guides tell what it answers")


# --- what they share -------------------------------------------------------------------------------------------


def _key(request: web.Request) -> str:
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if kind.lower() == "geniekey" else ""


def _kind(request: web.Request) -> str:
    """How the alert is named. Raises InvalidField."""
    kind = request.query.get("identifierType", "id").lower()
    if kind not in ("id", "alias", "tiny"):
        raise InvalidField("identifierType: should be one of [ id, alias, tiny ]")
    return kind


def _admitted(request: web.Request, body: bytes) -> Entry:
    runtime = request.app[RUNTIME]
    return runtime.intake.look(API, _key(request), request.headers, body, address_of(request))


async def _sent(request: web.Request, entry: Entry) -> Alert | None:
    """The alert that the address names: by its alias, or as ALR-7 or 7."""
    kind, ref, read = _kind(request), request.match_info["ref"], request.app[RUNTIME].database.read
    if kind == "alias":
        return await read(senders.keyed, entry.company_id, API.name, short_key(ref))
    number = ref.upper().removeprefix("ALR-")
    if not (number.isascii() and number.isdigit() and len(number) < 16):
        return None
    return await read(senders.numbered, entry.company_id, API.name, int(number))


def _accepted(request: web.Request, verb: str, said: bytes, began: float) -> web.Response:
    taken = msgspec.json.decode(said)
    number = int((taken["alert_id"] or "ALR-0").removeprefix("ALR-"))
    return _done(request, verb, number, began, warnings=taken["warnings"])


def _done(request: web.Request, verb: str, alert: int, began: float, **more: Any) -> web.Response:
    request_id = Done(verb, alert, request.app[RUNTIME].clock.now()).request_id()
    told = {name: value for name, value in more.items() if value}
    return _answer({"result": "Request will be processed"} | told, began, status=202, request_id=request_id)


def _answer(value: dict[str, Any], began: float, *, status: int = 200, request_id: str = "") -> web.Response:
    request_id, took = request_id or str(UUID(bytes=os.urandom(16))), round(time.monotonic() - began, 3)
    response = answer(value | {"took": took, "requestId": request_id}, status=status)
    response.headers.update({"X-RateLimit-State": "OK", "X-Response-Time": str(took)})
    return response


def _refused(error: SiemsError, began: float) -> web.Response:
    """An error as Opsgenie says it."""
    told: dict[str, Any] = {"message": error.message}
    match error:
        case NotAuthenticated():
            told = {"message": "Could not authenticate"}
        case Forbidden():
            told["code"] = 40302
        case RateLimited():
            told = {"message": "You are making too many requests!"}
        case InvalidField():
            faults = dict(part.partition(": ")[::2] for part in error.message.split("; "))
            told = {"message": "Request body is not processable. Please check the errors.", "errors": faults}
    response = _answer(told, began, status=error.status)
    response.headers.update(error.headers)
    if isinstance(error, RateLimited):
        response.headers.update({"X-RateLimit-State": "THROTTLED", "X-RateLimit-Reason": "ACCOUNT"})
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _door(route: Route) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handler(request: web.Request) -> web.Response:
        began = time.monotonic()
        try:
            not_draining(request.app[RUNTIME])
            return await route(request, began)
        except web.HTTPRequestEntityTooLarge:
            return _refused(TooLarge("the request body is too large"), began)
        except SiemsError as error:
            return _refused(error, began)

    return handler


ADDRESSES: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/v2/alerts", _door(create)),
    ("GET", "/v2/alerts", _door(listing)),
    ("GET", "/v2/alerts/", _door(listing)),
    ("GET", "/v2/alerts/count", _door(count)),
    ("GET", "/v2/alerts/requests/{id}", _door(status)),
    ("GET", "/v2/alerts/{ref}", _door(show)),
    ("DELETE", "/v2/alerts/{ref}", _door(act)),
    *((method, "/v2/alerts/{ref}/{act}", _door(act)) for method in ("POST", "PUT", "PATCH", "DELETE")),
    *((method, "/v2/heartbeats/{name}/ping", _door(ping)) for method in ("GET", "POST", "PUT", "PATCH")),
    ("*", "/v2/alerts{rest:.*}", _door(unsupported)),
    ("*", "/v2/heartbeats{rest:.*}", _door(unsupported)),
)
