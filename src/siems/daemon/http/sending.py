"""Alerts that people send, and bodies that came before, over HTTP."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256

from aiohttp import web

from siems import wire
from siems.daemon.http.call import Call, items_of
from siems.errors import InvalidField
from siems.services import directory, sending
from siems.services.ingest import Incoming
from siems.sources import SOURCES
from siems.sources.hearing import hear, redacted
from siems.storage.unit_of_work import UnitOfWork


async def send_alert(call: Call) -> web.Response:
    """A body as a tool would send it, from somebody who is logged in: no key and no signature, but their name."""
    ask = await call.body(wire.AlertsAsk)
    company_id = await call.read(directory.find_company, ask.company, call.actor)
    tool, body, at = SOURCES.get(ask.source), _bytes(ask), _aware(ask.at or call.runtime.clock.now())
    incoming = Incoming(
        company_id=company_id, source=tool.name, read=hear(tool, body, {}, at), raw=redacted(body, tool.redact),
        delivery_id=None, body_hash=sha256(body).digest(),
    )  # fmt: skip

    def verb(uow: UnitOfWork) -> bytes:
        return sending.send(uow, call.actor, incoming, replay=ask.replay, reason=ask.reason)

    return await call.write(verb, company=company_id)


def _bytes(ask: wire.AlertsAsk) -> bytes:
    if not ask.base64:
        return ask.body.encode("utf-8", "replace")
    try:
        return base64.b64decode(ask.body, validate=True)
    except (binascii.Error, ValueError) as why:
        raise InvalidField("body is not base64") from why


async def list_bodies(call: Call) -> web.Response:
    company_id = await call.read(directory.find_company, call.path("ref"), call.actor)
    after = call.word("after", "0")
    if not (after.isascii() and after.isdigit() and len(after) < 19):
        raise InvalidField("after is the id of a body")
    page = partial(sending.kept_bodies, since=_since(call.word("since")), after=int(after), limit=call.limit())
    return items_of(await call.read(page, call.actor, company_id))


def _since(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text) if text else datetime.fromtimestamp(0, UTC)
    except ValueError as why:
        raise InvalidField("since is a time, as RFC 3339 writes it") from why
    return _aware(found)


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)
