"""Where the tools of clients send their alerts: five checks in order, then the verb, then the answer."""

from __future__ import annotations

from hashlib import sha256

from aiohttp import web

from siems.daemon.http.middleware import RUNTIME, not_draining, problem
from siems.daemon.keyring import Entry
from siems.daemon.refusals import RATE_LIMITED
from siems.daemon.runtime import Runtime
from siems.domain.signature import Cause, verify
from siems.errors import (
    InvalidField,
    NotAuthenticated,
    NotFound,
    RateLimited,
    SiemsError,
    Unavailable,
    UnsupportedMedia,
    UsageError,
)
from siems.services.ingest import Incoming, accept
from siems.sources import SOURCES, Tool
from siems.sources.hearing import hear, redacted
from siems.vocabulary import MSP, Signing

FORGERIES_PER_MINUTE = 60
FORGERIES_BURST = 120
MAX_DELIVERY_ID = 200
REFUSED = NotAuthenticated("this request is not accepted", hint="check key, signature and clock with your provider")


async def receive(request: web.Request) -> web.Response:
    """`POST /api/webhooks/<source>`: 202 only after the alerts are on disk."""
    runtime = request.app[RUNTIME]
    not_draining(runtime)
    try:
        source = SOURCES.get(request.match_info["source"])
    except NotFound as unknown:
        return problem(unknown)
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        raise UnsupportedMedia("compressed bodies are not taken: the signature is over the bytes as sent")
    body = await request.read()
    address = request.remote or ""
    entry = _known(runtime, request, source, address)
    refused = _limited(runtime, entry, source, address)
    if refused is not None:
        return refused
    _signed(runtime, request, entry, body, source, address)
    incoming = _read(runtime, request, entry, source, body, address)
    runtime.limiter.take(_rate_name(entry, source), **_rate(runtime, entry, source))
    said = await runtime.database.write(
        accept, incoming, companies=(entry.company_id,), ingest=True, delivery=incoming.key
    )
    return web.Response(body=said, status=202, content_type="application/json")


# --- 1 the key -------------------------------------------------------------------------------------------------


def _key(request: web.Request) -> str:
    key = request.query.get("api_key") or request.headers.get("X-API-Key", "")
    if not key:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        key = token.strip() if kind.lower() == "bearer" else ""
    return key


def _known(runtime: Runtime, request: web.Request, source: Tool, address: str) -> Entry:
    """The integration behind the key, and that it may use this URL."""
    key = _key(request)
    entry = runtime.keyring.find(key) if key else None
    if entry is None:
        raise _forged(runtime, f"address:{address}", Cause.UNKNOWN_KEY if key else Cause.NO_KEY, source, address)
    cause = None
    if entry.revoked:
        cause = Cause.REVOKED
    elif entry.tool not in ("generic", source.name):
        cause = Cause.WRONG_SOURCE
    if cause is not None:
        raise _forged(runtime, entry.integration_id, cause, source, address, entry)
    return entry


def _forged(
    runtime: Runtime, name: str, cause: Cause, source: Tool, address: str, entry: Entry | None = None
) -> SiemsError:
    """A refusal that looks like every other; those who try too often are told to wait."""
    bucket = f"forgery:{name}:{address}"
    wait = runtime.limiter.wait(bucket, per_minute=FORGERIES_PER_MINUTE, burst=FORGERIES_BURST)
    company_id = entry.company_id if entry else MSP
    detail = f"integration {entry.integration_id}" if entry else ""
    runtime.refusals.note(
        company_id, cause.value, source=source.name, address=address, detail=detail, now=runtime.clock.now()
    )
    if wait:
        return RateLimited("too many requests", hint="try again later", retry_after=wait)
    runtime.limiter.take(bucket, per_minute=FORGERIES_PER_MINUTE, burst=FORGERIES_BURST)
    return REFUSED


# --- 2 the rate ------------------------------------------------------------------------------------------------


def _rate(runtime: Runtime, entry: Entry, source: Tool) -> dict[str, int]:
    native = runtime.settings.ingest.native_rate_per_minute
    if source.native and entry.rate_per_minute < native:
        return {"per_minute": native, "burst": max(entry.burst, native)}
    return {"per_minute": entry.rate_per_minute, "burst": entry.burst}


def _rate_name(entry: Entry, source: Tool) -> str:
    return f"{'native' if source.native else 'rate'}:{entry.company_id}"


def _limited(runtime: Runtime, entry: Entry, source: Tool, address: str) -> web.Response | None:
    rate = _rate(runtime, entry, source)
    wait = runtime.limiter.wait(_rate_name(entry, source), **rate)
    if not wait:
        return None
    detail = f"more than {rate['per_minute']}/min"
    runtime.refusals.note(
        entry.company_id, RATE_LIMITED, source=source.name, address=address, detail=detail, now=runtime.clock.now()
    )
    # tools that repeat only on errors of ours would lose what a 429 refuses
    kind = Unavailable if source.native else RateLimited
    response = problem(kind(f"{entry.company} sends {detail}", hint="send again after Retry-After", retry_after=wait))
    response.headers["X-RateLimit-Limit"] = str(rate["per_minute"])
    response.headers["X-RateLimit-Burst"] = str(rate["burst"])
    return response


# --- 3 the signature and 4 the timestamp -----------------------------------------------------------------------


def _signed(runtime: Runtime, request: web.Request, entry: Entry, body: bytes, source: Tool, address: str) -> None:
    if entry.signing is Signing.NONE:
        return
    cause = verify(
        request.headers, body, entry.secret or "", now=runtime.clock.now(),
        tolerance=runtime.settings.ingest.timestamp_tolerance_seconds,
    )  # fmt: skip
    if cause is not None:
        raise _forged(runtime, entry.integration_id, cause, source, address, entry)


# --- what it says, and 5 the delivery id -----------------------------------------------------------------------


def _read(runtime: Runtime, request: web.Request, entry: Entry, source: Tool, body: bytes, address: str) -> Incoming:
    given = request.headers.getall("X-Delivery-ID", []) or request.headers.getall("webhook-id", [])
    if len(given) > 1 or (given and not (0 < len(given[0]) <= MAX_DELIVERY_ID and given[0].isprintable())):
        raise InvalidField(
            f"X-Delivery-ID is one printable text of at most {MAX_DELIVERY_ID} characters",
            hint="a UUID for each delivery is enough",
        )
    try:
        read = hear(source, body, request.headers)
    except UsageError as unreadable:
        runtime.refusals.note(
            entry.company_id, "unreadable body", source=source.name, address=address, detail=unreadable.message,
            now=runtime.clock.now(),
        )  # fmt: skip
        raise
    return Incoming(
        company_id=entry.company_id, source=source.name, readings=read.readings, raw=redacted(body, source.redact),
        delivery_id=given[0] if given else None, body_hash=sha256(body).digest(), many=read.many,
        warnings=read.warnings,
    )  # fmt: skip
