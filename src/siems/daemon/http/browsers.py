"""The page on which somebody says that a browser of theirs is to be told, and the worker that shows what is pushed.

Whoever asks for a link gets one that is good for a quarter of an hour and for one browser, so nobody types a password
into it; the keys that the browser makes come back to the same address.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from aiohttp import web

from siems import wire
from siems.channels.webpush import public_key
from siems.daemon.http.answers import HEADERS, STYLE
from siems.daemon.http.call import Call, encode
from siems.daemon.http.middleware import RUNTIME, answer, body_of, not_draining
from siems.daemon.http.trying import try_once
from siems.daemon.runtime import Runtime
from siems.domain.invitation import VALID_FOR, Invitation, read_invitation
from siems.errors import SiemsError
from siems.present import safe
from siems.services import browsers
from siems.services.answering import who
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP

POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)
WELCOME = "This browser is told from now on."


async def invite_browser(call: Call) -> web.Response:
    """A link for the browser of a person."""
    ask = await call.body(wire.BrowserAsk)
    await asyncio.to_thread(call.runtime.delivering.channel, "webpush")  # says what is not set up

    def verb(uow: UnitOfWork) -> bytes:
        user_id, name = browsers.invited(uow, call.actor, ask.user)
        until = uow.now + VALID_FOR
        token = Invitation(user_id, secrets.token_hex(8), until).token(_key(call.runtime))
        return encode(wire.BrowserView(user_id=user_id, user=name, url=f"{call.runtime.public_url}/push/{token}",
                                       until=until))  # fmt: skip

    return await call.write_secret(verb, company=MSP)


async def show(request: web.Request) -> web.Response:
    """The page with the button."""
    runtime = request.app[RUNTIME]
    try:
        invitation = _invitation(request, runtime)
        person = await runtime.database.write(who, invitation.user_id, companies=(MSP,))
        key = await asyncio.to_thread(public_key, runtime.settings.webpush.private_key.get_secret_value())
    except SiemsError as why:
        text = why.message + (f" ({why.hint})" if why.hint else "")
        return _page("This link does not work", [f"<p>{escape(safe(text))}</p>"], status=why.status)
    return _page(
        f"siems, for {person.name}",
        ["<p>What pages you is then shown by this browser too, also while no page of siems is open.</p>",
         f'<button disabled data-key="{escape(key)}">Tell me in this browser</button>',
         '<p><output role="status"></output></p>',
         "<noscript><p>This page needs JavaScript.</p></noscript>",
         '<script src="page.js"></script>'],
    )  # fmt: skip


async def subscribe(request: web.Request) -> web.Response:
    """What the browser has made: kept as a contact of whoever was invited, and tried at once."""
    runtime = request.app[RUNTIME]
    not_draining(runtime)
    invitation = _invitation(request, runtime)
    given = (await body_of(request)).decode("utf-8", "replace")
    channel = await asyncio.to_thread(runtime.delivering.channel, "webpush")
    address = channel.check(given, {})

    def work(uow: UnitOfWork) -> tuple[str, bool]:
        return browsers.subscribe(uow, invitation, address, runtime.vault)

    number, paged = await runtime.database.write(work, companies=(MSP,))
    return answer({"id": number, "message": await _tried(runtime, number, paged)}, status=201)


async def _tried(runtime: Runtime, number: str, paged: bool) -> str:
    """What the person reads once it is done."""
    sealed = await runtime.database.read(browsers.sealed, number)
    done = await try_once(
        runtime, "webpush", runtime.delivering.opened(sealed, ""), subject=WELCOME, text="",
        key=f"browser:{number}",
    )  # fmt: skip
    if not done.ok:
        return f"It is kept as {number}, but a first message did not go out: {done.error}"
    rule = "" if paged else f" Your own rules decide about messages:  siems notify rules add --contact {number}"
    return f"Done: this browser is {number}, and a first message is on its way.{rule}"


def _invitation(request: web.Request, runtime: Runtime) -> Invitation:
    return read_invitation(_key(runtime), request.match_info["token"], runtime.clock.now())


def _key(runtime: Runtime) -> bytes:
    return runtime.vault.derived("browsers")


@cache
def _script(name: str) -> str:
    return Path(__file__).with_name(name).read_text()


async def page_script(request: web.Request) -> web.Response:
    return _javascript("push_page.js")


async def worker(request: web.Request) -> web.Response:
    return _javascript("push_worker.js")


def _javascript(name: str) -> web.Response:
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    return web.Response(text=_script(name), content_type="text/javascript", headers=headers)


def _page(title: str, parts: Iterable[str], *, status: int = 200) -> web.Response:
    shown = escape(safe(title))
    body = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{shown}</title><style>{STYLE}</style><h1>{shown}</h1>{''.join(parts)}</html>"
    )
    headers = HEADERS | {"Content-Security-Policy": POLICY}
    return web.Response(text=body, status=status, content_type="text/html", headers=headers)


ADDRESSES: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/push/page.js", page_script),
    ("GET", "/push/worker.js", worker),
    ("GET", "/push/{token}", show),
    ("POST", "/push/{token}", subscribe),
)
